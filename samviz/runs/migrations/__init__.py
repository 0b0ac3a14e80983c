"""The store's tables, from the first version on: Alembic's steps, and the one function that takes them."""

import threading
from pathlib import Path

from sqlalchemy.engine import Connection

FIRST = "0001"
"""The tables of stores that were made before there were migrations."""
_ONE = threading.Lock()
"""Alembic knows one connection at a time in a process."""


def migrate(connection: Connection, stamp: str | None = None) -> None:
    """Bring the tables up to date within the connection's transaction; `stamp` says what they are, if they do not."""
    from alembic import command  # here, because only a first start and an update need the half second
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _ONE:
        if stamp is not None:
            command.stamp(config, stamp)
        command.upgrade(config, "head")
