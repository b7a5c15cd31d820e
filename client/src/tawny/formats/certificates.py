"""What logs say of certificates: hashes of several lengths, times of several spellings."""

from tawny.formats.events import CertHash
from tawny.formats.parsing import Unmappable
from tawny.formats.times import Clockface

ALGORITHMS = {32: "md5", 40: "sha1", 64: "sha256"}
"""The algorithm by the number of hexadecimal digits; no other in use has one of these lengths."""

_HEXADECIMAL = frozenset("0123456789abcdef")


def cert_hash(text: str | None, *, alg: str | None = None) -> CertHash | str | None:
    """Read a hash, with or without colons; text of no known length stays as it is."""
    if not text:
        return None
    digits = text.replace(":", "").lower()
    algorithm = alg or ALGORITHMS.get(len(digits))
    if algorithm is None or not _HEXADECIMAL.issuperset(digits):
        return text
    return CertHash(alg=algorithm, value=digits)


def validity(text: str | None, clock: Clockface) -> str | None:
    """Read an end of a certificate's validity, in whole seconds as certificates have them.

    None where a calendar does not have it: a certificate may claim anything, and its row is none
    the worse for it.
    """
    if not text:
        return None
    try:
        return clock(text).removesuffix("Z").partition(".")[0] + "Z"
    except Unmappable:
        return None
