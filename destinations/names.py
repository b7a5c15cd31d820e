r"""A name is its lower-case A-labels without the trailing dot; the rest stays, escaped.

The DNS carries names that no registry would sell: underscores, blanks, control bytes, made-up
suffixes. Tunnels live there, so nothing is dropped: what UTS-46 cannot convert is kept with its
bytes escaped as ``\xNN`` and marked odd.
"""

import functools
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import idna
import publicsuffixlist

MAX_OCTETS = 255  # RFC 1035 2.3.4: the longest name on the wire
MAX_LABEL_OCTETS = 63  # RFC 1035 2.3.4
_REGISTERED_KEPT = 65_536  # registered domains remembered: about 12 MB, 20 times faster than asking

_PLAIN = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}", re.ASCII)
_KEPT = re.compile(rb"[a-z0-9._-]|\\x[0-9a-f]{2}")
_ESCAPE = re.compile(rb"\\x[0-9a-f]{2}")
_HEADER_OCTETS = 2_048  # the list names its version within its first lines


@dataclass(frozen=True, slots=True)
class Name:
    """A normalised name; ``odd`` when it is not a sequence of well-formed labels."""

    text: str
    odd: bool


def normalise(text: str) -> Name:
    r"""Bring a name to the one form under which it is stored, asked and compared.

    Parameters
    ----------
    text
        A name as sent, in any case, with or without one trailing dot, Unicode or A-labels.

    Returns
    -------
    Name
        Printable ASCII out of ``a-z 0-9 . _ - \`` only; normalising it again changes nothing.

    Raises
    ------
    ValueError
        For nothing (the root included) and for more than 255 octets.

    """
    lowered = text.removesuffix(".").lower()
    if len(lowered) <= MAX_OCTETS and _PLAIN.fullmatch(lowered):
        return Name(lowered, odd=False)
    if not lowered:
        raise ValueError("an empty name")
    if _octets(lowered) > MAX_OCTETS:
        raise ValueError(f"a name of more than {MAX_OCTETS} octets")
    if not lowered.isascii() and (converted := _to_a_labels(lowered)) is not None:
        return Name(converted, odd=False)
    return Name(_escaped(text.removesuffix(".")), odd=True)


def registered_domain(name: str) -> str | None:
    """Give the part of a normalised name that somebody registered, or None for a suffix itself.

    By the Public Suffix List with its private section, so that two customers of one hosting
    platform are two domains. A suffix the list does not know counts as one label (its rule ``*``).
    """
    return _registered(name)


def is_public_suffix(name: str) -> bool:
    """Tell whether a normalised name is itself a suffix under which anybody may register."""
    return _suffixes().privatesuffix(name) is None


def is_under_private_suffix(name: str) -> bool:
    """Tell whether a name is registered under a suffix of the list's private section.

    Those are platforms (``github.io``) that give a name to whoever asks: what one customer does
    says nothing of the platform.
    """
    registered = _suffixes().privatesuffix(name)
    return registered is None or registered != _icann_suffixes().privatesuffix(name)


@functools.lru_cache(maxsize=_REGISTERED_KEPT)
def _registered(name: str) -> str | None:
    found: str | None = _suffixes().privatesuffix(name)
    return found


@functools.cache
def _suffixes() -> publicsuffixlist.PublicSuffixList:
    return publicsuffixlist.PublicSuffixList()


@functools.cache
def _icann_suffixes() -> publicsuffixlist.PublicSuffixList:
    return publicsuffixlist.PublicSuffixList(only_icann=True)


def _psl_version() -> str:
    with Path(publicsuffixlist.PSLFILE).open("rb") as file:
        header = file.read(_HEADER_OCTETS).decode("ascii", "replace")
    found = re.search(r"^// VERSION: (\S+)$", header, re.MULTILINE)
    return found.group(1) if found else f"publicsuffixlist-{publicsuffixlist.__version__}"


PSL_VERSION = _psl_version()


def _to_a_labels(text: str) -> str | None:
    """Map by UTS-46 (non-transitional) and encode label by label; None where that fails.

    The package's own ``encode`` would go on to IDNA 2008 and refuse underscores and emoji, which
    registries and tunnels use.
    """
    try:
        mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
        labels = [_a_label(label) for label in mapped.removesuffix(".").split(".")]
    except (idna.IDNAError, UnicodeError):
        return None
    joined = ".".join(labels)
    return joined if len(joined) <= MAX_OCTETS and _PLAIN.fullmatch(joined) else None


def _a_label(label: str) -> str:
    if label.isascii():
        return label
    if unicodedata.category(label[0]).startswith("M"):  # UTS-46 4.1, criterion 6
        raise UnicodeError("a label that begins with a combining mark")
    return "xn--" + label.encode("punycode").decode("ascii")


def _octets(text: str) -> int:
    """Count what a name has on the wire, where an escape stands for one octet."""
    raw = text.encode("utf-8", "surrogatepass")
    return len(raw) - 3 * len(_ESCAPE.findall(raw))


def _escaped(text: str) -> str:
    raw = text.encode("utf-8", "surrogatepass").lower()
    if raw.endswith(b"."):  # a second trailing dot, which the next reader would cut
        raw = raw[:-1] + b"\\x2e"
    parts: list[str] = []
    at = 0
    while at < len(raw):
        if found := _KEPT.match(raw, at):
            parts.append(found.group().decode("ascii"))
            at = found.end()
        else:
            parts.append(f"\\x{raw[at]:02x}")
            at += 1
    return "".join(parts)
