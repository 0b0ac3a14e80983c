"""Measuring from the terminal, over a real store whose jobs nobody takes up; tests/test_cli.py has a worker."""

import json
import os
import re
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from samviz.cli import main
from samviz.figures.gap import COLUMNS, with_radii
from samviz.runs import Store, open_store
from samviz.spec import Sweep
from samviz.spec.measurement import SharpnessOf, to_dict
from samviz.spec.questions import IMAGES, M, measures_of
from tests import measured, measured_grid, stored
from tests.runs.conftest import tiny, wait

SGD, SAM = (arm.key for arm in tiny().arms)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAMVIZ_HOME", str(tmp_path))
    monkeypatch.delenv("SAMVIZ_DATA", raising=False)
    monkeypatch.delenv("SAMVIZ_STORE", raising=False)
    monkeypatch.setattr(Store, "resume", lambda self: None)
    return tmp_path


@pytest.fixture
def store(home: Path) -> Store:
    return open_store(home)


def cells(line: str) -> list[str]:
    """Of a line of a table."""
    return re.split(" {2,}", line)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Where only what is refused is asked for: two seeds, one without a checkpoint, a grid untrained, a single axis."""
    store = open_store(tmp_path_factory.mktemp("kept"))
    measured.put(store, tiny(seeds=(0, 1)))
    stored.put(store, tiny())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "resume", lambda self: None)
        store.submit_sweep(measured_grid.GRID)
        store.submit_sweep(Sweep(name="One axis", base=measured_grid.BASE, lr=(0.1, 0.2)))
    return store


@pytest.fixture
def refusing(kept: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("SAMVIZ_HOME", str(kept.home))
    return kept


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["1", "--arms", "sam"], f"arm must be one of SGD, SAM-ON, {SGD}, {SAM}, but it is 'sam'."),
        (["1", "--seeds", "0,7"], "seed must be one of 0, 1, but it is 7."),
        (["1", "--seeds", ""], "seed must be one of 0, 1, but it is ''."),
        (["1", "--images", "few"], "images must be a whole number from 10 to 50000, but it is 'few'."),
        (["1", "--m", "2049"], "m must be a whole number from 1 to 2048, but it is 2049."),
        (["1", "--json", "/nowhere/x.json"], "json must be a file in a folder that is there"),
        (["1", "--measurement", "/nowhere.json"], "The measurement /nowhere.json cannot be read"),
        (["1", "--measurement", "FILE"], "The measurement must be a JSON text, but it could not be read"),
        (["1", "--measurement", "FILE", "--m", "8"], "arms, images and m must be in the measurement's file"),
        (["2"], "Seed 0 of comparison 2 has no checkpoint yet: one is saved after each epoch."),
        (["2", "--seeds", "0"], "Seed 0 of comparison 2 has no checkpoint yet: one is saved after each epoch."),
        (["example"], "The bundled example's weights are not part of samviz: run its recipe, and measure that."),
    ],
)
def test_what_cannot_be_measured_is_one_sentence_and_queues_nothing(
    refusing: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"kind": "sharpness", ', "utf-8")
    assert main(["measure", *(str(bad) if argument == "FILE" else argument for argument in arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(sentence)
    assert err.count("\n") == 1
    assert not any(refusing.measurements_of(["1", "2"]).values())


def test_all_arms_and_seeds_are_asked_what_the_page_asks_at_first(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    id = measured.put(store, tiny(seeds=(0, 1)))
    assert main(["measure", id, "--detach"]) == 0
    views = store.measurements(id)
    assert capsys.readouterr().out.split() == [view.id for view in reversed(views)]
    asked = SharpnessOf(arms=(SGD, SAM), measures=measures_of(), images=IMAGES["sharpness"], m=M)
    assert [(view.seed, view.measurement, view.state) for view in views] == [(1, asked, "queued"), (0, asked, "queued")]
    assert main(["measure", id, "--arms", f"SAM-ON, {SGD}", "--images", "64", "--seeds", "1", "--detach"]) == 0
    assert (store.measurements(id)[0].seed, store.measurements(id)[0].measurement) == (
        1,
        replace(asked, arms=(SAM, SGD), images=64, m=64),
    )


SPHERE = ["sphere, p = 2, ρ 0.1: 1 step", "normalized logits"]
CUBOID = ["elementwise, p = inf, ρ 0.005: AutoPGD, 20 steps", "normalized logits"]


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        (
            "rescaling",
            [
                ["seed", "arm", "measure", "loss", "a = 0.1", "a = 1", "a = 10"],
                ["0", "SGD", *SPHERE, "0.1", "1", "10", "moves"],
                ["0", "SGD", *CUBOID, "0.5", "0.5", "0.5", "stays"],
            ],
        ),
        (
            "sharpness",
            [
                ["seed", "arm", "measure", "loss", "L(w)", "sharpness"],
                *(["0", arm, *measure, "1.5", "0.25"] for arm in ("SGD", "SAM-ON") for measure in (SPHERE, CUBOID)),
            ],
        ),
        (
            "slice",
            [["seed", "arm", "along", "lowest loss", "highest loss"], ["0", "SGD", "random, random", "1", "3"]],
        ),
    ],
)
def test_what_was_measured_before_is_told_at_once(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, rows: list[list[str]]
) -> None:
    id = measured.put(store, tiny())
    (asked,) = (question for question in measured.questions(SGD, SAM) if question.kind == kind)
    measured.tell(store, id, 0, asked)
    question, target = tmp_path / "question.json", tmp_path / "answer.json"
    question.write_text(json.dumps(to_dict(asked)), "utf-8")
    assert main(["measure", id, "--measurement", str(question), "--json", str(target)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    name, where, _, *lines = out.splitlines()
    assert (name, where) == ("Comparison 1: Tiny", "64 train images, Built-in shapes; after epoch 3.")
    assert [cells(line) for line in lines] == rows
    (view,) = store.measurements(id)
    assert json.loads(target.read_text("utf-8")) == {
        "comparison": id,
        "measurement": to_dict(asked),
        "results": [{"seed": 0, "result": json.loads(json.dumps(view.result))}],
    }
    refused(capsys, tmp_path, "measure", id, "--measurement", str(question))


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *command: str) -> None:
    """The command says in one sentence that the file cannot be written in which it is to put its results."""
    target = folder / "nowhere"
    target.unlink(missing_ok=True)
    target.symlink_to(folder / "no" / "where")
    assert main([*command, "--json", str(target)]) == 1
    assert capsys.readouterr().err == f"{target} cannot be written: No such file or directory.\n"


def test_control_c_cancels_what_was_not_asked_for_before(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    id = measured.put(store, tiny(seeds=(0, 1)))
    assert main(["measure", id, "--seeds", "0", "--detach"]) == 0

    def press() -> None:
        wait(lambda: len(store.measurements(id)) == 2)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=press)
    try:
        thread.start()
        assert main(["measure", id]) == 130
    finally:
        thread.join()
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err.splitlines()[-1] == "Asked to stop: 1 of 2 measurements."
    assert {view.seed: view.state for view in store.measurements(id)} == {0: "queued", 1: "cancelled"}


def test_what_was_cancelled_is_told_and_its_command_fails(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    id = measured.put(store, tiny())
    cancelled = threading.Thread(
        target=lambda: store.cancel_job(wait(lambda: [view.job for view in store.measurements(id)])[0])
    )
    cancelled.start()
    assert main(["measure", id]) == 1
    cancelled.join()
    out, err = capsys.readouterr()
    assert (out, err.splitlines()[-1]) == ("", "Seed 0: cancelled.")


def told_grid(store: Store) -> None:
    """Two by two networks, measured: the lower the train loss, the wider the gap."""
    measured_grid.trained(store)
    for point, member, _ in store.sweep("1").members:
        order = 2 * (point.lr == 0.2) + (point.dropout == 0.5)
        values = (order + 1, 9 - order, 5 + order, point.lr)
        measured_grid.tell(store, member, measured_grid.ASKED, 1 - order / 10, values)


def test_a_measured_sweep_has_its_coefficients_beside_asams(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told_grid(store)
    target = tmp_path / "gap.json"
    assert main(["sweeps", "measure", "1", "--json", str(target)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    first, about, _, head, *rest = out.splitlines()
    assert first == "Sweep 1: Two by two. 4 of 4 runs have finished; measured: 4."
    assert about.startswith("The gap is ASAM's (section 2)")
    assert cells(head) == ["groups differ in", *(label for _, _, label in COLUMNS)]
    names, plain, *_, last = zip(*map(cells, rest[:4]), strict=True)
    assert names == ("Learning rate", "Dropout", "Ψ, their mean", "τ, over all networks")
    assert plain == ("1.000 (0.563)", "1.000 (0.102)", "1.000 (0.259)", "1.000 (0.174)")
    assert last[1:3] == ("- (0.225)", "- (0.626)"), "the same sharpness within each group"
    assert any(line.startswith("4 networks. Where sharpness had nothing to do") for line in rest)
    facts = json.loads(target.read_text("utf-8"))
    assert [row["asam"][3] for row in facts["rows"]] == [0.806, 0.225, 0.626, 0.616]
    assert sorted(network["sharpness"][0] for network in facts["networks"]) == [1, 2, 3, 4]
    assert [len(store.measurements(str(k))) for k in range(1, 5)] == [1, 1, 1, 1]
    for action in ("measure", "show"):
        refused(capsys, tmp_path, "sweeps", action, "1")


def test_what_is_left_of_a_sweep_is_measured_as_it_was_the_last_time(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    told_grid(store)
    assert main(["sweeps", "measure", "1", "--detach"]) == 0
    assert capsys.readouterr().out == "", "nothing is left"
    assert main(["sweeps", "measure", "1", "--images", "64", "--radii", "0.1,1,0.002,0.01", "--detach"]) == 0
    queued = [store.measurements(str(k))[0] for k in range(1, 5)]
    assert capsys.readouterr().out.split() == [view.id for view in queued]
    asked = replace(measured_grid.ASKED, measures=with_radii((0.1, 1, 0.002, 0.01)), images=64, m=64)
    assert [(view.measurement, view.state) for view in queued] == [(asked, "queued")] * 4
    store.cancel_job(queued[3].job)
    assert main(["sweeps", "measure", "1", "--detach"]) == 0
    again = [store.measurements(str(k))[0] for k in range(1, 5)]
    assert [(view.measurement, view.state) for view in again] == [(asked, "queued")] * 4
    assert [view.job for view in again][:3] == [view.job for view in queued][:3]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["1"], "No run of sweep 1 has finished yet."),
        (["1", "--images", "5"], "images must be a whole number from 10 to 50000, but it is 5."),
        (["1", "--radii", "1,2"], "radii must be 4 numbers with commas between them, but it is '1,2'."),
        (["1", "--radii", "1,2,3,-4"], "rho must be a number from 0 to 100, but it is -4.0."),
        (["2"], "sweep must be the id of a grid over two of batch size, learning rate, weight decay, dropout and"),
    ],
)
def test_a_sweep_that_cannot_be_measured_is_one_sentence(
    refusing: Store, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main(["sweeps", "measure", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(sentence)
    assert err.count("\n") == 1
