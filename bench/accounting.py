"""Every line of a folder of logs accounted for: what the formats make of each file.

``python -m bench.accounting PATH... [--json]``: a line a file, with its lines as counted from its
bytes, the rows mapped, skipped and malformed (with the reasons), and ``unaccounted``, the lines
that are in none of those: 0 unless something is lost. A damaged gzip counts as far as it goes.
"""

import argparse
import gzip
import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

from tawny.formats import LogParser, Tally, csv, detect, eve, ndjson, zeek

GZIP_MAGIC = b"\x1f\x8b"
PIECE_BYTES = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounted:
    """What became of one file; ``format`` is empty where it is none of ours.

    ``unaccounted`` is ``lines`` less those counted, 0 for a foreign file: no row of it is read.
    """

    file: str
    format: str
    lines: int
    events: dict[str, int]
    mapped: dict[str, int]
    skipped: dict[str, int]
    joined: dict[str, int]
    malformed: dict[str, int]
    headers: int
    blank: int
    unaccounted: int
    damaged: str


def account(paths: Iterable[Path]) -> Iterator[Accounted]:
    """Read the files below `paths` in the order of a run and account for each.

    Raises ``OSError`` for a file that cannot be read.
    """
    joins, flows = zeek.Joins(), eve.Joins()
    for path in sorted(_files(paths), key=lambda path: zeek.reading_order(path.as_posix())):
        content, damage = _content(path)
        name = detect(content[:PIECE_BYTES], path.name) or ""
        parser = _parser(name, path, joins, flows)
        yield _accounted(path, name, content, damage, parser)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        yield from (each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]


def _content(path: Path) -> tuple[bytes, str]:
    raw = path.read_bytes()
    if not raw.startswith(GZIP_MAGIC):
        return raw, ""
    content = bytearray()
    try:
        with gzip.GzipFile(fileobj=BytesIO(raw)) as stream:
            while piece := stream.read1(PIECE_BYTES):
                content += piece
    except (EOFError, OSError, zlib.error) as error:
        return bytes(content), str(error)
    return bytes(content), ""


def _parser(name: str, path: Path, joins: zeek.Joins, flows: eve.Joins) -> LogParser | None:
    match name:
        case "zeek":
            return zeek.Parser(file_name=path.name, joins=joins)
        case "eve":
            return eve.Parser(file_name=path.name, joins=flows)
        case "ndjson":
            return ndjson.Parser(file_name=path.name)
        case "csv":
            return csv.Parser(file_name=path.name)
        case _:
            return None


def _accounted(
    path: Path, name: str, content: bytes, damage: str, parser: LogParser | None
) -> Accounted:
    lines = content.count(b"\n") + (not content.endswith(b"\n") if content else 0)
    tally = Tally()
    if parser is not None:
        for place in range(0, len(content), PIECE_BYTES):
            parser.feed(content[place : place + PIECE_BYTES])
        parser.finish()
        tally = parser.tally
    foreign = parser is None or parser.foreign
    return Accounted(
        file=path.as_posix(),
        format="" if foreign else name,
        lines=lines,
        events=dict(tally.events),
        mapped=dict(tally.mapped),
        skipped=dict(tally.skipped),
        joined=dict(tally.joined),
        malformed=dict(tally.reasons),
        headers=tally.headers,
        blank=tally.blank,
        unaccounted=0 if foreign else lines - tally.lines,
        damaged=damage,
    )


def table(rows: Iterable[Accounted]) -> Iterator[str]:
    """Write the rows as lines of a Markdown table."""
    yield "| file | format | lines | mapped | skipped | malformed | unaccounted | damage |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        cells = (
            row.file,
            row.format or "none of ours",
            str(row.lines),
            _counts(row.mapped),
            _counts(row.skipped),
            _counts(row.malformed),
            str(row.unaccounted),
            row.damaged,
        )
        yield f"| {' | '.join(cells)} |"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 if a line of any file is unaccounted for."""
    parser = argparse.ArgumentParser(prog="python -m bench.accounting", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--json", action="store_true", help="one JSON array in place of the table")
    chosen = parser.parse_args(arguments)
    rows = list(account(chosen.paths))
    told = json.dumps([asdict(row) for row in rows]) if chosen.json else "\n".join(table(rows))
    sys.stdout.write(told + "\n")
    return int(any(row.unaccounted for row in rows))


if __name__ == "__main__":
    sys.exit(main())
