"""What single values become, each distinct one computed once and remembered.

A network has few addresses and names and says them again and again. The memory is bounded: a client
that sends random names only clears it.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from destinations import addresses, names, urls

REMEMBERED = 1 << 17
"""Distinct values remembered per form: far more than a batch has."""
REMEMBERED_LENGTH = 256
"""Characters of the longest value remembered, a name's utmost length: 80 MB per form at the worst.
Without it a client's 64 KiB texts would stay in memory by the hundred thousand."""
UNSET_TEXTS = frozenset({"", "-"})
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127)}

V = TypeVar("V")


class Memo(dict[str, V], Generic[V]):
    """A dictionary that computes what it lacks and forgets everything when it is full."""

    __slots__ = ("compute",)

    def __init__(self, compute: Callable[[str], V]) -> None:
        super().__init__()
        self.compute = compute

    def __missing__(self, key: str) -> V:
        if len(key) > REMEMBERED_LENGTH:
            return self.compute(key)
        if len(self) >= REMEMBERED:
            self.clear()
        value = self[key] = self.compute(key)
        return value


def plain_text(text: str) -> str:
    """Cut blanks; write control characters out, so that no text can look like two."""
    text = text.strip()
    if text in UNSET_TEXTS:
        return ""
    return text if text.isprintable() else text.translate(_CONTROL)


def _address(text: str) -> bytes | None:
    try:
        return addresses.parse(text.strip())
    except ValueError:
        return None


def _name(text: str) -> str | None:
    if text.strip() in UNSET_TEXTS:
        return ""  # a message without a question is an event all the same
    try:
        return names.normalise(text).text
    except ValueError:
        return None


def _url(text: str) -> str:
    try:
        return "" if text.strip() in UNSET_TEXTS else urls.normalise(text)
    except ValueError:
        return ""


def _tunnel(url: str) -> str:
    """Write a normalised URL as that of a tunnel.

    One client puts ``http://`` and the Host header before what CONNECT names, so that the host
    stands there twice: ``http://www.example.comwww.example.com:443``.
    """
    place = urls.parse(url)
    half = len(place.host) // 2
    host = place.host[half:] if place.host == place.host[half:] * 2 else place.host
    port = place.effective_port
    return urls.normalise(
        f"https://{f'[{host}]' if ':' in host else host}{'' if port is None else f':{port}'}"
    )


ADDRESSES: Memo[bytes | None] = Memo(_address)
"""Packed addresses; ``None`` for what is none."""
NAMES: Memo[str | None] = Memo(_name)
"""Normalised names; ``None`` for more than 255 octets."""
PLAIN: Memo[str] = Memo(plain_text)
LOWERED: Memo[str] = Memo(lambda text: plain_text(text).lower())
UPPERED: Memo[str] = Memo(lambda text: plain_text(text).upper())
URLS: Memo[str] = Memo(_url)
"""Normalised URLs; empty for what is none."""
TUNNELS: Memo[str] = Memo(_tunnel)
"""What CONNECT asks for, of normalised URLs."""
