"""What leads through the pages: the lesson's bar, the lecture view with its QR code, and the glossary."""

import re
from urllib.parse import parse_qsl

import streamlit as st

from samviz.spec.glossary import GLOSSARY, pieces
from samviz.spec.lesson import LESSON, parse_lecture, parse_lesson
from samviz.ui import public
from samviz.ui.components import component
from samviz.ui.document import PAGES
from samviz.ui.plain import plain

_NEXT_TO_NUMBERS = re.compile(r" (?=[=+%])|(?<=[=+,]) (?=[\d−(ε])")

MARKS = {"lesson": parse_lesson, "lecture": parse_lecture}
"""What the guide keeps in a page's address -> how it is read."""


def guide() -> dict:
    """What assets/guide.js needs: the lesson, the glossary's terms, and where others find the app."""
    try:
        base, closed = public.base(st.context.headers.get("host", "")), public.closed()
    except ValueError as error:
        base, closed = "", str(error)
    return {
        "steps": [
            {
                "title": step.title,
                "text": words(step.text),
                "equation": step.equation,
                "attempt": words(step.attempt),
                "page": step.page,
                "query": step.query,
            }
            for step in LESSON
        ],
        "terms": {term.name: [term.definition, term.source] for term in GLOSSARY.values()},
        "base": base,
        "closed": closed,
    }


def words(text: str) -> list[list[str]]:
    """[text] or [text, name of its term]; what belongs to a number stays with it on one line."""
    kept = _NEXT_TO_NUMBERS.sub("\u00a0", text)
    return [[part, term.name] if term else [part] for part, term in pieces(kept)]


def bar() -> None:
    """The lesson's bar on a page of Streamlit's own widgets, if the address names a step."""
    marks, problem = {"lesson": "", "lecture": ""}, ""
    for key, read in MARKS.items():
        try:
            marks[key] = str(read(st.query_params[key])) if key in st.query_params else ""
        except ValueError as error:
            problem = str(error)
    if problem:
        st.warning(plain(problem))
    if any(marks.values()):
        component("guide", "controls")(key="guide", data={"guide": guide(), "marks": marks})


def glossary() -> None:
    """The glossary, folded up."""
    with st.expander("Glossary"):
        st.markdown("\n".join(f"- **{t.name}**: {t.definition} *({t.source})*" for t in GLOSSARY.values()))


_ENTRY = """<style>
.st-key-lesson-entry [data-testid="stPageLink-NavLink"] { padding: 0.6rem 1rem; border: 1px solid; }
</style>"""


def entry() -> None:
    """The way into the lesson: a link to its first step."""
    st.html(_ENTRY)
    with st.container(key="lesson-entry"):
        st.page_link(
            PAGES / f"{LESSON[0].page}.py",
            label=f"**Start the lesson**: {len(LESSON)} short steps",
            icon=":material/school:",
            query_params=dict(parse_qsl(LESSON[0].query)) | {"lesson": "1"},
        )
