"""The download, from a real HTTP server on this machine that can be made to fail in the usual ways."""

import gzip
import hashlib
import io
import os
import socket
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from samviz.data import cifar, download, fetch, load, status
from samviz.data.fetch import PARTIAL, STALE_SECONDS, Archive


class Server:
    """Serves `body` at every path; `cut` ends the connection after so many bytes, `code` is the answer's status."""

    def __init__(self) -> None:
        self.body, self.cut, self.code, self.requests = b"", None, 200, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                self.send_response(outer.code)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body[: outer.cut])

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/cifar-10-binary.tar.gz"

    def archive(self) -> Archive:
        return Archive(self.url, hashlib.sha256(self.body).hexdigest())

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    yield server
    server.close()


def packed(place: Path, **extra: bytes) -> bytes:
    """A tar.gz of the folder as the official one is laid out, with extra members by name."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name, content in extra.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        tar.add(place, cifar.FOLDER)
    return out.getvalue()


@pytest.fixture(scope="module")
def body(tmp_path_factory) -> bytes:
    place = tmp_path_factory.mktemp("archive") / cifar.FOLDER
    place.mkdir()
    for name in cifar.SHA256:
        with (place / name).open("wb") as file:
            file.truncate(cifar.FILE_BYTES)
    (place / "batches.meta.txt").write_text("airplane\n")
    return packed(place, **{"../escaped.txt": b"outside", f"{cifar.FOLDER}/SOURCE.txt": b"CIFAR-10, so it says"})


def content(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_download_lands_whole_and_is_read(server, body, tmp_path, monkeypatch):
    monkeypatch.setenv("SAMVIZ_HOME", str(tmp_path))
    monkeypatch.delenv("SAMVIZ_DATA", raising=False)
    server.body = body
    monkeypatch.setattr(fetch, "CIFAR10", server.archive())
    seen: list[tuple[int, int]] = []
    place = download("cifar10", lambda done, total: seen.append((done, total)))
    assert place == tmp_path / "data" / cifar.FOLDER
    assert content(tmp_path / "data") == [cifar.FOLDER]
    assert content(place) == sorted([*cifar.SHA256, "batches.meta.txt"]), "no other member of the archive"
    assert not (tmp_path / "escaped.txt").exists()
    assert {total for _, total in seen} == {len(body)}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (len(body), len(body))
    assert status()[1].ready
    assert len(load("cifar10").test_y) == 10_000

    assert download("cifar10") == place
    assert server.requests == 1, "what is there is not fetched again"


def test_cut_connection_leaves_nothing_and_the_next_try_succeeds(server, body, tmp_path):
    server.body, server.cut = body, len(body) // 2
    with pytest.raises(
        ValueError, match=r"^CIFAR-10 cannot be downloaded: the connection .* broke off .*built-in data\.$"
    ):
        fetch.fetch(server.archive(), tmp_path)
    assert content(tmp_path) == []
    server.cut = None
    assert fetch.fetch(server.archive(), tmp_path) == tmp_path / cifar.FOLDER
    assert content(tmp_path) == [cifar.FOLDER]


def test_wrong_checksum_is_dropped(server, body, tmp_path):
    server.body = body
    with pytest.raises(ValueError, match=r"^CIFAR-10 from 127.* does not have the official checksum.*built-in data\.$"):
        fetch.fetch(Archive(server.url, "0" * 64), tmp_path)
    assert content(tmp_path) == []


def test_no_server_says_so_and_offers_the_built_in_data(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:\d+ cannot be reached .*built-in data\.$"):
        fetch.fetch(Archive(f"http://127.0.0.1:{port}/x.tar.gz", "0" * 64), tmp_path)
    assert content(tmp_path) == []


def test_server_error_is_told(server, tmp_path):
    server.body, server.code = b"gone", 404
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:\d+ answered 404\..*built-in data\.$"):
        fetch.fetch(server.archive(), tmp_path)
    assert content(tmp_path) == []


def test_archive_without_the_files_is_refused(server, tmp_path):
    for server.body, sentence in ((b"no archive", "cannot be unpacked"), (packed_empty(tmp_path), "is missing")):
        with pytest.raises(ValueError, match=sentence):
            fetch.fetch(server.archive(), tmp_path / "data")
        assert content(tmp_path / "data") == []


def packed_empty(tmp_path: Path) -> bytes:
    place = tmp_path / "empty"
    place.mkdir()
    return packed(place)


def test_progress_that_raises_stops_the_download(server, body, tmp_path):
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    server.body = body
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch(server.archive(), tmp_path, stop)
    assert content(tmp_path) == []


def test_leftovers_of_a_killed_download_go_but_a_live_one_stays(server, body, tmp_path):
    for name, age in (("old", STALE_SECONDS + 60), ("live", 5)):
        (tmp_path / (PARTIAL + name)).mkdir()
        for path in (tmp_path / (PARTIAL + name) / "piece", tmp_path / (PARTIAL + name)):
            if path.name == "piece":
                path.write_bytes(b"half")
            os.utime(path, (time.time() - age,) * 2)
    server.body = body
    fetch.fetch(server.archive(), tmp_path)
    assert content(tmp_path) == [PARTIAL + "live", cifar.FOLDER]


def test_files_in_the_way_are_kept_and_named(server, tmp_path):
    (tmp_path / cifar.FOLDER).mkdir()
    (tmp_path / cifar.FOLDER / "data_batch_1.bin").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"data_batch_1\.bin must have 30730000 bytes, but it has 4\. Move .* away"):
        fetch.fetch(server.archive(), tmp_path)
    assert (tmp_path / cifar.FOLDER / "data_batch_1.bin").read_bytes() == b"mine"
    assert server.requests == 0


def test_folder_that_cannot_be_made_is_named(server, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ValueError, match=r"CIFAR-10 cannot be kept in .*file"):
        fetch.fetch(server.archive(), tmp_path / "file" / "data")


def test_only_cifar10_is_downloaded():
    with pytest.raises(ValueError, match="dataset must be cifar10, the only one to download, but it is 'builtin'"):
        download("builtin")
    with pytest.raises(ValueError, match="dataset must be one of"):
        download("imagenet")
