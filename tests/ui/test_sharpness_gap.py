"""The view of generalization gaps, by Streamlit's own test harness over a real store; no worker is started."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from samviz.figures.gap import with_radii
from samviz.runs import Store
from samviz.spec.grids import GRIDS
from samviz.spec.sweep import Sweep
from samviz.ui import access
from tests.measured_grid import ASKED, BASE, tell, trained
from tests.opened import button, page


def gap(**query: str) -> AppTest:
    return page("sharpness", view="gap", **query)


def progress(app: AppTest) -> str:
    return app.get("progress")[0].proto.text


def test_without_a_grid_the_one_of_asams_table_can_be_trained(store: Store) -> None:
    store.submit_sweep(Sweep(name="One axis", base=BASE, lr=(0.1, 0.2)))
    app = gap()
    assert "No grid was trained yet" in app.info[0].value
    assert any(caption.value.startswith("= 81 runs of 30 epochs on 2000 images each") for caption in app.caption)
    button(app, "Train the grid").click().run()
    assert not app.exception
    sweep, preset = store.sweep("2").sweep, GRIDS["gap"].sweep
    base = replace(preset.base, recipe=replace(preset.base.recipe, dataset="builtin"))  # CIFAR-10 is not here
    assert sweep == replace(preset, base=base)
    assert app.query_params["sweep"] == "2"
    assert progress(app) == "0 of 81 runs have finished; measured: 0."
    assert button(app, "Measure what is left").disabled


def test_what_is_left_is_measured_with_the_radii_that_are_set_and_can_be_cancelled(store: Store) -> None:
    id = trained(store)
    tell(store, "1", replace(ASKED, images=64, m=32), 1.0, (1, 2, 3, 4))
    app = gap()
    assert app.number_input(key=f"sharpness-gap-{id}-images").value == 64, "as it was measured last"
    assert progress(app) == "4 of 4 runs have finished; measured: 1."
    app.number_input(key=f"sharpness-gap-{id}-rho-1").set_value(0.75).run()
    assert progress(app) == "4 of 4 runs have finished; measured: 0."
    button(app, "Measure what is left").click().run()
    assert not app.exception
    asked = replace(ASKED, measures=with_radii([0.05, 0.75, 0.001, 0.005]), images=64, m=32)
    for member in ("1", "2", "3", "4"):
        assert (store.measurements(member)[0].measurement, store.measurements(member)[0].seed) == (asked, 0)
    assert progress(app).endswith("measured: 0; waiting or under way: 4.")
    assert button(app, "Measure what is left").disabled
    button(app, "Cancel what waits").click().run()
    assert {store.measurements(member)[0].state for member in ("1", "2", "3", "4")} == {"cancelled"}
    assert "4 measurements were cancelled or failed." in app.warning[0].value
    button(app, "Measure what is left").click().run()
    assert {store.measurements(member)[0].state for member in ("1", "2", "3", "4")} == {"queued"}


def test_the_table_stands_beside_that_of_asam(store: Store) -> None:
    trained(store)
    for k, (point, member, _) in enumerate(store.sweep("1").members):
        # The lower the train loss, the wider the gap: 0.1 and 0, 0.1 and 0.5, 0.2 and 0, 0.2 and 0.5 in this order.
        order = 2 * (point.lr == 0.2) + (point.dropout == 0.5)
        tell(store, member, ASKED, 1 - order / 10, (order + 1, 9 - order, 5 + order, point.lr))
        assert len(store.measurements(member)) == 1, k
    app = gap(sweep="1")
    assert progress(app) == "4 of 4 runs have finished; measured: 4."
    table = app.dataframe[0].value.set_index("name")
    assert list(table.index) == ["Learning rate", "Dropout", "Ψ, their mean", "τ, over all networks"]
    assert table["own0"].tolist() == [1, 1, 1, 1]
    assert table["own1"].tolist() == [-1, -1, -1, -1]
    assert table["own3"].isna().tolist() == [False, True, True, False]
    assert table["asam0"].tolist() == [0.563, 0.102, 0.259, 0.174], "ASAM Table 1"
    assert table["asam3"].tolist() == [0.806, 0.225, 0.626, 0.616]
    shown = " ".join(text.value for text in (*app.markdown, *app.caption))
    assert "4 networks." in shown
    assert "Dropout, Adaptive sharpness, p = ∞: 2 groups are left out" in shown
    assert "The gap is ASAM's (section 2): the loss on all test images, less that on the train images" in shown
    accuracy = gap(sweep="1", gap="accuracy")
    assert any("The gap is the Lab's" in caption.value for caption in accuracy.caption)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"sweep": "9"}, "sweep must be the id of a grid over two of batch size, learning rate, weight decay"),
        ({"gap": "error"}, "gap must be one of loss, accuracy, but it is 'error'."),
    ],
)
def test_a_wrong_address_is_one_sentence(store: Store, query: dict[str, str], sentence: str) -> None:
    app = gap(**query)
    assert app.error[0].value.startswith(sentence)


def test_who_may_only_watch_starts_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(store)
    app = gap()
    monkeypatch.setattr(access, "connection", lambda: ("192.0.2.7", {"Host": "192.0.2.1:8501"}))
    button(app, "Train the grid").click().run()
    assert [sweep.id for sweep in store.sweeps()] == ["1"]
    assert button(app, "Measure what is left").disabled
    assert button(app, "Train the grid").disabled
