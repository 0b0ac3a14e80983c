"""Which data sets are here, and reading one of them."""

from dataclasses import dataclass
from pathlib import Path

from samviz.data import builtin, cifar
from samviz.data.fetch import ARCHIVES
from samviz.data.images import Images
from samviz.home import data_folders
from samviz.spec import DATASETS, check


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """What is there of one data set."""

    key: str
    """Key of `DATASETS`."""
    label: str
    """What results on it are called."""
    ready: bool
    """Whether `load` can read it."""
    path: Path | None
    """Its folder; None where it is generated or missing."""
    size_bytes: int
    """Size on disk."""
    note: str
    """One sentence: where it comes from, or what is wrong and what to do."""


def load(dataset: str, folders: list[Path] | None = None) -> Images:
    """Read or generate a data set whole.

    `folders` may hold it (None: the user's own, SAMVIZ_DATA, then the download folder). Raises ValueError in one
    sentence where the data is missing (what to do) or damaged (which file, what was expected and found).
    """
    check.choice("dataset", dataset, DATASETS)
    if dataset == "builtin":
        return builtin.generate()
    folders = data_folders() if folders is None else folders
    layout = cifar.LAYOUTS[dataset]
    place = cifar.find(layout, folders)
    if place is None:
        raise ValueError(_missing(dataset, folders))
    try:
        return cifar.read(layout, place)
    except OSError as error:
        raise ValueError(f"{error.filename or place} cannot be read: {error.strerror or error}.") from None


def status(folders: list[Path] | None = None) -> tuple[DatasetStatus, ...]:
    """What is there of every data set, without reading it whole: sizes, and checksums once per file."""
    folders = data_folders() if folders is None else folders
    shapes = DATASETS["builtin"]
    note = "Generated from a fixed seed: nothing to download."
    generated = DatasetStatus("builtin", shapes.label, True, None, 0, note)
    return generated, *(_on_disk(key, folders) for key in cifar.LAYOUTS)


def _on_disk(key: str, folders: list[Path]) -> DatasetStatus:
    layout = cifar.LAYOUTS[key]
    name = layout.dataset.label
    place = cifar.find(layout, folders)
    if place is None:
        return DatasetStatus(key, name, False, None, 0, _missing(key, folders))
    size = sum((place / file).stat().st_size for file in layout.sha256 if (place / file).is_file())
    try:
        cifar.check_sizes(layout, place)
        return DatasetStatus(key, cifar.label(layout, place), True, place, size, f"Read from {place}.")
    except (ValueError, OSError) as error:
        return DatasetStatus(key, name, False, place, size, str(error))


def _missing(key: str, folders: list[Path]) -> str:
    layout = cifar.LAYOUTS[key]
    looked = " and ".join(str(folder) for folder in folders) or "no folder"
    return (
        f"{layout.dataset.label} is not in {looked}: download it ({ARCHIVES[key].size / 1e6:.0f} MB), "
        f"set SAMVIZ_DATA to a folder that holds {layout.folder}, or take the built-in data."
    )
