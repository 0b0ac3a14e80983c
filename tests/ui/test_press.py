"""Buttons that start something, where the browser has not yet taken up what the server has drawn."""

from collections.abc import Callable

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from samviz.runs import Store
from samviz.spec import Arm, Comparison
from tests import stored, synthetic
from tests.opened import button, by_key, draft, page

Act = Callable[[AppTest], object]


def shown(app: AppTest) -> WidgetStates:
    """What a browser that shows this sends with its next press: all values, and of the buttons nothing."""
    widgets = app._tree.get_widget_states().widgets
    return WidgetStates(widgets=[state for state in widgets if not state.HasField("trigger_value")])


def press(app: AppTest, states: WidgetStates, id: str) -> None:
    """Press the button of this id in a browser that shows this."""
    pressed = WidgetStates()
    pressed.CopyFrom(states)
    pressed.widgets.add(id=id, trigger_value=True)
    app._run(pressed)
    assert not app.exception


def chosen(kind: str, key: str, value: object) -> Act:
    return lambda app: by_key(getattr(app, kind), key).set_value(value)


def own(store: Store) -> list[Comparison]:
    """What was started and stored, the oldest first."""
    return [store.header(one.id).comparison for one in reversed(store.comparisons()) if not one.bundled]


METHOD = chosen("selectbox", "lab-arm-1-method", "elementwise_l2")


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(
    "act",
    [
        METHOD,
        chosen("selectbox", "lab-recipe-network", "vit_t"),
        chosen("selectbox", "lab-arm-2-mask", "fisher"),
        chosen("selectbox", "lab-dataset", "cifar100"),
        chosen("selectbox", "lab-recipe-optimizer", "adamw"),
        chosen("multiselect", "lab-recipe-classes", ["ring", "disc"]),
        chosen("button_group", "lab-preset", "cifar_cpu"),
        lambda app: by_key(app.button, "lab-duplicate-1").click(),
        lambda app: button(app, "Add an arm").click(),
    ],
    ids=["method", "network", "mask", "data", "optimizer", "classes", "preset", "duplicate", "add"],
)
def test_a_press_that_comes_before_the_browser_shows_a_change_starts_nothing(
    store: Store, act: Act, together: bool
) -> None:
    stored.put(store, synthetic.comparison(2, 3, name="Stored"))
    there = own(store)
    expected = page("lab")
    act(expected)
    expected.run()
    app = page("lab")
    start = button(app, "Start").proto.id
    act(app)
    if together:
        states = app._tree.get_widget_states()
    else:
        states = shown(app)
        app.run()
    press(app, states, start)
    assert own(store) == there
    assert "Nothing was started" in app.toast[0].value
    assert draft(app) == draft(expected)
    app.run()
    assert not app.toast
    assert draft(app) == draft(expected)
    button(app, "Start").click().run()
    assert own(store) == [*there, draft(expected)] or "is not in" in app.error[0].value


@pytest.mark.parametrize("label", ["Start the sweep", "Estimate the time"])
def test_the_buttons_beside_start_are_for_what_is_shown_as_well(store: Store, label: str) -> None:
    app = page("lab")
    app.text_input(key="lab-sweep-rho").set_value("0.1, 0.2").run()
    METHOD(app)
    states, id = shown(app), button(app, label).proto.id
    app.run()
    press(app, states, id)
    assert store.sweeps() == []
    assert "lab-estimate-job" not in app.session_state


def test_what_is_typed_before_the_browser_shows_a_change_counts(store: Store) -> None:
    app = page("lab")
    METHOD(app)
    states = shown(app)
    app.run()
    by_key(app.text_input, "lab-seeds").set_value("3, 5")
    for state in states.widgets:
        if "lab-arm-1-rho" in state.id:
            state.double_value = 0.7
        if "lab-seeds" in state.id:
            state.string_value = "3, 5"
    app._run(states)
    assert draft(app).seeds == (3, 5)
    assert draft(app).arms[1] == Arm(variant="elementwise_l2", rho=0.7)


def test_an_ordinary_edit_leaves_all_widgets_in_place(store: Store) -> None:
    app = page("lab")

    def keys() -> set[str]:
        elements = (app.text_input, app.number_input, app.selectbox, app.multiselect, app.checkbox, app.button)
        return {element.key for kind in elements for element in kind}

    before = keys()
    for act in (
        chosen("text_input", "lab-name", "Mine"),
        chosen("text_input", "lab-seeds", "0, 1"),
        chosen("number_input", "lab-recipe-epochs", 5),
        chosen("number_input", "lab-recipe-lr", 1.0),
        chosen("number_input", "lab-arm-1-rho", 1),
        chosen("text_input", "lab-arm-1-p", "inf"),
        chosen("selectbox", "lab-recipe-schedule", "constant"),
    ):
        act(app)
        app.run()
        assert keys() == before
    assert (draft(app).name, draft(app).seeds, draft(app).recipe.epochs) == ("Mine", (0, 1), 5)


@pytest.mark.parametrize(
    ("label", "name"), [("Start", "id"), ("Start the sweep", "sweep"), ("Train the grid", "sweep")]
)
def test_the_second_press_of_a_double_click_opens_what_the_first_has_started(
    store: Store, label: str, name: str
) -> None:
    grid = label == "Train the grid"
    app = page("sharpness", view="gap") if grid else page("lab")
    address = dict(app.query_params)
    if label == "Start the sweep":
        app.text_input(key="lab-sweep-rho").set_value("0.1, 0.2").run()
    states, id = shown(app), button(app, label).proto.id

    def there() -> int:
        return len(store.sweeps()) if name == "sweep" else len(own(store))

    for _ in range(3):
        app.query_params = address  # the browser has not taken up the other one
        press(app, states, id)
        assert there() == 1
        assert app.query_params[name] == "1"
        assert not app.toast
    # Started once more on purpose.
    app.query_params = address
    app.run()
    button(app, label).click().run()
    assert there() == 2
    assert app.query_params[name] != "1"


def test_an_estimate_is_not_asked_for_twice_at_once(store: Store) -> None:
    app = page("lab")
    states, id = shown(app), button(app, "Estimate the time").proto.id
    press(app, states, id)
    (job, _) = app.session_state["lab-estimate-job"]
    press(app, states, id)
    assert app.session_state["lab-estimate-job"][0] == job
    store.cancel_job(job)
    press(app, states, id)
    assert app.session_state["lab-estimate-job"][0] > job
