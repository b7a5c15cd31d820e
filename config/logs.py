"""Log lines: one JSON object each, with nothing private in it.

PostgreSQL puts row values into the detail of an error, and an exception's text may quote what it
choked on. A log line therefore carries an exception's type and place, never its text. What nobody
caught, in a command, the sequencer or a thread, is written as such a line too.
"""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any

import msgspec
import structlog

KEY = re.compile(r"(tw[ye]_[0-9A-Za-z]{12}_)[0-9A-Za-z]{49}")
"""An API key (docs/keys.md): whoever puts one into a path puts it into the line of its refusal."""
LINK = re.compile(r"(/(?:invite|verify)/)[^/\s?]{16,}")
"""A link's token: Django writes the path of whatever it answers with 403, 404 or 500."""
log = logging.getLogger("tawny.uncaught")


def scrubbed(value: Any) -> Any:
    """Return a value with every exception in it replaced by its type's name."""
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, dict):
        return {scrubbed(name): scrubbed(each) for name, each in value.items()}
    if type(value) in {list, tuple, set, frozenset}:
        return type(value)(scrubbed(each) for each in value)
    return value


class Scrub(logging.Filter):
    """Replace errors in a record by their types' names, and Celery's report of one.

    Celery passes one dictionary with a failed task's error and traceback already made text.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Scrub the record's message and arguments; let every record pass."""
        record.msg = scrubbed(record.msg)
        record.args = scrubbed(record.args)
        record.exc_text = None
        if isinstance(record.args, Mapping) and "exc" in record.args:
            error = record.exc_info[0] if record.exc_info else None
            name = error.__name__ if error else "an error"
            record.args = {**record.args, "exc": name, "traceback": ""}
        return True


class JsonLine(logging.Formatter):
    """Format a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; an exception is its type and the frames it passed, without its text."""
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname,
            "logger": record.name,
            "message": LINK.sub(r"\1…", KEY.sub(r"\1…", record.getMessage())),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["frames"] = [
                f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}:{frame.name}"
                for frame in traceback.extract_tb(record.exc_info[2])
            ]
        return msgspec.json.encode(line).decode()


def line_formatter() -> JsonLine:
    """Make the formatter that settings name."""
    return JsonLine()


def _without_errors(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace errors among a structured event's values, before they are made text."""
    return {name: scrubbed(value) for name, value in event.items()}


def uncaught(kind: type[BaseException], error: BaseException, frames: TracebackType | None) -> None:
    """Write what nobody caught as a line of the log; Ctrl-C as Python does."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, frames)
        return
    log.critical("nobody caught this", exc_info=(kind, error, frames))


def _uncaught_in_a_thread(what: threading.ExceptHookArgs) -> None:
    if not issubclass(what.exc_type, SystemExit):
        error = what.exc_value or what.exc_type()
        log.critical("nobody caught this", exc_info=(what.exc_type, error, what.exc_traceback))


def _uncaught_by_the_interpreter(what: Any) -> None:
    if what.exc_value is not None:
        found = (what.exc_type, what.exc_value, what.exc_traceback)
        log.error("nobody could catch this", exc_info=found)


def hook() -> None:
    """Let what nobody catches in this process be scrubbed as well."""
    sys.excepthook = uncaught
    threading.excepthook = _uncaught_in_a_thread
    sys.unraisablehook = _uncaught_by_the_interpreter


def configure() -> None:
    """Send structlog's events through the standard library's handlers, as ``event key=value``."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            _without_errors,
            structlog.processors.KeyValueRenderer(key_order=["event"], drop_missing=True),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
