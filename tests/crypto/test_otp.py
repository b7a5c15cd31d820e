"""One-time codes against the vectors of their RFCs."""

import base64
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from crypto import otp

SEED = b"12345678901234567890"  # of both RFCs' appendices


def test_codes_of_counters_are_those_of_rfc_4226_appendix_d() -> None:
    table = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489"
    assert [otp.hotp(SEED, counter) for counter in range(10)] == table.split()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_of_times_are_those_of_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, tz=UTC)
    assert otp.totp(SEED, at=at, digits=8) == code
    assert otp.totp(SEED, at=at) == code[2:]


def test_a_code_lives_for_thirty_seconds_from_a_whole_period() -> None:
    first = datetime(2026, 1, 1, 0, 0, 0, tzinfo=UTC)
    last = datetime(2026, 1, 1, 0, 0, 29, 999_999, tzinfo=UTC)
    following = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
    assert otp.step(first) == otp.step(last) == otp.step(following) - 1


def test_an_enrolment_address_carries_the_seed_and_who_it_is_for() -> None:
    parts = urlsplit(otp.enrolment_uri(SEED, issuer="Tawny Owl", account="jo@example.org"))
    query = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parts.path == "/Tawny%20Owl:jo%40example.org"
    assert base64.b32decode(query["secret"][0]) == SEED
    assert query["issuer"] == ["Tawny Owl"]
    assert (query["digits"], query["period"]) == (["6"], ["30"])
