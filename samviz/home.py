"""Where samviz keeps things: store, checkpoints, logs and data, all under one folder."""

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The folder of this user's store, runs and data: SAMVIZ_HOME, else the platform's user data folder."""
    return Path(os.environ.get("SAMVIZ_HOME") or platformdirs.user_data_path("samviz", appauthor=False)).expanduser()


def data_folders() -> list[Path]:
    """Folders that may hold data sets, the user's own (SAMVIZ_DATA) first, then the download folder."""
    own = os.environ.get("SAMVIZ_DATA")
    return [*([Path(own).expanduser()] if own else []), home() / "data"]
