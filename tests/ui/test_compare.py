"""The Compare page's logic, by Streamlit's own test harness over a real store: addresses, views, who may act."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from samviz.runs import Store
from samviz.spec import Sweep
from samviz.ui import access
from samviz.ui.compare_choice import CHOICES, VIEWS, Choice
from samviz.ui.compare_data import Numbers, swept
from tests import stored, synthetic


def page(**query: str | list[str]) -> AppTest:
    """The page at an address, in a new session."""

    def script() -> None:
        from samviz.ui import compare

        compare.page()

    app = AppTest.from_function(script, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    return "\n".join(markdown.value for markdown in app.markdown).replace("\\", "")


def address(app: AppTest) -> dict[str, list[str]]:
    return {key: [value] if isinstance(value, str) else list(value) for key, value in app.query_params.items()}


def test_an_address_says_only_what_is_not_as_at_first() -> None:
    assert Choice().to_query() == {}
    choice = Choice(comparisons=("1", "example"), arms=("1~sgd",), view="norm", kind="beta", scale="log", axis="time")
    query = {
        "comparisons": ["1", "example"],
        "arms": ["1~sgd"],
        "view": "norm",
        "kind": "beta",
        "scale": "log",
        "axis": "time",
    }
    assert choice.to_query() == query
    assert (
        Choice.from_query({name: texts if isinstance(texts, list) else [texts] for name, texts in query.items()})
        == choice
    )


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"view": ["all"]}, "view must be one of results, curves, cost, norm, network, rho, but it is 'all'."),
        ({"view": ["cost", "rho"]}, "view must be given once, but it is given 2 times."),
        ({"comparisons": ["1", "2", "1"]}, "comparisons must differ from each other, but they are 1, 2, 1."),
        ({"comparisons": list("1234567")}, "comparisons must be a list of 0 to 6 entries"),
        ({"id": ["1"]}, "The address of the Compare page has no field 'id'"),
    ],
)
def test_a_wrong_address_is_one_sentence(query: dict[str, list[str]], sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        Choice.from_query(query)
    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize("name", CHOICES)
def test_every_value_on_offer_is_allowed(name: str) -> None:
    for value in CHOICES[name]:
        assert getattr(Choice().changed(name, value), name) == value


def test_other_comparisons_have_other_arms() -> None:
    choice = Choice(comparisons=("1", "2"), arms=("1~sgd",), reference="2~sgd", view="cost")
    assert choice.changed("comparisons", ("2", "3")) == Choice(comparisons=("2", "3"), reference="2~sgd", view="cost")
    assert choice.changed("comparisons", ("1",)).reference == ""


def test_the_page_shows_verdicts_against_the_chosen_reference(store: Store) -> None:
    spec = synthetic.comparison(3, 5)
    stored.put(store, spec)
    app = page(comparisons="1")
    assert "Against SGD, at the last epoch" in texts(app)
    assert "points over 3 seeds." in texts(app)
    on = f"1~{spec.arms[2].key}"
    app.selectbox(key="compare-choice-reference").set_value(on).run()
    assert address(app) == {"comparisons": ["1"], "reference": [on]}
    assert "Against SAM-ON, at the last epoch" in texts(app)
    # The address alone leads to the same page, as Back does.
    assert texts(page(**address(app))) == texts(app)


def test_each_view_opens_by_its_address_and_says_what_it_is_about(store: Store) -> None:
    spec = synthetic.comparison(2, 4)
    stored.put(store, spec)
    stored.put(store, replace(spec, name="Other"))
    id = store.submit_sweep(Sweep(name="Radii", base=replace(spec, seeds=(0,)), rho=(0.1, 0.2)))
    for _, member, header in store.sweep(id).members:
        stored.fill(store, int(member), header.comparison)
    for view in VIEWS:
        app = page(comparisons=["1", "2"], view=view)
        assert len(app.get("bidi_component")) == 1, view
    assert "best at lr 0.1" in texts(app)


def test_arms_are_left_out_and_come_back(store: Store) -> None:
    spec = synthetic.comparison(2, 4)
    stored.put(store, spec)
    keys = [f"1~{arm.key}" for arm in spec.arms]
    app = page(comparisons="1")
    app.pills(key="compare-choice-arms").set_value(keys[:2]).run()
    assert address(app) == {"comparisons": ["1"], "arms": keys[:2]}
    assert "SAM-ON" not in texts(app)
    app.pills(key="compare-choice-arms").set_value(keys).run()
    assert address(app) == {"comparisons": ["1"]}
    assert "SAM-ON" in texts(app)


def test_what_is_not_there_is_said_and_the_rest_is_shown(store: Store) -> None:
    stored.put(store, synthetic.comparison(2, 4))
    app = page(comparisons=["1", "77"])
    assert [warning.value.replace("\\", "") for warning in app.warning] == [
        "There is no comparison '77': it may have been deleted."
    ]
    assert "Against SGD" in texts(app)
    for view in VIEWS:
        page(comparisons="1", arms=["1~adam", "9~sgd"], reference="7~sgd", measure="validation_loss", view=view)
    app = page(view="nothing")
    assert "view must be one of results" in app.error[0].value
    app.button[0].click().run()
    assert not app.error


def test_the_page_goes_along_with_what_is_not_finished(store: Store) -> None:
    id = stored.put(store, synthetic.comparison(2, 4), reached={0: 4, 1: 2}, ends={1: "running"})
    app = page(comparisons=id)
    assert any("The page goes along" in caption.value for caption in app.caption)
    assert "with one seed, which tells nothing of seed noise" in texts(app)
    stored.end(store, id, 1)
    app.run()
    assert not any("The page goes along" in caption.value for caption in app.caption)
    store.delete(id)
    app.run()
    assert not app.exception
    assert f"There is no comparison '{id}'" in app.warning[0].value.replace("\\", "")


def test_at_first_the_newest_comparison_that_has_finished_is_shown(store: Store) -> None:
    assert page().multiselect(key="compare-choice-comparisons").value == ["example"]
    spec = synthetic.comparison(1, 3)
    stored.put(store, spec)
    stored.put(store, spec, reached={0: 1}, ends={0: "cancelled"})
    assert page().multiselect(key="compare-choice-comparisons").value == ["1"]


def test_only_who_may_act_gets_a_report(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    stored.put(store, synthetic.comparison(2, 3))

    def locked() -> bool:
        (button,) = [b for b in page(comparisons="1").get("download_button") if b.proto.label == "Report"]
        return button.proto.disabled

    assert not locked()
    monkeypatch.setattr(access, "connection", lambda: ("10.0.0.7", {"Host": "localhost:8501"}))
    assert locked()


def test_numbers_are_read_once_and_again_where_something_is_new(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = synthetic.comparison(2, 4)
    id = stored.put(store, spec, reached={0: 4, 1: 2}, ends={1: "running"})
    asked = []
    read = Store.news
    monkeypatch.setattr(Store, "news", lambda self, id, since=None: asked.append(since) or read(self, id, since))
    numbers = Numbers(store)
    for _ in range(3):
        with numbers.reading([id]) as (source,):
            assert source.tally.measure("test_accuracy")[0, 1, 3] != source.tally.measure("test_accuracy")[0, 1, 3]
    assert asked == [None]
    metrics, histograms = synthetic.metrics(spec), synthetic.histograms(spec)
    stored.add_epoch(store, id, 1, 3, metrics, histograms, spec.recipe.steps_per_epoch)
    with numbers.reading([id]) as (source,):
        own = metrics.query("arm == 'sgd' and seed == 1 and epoch == 3 and name == 'test_accuracy'")
        assert source.tally.measure("test_accuracy")[0, 1, 3] == own["value"].item()
    assert len(asked) == 2
    assert asked[1] is not None
    stored.end(store, id, 1)
    with pytest.raises(KeyError), numbers.reading(["99"]):
        pass
    with pytest.raises(KeyError):
        swept(store, "99")
