"""Who may act: only a person at this computer, by connection, by headers and by the name asked for."""

import pytest

from samviz.ui.access import FORWARDED, refusal

HERE = {"Host": "localhost:8501"}


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
