"""A URL is stored without credentials, its scheme and host in one spelling, the rest as it came.

Proxies and sensors write what a client asked for in many ways: with a scheme or without one, an
authority alone for CONNECT, a host in any case. Path and query are evidence and stay as they are,
but for blanks and control characters, which are written out.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from destinations import addresses, names

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}
_BARE = re.compile(
    r"(?:[^/?#]*@)?"  # who, and with what password: never kept
    r"(\[[^\]/?#]*\]|[^:/?#\[\]@]*)"
    r"(?::([0-9]{0,5}))?"
    r"([/?#].*)?",
    re.DOTALL,
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,31})://", re.ASCII)
MAX_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """A URL in parts; ``scheme`` is empty where none was written, ``port`` where it is usual.

    ``host`` is a normalised name or an address in its short form, without brackets; ``rest`` is
    what follows the authority, with its slash.
    """

    scheme: str
    host: str
    port: int | None
    rest: str

    def __str__(self) -> str:
        """Write the URL; parsing that again gives the same parts."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = f"{self.scheme}://" if self.scheme else ""
        port = f":{self.port}" if self.port is not None else ""
        return f"{scheme}{host}{port}{self.rest}"

    @property
    def effective_port(self) -> int | None:
        """The port that a client connects to, ``None`` where nothing says it."""
        return self.port if self.port is not None else DEFAULT_PORTS.get(self.scheme)


def parse(text: str) -> Url:
    """Take a URL apart.

    Raises
    ------
    ValueError
        Where there is no host, or the host or the port cannot be one.

    """
    text = text.strip()
    written = _SCHEME.match(text)
    scheme = written[1].lower() if written else ""
    start = written.end() if written else 2 if text.startswith("//") else 0
    match = _BARE.fullmatch(text, start)
    if match is None:
        raise ValueError("not a URL")
    host, digits, rest = match[1], match[2], match[3] or ""
    if not host:
        raise ValueError("a URL without a host")
    port = int(digits) if digits else None
    if port is not None and port > MAX_PORT:
        raise ValueError("a port past 65535")
    if port == DEFAULT_PORTS.get(scheme):
        port = None
    return Url(scheme=scheme, host=_host(host), port=port, rest=_written_out(rest))


def normalise(text: str) -> str:
    """Write a URL in the one form under which it is stored; ``ValueError`` as `parse`."""
    return str(parse(text))


def _host(text: str) -> str:
    if text.startswith("["):
        return addresses.render(addresses.parse(text[1:-1]))
    try:
        return addresses.render(addresses.parse(text))
    except ValueError:
        return names.normalise(text).text


def _written_out(rest: str) -> str:
    if rest.isprintable() and " " not in rest:
        return rest
    return "".join(
        each if each.isprintable() and each != " " else quote(each, errors="surrogatepass")
        for each in rest
    )
