"""The app's pages in a session of their own, by Streamlit's own test harness."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from samviz.spec import Comparison
from samviz.ui import lab_form

ROUTER = Path(__file__).parents[1] / "samviz" / "ui" / "router.py"
HERE = {"Host": "localhost:8501"}
"""The headers of a person at this computer."""


def page(name: str, **query: str | list[str]) -> AppTest:
    """The page pages/NAME.py at this address, in a new session."""
    app = AppTest.from_file(ROUTER, default_timeout=120).run()
    app.switch_page(f"../../pages/{name}.py")
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def button(app: AppTest, label: str):
    """The only button with this label."""
    (found,) = [button for button in app.button if button.label == label]
    return found


def by_key(elements: object, key: str):
    """The only one of these elements with this key, whatever number comes after a #: see samviz.ui.lab_arms.bound."""
    (found,) = [element for element in elements if (element.key or "").split("#")[0] == key]
    return found


def draft(lab: AppTest) -> Comparison:
    """What the Lab's form holds, as its button would start it."""
    assert [by_key(lab.selectbox, f"lab-arm-{row}-method").value for row in lab.session_state["lab-arms"]]
    return lab_form.read(lab.session_state)
