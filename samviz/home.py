"""Where samviz keeps things: store, checkpoints, logs and data, all under one folder."""

import os
from pathlib import Path


def home() -> Path:
    """The folder of this user's store, runs and data: SAMVIZ_HOME, else the platform's user data folder.

    Raises ValueError where it is ~somebody's, whom this machine does not know.
    """
    return _folder("SAMVIZ_HOME") or _user_data()


def _folder(setting: str) -> Path | None:
    """What an environment variable names, None where it is not set."""
    given = os.environ.get(setting)
    try:
        return Path(given).expanduser() if given else None
    except RuntimeError:
        raise ValueError(f"{setting} must be a folder of a user who is known, but it is {given!r}.") from None


def _user_data() -> Path:
    import platformdirs  # here: samviz.sharpness needs the readers of the data, and torch and NumPy alone

    return platformdirs.user_data_path("samviz", appauthor=False)


def data_folders() -> list[Path]:
    """Folders that may hold data sets, the user's own (SAMVIZ_DATA) first, then the download folder.

    Raises ValueError as `home`.
    """
    own = _folder("SAMVIZ_DATA")
    return [*([own] if own else []), home() / "data"]
