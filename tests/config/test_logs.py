"""Log lines: one JSON object each, and of an error never its text."""

import json
import logging
import subprocess
import sys
from typing import Any

import structlog
from django.db import DatabaseError

from config.embedded.state import REPOSITORY
from config.logs import JsonLine, Scrub, line_formatter

SECRET = "Key (source)=(10.66.77.88) already exists"


def fail(error: BaseException) -> None:
    raise error


def record_of(message: str, *args: Any, error: BaseException | None = None) -> logging.LogRecord:
    exc_info = None
    if error is not None:
        try:
            fail(error)
        except type(error):
            exc_info = sys.exc_info()
    return logging.LogRecord("x", logging.ERROR, __file__, 1, message, args, exc_info)


def line_of(record: logging.LogRecord) -> dict[str, Any]:
    assert Scrub().filter(record)
    text = line_formatter().format(record)
    assert "\n" not in text
    line: dict[str, Any] = json.loads(text)
    return line


def test_a_line_says_when_how_bad_who_and_what() -> None:
    line = line_of(record_of("work %s of %s", 7, "a\nb"))
    assert line["message"] == "work 7 of a\nb"
    assert (line["level"], line["logger"]) == ("ERROR", "x")
    assert "error" not in line


def test_an_error_is_its_type_and_the_frames_it_passed() -> None:
    line = line_of(record_of("failed", error=DatabaseError(SECRET)))
    assert line["error"] == "DatabaseError"
    assert line["frames"][-1].startswith("test_logs.py:")
    assert line["frames"][-1].endswith(":fail")
    assert SECRET not in json.dumps(line)


def test_an_error_passed_as_an_argument_is_its_types_name() -> None:
    line = line_of(record_of("failed: %s", DatabaseError(SECRET)))
    assert line["message"] == "failed: DatabaseError"


def test_a_failed_tasks_report_is_scrubbed_as_celery_writes_it() -> None:
    context = {"name": "analytics.ingest", "exc": repr(ValueError(SECRET)), "traceback": SECRET}
    record = record_of(
        "Task %(name)s raised unexpected: %(exc)s\n%(traceback)s", context, error=ValueError(SECRET)
    )
    line = line_of(record)
    assert line["message"] == "Task analytics.ingest raised unexpected: ValueError\n"
    assert SECRET not in json.dumps(line)


def test_other_dictionaries_pass_as_they_are() -> None:
    assert line_of(record_of("%(a)s", {"a": 1}))["message"] == "1"


def test_the_deployments_handler_scrubs_and_formats(settings: Any) -> None:
    handler = settings.LOGGING["handlers"]["stderr"]
    assert handler["filters"] == ["scrub"]
    assert settings.LOGGING["formatters"][handler["formatter"]] == {
        "()": "config.logs.line_formatter"
    }
    assert isinstance(line_formatter(), JsonLine)


def test_an_error_given_as_the_message_or_inside_a_container_is_its_types_name() -> None:
    error = DatabaseError(SECRET)
    assert line_of(record_of(error))["message"] == "DatabaseError"  # type: ignore[arg-type] # as some libraries log
    assert line_of(record_of("%s %s", [error], (error, {"a": error})))["message"] == (
        "['DatabaseError'] ('DatabaseError', {'a': 'DatabaseError'})"
    )
    assert line_of(record_of("%(a)s", {"a": error}))["message"] == "DatabaseError"


def test_a_structured_event_is_scrubbed_before_it_is_text(caplog: Any) -> None:
    structlog.get_logger("x").error("failed", why=DatabaseError(SECRET), each=[ValueError(SECRET)])
    assert "why='DatabaseError'" in caplog.text
    assert SECRET not in caplog.text


PROGRAM = """
import gc, logging.config, sys, threading
from config import logs
from config.settings.base import LOGGING
logging.config.dictConfig(LOGGING)
logs.hook()
def fail(): raise ValueError("Key (source)=(10.66.77.88) already exists")
class Dies:
    def __del__(self): fail()
thread = threading.Thread(target=fail); thread.start(); thread.join()
Dies(); gc.collect()
fail()
"""


def test_what_nobody_catches_is_a_line_without_the_text() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert [line["error"] for line in lines] == ["ValueError"] * 3
    assert all(line["frames"][-1].endswith(":fail") for line in lines)
    assert "10.66.77.88" not in done.stderr
