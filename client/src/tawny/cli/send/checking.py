"""``tawny send ... --check``: what would become of the logs, told without sending anything."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from typing import Any, cast

import click
import msgspec
from rich.console import Console

from tawny.cli.send.options import Options
from tawny.cli.send.screens import bar
from tawny.cli.send.summary import logs_table
from tawny.cli.terminal import cell, console
from tawny.exits import Exit
from tawny.sending.checking import OLD_DAYS, Check, CheckedFile, check_logs
from tawny.sending.sources import Source
from tawny.sending.tails import LogFormat

FILES_SHOWN = 20  # --json has them all


def check(options: Options, log_format: LogFormat, sources: list[Source]) -> Exit:
    """Map the logs, tell what was found and give the exit code; no key is needed."""
    with bar(sum(source.size or 0 for source in sources)) as watcher:
        found = check_logs(
            sources,
            parser=log_format.parser,
            began=watcher.began,
            read=watcher.read,
            stdin=cast("BufferedReader[Any]", sys.stdin.buffer),
            now=datetime.now(UTC),  # noqa: TID251 -- a command's own clock; what it calls takes it
        )
    if options.as_json:
        click.echo(msgspec.json.encode(as_json(found)).decode())
    else:
        _print(console(), found)
    return Exit.DONE if found.good else Exit.PARTLY


def as_json(found: Check) -> dict[str, Any]:
    """Give what was found as one JSON object; times are RFC 3339, the skew is in seconds."""
    tally = found.tally
    return {
        "files": [
            {
                "file": file.name,
                "format": file.begins_as,
                "foreign": file.foreign,
                "mapped": file.mapped,
                "malformed": file.malformed,
                "skipped": file.skipped,
                "share": round(file.share, 6),
            }
            for file in found.files
        ],
        "share": round(found.share, 6),
        "events": dict(sorted(found.events.items())),
        "logs": dict(sorted(tally.mapped.items())),
        "skipped": dict(sorted(tally.skipped.items())),
        "malformed": dict(sorted(tally.reasons.items())),
        "samples": [
            {
                "file": refused.file,
                "log": refused.sample.log,
                "line": refused.sample.line_number,
                "reason": refused.reason,
                "text": refused.sample.text,
            }
            for refused in found.refused
        ],
        "fields": {
            log: {"of": tally.looked_at[log], **dict(sorted(fields.items()))}
            for log, fields in sorted(tally.fields.items())
        },
        "first": dict(sorted(tally.first.items())),
        "last": dict(sorted(tally.last.items())),
        "skew": None if found.skew is None else found.skew.total_seconds(),
        "ahead": found.ahead,
        "old": found.old,
        "blind": [
            {"kind": kind, "field": name, "detections": what} for kind, name, what in found.blind
        ],
        "repeatedConnIDs": found.repeated,
        "clockless": found.clockless,
        "damaged": found.damaged,
    }


def _print(screen: Console, found: Check) -> None:
    def say(text: str, style: str = "") -> None:
        screen.print(cell(text, style))

    for file in found.files[:FILES_SHOWN]:
        say(_about(file))
    if len(found.files) > FILES_SHOWN:
        say(f"and {len(found.files) - FILES_SHOWN:,} more files")
    screen.print(logs_table(found.tally))
    events = ", ".join(f"{count:,} {kind}" for kind, count in sorted(found.events.items()))
    say(f"{found.share:.2%} mapped: {events or 'no events'}")
    for refused in found.refused:
        sample = refused.sample
        say(f"{refused.reason}: {refused.file}, line {sample.line_number:,}: {sample.text}", "red")
    for text in _about_times(found):
        say(text)
    for kind, name, what in found.blind:
        say(f"no {kind} event has {name}: blind to {what}", "yellow")
    if found.repeated:
        say(f"{found.repeated:,} ip events have the connID of an earlier one", "yellow")
    for name, why in found.damaged.items():
        say(f"{name}: {why}", "red")
    say("nothing was sent")


def _about(file: CheckedFile) -> str:
    if file.foreign:
        begins = f"begins as {file.begins_as}" if file.begins_as else "of none of our formats"
        return f"{file.name}: no log of this format; {begins}"
    parts = [f"{file.share:.2%} of {file.mapped + file.malformed:,} mapped"]
    if file.skipped:
        parts.append(f"{file.skipped:,} skipped")
    return f"{file.name}: {file.begins_as or 'unknown'}, {', '.join(parts)}"


def _about_times(found: Check) -> Iterable[str]:
    for kind, first in sorted(found.tally.first.items()):
        yield f"{kind} events from {first} to {found.tally.last[kind]}"
    if found.skew is not None and found.skew < timedelta(0):
        yield f"the newest event is {_span(-found.skew)} behind this machine's clock"
    elif found.skew is not None:
        yield f"the newest event is {_span(found.skew)} ahead of this machine's clock"
    if found.ahead:
        yield f"{found.ahead:,} events lie in the future: is a clock wrong?"
    if found.old:
        yield f"{found.old:,} events are older than {OLD_DAYS} days"
    if found.clockless:
        yield f"{len(found.clockless):,} logs count their times from when they were opened"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    days, seconds = divmod(seconds, 86_400)
    clock = f"{seconds // 3600:d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{days:,} d {clock}" if days else clock
