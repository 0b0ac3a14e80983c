"""Text that others wrote, for Streamlit's widgets: nearly all of them take what they show for Markdown."""

import re

_SPECIAL = re.compile(r"[\\`*_\[\]#|~$<>&!]|:(?=\S)")
_JOINED = re.compile(r"^\d+(?=[.)])|^[-+]|:(?=[^\s\d])|@|www(?=\.)|[<>~=-](?=[=>-])", re.IGNORECASE)
"""After these, Streamlit makes something of plain text even where each character is escaped: lists, links, addresses,
:material/home:, arrows."""


def plain(text: str) -> str:
    """Markdown that shows one line of text as it is.

    What has a meaning is escaped, or gets a word joiner after it, which nobody sees.
    """
    return _SPECIAL.sub(r"\\\g<0>", _JOINED.sub("\\g<0>\u2060", text.strip()))
