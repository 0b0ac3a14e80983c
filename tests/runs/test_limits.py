"""The limits of a shared machine: each is met by one too many and not before, and says so."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from samviz.runs.limits import FILE, Limits, check, check_disk, read
from samviz.spec import PRESETS, Arm, Comparison, Recipe

SAM = Arm(variant="sam", rho=0.1)
SMALL = Comparison(
    name="Small",
    recipe=Recipe(train_size=256, epochs=3, batch_size=32),
    arms=(Arm(epochs_factor=2), SAM),
    seeds=(0, 1),
)
TIGHT = Limits(most_epochs=6, most_batch_size=32, most_images=256, most_arms=2, most_seeds=2, most_queued=5)

BEYOND = {
    "most_epochs": replace(SMALL, recipe=replace(SMALL.recipe, epochs=4)),
    "most_batch_size": replace(SMALL, recipe=replace(SMALL.recipe, batch_size=33)),
    "most_images": replace(SMALL, recipe=replace(SMALL.recipe, train_size=257)),
    "most_arms": replace(SMALL, arms=(*SMALL.arms, replace(SAM, rho=0.2))),
    "most_seeds": replace(SMALL, seeds=(0, 1, 2)),
}


def one_sentence(text: str) -> bool:
    return text.endswith(".") and "\n" not in text and ". " not in text.replace(FILE, "")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_may_be_started_by_default(name: str) -> None:
    check(Limits(), PRESETS[name].comparison, queued=0, runs=2, used_bytes=0)


def test_what_is_within_every_limit_may_be_started() -> None:
    check(TIGHT, SMALL, queued=3, runs=2, used_bytes=TIGHT.most_bytes - 1)


@pytest.mark.parametrize("field", BEYOND)
def test_one_more_than_allowed_is_refused_and_named(field: str) -> None:
    value = {"most_epochs": 8, "most_batch_size": 33, "most_images": 257, "most_arms": 3, "most_seeds": 3}[field]
    with pytest.raises(ValueError, match=rf"at most {getattr(TIGHT, field)} .* has {value}: .*{field}") as refused:
        check(TIGHT, BEYOND[field], queued=0, runs=2, used_bytes=0)
    assert one_sentence(str(refused.value))
    check(replace(TIGHT, **{field: value}), BEYOND[field], queued=0, runs=2, used_bytes=0)


def test_a_person_has_so_many_runs_at_a_time() -> None:
    with pytest.raises(
        ValueError, match=r"at most 5 unfinished runs .* you have 4 and .* adds 2: .*most_queued"
    ) as why:
        check(TIGHT, SMALL, queued=4, runs=2, used_bytes=0)
    assert one_sentence(str(why.value))


def test_a_full_disk_stops_the_terminal_too() -> None:
    for stopped in (
        lambda: check_disk(TIGHT, 20_000_000_000),
        lambda: check(TIGHT, SMALL, queued=0, runs=2, used_bytes=25_300_000_000),
    ):
        with pytest.raises(ValueError, match=r"keeps 2\d(\.3)? GB on disk, and most_bytes allows 20 GB") as why:
            stopped()
        assert one_sentence(str(why.value))
    check_disk(TIGHT, 19_999_999_999)


def test_every_limit_is_tested_here() -> None:
    assert {field.name for field in fields(Limits)} == {*BEYOND, "most_queued", "most_bytes"}


def test_without_a_file_there_are_the_defaults(tmp_path: Path) -> None:
    assert read(tmp_path) == Limits()


def test_a_file_says_what_it_says_and_leaves_the_rest(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("# ours\nmost_epochs = 50\nmost_bytes = 5_000_000_000\n", "utf-8")
    assert read(tmp_path) == Limits(most_epochs=50, most_bytes=5_000_000_000)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("most_epoch = 5", "has no field 'most_epoch'"),
        ("most_epochs = 0", "most_epochs must be a whole number from 1"),
        ("most_epochs = -1", "most_epochs must be a whole number from 1"),
        ("most_epochs = 2.5", "but it is 2.5"),
        ("most_epochs = true", "but it is True"),
        ('most_bytes = "20 GB"', "most_bytes must be a whole number"),
        ("most_bytes = inf", "but it is inf"),
        ("[most_seeds]", "most_seeds must be a whole number"),
        ("most_epochs", "must be a TOML file"),
        ("most_epochs = 1\nmost_epochs = 2", "must be a TOML file"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / FILE).write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r".") as refused:
        read(tmp_path)
    sentence = str(refused.value)
    assert words in sentence
    assert str(tmp_path / FILE) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"most_epochs = \xff")
    with pytest.raises(ValueError, match="could not be read"):
        read(tmp_path)
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    with pytest.raises(ValueError, match="could not be read"):
        read(tmp_path)
