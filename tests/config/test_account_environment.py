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


def test_second_factors_of_staff_are_one_of_two_policies() -> None:
    assert environment.staff_mfa({}) == "totp"
    strict = {"TAWNY_STAFF_MFA": "phishing_resistant"}
    assert environment.staff_mfa(strict) == "phishing_resistant"
    with pytest.raises(ValueError, match="totp or phishing_resistant"):
        environment.staff_mfa({"TAWNY_STAFF_MFA": "passkey"})


@pytest.mark.parametrize(
    ("urls", "name", "origins"),
    [
        (["http://127.0.0.1:8000", "http://localhost:8000"], "localhost", ["http://localhost:8000"]),
        (["https://127.0.0.1:8443", "https://localhost:8443"], "localhost",
         ["https://localhost:8443"]),
        (["https://tawny.example", "https://tawny.example", "https://a.tawny.example",
          "https://other.example"], "tawny.example",
         ["https://tawny.example", "https://a.tawny.example"]),
        (["https://tawny.example:8443", "http://localhost:8000"], "tawny.example",
         ["https://tawny.example:8443"]),
        (["http://tawny.example"], "localhost", ["http://localhost:8000"]),
        (["https://192.0.2.1", "https://[2001:db8::1]", "https://*", "https://.example.org"],
         "localhost", ["http://localhost:8000"]),
        (["https://nottawny.example", "https://tawny.example"], "nottawny.example",
         ["https://nottawny.example"]),
    ],
)  # fmt: skip
def test_passkeys_are_made_for_a_name_and_work_under_it_alone(
    urls: list[str], name: str, origins: list[str]
) -> None:
    assert environment.passkeys(urls) == {
        "OTP_WEBAUTHN_RP_ID": name,
        "OTP_WEBAUTHN_ALLOWED_ORIGINS": origins,
    }
