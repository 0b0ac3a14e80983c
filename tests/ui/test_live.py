"""The live page's data: one build a revision, ETags, compression, plain JSON, and little of it."""

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Barrier, Thread
from time import sleep

import plotly.graph_objects as go
import pytest
import uvicorn
from starlette.applications import Starlette

from samviz.figures.measures import AXES, MEASURES
from samviz.runs import News, Place, Snapshot, Store, exchange, jobs, open_store
from samviz.runs.engine import writing
from samviz.spec import Arm, Comparison, Recipe
from samviz.ui.live import Builder, Cache, Page
from samviz.ui.live_choice import CURVES, Choice
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


def built(snapshot: Snapshot, what: Choice | str | None = None) -> dict:
    """The page of a snapshot, all of whose rows are new."""
    builder = Builder()
    metrics, histograms = map(synthetic.tuples, (snapshot.metrics, snapshot.histograms))
    place = Place(resumed=(), metric=len(metrics), histogram=len(histograms))
    builder.add(News(header=snapshot, metrics=metrics, histograms=histograms, anew=True, place=place))
    return content(builder.page(what or Choice()))


def get(port: int, address: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
    """Ask a route, as in "1/live"; underscores in header names stand for hyphens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, f"/api/comparisons/{address}", headers=fields)
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


def test_a_page_may_be_as_old_as_is_allowed_and_no_older(store: Store) -> None:
    id = stored.put(store, synthetic.comparison(2, 5))
    source = Counting(store)
    cache = Cache(source)
    first = cache.page(id)
    with writing(store.engine) as connection:
        jobs.touch(connection, int(id))
    assert cache.page(id, age=60.0) is first
    assert cache.at_hand(id, Choice(), age=60.0) is first
    assert cache.at_hand(id, Choice(axis="time"), age=60.0) is None
    assert cache.page(id, Choice(axis="time"), age=60.0).revision == first.revision
    assert source.reads == 1
    sleep(0.3)
    assert cache.at_hand(id, Choice(), age=0.3) is None
    assert cache.page(id, age=0.3).revision == store.revision(id) != first.revision
    assert source.reads == 2


def test_other_choices_are_pages_of_the_same_numbers(store: Store) -> None:
    id = stored.put(store, synthetic.comparison(2, 5))
    source = Counting(store)
    cache = Cache(source)
    assert [figure["name"] for figure in content(cache.page(id))["figures"]] == list(CURVES)
    curves = ("gap", "adversarial_loss", "eps_norm", "lr", "weight_norm/conv")
    choice = Choice(curves, "evaluations", "beta")
    page = content(cache.page(id, choice))
    assert [figure["name"] for figure in page["figures"]] == list(curves)
    assert page["choice"] == {"curves": list(curves), "axis": "evaluations", "histogram": "beta"}
    assert page["figures"][0]["layout"]["xaxis"]["title"]["text"] == "gradient evaluations"
    assert page["histograms"]["name"] == "beta"
    assert cache.page(id, choice).body is cache.page(id, Choice(curves, "evaluations", "beta")).body
    assert content(cache.layers(id, "beta_mean"))["name"] == "beta_mean"
    assert source.reads == 1


def test_a_figure_of_the_page_is_valid_once_its_x_are_back(store: Store) -> None:
    page = built(synthetic.snapshot(2, 4), Choice(axis="time"))
    assert page["alongs"] == [0, 1, 0, 1, 0]  # the train measures have no number before the first epoch
    for figure, along in zip(page["figures"], page["alongs"], strict=True):
        data = [trace | {"x": x} for trace, x in zip(figure["data"], page["xs"][along], strict=True)]
        go.Figure({"data": data, "layout": figure["layout"]})
        assert all(len(trace["x"]) == len(trace["y"]) for trace in data)


def test_the_maps_have_a_revision_of_their_own(store: Store) -> None:
    spec = synthetic.comparison(1, 6)
    metrics, histograms = synthetic.metrics(spec), synthetic.histograms(spec)
    id = stored.put(store, spec, reached={0: 2})
    cache = Cache(store)
    first = cache.layers(id, "gamma_mean")
    assert content(cache.page(id))["layers"] == first.revision
    within = metrics[metrics["name"] == "lr"].assign(step=71)
    stored.add_epoch(store, id, 0, 3, within, histograms[:0], spec.recipe.steps_per_epoch)
    assert cache.page(id).revision != first.revision
    assert cache.layers(id, "gamma_mean") == first
    assert content(cache.page(id)) == content(Cache(store).page(id)) | {"layers": first.revision}
    stored.add_epoch(store, id, 0, 3, metrics, histograms, spec.recipe.steps_per_epoch)
    later = cache.layers(id, "gamma_mean")
    assert later.revision == store.revision(id)
    assert content(later)["maps"]["sgd"]["data"][0]["x"] == [0, 1, 2, 3]


def test_pages_built_row_by_row_are_those_built_at_once(store: Store) -> None:
    spec = synthetic.comparison(2, 6)
    metrics, histograms = synthetic.metrics(spec), synthetic.histograms(spec)
    id = stored.put(store, spec, reached={0: 6, 1: 0})
    cache = Cache(store)
    for epoch in range(7):
        if epoch:
            stored.add_epoch(store, id, 1, epoch, metrics, histograms, spec.recipe.steps_per_epoch)
        page = content(cache.page(id))
        assert page == built(store.snapshot(id))
        assert content(cache.layers(id, "beta_mean")) == built(store.snapshot(id), "beta_mean")
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
    assert page == built(store.snapshot(id))


def test_the_example_is_read_once(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = tmp_path / "example.json"
    bundled.write_text(exchange.to_json(synthetic.snapshot(3, 4)), "utf-8")
    monkeypatch.setattr("samviz.runs.looking.EXAMPLE", bundled)
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


def test_the_page_is_there_whatever_has_been_measured() -> None:
    for snapshot in (
        synthetic.snapshot(1, 3),
        synthetic.snapshot(3, 6),
        synthetic.snapshot(2, 3, metrics=synthetic.metrics(synthetic.comparison(), {}), state="queued"),
    ):
        page = built(snapshot)
        assert [arm["label"] for arm in page["arms"]] == ["SGD", "SAM-all", "SAM-ON", "SAM no-norm"]
        for axis in AXES:
            built(snapshot, Choice(("gap", "sharpness", "lr", "seconds", "validation_loss"), axis))


def test_only_what_there_is_is_offered() -> None:
    offered = built(synthetic.snapshot(1, 3))["offered"]
    names = [name for name, *_ in offered["curves"]]
    assert "gap" in names
    assert "validation_accuracy" not in names
    assert all(
        row[1:] == [MEASURES[row[0]].title, MEASURES[row[0]].note, MEASURES[row[0]].group] for row in offered["curves"]
    )
    assert offered["axes"] == [list(axis) for axis in AXES.items()]
    assert offered["histograms"] == [["gamma", "γ of the norm layers"], ["beta", "β of the norm layers"]]
    assert offered["layers"] == [["gamma_mean", "Mean γ by layer"], ["beta_mean", "Mean β by layer"]]
    spec = synthetic.comparison(1, 3)
    old = built(synthetic.snapshot(1, 3, metrics=synthetic.metrics(spec, layers=0)))["offered"]
    assert old["layers"] == []
    nothing = built(
        synthetic.snapshot(1, 3, metrics=synthetic.metrics(spec, {}), histograms=synthetic.histograms(spec, {}))
    )
    assert nothing["offered"]["curves"] == []
    assert [axis for axis, _ in nothing["offered"]["axes"]] == ["epoch"]


def test_the_page_says_when_an_arm_diverged_and_how_long_the_longest_trains() -> None:
    arms = (Arm(), Arm(epochs_factor=2), Arm(variant="sam", rho=0.1))
    spec = Comparison(name="x2", recipe=Recipe(epochs=4), arms=arms, seeds=(3, 5))
    metrics = synthetic.metrics(spec, diverged={(5, arms[2].key): 3})
    page = built(synthetic.snapshot(comparison=spec, metrics=metrics, histograms=synthetic.histograms(spec)))
    assert page["epochs"] == 8
    assert page["figures"][0]["layout"]["xaxis"]["range"] == [0, 8]
    assert page["diverged"] == ["SAM-all diverged at step 78 (epoch 3) with seed 5"]
    assert page["results"][2]["diverged"] == [5]
    assert len({(arm["color"], arm["dash"]) for arm in page["arms"]}) == 3
    assert page["histograms"]["whens"][-1] == "after epoch 8, 2 seeds"


def test_the_page_says_what_failed_and_ends_its_log() -> None:
    runs = (synthetic.run(0, "failed", 0.4, error="Boom", log_tail="\n".join(map(str, range(100)))),)
    page = built(synthetic.snapshot(1, 3, state="failed", runs=runs))
    assert page["runs"][0]["error"] == "Boom"
    assert page["runs"][0]["log"].splitlines()[-1] == "99"
    assert len(page["runs"][0]["log"].splitlines()) == 20


@pytest.mark.parametrize("axis", AXES)
def test_four_arms_three_seeds_sixty_epochs_stay_within_the_budget(store: Store, axis: str) -> None:
    id = stored.put(store, synthetic.comparison(3, 60), steps=4)
    assert len(Cache(store).page(id, Choice(axis=axis)).body) < 60_000


def test_the_maps_of_a_deep_network_stay_within_the_budget(store: Store) -> None:
    id = stored.put(store, synthetic.comparison(1, 200), layers=57)
    assert len(Cache(store).layers(id, "gamma_mean").body) < 20_000


def test_the_route_answers_compressed_and_304_until_something_changes(port: int) -> None:
    answer, body = get(port, "1/live", Accept_Encoding="gzip")
    assert answer.status == 200
    assert answer.headers["Content-Encoding"] == "gzip"
    page = json.loads(gzip.decompress(body))
    assert page["results"][0]["n"] == 2
    etag = answer.headers["ETag"]
    unchanged, nothing = get(port, "1/live", If_None_Match=etag)
    assert unchanged.status == 304
    assert nothing == b""
    assert get(port, "1/live", If_None_Match='"other"')[0].status == 200
    assert get(port, "1/live?axis=time", If_None_Match=etag)[0].status == 200
    plain, text = get(port, "1/live", Accept_Encoding="identity")
    assert "Content-Encoding" not in plain.headers
    assert json.loads(text) == page


def test_the_route_reads_what_is_chosen_from_the_address(port: int) -> None:
    curves = "gap,weight_norm/conv,test_loss,test_loss,seconds"
    page = json.loads(get(port, f"1/live?curves={curves}&axis=time&histogram=beta")[1])
    assert [figure["name"] for figure in page["figures"]] == curves.split(",")
    assert page["choice"]["axis"] == "time"
    answer, body = get(port, "1/layers?of=beta_mean")
    assert json.loads(body)["scale"]["label"] == "Mean β by layer"
    assert get(port, "1/layers?of=beta_mean", If_None_Match=answer.headers["ETag"])[0].status == 304
    assert get(port, "1/layers?of=gamma_mean", If_None_Match=answer.headers["ETag"])[0].status == 200


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("1/live?axis=steps", "axis must be one of epoch, evaluations, time, but it is 'steps'."),
        ("1/live?curves=gap", "curves must be 5 measures, but it is 'gap'."),
        ("1/live?curves=gap,gap,gap,gap,x", "curves must be one of test_accuracy,"),
        ("1/live?histogram=%22", "histogram must be one of gamma, beta"),
        ("1/live?of=gamma_mean", "address has no field 'of'"),
        ("1/layers?of=gamma", "of must be one of gamma_mean, beta_mean"),
        ("1/layers?axis=time", "address has no field 'axis'"),
    ],
)
def test_a_wrong_choice_is_one_sentence(port: int, address: str, sentence: str) -> None:
    answer, body = get(port, address)
    assert answer.status == 400
    assert sentence in json.loads(body)["error"]


@pytest.mark.parametrize("what", ["live", "layers"])
@pytest.mark.parametrize("id", ["99", "x", "1%20or%201", "-1"])
def test_the_route_knows_what_is_not_there(port: int, id: str, what: str) -> None:
    answer, body = get(port, f"{id}/{what}")
    assert answer.status == 404
    assert "There is no comparison" in json.loads(body)["error"]


@pytest.mark.parametrize("what", ["live", "layers"])
def test_the_route_changes_nothing(port: int, what: str) -> None:
    assert get(port, f"1/{what}", "POST")[0].status == 405
