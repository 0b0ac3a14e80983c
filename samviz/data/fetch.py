"""The download of a data set: checked before anything of it is visible, and put in place in one step."""

import shutil
import tarfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from samviz.data.cifar import LAYOUTS, Layout, check_sizes
from samviz.home import home
from samviz.spec import check

Progress = Callable[[int, int], None]
"""progress(bytes so far, bytes in all); all is 0 where the server does not say."""

PARTIAL = ".download-"
STALE_SECONDS = 600
"""A live download writes at least every TIMEOUT seconds; what lay still for longer was cut off."""
TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class Archive:
    """A tar archive on the web, with its checksum."""

    url: str
    sha256: str
    size: int
    """Bytes."""


# Checksums and sizes as in TensorFlow Datasets (url_checksums/cifar10.txt and cifar100.txt); the data sets' own page
# gives the md5 c32a1d4ab5d03f1284b67883e8d87530 and 03b5dce01913d631647c71ecec9e9cb8.
ARCHIVES = {
    "cifar10": Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        170_052_171,
    ),
    "cifar100": Archive(
        "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        168_513_733,
    ),
}
"""The official archives, by key of `DATASETS`: what can be downloaded."""


def download(dataset: str, progress: Progress | None = None) -> Path:
    """Fetch a data set into the download folder and return its place; at once if it is there already.

    Raises ValueError in one sentence if the data set needs no download, the server cannot be reached, the connection
    is cut, the checksum is wrong or other files are in the way. Nothing half-done stays: the next try starts afresh.
    """
    check.choice("dataset", dataset, ARCHIVES)
    return fetch(ARCHIVES[dataset], LAYOUTS[dataset], home() / "data", progress)


def fetch(archive: Archive, layout: Layout, folder: Path, progress: Progress | None = None) -> Path:
    """Download `archive`, check it, and put the files of `layout` into its folder in `folder`."""
    target = folder / layout.folder
    if target.exists():
        return _already_there(layout, target)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder)
        with TemporaryDirectory(prefix=PARTIAL, dir=folder, ignore_cleanup_errors=True) as partial:
            path = _retrieve(archive, layout.dataset.label, Path(partial), progress)
            place = _extract(layout, path, Path(partial))
            try:
                place.rename(target)
            except OSError:
                if not target.exists():  # else a second download was faster, and its files are as good
                    raise
    except OSError as error:
        raise ValueError(f"{layout.dataset.label} cannot be kept in {folder}: {error.strerror or error}.") from None
    return target


def _already_there(layout: Layout, target: Path) -> Path:
    try:
        check_sizes(layout, target)
    except ValueError as error:
        raise ValueError(f"{error} Move {target} away to download it again.") from None
    return target


def _remove_stale(folder: Path) -> None:
    """Remove what a killed download left behind, but not what another process is downloading right now."""
    for partial in folder.glob(PARTIAL + "*"):
        with suppress(OSError):  # it may be gone by now
            newest = max(path.stat().st_mtime for path in (partial, *partial.iterdir()))
            if time.time() - newest > STALE_SECONDS:
                shutil.rmtree(partial)


class _Bar:
    """What pooch takes for a progress bar: passes the bytes on to a function."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self.total, self.done = progress, 0, 0

    def update(self, n: int) -> None:
        self.done = min(self.done + n, self.total) if self.total else self.done + n
        self.progress(self.done, self.total)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        pass


def _retrieve(archive: Archive, name: str, partial: Path, progress: Progress | None) -> Path:
    import pooch  # here, because only a download needs it
    import requests

    pooch.get_logger().setLevel("WARNING")
    bar = _Bar(progress) if progress else False
    downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=2**18, timeout=TIMEOUT)
    server = urlsplit(archive.url).netloc
    advice = "Try again later, or take the built-in data."
    try:
        return Path(
            pooch.retrieve(archive.url, f"sha256:{archive.sha256}", "archive.tar.gz", partial, None, downloader)
        )
    except requests.HTTPError as error:
        raise ValueError(
            f"{name} cannot be downloaded: {server} answered {error.response.status_code}. {advice}"
        ) from None
    except (requests.ConnectionError, requests.Timeout) as error:
        raise ValueError(
            f"{name} cannot be downloaded: {server} cannot be reached ({type(error).__name__}). {advice}"
        ) from None
    except requests.RequestException as error:
        raise ValueError(
            f"{name} cannot be downloaded: the connection to {server} broke off ({type(error).__name__}). {advice}"
        ) from None
    except ValueError:
        raise ValueError(
            f"{name} from {server} does not have the official checksum: it was dropped. {advice}"
        ) from None


def _extract(layout: Layout, path: Path, partial: Path) -> Path:
    """Extract the files of the data set, and nothing else, and check them."""
    wanted = {f"{layout.folder}/{name}" for name in (*layout.sha256, *layout.texts)}
    try:
        with tarfile.open(path) as tar:
            members = [member for member in tar if member.name.removeprefix("./") in wanted and member.isfile()]
            tar.extractall(partial, members, filter="data")
    except tarfile.TarError as error:
        raise ValueError(f"The archive of {layout.dataset.label} cannot be unpacked: {error}.") from None
    place = partial / layout.folder
    check_sizes(layout, place)
    return place
