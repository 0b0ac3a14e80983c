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

from samviz.data import download, fetch, load, status
from samviz.data.cifar import Layout
from samviz.data.fetch import ARCHIVES, PARTIAL, STALE_SECONDS, Archive
from samviz.spec import DATASETS


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
        return f"http://127.0.0.1:{self.http.server_port}/binary.tar.gz"

    def archive(self) -> Archive:
        return Archive(self.url, hashlib.sha256(self.body).hexdigest(), len(self.body))

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


def packed(place: Path, folder: str, **extra: bytes) -> bytes:
    """A tar.gz of the files in `place` as the official one is laid out, with extra members by name."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name, content in extra.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        tar.add(place, folder)
    return out.getvalue()


@pytest.fixture
def body(fabricate, layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An archive with the files, a text, a member that tries to escape, and a name that it must not give itself."""
    place = fabricate(tmp_path_factory.mktemp("archive") / layout.folder, layout)
    (place / layout.texts[0]).write_text("airplane\n")
    escaped = {"../escaped.txt": b"outside", f"{layout.folder}/SOURCE.txt": b"CIFAR, so it says"}
    return packed(place, layout.folder, **escaped)


def content(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_download_lands_whole_and_is_read(server, key, layout, body, tmp_path, monkeypatch):
    monkeypatch.setenv("SAMVIZ_HOME", str(tmp_path))
    monkeypatch.delenv("SAMVIZ_DATA", raising=False)
    server.body = body
    monkeypatch.setitem(ARCHIVES, key, server.archive())
    seen: list[tuple[int, int]] = []
    place = download(key, lambda done, total: seen.append((done, total)))
    assert place == tmp_path / "data" / layout.folder
    assert content(tmp_path / "data") == [layout.folder]
    assert content(place) == sorted([*layout.sha256, layout.texts[0]]), "no other member of the archive"
    assert not (tmp_path / "escaped.txt").exists()
    assert {total for _, total in seen} == {len(body)}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (len(body), len(body))
    assert [found.key for found in status() if found.ready] == ["builtin", key]
    assert load(key).classes == DATASETS[key].classes

    assert download(key) == place
    assert server.requests == 1, "what is there is not fetched again"


def test_cut_connection_leaves_nothing_and_the_next_try_succeeds(server, layout, body, tmp_path):
    server.body, server.cut = body, len(body) // 2
    name = layout.dataset.label
    with pytest.raises(
        ValueError, match=rf"^{name} cannot be downloaded: the connection .* broke off .*built-in data\.$"
    ):
        fetch.fetch(server.archive(), layout, tmp_path)
    assert content(tmp_path) == []
    server.cut = None
    assert fetch.fetch(server.archive(), layout, tmp_path) == tmp_path / layout.folder
    assert content(tmp_path) == [layout.folder]


def test_wrong_checksum_is_dropped(server, layout, body, tmp_path):
    server.body = body
    name = layout.dataset.label
    with pytest.raises(ValueError, match=rf"^{name} from 127.* does not have the official checksum.*built-in data\.$"):
        fetch.fetch(Archive(server.url, "0" * 64, len(body)), layout, tmp_path)
    assert content(tmp_path) == []


def test_no_server_says_so_and_offers_the_built_in_data(layout, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:\d+ cannot be reached .*built-in data\.$"):
        fetch.fetch(Archive(f"http://127.0.0.1:{port}/x.tar.gz", "0" * 64, 1), layout, tmp_path)
    assert content(tmp_path) == []


def test_server_error_is_told(server, layout, tmp_path):
    server.body, server.code = b"gone", 404
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:\d+ answered 404\..*built-in data\.$"):
        fetch.fetch(server.archive(), layout, tmp_path)
    assert content(tmp_path) == []


def test_archive_without_the_files_is_refused(server, layout, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for server.body, sentence in ((b"no archive", "cannot be unpacked"), (packed(empty, layout.folder), "is missing")):
        with pytest.raises(ValueError, match=sentence):
            fetch.fetch(server.archive(), layout, tmp_path / "data")
        assert content(tmp_path / "data") == []


def test_archive_of_damaged_files_is_refused(server, fabricate, layout, tmp_path):
    name = list(layout.sha256)[-1]
    place = fabricate(tmp_path / "damaged", layout)
    os.truncate(place / name, 5000)
    server.body = packed(place, layout.folder)
    with pytest.raises(ValueError, match=rf"{name} must have {layout.file_bytes(name)} bytes, but it has 5000\."):
        fetch.fetch(server.archive(), layout, tmp_path / "data")
    assert content(tmp_path / "data") == []


def test_progress_that_raises_stops_the_download(server, layout, body, tmp_path):
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    server.body = body
    with pytest.raises(KeyboardInterrupt):
        fetch.fetch(server.archive(), layout, tmp_path, stop)
    assert content(tmp_path) == []


def test_leftovers_of_a_killed_download_go_but_a_live_one_stays(server, layout, body, tmp_path):
    for name, age in (("old", STALE_SECONDS + 60), ("live", 5)):
        (tmp_path / (PARTIAL + name)).mkdir()
        for path in (tmp_path / (PARTIAL + name) / "piece", tmp_path / (PARTIAL + name)):
            if path.name == "piece":
                path.write_bytes(b"half")
            os.utime(path, (time.time() - age,) * 2)
    server.body = body
    fetch.fetch(server.archive(), layout, tmp_path)
    assert content(tmp_path) == [PARTIAL + "live", layout.folder]


def test_files_in_the_way_are_kept_and_named(server, layout, tmp_path):
    name = next(iter(layout.sha256))
    (tmp_path / layout.folder).mkdir()
    (tmp_path / layout.folder / name).write_bytes(b"mine")
    with pytest.raises(ValueError, match=rf"{name} must have \d+ bytes, but it has 4\. Move .* away"):
        fetch.fetch(server.archive(), layout, tmp_path)
    assert (tmp_path / layout.folder / name).read_bytes() == b"mine"
    assert server.requests == 0


def test_folder_that_cannot_be_made_is_named(server, layout, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ValueError, match=rf"{layout.dataset.label} cannot be kept in .*file"):
        fetch.fetch(server.archive(), layout, tmp_path / "file" / "data")


@pytest.mark.parametrize("name", ["builtin", "imagenet"])
def test_only_what_has_an_archive_is_downloaded(name):
    with pytest.raises(ValueError, match=f"^dataset must be one of cifar10, cifar100, but it is '{name}'\\.$"):
        download(name)
