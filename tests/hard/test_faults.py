"""The short form of the faults: each is really done, a few times. Three go on at the same time, as in the long form."""

from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from tests.hard.faults import FAULTS, begin, violations
from tests.hard.faults_bench import SETTINGS, Outcome

TIMES = 2


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future]]:
    """What comes of the faults that are asked for, as soon as it is known."""
    asked = [item.callspec.params["fault"] for item in request.session.items if item.path == request.path]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        for name in SETTINGS:
            patch.delenv(name, raising=False)
        pool, outcomes = begin(tmp_path_factory.mktemp("faults").resolve(), TIMES, asked)
        yield outcomes
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost_or_doubled_and_the_end_is_that_of_an_unbroken_run(
    found: dict[str, Future[Outcome]], fault: str
) -> None:
    outcome = found[fault].result()
    print(outcome)
    assert violations(outcome) == []
    assert outcome.times > 0
    assert outcome.equal is not False
