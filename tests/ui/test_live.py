"""The live page's data: one build a revision, ETags, compression, plain JSON, and little of it."""

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from threading import Barrier, Thread
from time import sleep

import pytest
import uvicorn
from starlette.applications import Starlette

from samviz.runs import open_store
from samviz.ui.live import Cache, view
from samviz.ui.live_routes import live_routes
from tests import stored, synthetic
from tests.serve import free_port


class Counting:
    """A source of snapshots that counts how often one is read."""

    def __init__(self) -> None:
        self.snapshots = {"1": synthetic.snapshot(2, 5)}
        self.reads = 0

    def revision(self, id: str) -> str:
        return self.snapshots[id].revision

    def snapshot(self, id: str):
        self.reads += 1
        return self.snapshots[id]


def get(port: int, id: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    """Ask the route; underscores in header names stand for hyphens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, f"/api/comparisons/{id}/live", headers=fields)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real server with the route alone, over a store that has one finished comparison, "1"."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("live")
        patch.setenv("SAMVIZ_HOME", str(home))
        stored.put(open_store(home), synthetic.comparison(2, 4))
        app = Starlette(routes=live_routes())
        server = uvicorn.Server(uvicorn.Config(app, port=free_port(), log_level="error"))
        thread = Thread(target=server.run)
        thread.start()
        while not server.started:
            sleep(0.01)
        yield server.config.port
        server.should_exit = True
        thread.join()


def test_a_page_is_built_once_a_revision_however_many_ask() -> None:
    source = Counting()
    cache = Cache(source)
    barrier = Barrier(16)

    def ask(_: int) -> bytes:
        barrier.wait()
        return cache.page("1").body

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(ask, range(16)))) == 1
    assert source.reads == 1
    source.snapshots["1"] = synthetic.snapshot(2, 5, revision="r2")
    assert cache.page("1").revision == "r2"
    assert source.reads == 2


def test_an_unknown_comparison_is_a_key_error_and_leaves_nothing() -> None:
    cache = Cache(Counting())
    with pytest.raises(KeyError):
        cache.page("2")


def test_the_view_is_plain_json_without_nan() -> None:
    for snapshot in (
        synthetic.snapshot(1, 3),
        synthetic.snapshot(3, 6),
        synthetic.snapshot(2, 3, metrics=synthetic.metrics(synthetic.comparison(), {}), state="queued"),
    ):
        text = json.dumps(view(snapshot), allow_nan=False)
        page = json.loads(text)
        assert [arm["label"] for arm in page["arms"]] == ["SGD", "SAM-all", "SAM-ON", "SAM no-norm"]


def test_the_view_says_what_failed_and_ends_its_log() -> None:
    runs = (synthetic.run(0, "failed", 0.4, error="Boom", log_tail="\n".join(map(str, range(100)))),)
    page = view(synthetic.snapshot(1, 3, state="failed", runs=runs))
    assert page["runs"][0]["error"] == "Boom"
    assert page["runs"][0]["log"].splitlines()[-1] == "99"
    assert len(page["runs"][0]["log"].splitlines()) == 20


def test_four_arms_three_seeds_sixty_epochs_stay_within_the_budget() -> None:
    text = json.dumps(view(synthetic.snapshot(3, 60)), separators=(",", ":"))
    assert len(gzip.compress(text.encode(), compresslevel=5)) < 60_000


def test_the_route_answers_compressed_and_304_until_something_changes(port: int) -> None:
    answer, body = get(port, "1", Accept_Encoding="gzip")
    assert answer.status == 200
    assert answer.headers["Content-Encoding"] == "gzip"
    page = json.loads(gzip.decompress(body))
    assert page["results"][0]["n"] == 2
    etag = answer.headers["ETag"]
    unchanged, nothing = get(port, "1", If_None_Match=etag)
    assert unchanged.status == 304
    assert nothing == b""
    assert get(port, "1", If_None_Match='"other"')[0].status == 200
    plain, text = get(port, "1", Accept_Encoding="identity")
    assert "Content-Encoding" not in plain.headers
    assert json.loads(text) == page


@pytest.mark.parametrize("id", ["99", "x", "1%20or%201", "-1"])
def test_the_route_knows_what_is_not_there(port: int, id: str) -> None:
    answer, body = get(port, id)
    assert answer.status == 404
    assert "There is no comparison" in json.loads(body)["error"]


def test_the_route_changes_nothing(port: int) -> None:
    assert get(port, "1", "POST")[0].status == 405
