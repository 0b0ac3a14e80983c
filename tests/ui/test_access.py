"""Who may act: a person at this computer, by connection, by headers and by the name asked for; or who has signed in."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit import config
from streamlit.runtime.secrets import secrets_singleton
from streamlit.testing.v1 import AppTest

from samviz.ui import access, lab_exchange, public, report
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
        ({"pass": PASSPHRASE}, "no other fields than passphrase, allow and local"),
        (PASSPHRASE, "no other fields than passphrase, allow and local"),
        ({"local": "no"}, "local in secrets.toml must be true or false"),
        ({"local": 0}, "local in secrets.toml must be true or false"),
    ],
)
def test_wrong_secrets_let_nobody_in_and_are_not_told(
    said: object, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = AppTest.from_function(offering, default_timeout=60)
    app.secrets["access"] = said
    sentence = app.run().text[0].value
    assert words in sentence
    assert not any(str(value) in sentence for value in (said.values() if isinstance(said, dict) else [said]))
    signed_in = "Grace", access.digest(str(said.get("passphrase", "")) if isinstance(said, dict) else PASSPHRASE)
    assert acted(SECRETS | {"access": said}, ADA, signed_in) == "nobody"
    # Nor a person at this computer: what is wrong may be what should have kept others from passing for one.
    monkeypatch.setattr(access, "connection", lambda: (None, HERE))
    assert acted(SECRETS | {"access": said}, ADA, signed_in) == "nobody"


@pytest.mark.parametrize(
    ("url", "said", "free"),
    [
        ("", {}, True),
        ("http://192.168.0.7:8501", {}, True),
        ("https://samviz.example", {}, False),
        ("https://samviz.example", {"local": True}, True),
        ("", {"local": True}, True),
        ("", {"local": False}, False),
    ],
)
def test_where_others_may_pass_for_a_person_at_this_computer_all_sign_in(
    url: str, said: dict, free: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "connection", lambda: (None, HERE))
    monkeypatch.setenv(public.SETTING, url)
    assert acted({"access": said}) == ("acted: ''" if free else "nobody")
    secrets = SECRETS | {"access": SECRETS["access"] | said}
    assert acted(secrets, signed_in=("Grace", access.digest(PASSPHRASE))) == f"acted: {'' if free else 'Grace'!r}"
    assert acted(secrets, ADA) == f"acted: {'' if free else 'ada@example.org'!r}"


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file that Streamlit reads; there is none yet."""
    path, before = tmp_path / "secrets.toml", config.get_option("secrets.files")
    config.set_option("secrets.files", [str(path)])
    monkeypatch.setattr(access, "connection", lambda: HALL)
    yield path
    config.set_option("secrets.files", before)
    secrets_singleton._reset()


def put(path: Path, passphrase: str, more: str = "") -> None:
    path.write_text(f'[access]\npassphrase = "{passphrase}"\n{more}', "utf-8")


def test_the_file_is_read_as_it_is_now_whatever_it_was_before(secrets: Path) -> None:
    assert access.offer() == access.Offer(local=True)
    put(secrets, "the first passphrase")
    assert access.offer().passphrase == "the first passphrase"
    secrets.unlink()
    assert access.offer() == access.Offer(local=True)
    put(secrets, "the second passphrase", "local = false")
    assert access.offer() == access.Offer(local=False, passphrase="the second passphrase")
    for broken in (b'[access]\npassphrase = "the third', b"\xff"):
        secrets.write_bytes(broken)
        assert not access.at_home(None, HERE)
        with pytest.raises(ValueError, match=r"^secrets\.toml cannot be read"):
            access.offer()
    put(secrets, "the fourth passphrase")
    assert access.offer().passphrase == "the fourth passphrase"
    put(secrets, "the fourth passphrasf")  # as long as the one before
    assert access.offer().passphrase == "the fourth passphrasf"
    older = secrets.with_name("older")
    put(older, "the fifth passphrase")
    os.utime(older, (1, 1))
    older.replace(secrets)
    assert access.offer().passphrase == "the fifth passphrase"
    assert secrets_singleton["access"]["passphrase"] == "the fifth passphrase", "st.login reads the same"


def test_a_file_that_cannot_be_opened_lets_nobody_act(secrets: Path) -> None:
    secrets.mkdir()
    with pytest.raises(ValueError, match=r"^secrets\.toml cannot be read"):
        access.offer()


@pytest.mark.parametrize(
    ("signed_in", "address", "before", "after"),
    [
        (("Grace", access.digest(PASSPHRASE)), "", f"passphrase = '{PASSPHRASE}'", "passphrase = 'another passphrase'"),
        (("", b""), "Ada@example.org", "allow = ['ada@example.org']", "allow = []"),
    ],
)
def test_who_is_shut_out_gets_no_file_and_sends_none_although_the_page_has_not_run_again(
    secrets: Path,
    monkeypatch: pytest.MonkeyPatch,
    signed_in: tuple[str, bytes],
    address: str,
    before: str,
    after: str,
) -> None:
    files: list[Callable[[], str]] = []
    monkeypatch.setattr(access.st, "download_button", lambda label, data, **_: files.append(data))
    monkeypatch.setattr(access.st, "session_state", {access.SIGNED_IN: signed_in})
    monkeypatch.setattr(access, "get_script_run_ctx", lambda: SimpleNamespace(session_id="one"))
    monkeypatch.setattr(access, "logged_in", lambda: address)
    monkeypatch.setattr(lab_exchange, "_archive", lambda store, id: lambda: "an archive")
    text = "[access]\n{}\n[auth]\nclient_id = 'samviz'\n"
    secrets.write_text(text.format(before), "utf-8")
    assert access.person()
    report.report_button(lambda: "a report", False, "x")
    lab_exchange.export_button(None, SimpleNamespace(id="1"), False)
    assert [make() for make in files] == ["a report", "an archive"]
    assert access.may_send("one", *HALL)
    assert not access.may_send("another", *HALL)
    secrets.write_text(text.format(after), "utf-8")
    assert not access.may_send("one", *HALL)
    for make in files:
        with pytest.raises(ValueError, match="another computer"):
            make()


def test_a_person_at_this_computer_gets_files_until_they_have_to_sign_in(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "connection", lambda: (None, HERE))
    make = access.asked_later(lambda: "a report")
    assert make() == "a report"
    assert access.may_send("anybody", "127.0.0.1", HERE)
    put(secrets, PASSPHRASE, "local = false")
    assert not access.may_send("anybody", "127.0.0.1", HERE)
    with pytest.raises(ValueError, match="on its own computer, too"):
        make()


def test_an_error_of_an_action_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "connection", lambda: (None, HERE))
    shown: list[str] = []
    monkeypatch.setattr(access.st, "error", shown.append)

    def fails() -> None:
        raise ValueError("name must be shorter, but it is '[x](http://evil.example)'.")

    assert access.act(fails) is None
    assert shown == ["name must be shorter, but it is '\\[x\\](http\\:\u2060//evil.example)'."]
