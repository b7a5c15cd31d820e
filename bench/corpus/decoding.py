"""Everything of the corpus decoded in one process, which says how large it became.

    python -m bench.corpus.decoding

Writes one JSON object: `growth_bytes`, the largest resident size less the one before the first
body, and `faults`, a line for each body that was not read as it must be. What is said of a length
plays no part here: a body is all that there is of it.
"""

import sys
import time
from collections.abc import Iterator

import msgspec

from analytics.ingest.bodies import Receipt
from analytics.ingest.events import IP
from analytics.ingest.parts import pack_parts
from analytics.ingest.reasons import Unreadable
from bench.corpus import CASES, Case
from bench.corpus.judging import Answer, fault_of
from bench.meter import begin_peak, peak

PIECE = 1 << 18
"""Bytes that the view reads at a time."""


def decode(case: Case, body: bytes, *, now: int) -> Answer:
    """Read a body as the view does, and answer as it does.

    `now` is the time of receipt in nanoseconds since 1970.
    """
    receipt = Receipt()
    pieces = (body[at : at + PIECE] for at in range(0, len(body), PIECE))
    try:
        for _ in pack_parts(pieces, case.encoding, IP, receipt, now=now):
            pass
    except Unreadable as error:
        return Answer(status=error.status, content=msgspec.json.encode({"message": error.message}))
    if not receipt.accepted and set(receipt.rejected) <= {"malformed"}:
        return Answer(status=400, content=b'{"message":"nothing was read"}')
    counts = {
        "received": receipt.received,
        "accepted": receipt.accepted,
        "rejected": receipt.rejected,
    }
    return Answer(status=200, content=msgspec.json.encode(counts))


def faults(*, now: int) -> Iterator[str]:
    """Decode every body whose length is the truth; yield what is wrong."""
    for case in CASES:
        if case.length == "true":
            fault = fault_of(case, decode(case, case.body(), now=now))
            if fault:
                yield f"{case.name}: {fault}"


def main() -> int:
    """Decode all of it; return 1 where something is wrong."""
    now = time.time_ns()
    decode(CASES[0], CASES[0].body(), now=now)
    before = begin_peak()
    found = list(faults(now=now))
    grown = peak() - before
    sys.stdout.write(msgspec.json.encode({"growth_bytes": grown, "faults": found}).decode() + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
