"""Looking for private values in bytes at rest, whatever they were written as."""

import base64
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote


def encodings(canary: str) -> Iterator[bytes]:
    """Yield what a value looks like in eight encodings, and an address in its packed forms too."""
    plain = canary.encode()
    yield plain
    yield plain.hex().encode()
    for phase in range(3):  # base64 of the value inside a longer text, at each of three phases
        coded = base64.b64encode(b"\0" * phase + plain)
        yield coded[4 * bool(phase) : len(coded) // 4 * 4 - 4]
    yield quote(canary, safe="").encode()
    yield plain[::-1]
    try:
        packed = socket.inet_pton(socket.AF_INET, canary)
    except OSError:
        return
    yield str(int.from_bytes(packed, "big")).encode()
    yield b"\xff\xff" + packed  # four bytes alone meet by chance; mapped, as the product packs them


def found_in(paths: Iterable[Path], canaries: Iterable[str]) -> dict[str, str]:
    """Return the file that holds each canary that was found, under any encoding."""
    wanted = [(canary, form) for canary in canaries for form in encodings(canary)]
    hits: dict[str, str] = {}
    for path in paths:
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if not file.is_file():
                continue
            content = file.read_bytes()
            hits |= {canary: file.name for canary, form in wanted if form in content}
    return hits
