"""The short form of fuzzing: a few hundred cases, the same ones each time."""

from collections.abc import Iterator

import pytest

from samviz.ui.routes import routes
from tests.hard.fuzz import Fuzz, fuzz, recipes, requests, run, visits


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzz]:
    with fuzz(tmp_path_factory.mktemp("fuzz").resolve() / "home") as started:
        yield started


def test_no_request_fails_or_changes_the_store(fuzzed: Fuzz) -> None:
    for route in routes():
        run(requests([route]), fuzzed.ask, 10, repeat=True)
        assert fuzzed.tried[route.path] >= 10
    fuzzed.quiet()
    wrong = [route.path for route in routes() if not fuzzed.answered[route.path]]
    assert len(wrong) < 5, f"{wrong} were never asked for something that there is"


def test_a_wrong_recipe_is_one_sentence(fuzzed: Fuzz) -> None:
    run(recipes(), fuzzed.read, 300, repeat=True)
    assert 20 < fuzzed.answered["recipes"] < 280, "some are right, some are wrong"


def test_no_address_of_a_page_fails_or_changes_the_store(fuzzed: Fuzz) -> None:
    run(visits(), fuzzed.visit, 12, repeat=True)
    assert fuzzed.tried["pages"] >= 12
