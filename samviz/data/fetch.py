"""The download of CIFAR-10: checked before anything of it is visible, and put in place in one step."""

import shutil
import tarfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from samviz.data import cifar
from samviz.home import home
from samviz.spec import DATASETS, check

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


CIFAR10 = Archive(
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)
"""The official archive, 170052171 bytes (md5 on its page: c32a1d4ab5d03f1284b67883e8d87530)."""


def download(dataset: str, progress: Progress | None = None) -> Path:
    """Fetch a data set into the download folder and return its place; at once if it is there already.

    Raises ValueError in one sentence if the data set needs no download, the server cannot be reached, the connection
    is cut, the checksum is wrong or other files are in the way. Nothing half-done stays: the next try starts afresh.
    """
    check.choice("dataset", dataset, DATASETS)
    if dataset != "cifar10":
        raise ValueError(f"dataset must be cifar10, the only one to download, but it is {dataset!r}.")
    return fetch(CIFAR10, home() / "data", progress)


def fetch(archive: Archive, folder: Path, progress: Progress | None = None) -> Path:
    """Download `archive`, check it, and put its CIFAR-10 files into FOLDER/cifar-10-batches-bin."""
    target = folder / cifar.FOLDER
    if target.exists():
        return _already_there(target)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder)
        with TemporaryDirectory(prefix=PARTIAL, dir=folder, ignore_cleanup_errors=True) as partial:
            path = _retrieve(archive, Path(partial), progress)
            place = _extract(path, Path(partial))
            try:
                place.rename(target)
            except OSError:
                if not target.exists():  # else a second download was faster, and its files are as good
                    raise
    except OSError as error:
        raise ValueError(f"CIFAR-10 cannot be kept in {folder}: {error.strerror or error}.") from None
    return target


def _already_there(target: Path) -> Path:
    try:
        cifar.check_sizes(target)
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


def _retrieve(archive: Archive, partial: Path, progress: Progress | None) -> Path:
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
            f"CIFAR-10 cannot be downloaded: {server} answered {error.response.status_code}. {advice}"
        ) from None
    except (requests.ConnectionError, requests.Timeout) as error:
        raise ValueError(
            f"CIFAR-10 cannot be downloaded: {server} cannot be reached ({type(error).__name__}). {advice}"
        ) from None
    except requests.RequestException as error:
        raise ValueError(
            f"CIFAR-10 cannot be downloaded: the connection to {server} broke off ({type(error).__name__}). {advice}"
        ) from None
    except ValueError:
        raise ValueError(
            f"CIFAR-10 from {server} does not have the official checksum: it was dropped. {advice}"
        ) from None


def _extract(path: Path, partial: Path) -> Path:
    """Extract the files of the data set, and nothing else, and check them."""
    wanted = {f"{cifar.FOLDER}/{name}" for name in (*cifar.SHA256, "batches.meta.txt", "readme.html")}
    try:
        with tarfile.open(path) as tar:
            members = [member for member in tar if member.name.removeprefix("./") in wanted and member.isfile()]
            tar.extractall(partial, members, filter="data")
    except tarfile.TarError as error:
        raise ValueError(f"The archive of CIFAR-10 cannot be unpacked: {error}.") from None
    place = partial / cifar.FOLDER
    cifar.check_sizes(place)
    return place
