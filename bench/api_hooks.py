"""What schemathesis has to be told before it can make our requests, and what it tells us.

Reads and writes the files that `bench.api.schema` names in the environment.
"""

import atexit
import itertools
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import schemathesis

from bench.api.asking import basic

GIVEN = "TAWNY_VERIFY_GIVEN"
COUNTS = "TAWNY_VERIFY_COUNTS"


class Given(msgspec.Struct, kw_only=True):
    """Keys by path, ``""`` for all others; and links of mails that work, by method and path."""

    keys: dict[str, str]
    links: dict[str, list[str]]


_given = msgspec.json.decode(Path(os.environ[GIVEN]).read_bytes(), type=Given)
_counts: Counter[str] = Counter()
_lock = threading.Lock()
_numbers = itertools.count()

schemathesis.serializer.alias("application/x-ndjson", "text/plain")


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:  # noqa: ARG001 -- its signature
    """Send the key that the door asks for, and a link that works as long as there is one."""
    path = case.operation.path
    case.headers["Authorization"] = basic(_given.keys.get(path, _given.keys[""]))
    if "Idempotency-Key" in case.headers and next(_numbers) % 3:  # else each body meets one key
        case.headers["Idempotency-Key"] = f'"{next(_numbers)}"'
    with _lock:
        tokens = _given.links.get(f"{case.method} {path}")
        token = tokens.pop() if tokens else None
    if token is None:
        return
    if "{token}" in path:
        case.path_parameters = {"token": token}
    else:
        case.query = {"token": token}


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:  # noqa: ARG001 -- its signature
    """Count the answer."""
    with _lock:
        _counts[
            f"{case.operation.method.upper()} {case.operation.path} {response.status_code}"
        ] += 1


@atexit.register
def _tell() -> None:
    Path(os.environ[COUNTS]).write_bytes(msgspec.json.encode(_counts))
