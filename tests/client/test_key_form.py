"""What the form of a key alone tells."""

import pytest

from tawny import keys
from tenants import apikeys

BODY = "twy_" + "aB3" * 4 + "_" + "x" * 43
KEY = BODY + keys.checksum(BODY)


def test_a_key_as_it_is_given_out_is_well_formed() -> None:
    assert keys.fault(KEY) is None


def test_the_checksum_is_crc_32_in_base_62() -> None:
    number = 0
    for digit in keys.checksum("123456789"):
        number = number * 62 + keys.ALPHABET.index(digit)
    assert number == 0xCBF43926  # the check value of CRC-32


def test_a_key_that_the_server_makes_is_well_formed() -> None:
    assert keys.fault(apikeys.mint("twy", pepper=b"p" * 32).text) is None


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "begins with twy_"),
        ("sk_live_1", "begins with twy_"),
        ("twe_" + KEY[4:], "engine's key"),
        ("twy_short_" + "x" * 49, "12 characters"),
        ("twy_" + "a" * 61, "12 characters"),
        (KEY[:-1], "65 characters, a key has 66"),
        (KEY + "\n", "67 characters"),
        (KEY[:20] + "é" + KEY[21:], "a character that no key has"),
        (KEY[:20] + "_" + KEY[21:], "a character that no key has"),
        (KEY[:20] + "y" + KEY[21:], "checksum"),
        (KEY[:-1] + ("0" if KEY[-1] != "0" else "1"), "checksum"),
        (KEY[:4] + KEY[5] + KEY[4] + KEY[6:], "checksum"),
    ],
)
def test_what_is_wrong_is_said_without_showing_the_secret(key: str, said: str) -> None:
    fault = keys.fault(key)
    assert fault is not None
    assert said in fault
    assert "xxx" not in fault
