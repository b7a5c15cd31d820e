"""A pack as a person reads it: the same blocks, once as Markdown and once as one HTML page."""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

STYLE = """
body{font:16px/1.5 sans-serif;max-width:75em;margin:2em auto;padding:0 1em;color:#111}
table{border-collapse:collapse;width:100%;margin:1em 0}th,td{border:1px solid #767676;
padding:.3em .5em;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#eee}
"""
FIRST = (
    "Counted from the entries in bundle/. Check those first, with the key and a checkpoint that you"
    " have from elsewhere: python3 -I bundle/verify.py --vkey KEY --checkpoint FILE."
)
ROWS_LIMIT = 200
"""Rows of a table that a person reads; the JSON beside it has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A heading, sentences, and perhaps a table."""

    heading: str
    level: int = 2
    words: Sequence[str] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = field(default=())


def blocks(
    scope: Mapping[str, Any],
    controls: Sequence[Mapping[str, Any]],
    *,
    accesses: Mapping[str, Any],
    gaps: Sequence[Mapping[str, Any]],
    sources: Mapping[str, Any],
) -> Iterator[Block]:
    """Lay a pack out in the order in which an auditor asks."""
    yield Block(
        heading=f"Audit pack of {scope['origin']}",
        level=1,
        words=(FIRST,),
    )
    yield Block(heading="Scope", head=("what", "value"), rows=[*scope.items()])
    for framework in dict.fromkeys(each["framework"] for each in controls):
        yield Block(heading=str(framework))
        for each in controls:
            if each["framework"] == framework:
                yield _control(each)
    yield Block(
        heading="Staff accesses by tenant",
        head=("tenant", "accesses"),
        rows=[*accesses["by_tenant"].items()],
        words=("Each with index, person, reason, grant and ticket in staff-accesses.json.",),
    )
    yield Block(
        heading="Gaps of more than 24 hours",
        head=("before index", "from", "to"),
        rows=[(each["before"], each["from"], each["to"]) for each in gaps],
        words=() if gaps else ("None.",),
    )
    for name, content in sources.items():
        yield _source(name, content)


def _control(control: Mapping[str, Any]) -> Block:
    beside = f" Also: {', '.join(control['beside'])}." if control["beside"] else ""
    return Block(
        heading=f"{control['control']}: {control['about']}",
        level=3,
        words=(f"{control['shown']} {control['entries']} entries.{beside}",),
        head=("event", "entries", "outcomes", "first", "last", "for example"),
        rows=[
            (
                each["event"],
                each["entries"],
                ", ".join(f"{name} {count}" for name, count in sorted(each["outcomes"].items())),
                f"{each['first']} ({each['first_at']})" if each["entries"] else "",
                f"{each['last']} ({each['last_at']})" if each["entries"] else "",
                ", ".join(map(str, each["examples"])),
            )
            for each in control["events"]
        ],
    )


def _source(name: str, content: object) -> Block:
    heading = name.replace("_", " ").capitalize()
    if isinstance(content, list) and content and isinstance(content[0], dict):
        head = list(dict.fromkeys(key for row in content for key in row))
        return Block(
            heading=heading, head=head, rows=[[row.get(key, "") for key in head] for row in content]
        )
    if isinstance(content, dict):
        return Block(heading=heading, head=("what", "value"), rows=[*content.items()])
    return Block(heading=heading, words=("Nothing.",))


def markdown(pack: Sequence[Block]) -> str:
    """Write the blocks as Markdown."""
    lines: list[str] = []
    for each in pack:
        lines += [f"{'#' * each.level} {_flat(each.heading)}", ""]
        for said in each.words:
            lines += [_flat(said), ""]
        if each.rows:
            lines.append(f"| {' | '.join(map(_flat, each.head))} |")
            lines.append("|" + " --- |" * len(each.head))
            lines += [f"| {' | '.join(map(_flat, row))} |" for row in each.rows[:ROWS_LIMIT]]
            lines.append("")
    return "\n".join(lines)


def _flat(value: object) -> str:
    """Write a value so that it stays in its cell and no reader takes it for a mark."""
    text = "".join(c if c.isprintable() else " " for c in str(value))
    for mark in "\\`*_[]<>|#":
        text = text.replace(mark, "\\" + mark)
    return text


def page(pack: Sequence[Block]) -> str:
    """Write the blocks as one HTML page that loads nothing."""
    parts = [
        '<!doctype html><html lang="en-gb"><head><meta charset="utf-8">',
        f"<title>{html.escape(pack[0].heading)}</title><style>{STYLE}</style></head><body><main>",
    ]
    for each in pack:
        parts.append(f"<h{each.level}>{html.escape(each.heading)}</h{each.level}>")
        parts += [f"<p>{html.escape(said)}</p>" for said in each.words]
        if each.rows:
            cells = "".join(f'<th scope="col">{html.escape(str(name))}</th>' for name in each.head)
            parts.append(f"<table><thead><tr>{cells}</tr></thead><tbody>")
            for row in each.rows[:ROWS_LIMIT]:
                cells = "".join(f"<td>{html.escape(str(value))}</td>" for value in row)
                parts.append(f"<tr>{cells}</tr>")
            parts.append("</tbody></table>")
    parts.append("</main></body></html>")
    return "\n".join(parts) + "\n"
