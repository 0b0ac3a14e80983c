"""Where samviz keeps things: store, checkpoints, logs and data, all under one folder."""

import os
from pathlib import Path


def home() -> Path:
    """The folder of this user's store, runs and data: SAMVIZ_HOME, else the platform's user data folder.

    Raises ValueError where it is ~somebody's, whom this machine does not know.
    """
    given = os.environ.get("SAMVIZ_HOME") or _user_data()
    try:
        return Path(given).expanduser()
    except RuntimeError:
        raise ValueError(f"SAMVIZ_HOME must be a folder of a user who is known, but it is {given!r}.") from None


def _user_data() -> Path:
    import platformdirs  # here: samviz.sharpness needs the readers of the data, and torch and NumPy alone

    return platformdirs.user_data_path("samviz", appauthor=False)


def data_folders() -> list[Path]:
    """Folders that may hold data sets, the user's own (SAMVIZ_DATA) first, then the download folder."""
    own = os.environ.get("SAMVIZ_DATA")
    return [*([Path(own).expanduser()] if own else []), home() / "data"]
