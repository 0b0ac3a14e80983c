"""Who may act: a person at this computer, by connection, by headers and by the name asked for; or who has signed in."""

import pytest
from streamlit.testing.v1 import AppTest

from samviz.ui import access
from samviz.ui.access import FORWARDED, refusal
from tests.opened import HERE

HALL = "192.168.0.9", {"Host": "192.168.0.7:8501"}
PASSPHRASE = "a horse in the hall"
SECRETS = {"access": {"passphrase": PASSPHRASE, "allow": ["Ada@Example.org"]}, "auth": {"client_id": "samviz"}}
ADA = {"is_logged_in": True, "email": "ada@example.org"}


@pytest.mark.parametrize(
    ("ip", "host"),
    [
        (None, "localhost:8501"),
        (None, "localhost"),
        (None, "LOCALHOST:8501"),
        (None, "127.0.0.1:8501"),
        (None, "127.1.2.3"),
        (None, "[::1]:8501"),
        ("127.0.0.1", "localhost:8501"),
        ("::1", "localhost:8501"),
        ("::ffff:127.0.0.1", "localhost:8501"),
    ],
)
def test_a_person_at_this_computer_may_act(ip: str | None, host: str) -> None:
    assert refusal(ip, {"Host": host}) == ""


@pytest.mark.parametrize("ip", ["192.168.0.7", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "2001:db8::1", "nonsense", ""])
def test_another_computer_may_not(ip: str) -> None:
    assert "another computer" in refusal(ip, HERE)


@pytest.mark.parametrize("name", [*FORWARDED, "X-Forwarded-For", "FORWARDED"])
@pytest.mark.parametrize("value", ["127.0.0.1", "203.0.113.9", "for=127.0.0.1", ""])
def test_a_proxy_may_not_whatever_it_says(name: str, value: str) -> None:
    assert "proxy" in refusal(None, HERE | {name: value})


@pytest.mark.parametrize(
    "host",
    [
        "samviz.example",
        "localhost.evil.example",
        "evil.example:8501",
        "127.0.0.1.evil.example",
        "192.168.0.7:8501",
        "0.0.0.0:8501",
        "user@localhost",
        "localhost/..",
        "localhost:notaport",
        "[::1",
        "",
    ],
)
def test_a_foreign_name_may_not(host: str) -> None:
    assert "not this computer's own" in refusal(None, {"Host": host})


def test_no_host_at_all_may_not() -> None:
    assert refusal(None, {})


def script() -> None:
    """A page with one action."""
    import streamlit as st

    from samviz.ui import access

    who = access.act(access.person)
    st.text("nobody" if who is None else f"acted: {who!r}")


def acted(secrets: dict | None = None, user: dict | None = None, signed_in: object = None) -> str:
    """What comes of an action in a session of its own: "acted: 'WHO'" or "nobody"."""
    app = AppTest.from_function(script, default_timeout=60)
    app.secrets |= secrets or {}
    app.user = user or {}
    if signed_in is not None:
        app.session_state[access.SIGNED_IN] = signed_in
    app.run()
    assert not app.exception
    assert len(app.error) == (app.text[0].value == "nobody")
    return app.text[0].value


def offering() -> None:
    """A page that says what is wrong with the secrets."""
    import streamlit as st

    from samviz.ui import access

    try:
        access.offer()
    except ValueError as error:
        st.text(str(error))


@pytest.fixture
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "connection", lambda: HALL)


def test_a_person_at_this_computer_acts_under_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "connection", lambda: (None, HERE))
    assert acted() == acted(SECRETS, ADA) == "acted: ''"


@pytest.mark.usefixtures("_elsewhere")
@pytest.mark.parametrize("secrets", [None, {"access": {}}, {"access": {"passphrase": ""}}, SECRETS])
def test_elsewhere_nobody_acts_who_has_not_signed_in(secrets: dict | None) -> None:
    assert acted(secrets) == "nobody"


@pytest.mark.usefixtures("_elsewhere")
def test_who_knows_the_passphrase_acts_until_it_changes() -> None:
    signed_in = "Grace", access.digest(PASSPHRASE)
    assert acted(SECRETS, signed_in=signed_in) == "acted: 'Grace'"
    for other in ("another passphrase", "", PASSPHRASE.upper()):
        assert acted(SECRETS | {"access": {"passphrase": other}}, signed_in=signed_in) == "nobody"
    assert acted({"access": {}}, signed_in=signed_in) == "nobody"
    assert acted({"access": {}}, signed_in=("Grace", access.digest(""))) == "nobody"


@pytest.mark.usefixtures("_elsewhere")
@pytest.mark.parametrize(
    ("user", "who"),
    [
        (ADA, "acted: 'ada@example.org'"),
        (ADA | {"email_verified": True}, "acted: 'ada@example.org'"),
        (ADA | {"email": "ADA@example.org"}, "acted: 'ADA@example.org'"),
        (ADA | {"email_verified": False}, "nobody"),
        (ADA | {"email_verified": "false"}, "nobody"),
        (ADA | {"is_logged_in": False}, "nobody"),
        (ADA | {"is_logged_in": "yes"}, "nobody"),
        (ADA | {"email": "eve@example.org"}, "nobody"),
        (ADA | {"email": None}, "nobody"),
        (ADA | {"email": ""}, "nobody"),
        ({"is_logged_in": True}, "nobody"),
    ],
)
def test_of_those_who_log_in_only_who_is_on_the_list_acts(user: dict, who: str) -> None:
    assert acted(SECRETS, user) == who
    assert acted(SECRETS | {"access": {"allow": []}}, user) == "nobody"
    assert acted({"access": SECRETS["access"]}, user) == "nobody", "without [auth] nobody has logged in"


@pytest.mark.usefixtures("_elsewhere")
@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"passphrase": "elevenchars"}, "at least 12 characters"),
        ({"passphrase": 123456789012}, "at least 12 characters"),
        ({"allow": "ada@example.org"}, "list of e-mail addresses"),
        ({"allow": ["ada@example.org", "everyone"]}, "list of e-mail addresses"),
        ({"allow": ["ada@example.org", 7]}, "list of e-mail addresses"),
        ({"pass": PASSPHRASE}, "no other fields than passphrase and allow"),
        (PASSPHRASE, "no other fields than passphrase and allow"),
    ],
)
def test_wrong_secrets_let_nobody_in_and_are_not_told(said: object, words: str) -> None:
    app = AppTest.from_function(offering, default_timeout=60)
    app.secrets["access"] = said
    sentence = app.run().text[0].value
    assert words in sentence
    assert not any(str(value) in sentence for value in (said.values() if isinstance(said, dict) else [said]))
    signed_in = "Grace", access.digest(str(said.get("passphrase", "")) if isinstance(said, dict) else PASSPHRASE)
    assert acted(SECRETS | {"access": said}, ADA, signed_in) == "nobody"


def test_an_error_of_an_action_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "connection", lambda: (None, HERE))
    shown: list[str] = []
    monkeypatch.setattr(access.st, "error", shown.append)

    def fails() -> None:
        raise ValueError("name must be shorter, but it is '[x](http://evil.example)'.")

    assert access.act(fails) is None
    assert shown == ["name must be shorter, but it is '\\[x\\](http\\:\u2060//evil.example)'."]
