"""A comparison as a file, in the Lab: export one, import one."""

from collections.abc import Callable
from io import BytesIO
from threading import Lock
from typing import BinaryIO

import streamlit as st

from samviz.figures.export import pages
from samviz.runs import Header, Store, bundle, unbundle
from samviz.ui import access, press

_importing = Lock()
"""One at a time in this process: a file of a few kilobytes may take a gigabyte while it is checked."""


def export_button(store: Store, header: Header, locked: bool) -> None:
    """Everything but the checkpoints as a zip file, made when it is asked for.

    Where it is locked, Streamlit forgets the function that makes the file: the check is made on the server.
    """
    st.download_button(
        "Export",
        access.asked_later(_archive(store, header.id)),
        file_name=f"samviz-{header.id}.zip",
        mime="application/zip",
        icon=":material/archive:",
        key=f"lab-export-{header.id}",
        help="Recipe, versions, every number as CSV and Parquet, what was measured on the Sharpness page, and the "
        "figures; checkpoints from the terminal.",
        on_click="ignore",
        type="tertiary",
        disabled=locked,
    )


def _archive(store: Store, id: str) -> Callable[[], BytesIO]:
    def make() -> BytesIO:
        measured, snapshot, target = store.measurements(id), store.snapshot(id), BytesIO()
        bundle.write(snapshot, target, measurements=measured, figures=pages(snapshot))
        return target

    return make


def import_box(store: Store, locked: bool) -> None:
    """A place for a file that was exported elsewhere."""
    with st.expander("Import a comparison", icon=":material/unarchive:"):
        file = st.file_uploader("A file that was exported elsewhere", type="zip", key="lab-import", disabled=locked)
        if press.button("Import", "lab-import-now", disabled=locked or file is None) and file is not None:
            id = access.act(lambda: _take_in(store, file))
            if id is not None:
                press.started("id", id)


def _take_in(store: Store, file: BinaryIO) -> str:
    with _importing:
        return store.take_in(unbundle.read(file), person=access.person())
