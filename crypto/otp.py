"""One-time codes from a shared seed and the clock.

Source: RFC 4226 (HOTP) and RFC 6238 (TOTP), with HMAC-SHA-1, which is the only one that every
authenticator app implements; a collision of SHA-1 does not help to forge an HMAC. Pure: which
codes were used already is the caller's to know.
"""

import base64
import hmac
from datetime import datetime
from urllib.parse import quote, urlencode

SEED_BYTES = 20
"""RFC 4226, requirement R6 recommends 160 bits, the length of the hash."""
PERIOD_SECONDS = 30
DIGITS = 6


def step(at: datetime) -> int:
    """Return the number of whole periods from 1970 to `at`, which is timezone-aware."""
    return int(at.timestamp() // PERIOD_SECONDS)


def hotp(seed: bytes, counter: int, *, digits: int = DIGITS) -> str:
    """Return the code of a counter, `digits` decimals with leading zeros (RFC 4226, 5.3)."""
    tag = hmac.digest(seed, counter.to_bytes(8, "big"), "sha1")
    offset = tag[-1] & 0x0F
    truncated = int.from_bytes(tag[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(truncated % 10**digits).zfill(digits)


def totp(seed: bytes, *, at: datetime, digits: int = DIGITS) -> str:
    """Return the code of the period that `at` lies in (RFC 6238, 4.2)."""
    return hotp(seed, step(at), digits=digits)


def base32(seed: bytes) -> str:
    """Write a seed as authenticator apps take it: base 32 without padding."""
    return base64.b32encode(seed).decode("ascii").rstrip("=")


def enrolment_uri(seed: bytes, *, issuer: str, account: str) -> str:
    """Return the ``otpauth://`` address that a QR code carries to an authenticator app.

    Spaces are written ``%20``, not ``+``: some apps show the plus sign.
    """
    parameters = {
        "secret": base32(seed),
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": DIGITS,
        "period": PERIOD_SECONDS,
    }
    label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
    return f"otpauth://totp/{label}?{urlencode(parameters, quote_via=quote)}"
