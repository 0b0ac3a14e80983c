"""The sign-in by Streamlit's own test harness: who gets in, who does not, and how often one may try."""

from contextlib import suppress
from threading import Thread

import pytest
from streamlit.testing.v1 import AppTest

from samviz.ui import access, sign_in
from samviz.ui.sign_in import MOST_IN_ALL, MOST_PER_ADDRESS, WITHIN, Attempts
from tests.opened import button

PASSPHRASE = "a horse in the hall"
HALL = "192.168.0.9", {"Host": "192.168.0.7:8501"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _in_the_hall(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    monkeypatch.setattr(access, "connection", lambda: HALL)
    monkeypatch.setattr(sign_in, "attempts", Attempts(clock))


def script() -> None:
    import streamlit as st

    from samviz.ui import access, sign_in

    sign_in.show()
    if st.button("Act"):
        who = access.act(access.person)
        st.text(f"acted: {who}")


def page(secrets: dict | None = None, user: dict | None = None) -> AppTest:
    app = AppTest.from_function(script, default_timeout=60)
    app.secrets |= {"access": {"passphrase": PASSPHRASE}} if secrets is None else secrets
    app.user = user or {}
    app.run()
    assert not app.exception
    return app


def enter(app: AppTest, passphrase: str, name: str = "Ada") -> AppTest:
    app.text_input(key="sign-in-passphrase").set_value(passphrase)
    app.text_input(key="sign-in-name").set_value(name)
    button(app, "Sign in").click().run()
    assert not app.exception
    return app


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def texts(app: AppTest) -> list[str]:
    return [text.value for text in app.text]


def test_nothing_is_shown_on_samvizs_own_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "connection", lambda: (None, {"Host": "localhost"}))
    app = page()
    assert labels(app) == ["Act"]
    assert not [*app.info, *app.expander, *app.text_input]


def test_who_knows_the_passphrase_signs_in_acts_and_signs_out() -> None:
    app = page()
    assert access.ADVICE in app.info[0].value
    assert (
        app.text_input(key="sign-in-passphrase").proto.type == app.text_input(key="sign-in-passphrase").proto.PASSWORD
    )
    enter(app, PASSPHRASE, " Ada ")
    assert texts(app) == ["Signed in as Ada"]
    assert not [*app.info, *app.error, *app.text_input]
    button(app, "Act").click().run()
    assert texts(app)[-1] == "acted: Ada"
    assert "sign-in-passphrase" not in app.session_state
    button(app, "Sign out").click().run()
    assert access.ADVICE in app.info[0].value
    button(app, "Act").click().run()
    assert texts(app) == ["acted: None"]


def test_a_button_that_is_pressed_without_its_fields_is_refused() -> None:
    def press() -> None:
        from samviz.ui import sign_in

        sign_in._enter()
        sign_in.show()

    app = AppTest.from_function(press, default_timeout=60)
    app.secrets |= {"access": {"passphrase": PASSPHRASE}}
    app.run()
    assert not app.exception
    assert "name must be a line of 1 to 40 characters" in app.error[0].value


def test_where_all_sign_in_so_does_a_person_at_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "connection", lambda: (None, {"Host": "localhost"}))
    app = page({"access": {"passphrase": PASSPHRASE, "local": False}})
    assert access.EVERYBODY in app.info[0].value
    assert texts(enter(app, PASSPHRASE)) == ["Signed in as Ada"]
    button(app, "Act").click().run()
    assert texts(app)[-1] == "acted: Ada"


def test_one_session_signs_in_for_itself_alone() -> None:
    enter(page(), PASSPHRASE)
    assert access.ADVICE in page().info[0].value


@pytest.mark.parametrize("wrong", ["", "a horse in the hal", PASSPHRASE + " ", PASSPHRASE.upper(), "x" * 200])
def test_another_passphrase_is_refused_and_not_kept(wrong: str) -> None:
    app = enter(page(), wrong)
    assert [error.value for error in app.error] == ["This is not the passphrase."]
    assert app.text_input(key="sign-in-passphrase").value == ""
    assert app.text_input(key="sign-in-name").value == "Ada"
    button(app, "Act").click().run()
    assert texts(app) == ["acted: None"]


def test_an_accent_is_the_same_however_it_is_typed() -> None:
    app = page({"access": {"passphrase": "Pferd über Hürde"}})
    assert texts(enter(app, "Pferd u\u0308ber Hu\u0308rde")) == ["Signed in as Ada"]


@pytest.mark.parametrize("name", ["", "  ", "A\nB", "\u202eevil", "\x00"])
def test_a_name_is_a_short_line_and_a_wrong_one_costs_no_attempt(name: str) -> None:
    app = page()
    for _ in range(MOST_PER_ADDRESS + 1):
        enter(app, PASSPHRASE, name)
        assert app.error[0].value.startswith("name must be a line of 1 to 40 characters")
    assert texts(enter(app, PASSPHRASE)) == ["Signed in as Ada"]


def test_a_name_has_at_most_40_characters_whatever_the_browser_sends() -> None:
    with pytest.raises(ValueError, match="name must be a line of 1 to 40 characters"):
        sign_in.enter(PASSPHRASE, "x" * 41)


def test_after_a_few_wrong_passphrases_even_the_right_one_has_to_wait(clock: Clock) -> None:
    app = page()
    for _ in range(MOST_PER_ADDRESS):
        enter(app, "wrong")
        clock.now += 10
    for other in (app, page()):
        enter(other, PASSPHRASE)
        assert (
            other.error[0].value == "There were too many wrong passphrases from your address: try again in 5 minutes."
        )
        assert not texts(other)
    clock.now = 1000 + WITHIN - 1
    assert "try again in 1 s." in enter(app, PASSPHRASE).error[0].value
    clock.now += 1
    assert texts(enter(app, PASSPHRASE)) == ["Signed in as Ada"]


def test_addresses_are_counted_one_by_one_and_together(clock: Clock) -> None:
    attempts = Attempts(clock)
    for one in range(MOST_IN_ALL // MOST_PER_ADDRESS):
        for _ in range(MOST_PER_ADDRESS):
            attempts.begin(f"10.0.0.{one}")
        if one < MOST_IN_ALL // MOST_PER_ADDRESS - 1:
            with pytest.raises(ValueError, match="from your address: try again in 5 minutes"):
                attempts.begin(f"10.0.0.{one}")
    with pytest.raises(ValueError, match="too many wrong passphrases: try again in 5 minutes"):
        attempts.begin("10.0.1.1")
    clock.now += WITHIN
    attempts.begin("10.0.0.1")


def test_right_passphrases_are_not_counted(clock: Clock) -> None:
    attempts = Attempts(clock)
    for _ in range(3 * MOST_IN_ALL):
        attempts.begin("10.0.0.1")()
    attempts.begin("10.0.0.1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        (None, "127.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("nonsense", "other nonsense", False),
    ],
)
def test_one_person_has_one_address_or_a_whole_network_of_them(one: str | None, other: str, same: bool) -> None:
    attempts = Attempts(Clock())
    for _ in range(MOST_PER_ADDRESS):
        attempts.begin(one)
    if same:
        with pytest.raises(ValueError, match="from your address"):
            attempts.begin(other)
    else:
        attempts.begin(other)


def test_attempts_at_once_do_not_pass_together(clock: Clock) -> None:
    attempts, passed = Attempts(clock), []

    def attempt() -> None:
        with suppress(ValueError):
            attempts.begin("10.0.0.1")
            passed.append(1)

    threads = [Thread(target=attempt) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == MOST_PER_ADDRESS


@pytest.mark.parametrize("secrets", [{"other": 1}, {"access": {}}, {"access": {"allow": ["ada@example.org"]}}])
def test_where_nobody_can_sign_in_that_is_said(secrets: dict) -> None:
    app = page(secrets)
    assert "Nobody can sign in here" in app.caption[0].value
    assert not [*app.expander, *app.text_input]


def test_what_is_wrong_with_the_secrets_is_said_without_them() -> None:
    app = page({"access": {"passphrase": "tooshort"}})
    assert "at least 12 characters" in app.warning[0].value
    assert "tooshort" not in app.warning[0].value
    assert not app.text_input


def test_at_the_machine_that_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "connection", lambda: (None, {"Host": "localhost"}))
    app = page({"access": {"passphrase": "tooshort"}})
    assert app.info[0].value.startswith("Nobody may act: passphrase in secrets.toml must be a text of at least 12")
    assert not [*app.warning, *app.text_input]


@pytest.mark.parametrize(("url", "warned"), [("http://192.168.0.7:8501/lab", 1), ("https://samviz.example/lab", 0)])
def test_who_is_about_to_send_a_passphrase_in_the_clear_is_told(url: str, warned: int) -> None:
    app = AppTest.from_function(script, default_timeout=60)
    app.secrets["access"] = {"passphrase": PASSPHRASE}
    app.context["url"] = url
    app.run()
    assert len([caption for caption in app.caption if "can overhear the passphrase" in caption.value]) == warned


LOGIN = {"access": {"allow": ["ada@example.org"]}, "auth": {"client_id": "samviz"}}


def test_who_is_on_the_list_acts_under_that_address_and_signs_out() -> None:
    app = page(LOGIN, {"is_logged_in": True, "email": "Ada@example.org"})
    assert texts(app) == ["Signed in as Ada@example.org"]
    button(app, "Sign out").click().run()
    assert access.ADVICE in app.info[0].value
    assert labels(app) == ["Log in", "Act"]


def test_who_is_not_on_the_list_is_told_so_and_only_watches() -> None:
    app = page(LOGIN, {"is_logged_in": True, "email": "eve@example.org"})
    assert "eve@example.org, who is not on the list" in texts(app)[0]
    assert access.ADVICE in app.info[0].value
    button(app, "Act").click().run()
    assert texts(app)[-1] == "acted: None"
    button(app, "Log out").click().run()
    assert labels(app) == ["Log in", "Act"]


def test_each_provider_has_its_button() -> None:
    named = {"client_id": "samviz"}
    app = page(LOGIN | {"auth": {"redirect_uri": "x", "google": named, "okta": named}})
    assert labels(app) == ["Log in with google", "Log in with okta", "Act"]


def test_a_login_that_is_set_up_wrong_is_a_sentence() -> None:
    app = page(LOGIN)
    button(app, "Log in").click().run()
    assert not app.exception
    assert app.error[0].value
