"""The Papers page, by Streamlit's own test harness over a real store: its state, its numbers and what it starts."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from samviz import papers
from samviz.papers.claims import CLAIMS
from samviz.papers.published import FIGURES, figure
from samviz.runs import Store
from samviz.spec import PRESETS, Arm, Comparison, Recipe, Sweep
from samviz.spec.measurement import SharpnessOf
from samviz.ui import access, lab_form
from samviz.ui.papers_data import outcomes
from samviz.ui.papers_state import Choice
from tests import measured, measured_grid, stored
from tests.opened import HERE, by_key, page


def texts(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.markdown, app.caption) for element in kind)


MINE = Comparison(
    name="Mine *and* yours",
    recipe=Recipe(dataset="cifar10", network="resnet20", epochs=4, augmentation="crop_flip", label_smoothing=0.1),
    arms=(Arm(), *(Arm(variant="sam", scope=scope, rho=0.1) for scope in ("all", "norm_only", "no_norm"))),
    seeds=(0, 1, 2),
)


def test_every_table_can_be_looked_at(store: Store) -> None:
    app = page("papers")
    for one in papers.tables():
        by_key(app.selectbox, "papers-choice-table").set_value(f"{one.paper}-{one.number}").run()
        assert not app.exception
        assert len(app.dataframe[0].value) == len(papers.table(one.paper, one.number))
        assert not app.error


def test_filters_are_in_the_address_and_narrow_the_rows(store: Store) -> None:
    app = page("papers", networks=["wrn28_10"], methods=["SAM-all", "SAM-ON"])
    frame = app.dataframe[0].value
    assert len(frame) == 4
    assert by_key(app.multiselect, "papers-choice-networks").value == ["wrn28_10"]
    by_key(app.multiselect, "papers-choice-methods").set_value(["SAM-ON"]).run()
    assert not app.exception
    assert len(app.dataframe[0].value) == 2
    assert app.query_params["methods"] == "SAM-ON"
    by_key(app.selectbox, "papers-choice-table").set_value("asam-2").run()
    assert dict(app.query_params) == {"table": "asam-2"}  # another table has other methods


def test_wins_are_counted_from_what_is_shown(store: Store) -> None:
    won = page("papers", table="sam-on-11").dataframe[1].value.set_index("label")
    assert won.loc["SAM-ON", ["wins", "settings"]].tolist() == [6, 6]
    won = page("papers", table="sam-on-11", networks=["wrn28_10"]).dataframe[1].value.set_index("label")
    assert won.loc["SAM-ON", ["wins", "settings"]].tolist() == [2, 2]
    everything = page("papers", table="all").dataframe[1].value.set_index("label")
    assert everything.loc["SAM-ON", "settings"] > 6


def test_a_wrong_address_gets_a_sentence(store: Store) -> None:
    for state, sentence in (
        ({"view": "x"}, "view must be one of tables, runs, figures, claims"),
        ({"table": "asam-7"}, "table must be one of all, asam-1"),
        ({"figure": "asam-9"}, "figure must be one of"),
        ({"colour": "red"}, "The address of the Papers page has no field 'colour'"),
    ):
        (error,) = page("papers", **state).error
        assert sentence in error.value.replace("\\", "")


def test_the_address_goes_round() -> None:
    choice = Choice(view="runs", comparison="3", datasets=("cifar10",), methods=("SAM-ON", "ASAM, original-ON"))
    query = {name: [value] if isinstance(value, str) else value for name, value in choice.to_query().items()}
    assert Choice.from_query(query) == choice
    assert Choice().to_query() == {}
    assert choice.changed("table", "asam-2") == Choice(view="runs", table="asam-2")
    assert choice.changed("comparison", "4").beside == ""


def test_runs_stand_beside_the_cells_with_every_difference(store: Store) -> None:
    stored.put(store, MINE)
    app = page("papers", view="runs")
    (warning,) = app.warning
    told = warning.value.replace("\\", "")
    assert told.startswith("**Beside, not the same.** In all arms: ResNet-20, not ResNet-56; ")
    assert "4 epochs, not 200" in told
    rows = app.dataframe[0].value.set_index("label")
    assert rows.loc["SAM-ON", "printed"] == "95.18 ± 0.1"
    assert rows.loc["SAM-ON", "paper"] == pytest.approx(95.18 - 94.28)
    values = store.snapshot("1").metrics
    last = values[(values["name"] == "test_accuracy") & (values["epoch"] == 4)].groupby("arm")["value"].mean()
    assert rows.loc["SAM-ON", "ours"].startswith(f"{last[MINE.arms[2].key]:.2f} ± ")
    assert rows.loc["SAM-ON", "own"] == pytest.approx(last[MINE.arms[2].key] - last[MINE.arms[0].key])
    assert "Not in this table: SAM no-norm." in texts(app).replace("\\", "")


def test_highest_accuracies_stand_beside_highest_accuracies(store: Store) -> None:
    stored.put(store, MINE)
    rows = page("papers", view="runs", beside="asam-2").dataframe[0].value.set_index("label")
    values = store.snapshot("1").metrics
    mine = values[(values["name"] == "test_accuracy") & (values["arm"] == MINE.arms[1].key)]
    best = mine.groupby("seed")["value"].max().mean()
    assert rows.loc["SAM-all", "ours"].startswith(f"{best:.2f} ± ")


def test_every_figure_has_a_way_to_where_it_is_drawn_or_to_its_recipe(store: Store) -> None:
    app = page("papers", view="figures")
    told = texts(app)
    assert all(f"**{one.name}**" in told for one in FIGURES)
    assert "ResNet-8, not WRN-28-10" in told  # the bundled example draws Fig. 4
    stored.put(store, MINE)
    assert "ResNet-20, not WRN-28-10" not in texts(page("papers", view="figures", figure="sam-on-6"))
    assert "ResNet-20, not WRN-28-10" in texts(
        page("papers", view="figures", figure="sam-on-4")
    )  # one's own before that


def test_a_recipe_is_opened_in_the_lab(store: Store) -> None:
    (sweep,) = figure("sam-on", 1).recipes
    app = page("papers", view="figures", figure="sam-on-1")
    by_key(app.button, "papers-open-sam-on-1-0").click().run()
    assert not app.exception
    assert [title.value for title in app.title] == ["Lab"]
    assert lab_form.read(app.session_state) == sweep.base
    assert app.text_input(key="lab-sweep-rho").value == "0.05, 0.1, 0.5, 1, 5"


def test_an_estimate_is_asked_for_and_told(store: Store) -> None:
    app = page("papers", view="figures", figure="sam-on-4")
    assert "Not estimated on this machine yet." in texts(app)
    by_key(app.button, "papers-estimate-sam-on-4-0-button").click().run()
    assert not app.exception
    job = app.session_state["papers-estimate-sam-on-4-0"]
    assert store.job(job).kind == "calibrate"
    assert [info.value for info in app.info] == ["Timing a few steps of each arm…"]


def test_hours_are_known_from_runs_of_the_same_network(store: Store) -> None:
    base = figure("sam-on", 4).recipes[0]
    stored.put(store, replace(base, recipe=replace(base.recipe, epochs=2), seeds=(0,), name="Two epochs"))
    told = texts(page("papers", view="figures", figure="sam-on-4"))
    assert "training alone, after Two epochs, on cpu." in told.replace("\\", "")


def test_strangers_can_look_and_not_estimate(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "connection", lambda: ("192.0.2.7", HERE))
    app = page("papers", view="figures", figure="sam-on-4")
    assert by_key(app.button, "papers-estimate-sam-on-4-0-button").disabled


def test_claims_are_counted_and_listed_with_their_evidence(store: Store) -> None:
    app = page("papers", view="claims")
    told = texts(app)
    assert all(claim.source in told.replace("\\", "") for claim in CLAIMS)
    assert "SAM-all − SGD · +8.30 ± 5.45 points · 3 seeds" in told.replace("\\", "")  # of the bundled example
    assert "CIFAR-10 (JPEG copy), not the official files" in told.replace("\\", "")
    counted = by_key(app.button_group, "papers-choice-state")
    assert f"all {len(CLAIMS)}" in counted.options
    confirmed = page("papers", view="claims", state="confirmed")
    assert "not yet tested]" not in texts(confirmed)
    assert "SAM-all − SGD" in texts(confirmed)


def test_a_sweep_gives_evidence_of_the_best_radii(store: Store) -> None:
    base = replace(PRESETS["quick"].comparison, seeds=(0, 1))
    id = store.submit_sweep(Sweep(name="Radii", base=base, rho=(0.1, 0.5)))
    for _, member, found in store.sweep(id).members:
        stored.fill(store, int(member), found.comparison)
    known = outcomes(store)
    ((same, data, _),) = known.sweeps()
    assert (same, len(data.rows)) == (id, 7)
    (joined,) = known.chosen()
    assert joined.header.comparison.name == "Radii"
    assert "best at SAM-ON: ρ " in texts(page("papers", view="claims"))


def test_sharpness_stands_beside_the_cells_of_its_table(store: Store) -> None:
    shapes = replace(MINE, recipe=replace(MINE.recipe, dataset="builtin", epochs=measured.ABOUT["epoch"]))
    id = measured.put(store, shapes)
    arms = tuple(arm.key for arm in MINE.arms[:2])
    for seed in MINE.seeds:
        asked = SharpnessOf(arms=arms, measures=(measured.SPHERE, measured.CUBOID), images=64, m=32)
        measured.tell(store, id, seed, asked)
    app = page("papers", view="runs", beside="sam-on-14")
    rows = app.dataframe[1].value.set_index("label")
    assert rows.loc["SAM-all", ["ours", "seeds", "images", "m"]].tolist() == ["0.250 ± 0.000", 3, 64, 32]
    assert rows.loc["SAM-all", ["printed", "radius"]].tolist() == ["0.252 ± 0.008", 0.005]  # of ResNeXt, the closest
    assert "SAM-ON" not in rows.index


def test_a_grid_of_networks_draws_asam_fig_2(store: Store) -> None:
    grid = replace(measured_grid.GRID, lr=(), batch_size=(32, 64, 128), dropout=(0.0, 0.1, 0.2, 0.3))
    id = measured_grid.trained(store, grid)
    drawn = f"Drawn from your grid “{grid.name}”"
    assert drawn not in links(page("papers", view="figures"))
    for k, (_, member, _) in enumerate(store.sweep(id).members):
        measured_grid.tell(store, member, measured_grid.ASKED, k / 10, (k, k % 5, -k, k % 7))
    app = page("papers", view="figures", figure="asam-2")
    assert drawn in links(app)
    assert texts(app).count(" over 12 networks, the difference between ") == 2  # p = 2 and p = infinity
    assert texts(page("papers", view="claims")).count(" over 12 networks, the difference between ") == 2


def links(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


def test_a_comparison_is_read_again_only_when_it_changed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    id = stored.put(store, MINE)
    known = outcomes(store)
    before = known.headers(), known.outcome(id), known.outcome("example")
    results = Store.results
    asked: list[str] = []
    monkeypatch.setattr(Store, "results", lambda self, id: asked.append(id) or results(self, id))
    assert (known.headers(), known.outcome(id), known.outcome("example")) == before
    assert asked == []
    store.annotate(id, "changed")
    assert known.outcome(id).header.note == "changed"
    assert asked == [id]
