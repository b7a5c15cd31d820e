"""The header of a Zeek TSV log: how its rows are cut and what its columns mean."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(\\))")

RESUMED = "#tawny-resumed"
"""How the lines begin between which stands a header that is not the file's own."""

PLAIN_ESCAPES = {"\\t": "\t"}  # written by hand: Zeek itself writes hexadecimal


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode()) if match[1] else b"\\"


def unescape(value: str) -> str:
    r"""Undo Zeek's ``\xNN`` and ``\\``; bytes that are then not UTF-8 stay ``\xNN``."""
    raw = _ESCAPE.sub(_unescaped, value.encode("utf-8", "surrogatepass"))
    return raw.decode("utf-8", "backslashreplace")


def escape(value: str) -> str:
    r"""Write a value so that ``unescape`` gives it back: every byte as ``\xNN``."""
    return "".join(f"\\x{byte:02x}" for byte in value.encode("utf-8", "surrogatepass"))


def _opening(value: str) -> int | None:
    """Read ``2017-03-08-13-47-04`` as seconds since 1970; None for anything else.

    Zeek writes the wall clock in its own time zone and does not say which, so this may be wrong by
    the zone's hours; UTC is what sensors are set to.
    """
    try:
        opened = datetime.strptime(value, "%Y-%m-%d-%H-%M-%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(opened.timestamp())


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the ``#`` lines said so far; a later line replaces an earlier one of its name.

    ``opened`` is in seconds since 1970, None where the log does not say it. It is forgotten at the
    next ``#separator``, with which the header of another log begins.
    """

    separator: str = "\t"
    set_separator: str = ","
    empty: str = "(empty)"
    unset: str = "-"
    path: str = ""
    fields: tuple[str, ...] = ()
    opened: int | None = None

    def read(self, line: str) -> "Header":
        """Give the header after one more ``#`` line; lines of no meaning here change nothing."""
        if line.startswith("#separator"):
            value = line.removeprefix("#separator")[1:]
            separator = PLAIN_ESCAPES.get(value) or unescape(value)
            return replace(self, separator=separator or self.separator, opened=None)
        name, _, value = line.partition(self.separator)
        match name:
            case "#fields":
                change = replace(self, fields=tuple(value.split(self.separator)))
            case "#path":
                change = replace(self, path=unescape(value))
            case "#set_separator":
                change = replace(self, set_separator=unescape(value) or self.set_separator)
            case "#empty_field":
                change = replace(self, empty=value)
            case "#open":
                change = replace(self, opened=_opening(value))
            case "#unset_field":
                change = replace(self, unset=value)
            case _:
                change = self
        return change

    def as_bytes(self) -> bytes:
        """Write the header between two ``RESUMED`` lines, for a parser that starts in mid-file."""
        between = self.separator
        lines = [
            f"{RESUMED} begin",
            f"#separator {escape(between)}",
            f"#set_separator{between}{escape(self.set_separator)}",
            f"#empty_field{between}{self.empty}",
            f"#unset_field{between}{self.unset}",
        ]
        if self.path:
            lines.append(f"#path{between}{escape(self.path)}")
        if self.opened is not None:
            opened = datetime.fromtimestamp(self.opened, UTC)
            lines.append(f"#open{between}{opened:%Y-%m-%d-%H-%M-%S}")
        lines.append(between.join(("#fields", *self.fields)))
        lines.append(f"{RESUMED} end")
        return "\n".join(lines).encode() + b"\n"
