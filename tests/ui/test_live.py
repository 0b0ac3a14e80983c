"""The live page's data: one build a revision, ETags, compression, plain JSON, and little of it."""

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Barrier, Thread
from time import sleep

import pytest
import uvicorn
from starlette.applications import Starlette

from samviz.figures.tally import Tally
from samviz.runs import News, Place, Snapshot, Store, exchange, jobs, open_store
from samviz.runs.schema import writing
from samviz.ui.live import Cache, Page, view
from samviz.ui.live_routes import live_routes
from tests import stored, synthetic
from tests.serve import free_port


class Counting:
    """A store that counts how often it is read."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.reads = 0

    def revision(self, id: str) -> str:
        return self.store.revision(id)

    def news(self, id: str, since: Place | None) -> News:
        self.reads += 1
        return self.store.news(id, since)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def seen(snapshot: Snapshot) -> dict:
    """The view of a snapshot, all of whose rows are new."""
    return view(
        snapshot, Tally(snapshot.comparison).add(*map(synthetic.tuples, (snapshot.metrics, snapshot.histograms)))
    )


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


def content(page: Page) -> dict:
    return json.loads(gzip.decompress(page.body))


def test_a_page_is_built_once_a_revision_however_many_ask(store: Store) -> None:
    id = stored.put(store, synthetic.comparison(2, 5))
    source = Counting(store)
    cache = Cache(source)
    barrier = Barrier(16)

    def ask(_: int) -> bytes:
        barrier.wait()
        return cache.page(id).body

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(ask, range(16)))) == 1
    assert source.reads == 1
    with writing(store.engine) as connection:
        jobs.touch(connection, int(id))
    assert cache.page(id).revision == store.revision(id)
    assert source.reads == 2


def test_pages_built_row_by_row_are_those_built_at_once(store: Store) -> None:
    spec = synthetic.comparison(2, 6)
    metrics, histograms = synthetic.metrics(spec), synthetic.histograms(spec)
    id = stored.put(store, spec, reached={0: 6, 1: 0})
    cache = Cache(store)
    for epoch in range(7):
        if epoch:
            stored.add_epoch(store, id, 1, epoch, metrics, histograms, spec.recipe.steps_per_epoch)
        page = content(cache.page(id))
        assert page == json.loads(json.dumps(seen(store.snapshot(id))))
    assert page["results"][0]["n"] == 2


def test_rows_that_a_resume_drops_are_forgotten(store: Store) -> None:
    spec = synthetic.comparison(1, 6)
    metrics, histograms = synthetic.metrics(spec), synthetic.histograms(spec)
    id = stored.put(store, spec, ends={0: "queued"})
    job = jobs.claim(store.engine)
    jobs.resume(store.engine, job, -1, {}, "Built-in shapes")
    for epoch in range(5):
        stored.add_epoch(store, id, 0, epoch, metrics, histograms, spec.recipe.steps_per_epoch)
    cache = Cache(store)
    cache.page(id)
    jobs.requeue(store.engine, job, 0, "Lost.")
    again = jobs.claim(store.engine)
    jobs.resume(store.engine, again, 2 * spec.recipe.steps_per_epoch, {}, "Built-in shapes")
    other = metrics.assign(value=metrics["value"] + 1)
    for epoch in range(3, 7):
        stored.add_epoch(store, id, 0, epoch, other, histograms, spec.recipe.steps_per_epoch)
    page = content(cache.page(id))
    assert page == content(Cache(store).page(id))
    assert page == json.loads(json.dumps(seen(store.snapshot(id))))


def test_the_example_is_read_once(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = tmp_path / "example.json"
    bundled.write_text(exchange.to_json(synthetic.snapshot(3, 4)), "utf-8")
    monkeypatch.setattr("samviz.runs.store.EXAMPLE", bundled)
    source = Counting(store)
    cache = Cache(source)
    assert content(cache.page("example"))["results"][0]["n"] == 3
    cache.page("example")
    assert source.reads == 1
    first = store.news("example")
    assert first.anew
    assert store.news("example", first.place).metrics == []


def test_an_unknown_comparison_is_a_key_error(store: Store) -> None:
    with pytest.raises(KeyError):
        Cache(store).page("2")


def test_the_view_is_plain_json_without_nan() -> None:
    for snapshot in (
        synthetic.snapshot(1, 3),
        synthetic.snapshot(3, 6),
        synthetic.snapshot(2, 3, metrics=synthetic.metrics(synthetic.comparison(), {}), state="queued"),
    ):
        text = json.dumps(seen(snapshot), allow_nan=False)
        page = json.loads(text)
        assert [arm["label"] for arm in page["arms"]] == ["SGD", "SAM-all", "SAM-ON", "SAM no-norm"]


def test_the_view_says_what_failed_and_ends_its_log() -> None:
    runs = (synthetic.run(0, "failed", 0.4, error="Boom", log_tail="\n".join(map(str, range(100)))),)
    page = seen(synthetic.snapshot(1, 3, state="failed", runs=runs))
    assert page["runs"][0]["error"] == "Boom"
    assert page["runs"][0]["log"].splitlines()[-1] == "99"
    assert len(page["runs"][0]["log"].splitlines()) == 20


def test_four_arms_three_seeds_sixty_epochs_stay_within_the_budget() -> None:
    text = json.dumps(seen(synthetic.snapshot(3, 60)), separators=(",", ":"))
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
