"""What the environment says of sign-up, proxies and mail is taken as meant, or stops the start."""

from typing import Any

import pytest

from config.settings import environment


@pytest.mark.parametrize(
    ("value", "default", "expected"),
    [("", True, True), ("", False, False), ("open", False, True), ("off", True, False)],
)
def test_sign_up_is_open_or_off(value: str, *, default: bool, expected: bool) -> None:
    assert environment.signup_is_open({"TAWNY_SIGNUP": value}, default=default) is expected
    with pytest.raises(ValueError, match="open or off"):
        environment.signup_is_open({"TAWNY_SIGNUP": "yes"}, default=default)


def test_proxies_are_networks() -> None:
    read = environment.trusted_proxies
    assert read({}) == []
    named = {"TAWNY_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1,"}
    assert read(named) == ["10.0.0.0/8", "192.0.2.1/32"]
    with pytest.raises(ValueError, match="TAWNY_TRUSTED_PROXIES"):
        read({"TAWNY_TRUSTED_PROXIES": "proxy.example"})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtps://mail.example", {"PORT": 465, "USE_SSL": True, "USE_TLS": False}),
        ("smtp://u%40x:p%2F@mail.example", {"PORT": 587, "USE_TLS": True, "HOST_USER": "u@x",
                                            "HOST_PASSWORD": "p/"}),
        ("smtp://mail.example?tls=off", {"PORT": 25, "USE_TLS": False}),
        ("smtp://mail.example:2525", {"PORT": 2525, "USE_TLS": True}),
    ],
)  # fmt: skip
def test_mail_goes_encrypted_unless_it_is_said_otherwise(
    url: str, expected: dict[str, Any]
) -> None:
    read = environment.mail({"TAWNY_EMAIL_URL": url})
    assert read is not None
    assert read["EMAIL_HOST"] == "mail.example"
    assert {name: read[f"EMAIL_{name}"] for name in expected} == expected


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://", "smtp://a?b=c"])
def test_no_other_url_is_taken(url: str) -> None:
    with pytest.raises(ValueError, match="TAWNY_EMAIL_URL"):
        environment.mail({"TAWNY_EMAIL_URL": url})
    assert environment.mail({}) is None
