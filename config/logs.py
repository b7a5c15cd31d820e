"""Log lines: one JSON object each, with nothing private in it.

PostgreSQL puts row values into the detail of an error, and an exception's text may quote what it
choked on. A log line therefore carries an exception's type and place, never its text.
"""

import logging
import traceback
from typing import Any

import msgspec
import structlog


class Scrub(logging.Filter):
    """Replace an error passed as an argument by its type's name, and Celery's report of one.

    Celery passes one dictionary with a failed task's error and traceback already made text.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Scrub the record's arguments; let every record pass."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                type(each).__name__ if isinstance(each, BaseException) else each
                for each in record.args
            )
        elif isinstance(record.args, dict) and "exc" in record.args:
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
            "message": record.getMessage(),
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


def configure() -> None:
    """Send structlog's events through the standard library's handlers, as ``event key=value``."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.KeyValueRenderer(key_order=["event"], drop_missing=True),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
