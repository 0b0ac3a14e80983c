"""What `make audit` makes of pip-audit's answers: a package that was skipped and an old exception are failures."""

from datetime import date

import pytest

from tests.audit import EXCEPTIONS, Excepted, problems, read_exceptions

TODAY = date(2026, 11, 25)
FINE = {"name": "numpy", "version": "2.4.6", "vulns": []}
BAD = {
    "name": "pillow",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1", "GHSA-1"], "fix_versions": ["1.1"]}],
}
SKIPPED = {"name": "torch", "skip_reason": "Dependency not found on PyPI and could not be audited: torch (2.13.0)"}


def excepted(id: str, day: date) -> Excepted:
    return Excepted(id=id, date=day, reason="not called")


def test_packages_without_vulnerabilities_pass() -> None:
    assert problems([FINE, FINE], [], TODAY) == []


def test_a_vulnerability_is_a_failure_unless_it_is_excepted_under_any_of_its_names() -> None:
    (line,) = problems([FINE, BAD], [], TODAY)
    assert line == "pillow 1.0 has PYSEC-1 = CVE-1 = GHSA-1, fixed in 1.1."
    for id in ("PYSEC-1", "CVE-1", "GHSA-1"):
        assert problems([FINE, BAD], [excepted(id, TODAY)], TODAY) == []
    assert problems([FINE, BAD], [excepted("PYSEC-2", TODAY)], TODAY) == [line]


def test_a_package_that_was_skipped_is_a_failure() -> None:
    assert problems([FINE, SKIPPED], [], TODAY) == [f"torch was skipped: {SKIPPED['skip_reason']}."]


def test_where_nothing_could_be_looked_up_that_is_said_once() -> None:
    (line,) = problems([SKIPPED, SKIPPED | {"name": "numpy"}], [], TODAY)
    assert line.startswith("None of 2 packages could be audited, as if no vulnerability service could be reached")
    assert problems([], [], TODAY) == ["Nothing was audited."]


@pytest.mark.parametrize(("day", "good"), [(29, True), (28, False)])
def test_an_exception_lasts_180_days(day: int, good: bool) -> None:
    lines = problems([FINE, BAD], [excepted("CVE-1", date(2026, 5, day))], TODAY)
    assert lines == [] if good else "CVE-1 of 2026-05-28 is not of the last 180 days" in lines[0]


def test_an_exception_of_tomorrow_is_a_mistake() -> None:
    assert len(problems([FINE], [excepted("CVE-1", date(2026, 11, 26))], TODAY)) == 1


def test_the_list_in_use_can_be_read() -> None:
    read_exceptions(EXCEPTIONS.read_text("utf-8"))
    (one,) = read_exceptions('[[exception]]\nid = "CVE-1"\ndate = 2026-11-25\nreason = "not called"\n')
    assert one == excepted("CVE-1", TODAY)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exception", "TOML"),
        ("[exceptions]", "nothing but tables"),
        ("exception = 1", "nothing but tables"),
        ('[[exception]]\nid = "CVE-1"\ndate = 2026-11-25', "each with id, date and reason"),
        ('[[exception]]\nid = "CVE-1"\ndate = 2026-11-25\nreason = " "', "reason must be a text"),
        ('[[exception]]\nid = 1\ndate = 2026-11-25\nreason = "x"', "id must be a text"),
        ('[[exception]]\nid = "CVE-1"\ndate = "2026-11-25"\nreason = "x"', "date must be a date"),
        ('[[exception]]\nid = "CVE-1"\ndate = 2026-11-25T00:00:00\nreason = "x"', "date must be a date"),
    ],
)
def test_a_wrong_list_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_exceptions(text)
