"""Which destinations the rows of a table go to, as Wisdom is asked about them. Pure.

A name where one was said: the question of ``dns``, the host of an ``http`` URL, the server name of
a ``tls`` handshake. An address, with port and protocol where they are known, otherwise.
"""

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from analytics.ingest.batches import NO_ADDRESS, addresses_of
from analytics.ingest.events import Kind
from analytics.series.pairs import PROTOCOLS, words
from destinations import addresses, urls
from destinations.report import Destination, Protocol

PROTOCOL_NAMES: dict[int, Protocol] = {6: "tcp", 17: "udp"}
"""IANA numbers of the protocols that have ports."""
_PLACE = r"^(?P<place>(?:[a-z][a-z0-9+.-]*://)?[^/?#]*)"
"""Scheme and authority of a URL as it is stored."""
REMEMBERED = 65_536
"""Endpoints and URLs remembered: a network's usual ones, some 10 MB."""


def destinations_of(batch: pa.Table, kind: Kind) -> frozenset[Destination]:
    """Return the distinct destinations of a batch.

    Of ``ip`` with port and protocol where the destination is not ours: a list may name one port of
    an address and mean no other.
    """
    if kind.name == "lease":
        return frozenset()
    if kind.name != "ip":
        return frozenset(each for each in named(batch, kind)[0] if each is not None)
    distinct = batch.group_by(["destIP", "destPort", "proto", "localResp"]).aggregate([])
    return frozenset(
        endpoint(packed, -1, 0) if ours == 1 else endpoint(packed, port, PROTOCOLS.get(proto, 0))
        for packed, port, proto, ours in zip(
            *(distinct.column(name).to_pylist() for name in distinct.column_names), strict=True
        )
    )


def named(table: pa.Table, kind: Kind) -> tuple[list[Destination | None], NDArray[np.int64]]:
    """Return the distinct destinations of ``dns``, ``http`` or ``tls`` rows, and each row's number.

    ``None`` stands for rows that name none.
    """
    if kind.name == "tls":
        return _handshakes(table)
    if kind.name == "dns":
        column, of = table.column("query"), _of_name
    else:  # a day has few hosts and many URLs: these are cut before any is read
        found = pc.extract_regex(table.column("url"), pattern=_PLACE)
        column, of = pc.fill_null(pc.struct_field(found, "place"), ""), _of_url
    encoded = column.combine_chunks().dictionary_encode()
    texts: list[str] = encoded.dictionary.to_pylist()
    codes: NDArray[np.int64] = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return _merged([of(text) for text in texts], codes)


def _merged(
    each: list[Destination | None], codes: NDArray[np.int64]
) -> tuple[list[Destination | None], NDArray[np.int64]]:
    """Give equal destinations one number: a host has many URLs."""
    numbers: dict[Destination | None, int] = {}
    places = np.array([numbers.setdefault(one, len(numbers)) for one in each], dtype=np.int64)
    return list(numbers), places[codes] if len(places) else codes


def _of_name(text: str) -> Destination | None:
    return Destination(kind="name", value=text) if text else None


@lru_cache(maxsize=REMEMBERED)
def _of_url(text: str) -> Destination | None:
    try:
        url = urls.parse(text)
    except ValueError:  # no URL that was accepted, but a segment outlives a release
        return None
    try:
        packed = addresses.parse(url.host)
    except ValueError:
        return Destination(kind="name", value=url.host)
    return endpoint(packed, -1 if url.effective_port is None else url.effective_port, 6)


def _handshakes(table: pa.Table) -> tuple[list[Destination | None], NDArray[np.int64]]:
    encoded = table.column("sni").combine_chunks().dictionary_encode()
    texts: list[str] = encoded.dictionary.to_pylist()
    code: NDArray[np.int64] = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    is_named = np.array([bool(text) for text in texts], dtype=np.bool_)[code] if texts else code > 0
    address = words(table, "destIP").view(np.int64)
    port = table.column("destPort").to_numpy().astype(np.int64)
    keys = np.column_stack(
        (
            np.where(is_named, code, -1),
            np.where(is_named[:, None], 0, address),
            np.where(is_named, 0, port),
        )
    )
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    packed = addresses_of(table, "destIP")
    each = [
        _of_name(texts[code[row]])
        if is_named[row]
        else _of_server(packed[row].tobytes(), int(port[row]))
        for row in first.tolist()
    ]
    return _merged(each, inverse.reshape(-1).astype(np.int64))


def _of_server(packed: bytes, port: int) -> Destination | None:
    return None if packed == NO_ADDRESS else endpoint(packed, port, 6)


@lru_cache(maxsize=REMEMBERED)
def endpoint(packed: bytes, port: int, number: int) -> Destination:
    """Return what Wisdom is asked about one end of a connection; -1 and 0 for what is not known."""
    name = PROTOCOL_NAMES.get(number)
    if name is not None and port >= 0:
        return Destination.of_address(packed, port=port, protocol=name)
    return Destination.of_address(packed)
