"""`python -m tests.hard.fuzz [CASES]`: nonsense, and what is nearly right, over every route, page address and recipe.

Nothing of it may come to status 500, to a traceback or to a change in the store, and a wrong recipe comes to a
ValueError of one sentence. Routes are asked of a running app over sockets, and a route that is new is asked, too.
Streamlit takes a tenth of a second to run a page, so that pages have few of the cases; half of all are requests.
"""

import http.client
import json
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from math import inf, nan
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, urlencode, urlsplit

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, select
from starlette.routing import BaseRoute, Mount
from streamlit.testing.v1 import AppTest

from samviz.runs import Store, open_store
from samviz.spec import PRESETS, Comparison
from samviz.spec.regions import RegionSettings
from samviz.spec.sweep import Sweep
from samviz.spec.trajectories import TrajectorySettings
from samviz.ui.live_choice import Choice
from samviz.ui.routes import routes
from tests import stored, synthetic
from tests.serve import ROOT, running_app

CASES = 10_000
SHARES = {"requests": 0.5, "recipes": 0.47, "pages": 0.03}
PAGES = sorted((ROOT / "pages").glob("*.py"))

TRAJECTORIES = TrajectorySettings().to_query() | {"steps": "50"}
REGIONS = RegionSettings().to_query()
MAPS = {"method": "sam", "against": "sgd", "quantity": "step", "detail": "50", "n": "20", "window": "0,0.5,0,0.5"}
MARKS = {"lesson": "3", "lecture": "1", "at": "7", "speed": "2", "follow": "1", "map": "sam", "sweep": "lr.sam"}
OWN = {
    "/api/toy/plane": {"c": "0.04", "x0": "0", "x1": "0.5", "y0": "0", "y1": "0.5", "at": "0.1"},
    "/api/toy/code": {"page": "regions", "a": "3"},
    "/api/toy/map": TRAJECTORIES | MAPS,
    "/api/toy/sweep": {"parameter": "rho", "method": "sam", "steps": "50"},
    "/api/toy/regions": REGIONS | {"lesson": "5", "lecture": "controls"},
    "/api/toy/paths": TRAJECTORIES | MARKS,
    "/api/toy/paths.csv": TRAJECTORIES,
    "/api/comparisons/{id}/live": {"curves": ",".join(Choice().curves), "axis": "time", "histogram": "beta"},
    "/api/comparisons/{id}/layers": {"of": "gamma_mean"},
    "/api/qr.svg": {"path": "/regions?a=3"},
    "/lab": {"id": "1", "sweep": "1", "lesson": "2", "lecture": "1"},
    "/papers": {"view": "claims", "table": "sam-on-1", "figure": "asam-2"},
    "/compare": {"comparisons": "1", "view": "norm", "kind": "beta"},
    "/sharpness": {"id": "1", "seed": "0", "view": "slice", "shown": "1", "lesson": "2"},
}
"""What an address of a route can hold, each key with a text that is allowed; any other route is asked with these."""

NASTY = [
    "", "0", "-1", "1e999", "nan", "inf", "9" * 400, "1_0", "0x1", "\u0661", "1,2,3", ";", ",", "../../etc/passwd",
    "..\\..\\x", "%2e%2e", "\x00", "\r\nSet-Cookie: a=b", "<img src=x onerror=alert(1)>", "[a](http://evil.example)",
    "{{7*7}}", "${7*7}", "' OR 1=1 --", "//evil.example", "javascript:alert(1)", "\u202e", "\ud7ff\ufffd", "a" * 5000,
    "__class__", "None", "true", "null", "[]", "example", "EXAMPLE", " 1 ", "1 ", "+1", "01", "1.0",
]  # fmt: skip

ATOMS = st.sampled_from(NASTY) | st.text(max_size=30) | st.floats().map(repr) | st.integers().map(str)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    route: str
    """The path of the route that it is meant for, as the app writes it."""
    method: str
    address: str
    headers: dict[str, str]


@st.composite
def texts(draw: st.DrawFn, near: str) -> str:
    """A text that stands in an address in place of `near`, or that one."""
    kind = draw(st.integers(0, 9))
    if kind < 5:
        return near
    if kind < 7:
        return draw(st.floats(-2, 2).map(lambda x: f"{x:.4g}") | st.integers(-2, 60).map(str))
    return draw(ATOMS)


@st.composite
def queries(draw: st.DrawFn, path: str) -> list[tuple[str, str]]:
    """Keys and texts, some of them unknown or another route's, some of them more than once."""
    group = draw(st.sampled_from(list(OWN.values())))
    if draw(st.booleans()):
        group = OWN.get(path, group)
    if draw(st.integers(0, 3)) == 0:
        return list(group.items())
    keys = draw(st.lists(st.sampled_from(list(group)), max_size=5))
    pairs = [(key, draw(texts(group[key]))) for key in keys]
    if draw(st.integers(0, 9)) == 0:
        pairs.append((draw(ATOMS), draw(ATOMS)))
    # Paths of many steps take long and show no more.
    return pairs + [("steps", "50")] * ("steps" in group and "steps" not in keys)


@st.composite
def paths(draw: st.DrawFn, route: BaseRoute) -> str:
    """The path of a route with something in its places, mostly of the right kind."""
    raw = st.binary(max_size=12).map(quote_from_bytes) | ATOMS.map(lambda text: quote_from_bytes(_utf8(text)))
    if isinstance(route, Mount):
        right = "plane.js" if route.path == "/assets" else "plotly.min.js"
        names = st.sampled_from([right, f"v0/{right}", "pictures", "..", ".", "", "%2e%2e", "a" * 300])
        return f"{route.path}/{'/'.join(draw(st.lists(names | raw, max_size=4) | st.just([right])))}"
    path = route.path
    for name, kind in route.param_convertors.items():
        right = {
            "IntegerConvertor": st.integers(0, 10**30).map(str),
            "FloatConvertor": st.floats(0, 1e30).map(lambda x: f"{x:f}"),
        }.get(type(kind).__name__, st.sampled_from(["1", "2", "9", "example", "01", "1" * 20]))
        text = draw(right if draw(st.integers(0, 3)) else raw)
        start = path.index("{" + name)
        path = path[:start] + text + path[path.index("}", start) + 1 :]
    return path


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


HEADERS = {
    "Accept-Encoding": ["gzip", "identity", "gzip;q=0", "*", "br"],
    "If-None-Match": ['"1"', "*", '"example-1~x"', 'W/"1"'],
    "If-Modified-Since": ["Wed, 21 Oct 2015 07:28:00 GMT", "yesterday"],
    "Range": ["bytes=0-0", "bytes=5-1", "bytes=-1", "bytes=0-1,3-4", "lines=1"],
    "Origin": ["https://evil.example", "null"],
    "Sec-Fetch-Site": ["cross-site", "same-origin"],
    "X-Forwarded-For": ["127.0.0.1"],
    "Content-Type": ["application/json", "multipart/form-data"],
    "Cookie": ["_streamlit_user=x", "a", "=", "_streamlit_xsrf=2|a|b|c"],
    "Accept": ["text/html", "application/x-protobuf", "nonsense"],
}


@st.composite
def requests(draw: st.DrawFn, among: Sequence[BaseRoute]) -> Ask:
    """A request for one of these routes."""
    route = draw(st.sampled_from(among))
    query = draw(queries(route.path))
    text = urlencode([(_utf8(key), _utf8(value)) for key, value in query])
    if draw(st.integers(0, 19)) == 0:
        text = quote_from_bytes(draw(st.binary(max_size=40)), safe="&=%?/;+")
    names = draw(st.lists(st.sampled_from(list(HEADERS)), max_size=2, unique=True))
    printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
    headers = {name: draw(st.sampled_from(HEADERS[name]) | printable) for name in names}
    method = draw(st.sampled_from(["GET"] * 12 + ["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"]))
    return Ask(route.path, method, f"{draw(paths(route))}?{text}" if text else draw(paths(route)), headers)


EDGES = [
    0, -1, 1, 2, 3, 10**400, -(10**400), 2**31, 2**63, 0.5, -0.0, 1e-320, 1e308, nan, inf, -inf, True, None, "", "1",
    "inf", "nan", [], {}, [0], ["cat", "cat"],
]  # fmt: skip
"""What stands at the edge of what is allowed for one field or another."""

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([*EDGES, *NASTY]) | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.just("__class__"), inner, max_size=3)
    ),
    max_leaves=6,
)


@dataclass(frozen=True, slots=True)
class File:
    """The text of a file, and what it is read as."""

    kind: type[Comparison] | type[Sweep]
    text: str


@st.composite
def recipes(draw: st.DrawFn) -> File:
    """A recipe, or a sweep of one: of a preset's with something changed, or something else."""
    kind = draw(st.sampled_from([Comparison, Comparison, Sweep]))
    return File(kind, draw(_texts(kind)))


@st.composite
def _texts(draw: st.DrawFn, kind: type) -> str:
    if draw(st.integers(0, 19)) == 0:
        return draw(st.text(max_size=60) | ANYTHING.map(json.dumps) | st.integers(1, 100_000).map(lambda n: "[" * n))
    preset = PRESETS[draw(st.sampled_from(list(PRESETS)))].comparison
    data = (preset if kind is Comparison else Sweep(name="Sweep", base=preset, rho=(0.1, 0.2), lr=(0.1,))).to_dict()
    for _ in range(draw(st.integers(0, 3))):
        _change(draw, data)
    text = json.dumps(data)
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.text(max_size=5)) + text[at + draw(st.integers(0, 5)) :]
    if draw(st.integers(0, 19)) == 0:  # with more digits than Python reads, or deeper than it can go
        deep = st.sampled_from([10, 500, 900, 1000, 5000, 100_000]).map(lambda n: "[" * n + "]" * n)
        text = text.replace(": 1", f": {draw(st.just('1' * 5000) | deep)}", 1)
    return text


def _change(draw: st.DrawFn, data: Any) -> None:
    """Change, remove, add or repeat something somewhere in plain data."""
    while True:
        keys = list(data) if isinstance(data, dict) else list(range(len(data)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        if not isinstance(data[key], dict | list) or not data[key] or draw(st.integers(0, 5)) == 0:
            break
        data = data[key]
    kind = draw(st.integers(0, 9))
    if kind == 0:
        del data[key]
    elif kind == 1 and isinstance(data, list):
        data.append(data[key])
    elif kind == 1:
        data[draw(st.text(max_size=8) | st.sampled_from(["versions", "extended", "arms"]))] = draw(ANYTHING)
    else:
        data[key] = deepcopy(draw(st.sampled_from(EDGES) if kind < 7 else ANYTHING))


@dataclass(frozen=True, slots=True)
class Visit:
    """A page and what stands in its address."""

    page: Path
    query: dict[str, list[str]]


@st.composite
def visits(draw: st.DrawFn) -> Visit:
    page, query = draw(st.sampled_from(PAGES)), {}
    for key, value in draw(queries(f"/{page.stem}")):
        query.setdefault(key, []).append(value)
    return Visit(page, query)


def one_sentence(text: object) -> bool:
    """Whether something is a sentence that can be shown to a person."""
    return isinstance(text, str) and text.endswith(".") and "\n" not in text and len(text) < 1500


def dump(store: Store) -> dict[str, list]:
    """All rows of all tables."""
    metadata = MetaData()
    metadata.reflect(store.engine)
    with store.engine.connect() as connection:
        tables = metadata.sorted_tables
        return {table.name: sorted(map(repr, connection.execute(select(table)))) for table in tables}


@dataclass
class Fuzz:
    """An app with a few comparisons, what its store holds, and what has been tried on it."""

    home: Path
    connection: http.client.HTTPConnection
    store: Store
    before: dict[str, list] = field(default_factory=dict)
    tried: Counter[str] = field(default_factory=Counter)
    """Requests by route; recipes and visits under their names."""
    answered: Counter[str] = field(default_factory=Counter)
    """Requests by route that were answered with what was asked for, recipes that were right."""

    def unchanged(self) -> None:
        assert dump(self.store) == self.before, "something changed the store"

    def ask(self, asked: Ask) -> None:
        """Invariants of an answer."""
        try:
            self.connection.request(asked.method, asked.address, headers=asked.headers)
            answer = self.connection.getresponse()
            body = answer.read()
        except BaseException:
            self.connection.close()  # the next request opens it again
            raise
        self.tried[asked.route] += 1
        self.answered[asked.route] += answer.status == 200
        assert answer.status < 500, (answer.status, body[:300])
        assert b"Traceback" not in body
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Set-Cookie"] is None
        if answer.status == 400 and answer.headers["Content-Type"] == "application/json" and body:
            (problem,) = json.loads(body).values()
            assert one_sentence(problem), problem
        self.unchanged()

    def read(self, file: File) -> None:
        """Invariants of a recipe."""
        self.tried["recipes"] += 1
        try:
            read = file.kind.from_json(file.text)
        except ValueError as error:
            assert one_sentence(str(error)), str(error)  # noqa: PT017 it is the message that is tested
        else:
            self.answered["recipes"] += 1
            assert file.kind.from_json(read.to_json()) == read
            comparison = read if isinstance(read, Comparison) else read.base
            assert len(read.labels) == len(comparison.arms)
            assert comparison.progress(comparison.epochs * 10**6) == 1

    def visit(self, visit: Visit) -> None:
        """Invariants of a page."""
        self.tried["pages"] += 1
        app = AppTest.from_file(ROOT / "samviz" / "ui" / "router.py", default_timeout=60)
        app.switch_page(str(Path("../../pages") / visit.page.name))
        for key, values in visit.query.items():
            app.query_params[key] = values
        app.run()
        assert not app.exception, app.exception
        assert len(app.title) == 1
        for shown in [*app.error, *app.warning]:
            assert one_sentence(shown.value), shown.value
        self.unchanged()

    def quiet(self) -> None:
        """The app has reported nothing that it did not expect."""
        log = (self.home / "app.log").read_text("utf-8", "replace")
        assert "Traceback" not in log, log[-5000:]


@contextmanager
def fuzz(home: Path) -> Iterator[Fuzz]:
    """A running app, and the same home for the pages that are run here."""
    store = open_store(home)
    stored.put(store, synthetic.comparison(1, 2, name="First"))
    stored.put(store, synthetic.comparison(2, 3, name="<b>Second</b>"))
    kept = os.environ.get("SAMVIZ_HOME")
    os.environ["SAMVIZ_HOME"] = str(home)
    try:
        with running_app(home) as address:
            server = urlsplit(address)
            with closing(http.client.HTTPConnection(server.hostname, server.port, timeout=60)) as connection:
                yield Fuzz(home, connection, store, before=dump(store))
    finally:
        os.environ.pop("SAMVIZ_HOME")
        if kept is not None:
            os.environ["SAMVIZ_HOME"] = kept


def run(strategy: st.SearchStrategy, check: Callable[[Any], None], cases: int, repeat: bool = False) -> None:
    """Try so many cases; `repeat`: the same ones each time. Fails with the smallest case that breaks an invariant."""

    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=repeat,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def case(drawn: Any) -> None:
        check(drawn)

    case()


def main(cases: int = CASES) -> None:
    # Streamlit wonders about pages that are run without a server.
    logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").disabled = True
    with tempfile.TemporaryDirectory() as folder, fuzz(Path(folder).resolve() / "home") as f:
        for name, strategy, check in (
            ("requests", requests(routes()), f.ask),
            ("recipes", recipes(), f.read),
            ("pages", visits(), f.visit),
        ):
            begun, wanted = time.monotonic(), round(cases * SHARES[name])
            run(strategy, check, wanted)
            print(f"{wanted} {name} in {time.monotonic() - begun:.0f} s")
        f.quiet()
    for name, count in f.tried.most_common():
        print(f"{count:7} {name}, {f.answered[name]} as asked for")
    print("No status 500, no traceback, no change in the store; every wrong recipe one sentence.")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
