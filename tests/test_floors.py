"""Data flows one way: a floor imports only from floors below it, and each library has its floors."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS = [
    "variants",
    "spec",
    "home",
    "toy",
    "data",
    "optim",
    "training",
    "sharpness",
    "runs",
    "papers",
    "figures",
    "ui",
    "pages",
]
"""From the ground up."""

LIBRARIES = {
    "torch": {"optim", "training", "sharpness", "runs/worker.py", "runs/checkpoints.py"},
    "pytorchcv": {"training"},
    "streamlit": {"ui", "pages", "app.py"},
    "starlette": {"ui", "app.py"},
    "plotly": {"ui/routes.py"},
    "sqlalchemy": {"runs"},
    "alembic": {"runs/migrations"},
    "psycopg": {"runs/engine.py"},
    "fsspec": {"runs/places.py"},
    "pyarrow": {"runs/bundle.py"},
    "ray": {"runs/ray_jobs.py"},
    "optuna": {"runs/search.py"},
    "pooch": {"data"},
    "psutil": {"runs", "training"},
}


def sources() -> list[Path]:
    return sorted([*(ROOT / "samviz").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"])


def place(path: Path) -> str:
    """samviz/toy/loss.py -> toy/loss.py, pages/lab.py -> pages/lab.py."""
    return path.relative_to(ROOT).as_posix().removeprefix("samviz/")


def floor(path: Path) -> str:
    return place(path).split("/")[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Full names of all modules that a file imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", sources(), ids=place)
def test_a_file_imports_only_from_its_floor_and_those_below(path: Path) -> None:
    here = floor(path)
    if here not in FLOORS:
        assert here in {"app", "__init__", "__main__", "cli"}, f"{path} is on no floor"
        return
    for name in imported(path):
        parts = name.split(".")
        if parts[0] in {"samviz", "pages"} and len(parts) > 1:
            there = parts[1] if parts[0] == "samviz" else "pages"
            if there in FLOORS:
                assert FLOORS.index(there) <= FLOORS.index(here), f"{place(path)} imports {name} from a higher floor"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_stays_on_its_floors(library: str) -> None:
    users = {place(path) for path in sources() if any(n.split(".")[0] == library for n in imported(path))}
    strangers = {u for u in users if not any(u == home or u.startswith(home + "/") for home in LIBRARIES[library])}
    assert not strangers


def test_the_spec_needs_the_standard_library_alone() -> None:
    for path in [*(ROOT / "samviz" / "spec").glob("*.py"), ROOT / "samviz" / "variants.py"]:
        tops = {name.split(".")[0] for name in imported(path)}
        assert tops <= sys.stdlib_module_names | {"samviz"}, place(path)
