"""Bodies whose Content-Length is not the truth."""

from bench.corpus.case import LINE, Case
from bench.corpus.codings import EVENTS, PLAIN, zipped

CASES = [
    Case(
        name="a length one byte too long", body=lambda: LINE, length=str(len(LINE) + 1), status=400
    ),
    Case(name="a length of 1 MiB too much", body=lambda: LINE, length=str(1 << 20), status=400),
    Case(
        name="a length one byte too short",
        body=lambda: LINE + LINE[:-1],
        length=str(2 * len(LINE) - 2),
        accepted=1,
        rejected={"malformed": 1},
    ),
    Case(
        name="a length too short for gzip",
        body=lambda: zipped(PLAIN),
        encoding="gzip",
        length="500",
        status=400,
    ),
    Case(name="a length of nothing", body=lambda: LINE, length="0", status=400),
    Case(name="no length", body=lambda: PLAIN, length=None, accepted=EVENTS),
    Case(
        name="no length, gzip",
        body=lambda: zipped(PLAIN),
        encoding="gzip",
        length=None,
        accepted=EVENTS,
    ),
    Case(name="a length of 1 GiB", body=lambda: LINE, length=str(1 << 30), status=413),
    Case(name="a length of 2 to the 62nd", body=lambda: LINE, length=str(1 << 62), status=413),
    Case(name="a negative length", body=lambda: LINE, length="-1", status=400),
    Case(name="a length that is no number", body=lambda: LINE, length="ten", status=400),
    Case(name="a length with an exponent", body=lambda: LINE, length="1e3", status=400),
    Case(name="a length of 30 digits", body=lambda: LINE, length="9" * 30, status=400),
]
