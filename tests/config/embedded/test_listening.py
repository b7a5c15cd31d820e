"""Where the web server listens."""

import socket

import pytest

from config.embedded.errors import PortTaken, WrongSetting
from config.embedded.listening import Listening

SETTINGS = ("TAWNY_BIND", "TAWNY_PORT", "TAWNY_TLS_CERT", "TAWNY_TLS_KEY")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


def test_it_is_loopback_and_port_8000_unless_said_otherwise() -> None:
    assert Listening.from_environment().url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:9"),  # noqa: S104 -- nothing is bound
        ("::", "http://[::1]:9"),
        ("192.0.2.1", "http://192.0.2.1:9"),
        ("2001:db8::1", "http://[2001:db8::1]:9"),
    ],
)
def test_its_address_is_one_that_this_machine_reaches(bind: str, url: str) -> None:
    assert Listening(bind=bind, port=9).url == url


@pytest.mark.parametrize("port", ["65536", "-1", "http", "8 000"])
def test_a_port_that_is_none_is_refused_by_name(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAWNY_PORT", port)
    with pytest.raises(WrongSetting, match="TAWNY_PORT"):
        Listening.from_environment()


def test_a_certificate_needs_its_key(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = tmp_path_factory.mktemp("tls") / "certificate.pem"
    certificate.touch()
    monkeypatch.setenv("TAWNY_TLS_CERT", str(certificate))
    with pytest.raises(WrongSetting, match="both"):
        Listening.from_environment()
    monkeypatch.setenv("TAWNY_TLS_KEY", str(certificate.with_name("missing.pem")))
    with pytest.raises(WrongSetting, match="TAWNY_TLS_KEY names"):
        Listening.from_environment()
    monkeypatch.setenv("TAWNY_TLS_KEY", str(certificate))
    assert Listening.from_environment().url == "https://127.0.0.1:8000"


def test_a_port_in_use_is_taken_and_port_zero_is_any_free_one() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = Listening(bind="127.0.0.1", port=other.getsockname()[1])
        with pytest.raises(PortTaken, match="TAWNY_PORT"):
            taken.claimed()
    assert Listening(bind="127.0.0.1", port=0).claimed().port > 0
