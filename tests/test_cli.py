"""The terminal: real commands, their output and their exit codes."""

import argparse
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from samviz.cli import main, sweeps
from samviz.runs import Store, exchange, open_store
from samviz.spec import PRESETS, Sweep
from samviz.spec.grids import GRIDS
from tests import stored
from tests.runs.conftest import database, home, store, tiny, wait

__all__ = ["database", "home", "store"]

TINY = ["--train-size", "128", "--test-size", "50", "--batch-size", "64"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["compare", "--epochs", "1e9"], "epochs must be a whole number from 1 to 2000, but it is 1000000000.0."),
        (["compare", "--epochs", "ten"], "epochs must be a whole number from 1 to 2000, but it is 'ten'."),
        (["compare", "--lr", "NaN"], "lr must be a number from 0 to 100, but it is nan."),
        (
            ["compare", "--preset", "slow"],
            "preset must be one of quick, cifar_cpu, lecture, sam_on, sam_on_vit, asam, asam_noise, but it is 'slow'.",
        ),
        (["compare", "--data", "mnist"], "dataset must be one of builtin, cifar10, cifar100, but it is 'mnist'."),
        (["compare", "--seeds", "0,0"], "seeds must differ from each other, but they are [0, 0]."),
        (["compare", "--seeds", "-1"], "seed must be a whole number from 0 to 2147483647, but it is -1."),
        (["compare", "--seeds", ""], "seed must be a whole number from 0 to 2147483647, but it is ''."),
        (["compare", "--name", ""], "name must be a line of 1 to 80 characters, but it is ''."),
        (["compare", "--rho", "1"], "Unrecognized arguments: --rho 1 (see python -m samviz --help)."),
        (["compare", "--json", "/nowhere/x.json"], "json must be a file in a folder that is there"),
        (["compare", "--data", "cifar10"], "CIFAR-10 is not in"),
        (["compare", "--recipe", "/nowhere.json"], "The recipe /nowhere.json cannot be read"),
        (["show", "99"], "There is no comparison 99."),
        (["cancel", "x"], "There is no comparison 'x'."),
        (["cancel", "example"], "The bundled example ships with samviz: it stays as it is."),
        (["pause", "example"], "The bundled example ships with samviz"),
        (["extend", "99", "5"], "There is no comparison 99."),
        (["sweep", "--rho", "0.1;0.2"], "rho must be numbers with commas between them, but it is '0.1;0.2'."),
        (["sweep"], "rho or lr must"),
        (["sweep", "--preset", "gap", "--dropout", "0,1"], "dropout must be a number from 0 to 0.9, but it is 1.0."),
        (["sweep", "--preset", "gap"], "CIFAR-10 is not in"),
        (["sweeps", "show", "7"], "There is no sweep '7'."),
        (["sweeps", "cancel", "x"], "There is no sweep 'x'."),
        (["sweeps", "measure", "7"], "There is no sweep '7'."),
        (["sweeps", "measure", "7", "--gap", "error"], "gap must be one of loss, accuracy, but it is 'error'."),
        (["measure", "99"], "There is no comparison 99."),
        (["compare", "--epochs", "[" * 100_000], "epochs must be a whole number from 1 to 2000, but it is '[[["),
        (["compare", "--name", "\udcff"], "name must be text, but it is '\\udcff'."),
        (["sweep", "--lr", "\udcff"], "lr must be text, but it is '\\udcff'."),
        (["note", "1", "\udcff"], "note must be text, but it is '\\udcff'."),
        (["export", "example", "\udcff.zip"], "file must be text, but it is '\\udcff.zip'."),
        (["show", "example", "--json", "x" * 300], "json cannot be 'xxx"),
        (["export", "example", "x" * 300], "file cannot be 'xxx"),
        (["report", "example", "x" * 300], "file cannot be 'xxx"),
        (["data", "download", "builtin"], "dataset must be one of cifar10, cifar100, but it is 'builtin'."),
        ([], "The following arguments are required: COMMAND"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_starts_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    try:
        code = main(arguments)
    except SystemExit as exit:
        code = exit.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith(sentence)
    assert err.count("\n") == 1
    assert not (home / "runs").exists()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda d: d["arms"][1].update(rho=-1), "rho must be a number from 0 to 100, but it is -1."),
        (lambda d: d["arms"][1].update(variant="nsam"), "variant must be one of none, sam"),
        (lambda d: d["arms"].append(d["arms"][0]), "arms must differ from each other, but SGD"),
        (lambda d: d["arms"].clear(), "arms must be a list of 1 to 12 entries, but it is []."),
        (lambda d: d["recipe"].update(speed=1), "recipe has no field 'speed'"),
    ],
)
def test_a_wrong_recipe_file_is_one_sentence(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil, sentence: str
) -> None:
    data = PRESETS["quick"].comparison.to_dict()
    spoil(data)
    (tmp_path / "recipe.json").write_text(json.dumps(data))
    assert main(["compare", "--recipe", str(tmp_path / "recipe.json")]) == 2
    assert capsys.readouterr().err.startswith(sentence)
    assert not (home / "runs").exists()


def test_a_damaged_store_is_one_sentence(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.mkdir()
    (home / "samviz.sqlite3").write_bytes(b"no database" * 1000)
    assert main(["list"]) == 1
    assert "cannot be used (file is not a database)" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["show", "example", "--json"], ["report", "example"]])
def test_a_file_that_cannot_be_written_is_one_sentence(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    target = tmp_path / "target"
    target.symlink_to(tmp_path / "nowhere" / "target")
    assert main([*command, str(target)]) == 1
    assert capsys.readouterr().err == f"{target} cannot be written: No such file or directory.\n"


def test_an_export_replaces_files_only_and_leaves_none_behind(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe, long = tmp_path / "pipe.zip", tmp_path / ("x" * 250)  # with .partial, it is too long
    os.mkfifo(pipe)
    assert main(["export", "example", str(pipe)]) == 2
    assert capsys.readouterr().err == f"file must be a file, but {str(pipe)!r} is a device or the like.\n"
    assert main(["export", "example", str(long)]) == 1
    assert capsys.readouterr().err == f"{long} cannot be written: File name too long.\n"
    assert [path for path in tmp_path.iterdir() if path.name != "home"] == [pipe]
    assert pipe.is_fifo()


@pytest.mark.parametrize("setting", ["SAMVIZ_HOME", "SAMVIZ_DATA"])
def test_a_folder_of_a_user_who_is_not_known_is_one_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], setting: str
) -> None:
    monkeypatch.setenv(setting, "~nosuchuser/x")
    assert main(["compare", "--detach"]) == 2
    sentence = f"{setting} must be a folder of a user who is known, but it is '~nosuchuser/x'.\n"
    assert capsys.readouterr().err == sentence


def test_after_a_repair_one_is_told_to_restart(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_store(home).close()
    assert main(["store", "repair"]) == 0
    assert "restart samviz wherever it is open" in capsys.readouterr().err.splitlines()[-1]


def test_data_says_what_is_there_and_where(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data"]) == 0
    out = capsys.readouterr().out
    assert "Built-in shapes (builtin)  yes" in out
    assert "CIFAR-10 (cifar10)         no" in out
    assert str(home) in out


def test_a_comparison_ends_with_a_table_is_seen_by_the_app_and_can_be_measured(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "result.json"
    command = [sys.executable, "-m", "samviz", "compare", *TINY, "--epochs", "1", "--name", "From a terminal"]
    ran = subprocess.run([*command, "--json", str(target)], capture_output=True, text=True, timeout=250, check=True)
    for word in ("SGD", "SAM-all", "SAM-ON", "SAM no-norm", "One seed: no conclusion can be drawn."):
        assert word in ran.stdout
    assert ran.stderr.startswith("Comparison 1 (From a terminal)")
    snapshot = store.snapshot("1")
    assert (snapshot.state, snapshot.comparison.recipe.epochs) == ("finished", 1)
    assert exchange.from_json(target.read_text("utf-8"), id="1", revision="").comparison == snapshot.comparison
    listed = subprocess.run([sys.executable, "-m", "samviz", "list"], capture_output=True, text=True, check=True)
    assert "From a terminal" in listed.stdout

    asked = ["measure", "1", "--arms", "SAM-ON", "--images", "10"]
    table = run(capsys, *asked)
    (view,) = store.measurements("1")
    assert (view.state, view.result["epoch"], view.result["images"]) == ("finished", 1, 10)
    lines = table.splitlines()[4:]
    (told,) = view.result["arms"].values()
    assert [line.split()[1] for line in lines] == ["SAM-ON"] * 8
    assert [line.split()[-2:] for line in lines] == [[f"{one['loss']:.4g}", f"{one['value']:.4g}"] for one in told]
    assert run(capsys, *asked) == table
    assert store.measurements("1") == [view], "it is found, and not measured again"


OWN = """
from torch import nn

def make(classes):
    return nn.Sequential(nn.Conv2d(3, 4, 3, 4), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(256, classes))
"""


def test_a_network_of_one_s_own_is_found_in_the_folder_of_the_terminal(store: Store, tmp_path: Path) -> None:
    (tmp_path / "mynets.py").write_text(OWN)
    command = [sys.executable, "-m", "samviz", "compare", *TINY, "--epochs", "1", "--network", "mynets:make"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=250, check=True)
    snapshot = store.snapshot("1")
    assert (snapshot.state, snapshot.comparison.recipe.network) == ("finished", "mynets:make")
    assert store.comparisons()[0].network == "mynets:make"
    with pytest.raises(ValueError, match=r"^network must be one of .* \(one's own starts from the terminal only\)"):
        store.submit(snapshot.comparison)  # code is not started from a page, not even a second time
    with pytest.raises(ValueError, match=r"^network must be one of "):
        store.calibrate(snapshot.comparison)
    assert len(store.comparisons()) == len([snapshot, "example"])


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that succeeds prints."""
    assert main(arguments) == 0
    return capsys.readouterr().out


def test_a_stored_comparison_is_renamed_annotated_shown_and_deleted(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    id = stored.put(store, tiny(epochs=2))
    run(capsys, "rename", id, "Another name")
    run(capsys, "note", id, "Look at epoch 2")
    assert (store.header(id).comparison.name, store.header(id).note) == ("Another name", "Look at epoch 2")
    assert "Another name" in run(capsys, "list")
    assert "Look at epoch 2" in run(capsys, "show", id)
    assert run(capsys, "logs", id) == "Seed 0, finished:\nNothing was printed on this machine.\n"
    assert "runs: checkpoints and logs" in run(capsys, "store")
    assert run(capsys, "store", "check") == "The store and all checkpoints are sound.\n"
    assert main(["extend", id, "2"]) == 2
    assert "epochs must be a whole number from 3 to 2000, but it is 2." in capsys.readouterr().err
    run(capsys, "delete", id)
    assert main(["show", id]) == 2


def test_a_sweep_ends_with_a_table(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "sweep.json"
    recipe = tmp_path / "recipe.json"
    recipe.write_text(tiny(epochs=1).to_json(), "utf-8")
    command = [sys.executable, "-m", "samviz", "sweep", "--recipe", str(recipe), "--rho", "0.5"]
    ran = subprocess.run([*command, "--json", str(target)], capture_output=True, text=True, timeout=250, check=True)
    assert ran.stderr.startswith("Sweep 1 (Tiny): 2 comparisons, 2 runs.")
    assert "Sweep 1: Tiny (finished)" in ran.stdout
    rows = json.loads(target.read_text("utf-8"))["rows"]
    assert [(row["label"], row["rho"]) for row in rows] == [("SGD", None), ("SAM-ON", 0.5)]
    for row in rows:
        metrics = store.snapshot(row["comparison"]).metrics.query("name == 'test_accuracy' and epoch == 1")
        assert row["mean"] in metrics["value"].tolist()
    again = subprocess.run([sys.executable, "-m", "samviz", "sweeps"], capture_output=True, text=True, check=True)
    assert again.stdout.splitlines()[1].split()[:4] == ["1", "finished", "100%", "2"]


def asked_sweep(*arguments: str) -> Sweep:
    """What `samviz sweep` would start."""
    parser = argparse.ArgumentParser()
    sweeps.add_to(parser.add_subparsers())
    return sweeps.sweep_of(parser.parse_args(["sweep", *arguments]))


def test_a_sweep_takes_further_fields_and_one_value_is_the_recipes() -> None:
    sweep = asked_sweep("--dropout", "0,0.5", "--batch-size", "32", "--epochs", "3")
    quick = PRESETS["quick"].comparison
    base = replace(quick, recipe=replace(quick.recipe, batch_size=32, epochs=3))
    assert sweep == Sweep(name=quick.name, base=base, dropout=(0, 0.5))
    assert asked_sweep("--search", "optuna", "--lr", "0.01,0.1", "--trials", "3", "--batch-size", "32").axes == ("lr",)


def test_a_preset_grid_can_be_changed() -> None:
    preset = GRIDS["gap"].sweep
    assert asked_sweep("--preset", "gap") == preset
    smaller = asked_sweep("--preset", "gap", "--lr", "0.1,0.2", "--dropout", "0.5", "--epochs", "2", "--name", "Mine")
    assert (smaller.name, smaller.lr, smaller.dropout, smaller.batch_size) == ("Mine", (0.1, 0.2), (), (32, 64, 128))
    assert smaller.base.recipe == replace(preset.base.recipe, epochs=2, dropout=0.5)


def test_control_c_cancels_the_run(store: Store) -> None:
    command = [sys.executable, "-m", "samviz", "compare", *TINY, "--epochs", "200"]
    # A shell that runs the tests in the background has them ignore SIGINT; a person's terminal does not.
    listening = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, preexec_fn=listening, **pipes) as terminal:
        try:
            wait(lambda: [line.id for line in store.comparisons()][:1] == ["1"])
            wait(lambda: not store.snapshot("1").metrics.empty)
            terminal.send_signal(signal.SIGINT)
            _, err = terminal.communicate(timeout=15)
        finally:
            terminal.kill()
    assert (terminal.returncode, store.snapshot("1").state) == (130, "cancelled")
    assert err.splitlines()[-1] == "Comparison 1 is cancelled."


def test_the_terminal_never_imports_torch(home: Path) -> None:
    code = "import sys; from samviz.cli import main; main(['list']); main(['data']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False).returncode == 0
