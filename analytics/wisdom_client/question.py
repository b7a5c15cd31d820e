"""From what a person or an existing client asks about to a destination.

Clients write the question into the address as it is, without percent-encoding, and in every form
in which a destination is copied from a log: a name, an address, ``tcp:[2001:db8::1]:443``, a URL.
"""

import re
from typing import cast
from urllib.parse import unquote_to_bytes

from destinations import addresses, names, urls
from destinations.report import Destination, Protocol

PARAMETER = "q"
MAX_LENGTH = 2_048
"""Characters of a question: as long as a URL that any list holds."""

_PROTOCOL = re.compile(r"(tcp|udp|icmp):(?!//)(.*)", re.IGNORECASE | re.DOTALL)


def written(query: str) -> str:
    """Return the question of a raw query string: what follows ``q=`` up to the next ``&``.

    A percent-encoded one is decoded; ``+`` is a plus sign. Other parameters are passed over.

    Raises
    ------
    ValueError
        Where there is no ``q``, or it is not UTF-8; the text may be shown to the sender.

    """
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name == PARAMETER:
            try:
                # WSGI hands octets over as Latin-1 (PEP 3333).
                return unquote_to_bytes(value.encode("latin-1")).decode().strip()
            except UnicodeError:
                raise ValueError("The parameter q is not UTF-8.") from None
    raise ValueError("The parameter q is missing: a name, an address or a URL.")


def destination_of(text: str) -> Destination:
    """Return the destination that a question is about.

    Parameters
    ----------
    text
        A name or URL, of which scheme, user, port and path are cut; an address, with a port or
        without; or ``protocol:address:port`` with tcp, udp or icmp. IPv6 with a port stands in
        brackets. ICMP has no ports, so one that is given is not asked about.

    Raises
    ------
    ValueError
        For what is none of these; the text may be shown to the sender.

    """
    if not text:
        raise ValueError("The parameter q is empty: send a name, an address or a URL.")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"The parameter q has more than {MAX_LENGTH} characters.")
    match = _PROTOCOL.fullmatch(text)
    protocol = cast("Protocol", match[1].lower()) if match else None
    return _destination(match[2] if match else text, protocol)


def _destination(text: str, protocol: Protocol | None) -> Destination:
    if (packed := _address(text)) is not None:
        return Destination.of_address(packed, protocol=protocol)
    try:
        url = urls.parse(text)
    except ValueError:
        raise ValueError(f"{_shown(text)} is not a name, an address or a URL.") from None
    packed = _address(url.host)
    if packed is None:
        return _named(url.host)
    port = None if protocol == "icmp" else url.effective_port or None
    if protocol is None and url.scheme in urls.DEFAULT_PORTS:
        protocol = "tcp"
    return Destination.of_address(packed, port=port, protocol=protocol)


def _named(host: str) -> Destination:
    """Return a name's destination; half an address and what no host can be called are no names."""
    if names.normalise(host).odd or host.rpartition(".")[2].isdecimal():
        raise ValueError(f"{_shown(host)} is neither a host name nor an address.")
    return Destination.of_name(host)


def _address(text: str) -> bytes | None:
    """Return an address that stands alone, IPv6 in brackets or not; ``None`` for anything else."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return addresses.parse(bare)
    except ValueError:
        return None


def _shown(text: str) -> str:
    return repr(text if len(text) <= 64 else text[:63] + "\N{HORIZONTAL ELLIPSIS}")
