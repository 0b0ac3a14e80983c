"""The Sharpness page's logic, by Streamlit's own test harness over a real store; no worker is started."""

import pytest
from streamlit.testing.v1 import AppTest

from samviz.runs import Store
from samviz.spec.measurement import KINDS, RescalingOf, SharpnessOf, SliceOf
from samviz.ui import access
from samviz.ui.sharpness_choice import Choice
from tests import measured, synthetic
from tests.opened import button, page


@pytest.fixture
def id(store: Store) -> str:
    return measured.put(store, synthetic.comparison(2, 3, name="Measured"))


def press(app: AppTest, label: str) -> AppTest:
    found = button(app, label)
    assert not found.disabled
    app = found.click().run()
    assert not app.exception
    return app


def arms(store: Store, id: str) -> list[str]:
    return [arm.key for arm in store.header(id).comparison.arms]


def test_it_opens_on_what_ships_with_samviz(store: Store) -> None:
    app = page("sharpness")
    assert app.selectbox(key="sharpness-choice-id").value == "example"
    assert any("changes no logit" not in caption.value and "after epoch" in caption.value for caption in app.caption)
    assert not [button for button in app.button if button.label == "Measure"]


@pytest.mark.parametrize(("view", "kind"), [("rescaling", RescalingOf), ("sharpness", SharpnessOf), ("slice", SliceOf)])
def test_the_form_asks_and_a_cancelled_one_is_asked_again(store: Store, id: str, view: str, kind: type) -> None:
    press(page("sharpness", id=id, view=view, seed="1"), "Measure")
    (asked,) = store.measurements(id)
    assert isinstance(asked.measurement, kind)
    assert (asked.seed, asked.state) == (1, "queued")
    press(page("sharpness", id=id, view=view, seed="1"), "Cancel")
    assert store.measurements(id)[0].state == "cancelled"
    press(page("sharpness", id=id, view=view, seed="1"), "Again")
    assert [view.state for view in store.measurements(id)] == ["queued"]


def test_each_view_shows_what_was_measured_of_its_seed(store: Store, id: str) -> None:
    arm, other, *_ = arms(store, id)
    for question in measured.questions(arm, other):
        measured.tell(store, id, 0, question)
    for view in KINDS:
        shown = page("sharpness", id=id, view=view)
        assert any("after epoch 3, 64 train images, Built-in shapes" in caption.value for caption in shown.caption)
        assert not shown.info
        assert page("sharpness", id=id, view=view, seed="1").info, "of this seed nothing was measured"
    table = page("sharpness", id=id, view="sharpness").dataframe[0].value
    assert list(table["SGD"]) == [0.25, 0.25]


def test_a_measurement_can_be_chosen_and_deleted(store: Store, id: str) -> None:
    arm, other, *_ = arms(store, id)
    first = measured.tell(store, id, 0, measured.questions(arm, other)[0])
    second = measured.tell(store, id, 0, measured.questions(other, arm)[0])
    assert page("sharpness", id=id).selectbox(key="sharpness-choice-shown").value == second, "the newest"
    app = page("sharpness", id=id, shown=first)
    assert app.selectbox(key="sharpness-choice-shown").value == first
    press(app, "Delete this measurement")
    assert [view.id for view in store.measurements(id)] == [second]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"id": "99"}, "There is no comparison '99'"),
        ({"view": "hessian"}, "view must be one of rescaling"),
        ({"seed": "7"}, "seed must be one of 0, 1, but it is 7."),
        ({"seed": "one"}, "seed must be a whole number"),
        ({"colour": "red"}, "The address of the Sharpness page has no field 'colour'"),
    ],
)
def test_a_wrong_address_is_one_sentence(store: Store, id: str, query: dict[str, str], sentence: str) -> None:
    app = page("sharpness", **{"id": id} | query)
    (error,) = app.error
    assert error.value.startswith(sentence)


def test_what_is_left_out_of_an_address_follows_what_is_chosen() -> None:
    choice = Choice(id="3", seed="1", view="slice", shown="8")
    assert Choice.from_query({key: [value] for key, value in choice.to_query().items()}) == choice
    assert choice.changed("id", "4") == Choice(id="4", view="slice")
    assert choice.changed("seed", "0") == Choice(id="3", seed="0", view="slice")
    assert choice.changed("shown", "9").shown == "9"


def test_who_only_watches_sees_and_cannot_ask(store: Store, id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    measured.tell(store, id, 0, measured.questions(*arms(store, id)[:2])[0])
    monkeypatch.setattr(access, "connection", lambda: ("203.0.113.5", {"Host": "samviz.example"}))
    app = page("sharpness", id=id)
    locked = {button.label: button.disabled for button in app.button}
    assert locked["Measure"]
    assert locked["Delete this measurement"]
    assert any("after epoch 3" in caption.value for caption in app.caption)
    # Whoever forges the click of a disabled button meets the same refusal within the action.
    said = []
    monkeypatch.setattr(access.st, "error", said.append)
    assert access.act(lambda: store.delete_measurement("1")) is None
    assert access.ADVICE in said[0]
    assert len(store.measurements(id)) == 1
