"""A page's state in its address, where the browser has not yet taken up what the server has drawn."""

from samviz.runs import Store
from samviz.ui import lab_form
from tests.opened import by_key, page


def test_a_widget_that_has_left_the_page_chooses_nothing(store: Store) -> None:
    """A browser sends the values of what it still shows: a press soon after a link came with those of the page before.

    They are new to the server, which has forgotten them with their widgets.
    """
    app = page("papers", view="claims", state="untested")
    (left,) = [state for state in app._tree.get_widget_states().widgets if "papers-choice-state" in state.id]
    app.query_params = {"view": "figures", "figure": "asam-4"}
    app.run()
    assert not app.exception
    pressed = app._tree.get_widget_states()
    pressed.widgets.append(left)
    pressed.widgets.add(id=by_key(app.button, "papers-open-asam-4-0").proto.id, trigger_value=True)
    app._run(pressed)
    assert not app.exception
    assert lab_form.read(app.session_state).name == "ASAM Fig. 4"
    assert "state" not in app.query_params


def test_two_choices_that_reach_the_server_together_both_count(store: Store) -> None:
    """While a page computes, what is chosen waits, and goes to the server in one."""
    app = page("papers", table="asam-3")
    by_key(app.selectbox, "papers-choice-reference").set_value("SAM-all")
    by_key(app.button_group, "papers-choice-shown").set_value("values").run()
    assert not app.exception
    assert dict(app.query_params) == {"table": "asam-3", "reference": "SAM-all", "shown": "values"}


def test_a_choice_that_comes_with_an_older_address_keeps_the_one_before_it(store: Store) -> None:
    """Of two choices in quick succession, the second leaves the browser before the first one's address is there."""
    app = page("papers", table="asam-3")
    by_key(app.selectbox, "papers-choice-reference").set_value("SAM-all").run()
    app.query_params = {"table": "asam-3"}
    by_key(app.button_group, "papers-choice-shown").set_value("values").run()
    assert not app.exception
    assert dict(app.query_params) == {"table": "asam-3", "reference": "SAM-all", "shown": "values"}
