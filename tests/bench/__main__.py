"""`python -m tests.bench [NAME ...]`: measure the budgets and print one table; a missed one is shown, nothing fails."""

import importlib
import platform
import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil
import streamlit

from tests.bench.table import show

BENCHES = ("paint", "drag", "sharpness", "live", "maps", "cancel", "step_cost", "store")
"""Modules with `measure(folder) -> list[Row]`."""


def main(names: list[str]) -> None:
    if unknown := [name for name in names if name not in BENCHES]:
        sys.exit(f"bench must be one of {', '.join(BENCHES)}, but it is {unknown[0]!r}.")
    print(
        f"Python {platform.python_version()}, Streamlit {streamlit.__version__}, NumPy {np.__version__}, "
        f"{platform.system()} {platform.machine()}, {psutil.cpu_count()} cores\n"
    )
    rows = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for name in names or BENCHES:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            place = Path(folder) / name
            place.mkdir()
            rows += importlib.import_module(f"tests.bench.{name}").measure(place)
    print(show(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
