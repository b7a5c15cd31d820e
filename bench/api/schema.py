"""API-4: the running API against its own document, with requests nobody thought of.

schemathesis makes requests of the document at ``/v1/schema``, valid and not, with keys that are
honoured. What fails is an answer that is a failure of ours, of a status or media type that the
document does not name, or of another shape than it says, and an operation that never once succeeds:
of such a one only the refusals were tested.
"""

import email
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.api.asking import Line
from bench.api.product import REPOSITORY, NotServing, Product

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
HOOKS = "bench.api_hooks"
READ_FIRST = "GET /v1/schema"
"""What schemathesis reads before it begins, and then leaves out."""
MAIL_SECONDS = 90.0
"""A mail goes out on commit, and with the minute's tick at the latest."""
MAILED = ("/v1/account/verify", "/v1/account/verify/{token}", "/v1/key/reset/open")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """An operation, and how often it was answered with each status."""

    operation: str
    statuses: dict[str, int]

    @property
    def succeeded(self) -> int:
        """Answers that were 2xx."""
        return sum(count for status, count in self.statuses.items() if status.startswith("2"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Conformance:
    """What schemathesis said, with the answers by operation."""

    cases: int
    passed: bool
    never_succeeded: list[str]
    operations: list[Operation]
    met: bool


def measure(product: Product, *, cases: int, only: str = "") -> Conformance:
    """Make about so many requests in all, evenly over the operations that `only` (regex) finds."""
    described = _operations(product)
    chosen = [each for each in described if re.search(only, each)]
    each = max(1, cases // len(chosen))
    with tempfile.TemporaryDirectory() as folder:
        given, counts = Path(folder, "given"), Path(folder, "counts")
        given.write_bytes(msgspec.json.encode({"keys": _keys(product), "links": _links(product)}))
        command = [
            str(Path(sys.executable).with_name("schemathesis")), "run", f"{product.url}/v1/schema",
            "--checks", ",".join(CHECKS),
            "--phases", "examples,coverage,fuzzing",
            "--max-examples", str(each),
            "--workers", "2",
            "--suppress-health-check", "all",
        ]  # fmt: skip
        if only:
            command += ["--include-path-regex", only]
        environment = {
            **os.environ,
            "SCHEMATHESIS_HOOKS": HOOKS,
            "PYTHONPATH": str(REPOSITORY),
            "TAWNY_VERIFY_GIVEN": str(given),
            "TAWNY_VERIFY_COUNTS": str(counts),
        }
        status = subprocess.run(command, env=environment, cwd=folder, check=False).returncode  # noqa: S603 -- our own
        told = msgspec.json.decode(counts.read_bytes(), type=dict[str, int])
    return _judged(told, chosen, passed=status == 0)


def _judged(told: dict[str, int], chosen: list[str], *, passed: bool) -> Conformance:
    by_operation: dict[str, dict[str, int]] = defaultdict(dict)
    for name, count in sorted(told.items()):
        operation, _, status = name.rpartition(" ")
        by_operation[operation][status] = count
    operations = [Operation(operation=each, statuses=by_operation[each]) for each in chosen]
    never = [
        each.operation for each in operations if not each.succeeded and each.operation != READ_FIRST
    ]
    return Conformance(
        cases=sum(told.values()),
        passed=passed,
        never_succeeded=never,
        operations=operations,
        met=passed and not never,
    )


def _operations(product: Product) -> list[str]:
    document = msgspec.json.decode(Line(product.url).ask("GET", "/v1/schema").content)
    return [
        f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item
    ]


def _keys(product: Product) -> dict[str, str]:
    engine = (product.home / "keys" / "wisdom_key").read_text("ascii").strip()
    return {"": product.key, "/v1/wisdom/reports": engine}


def _links(product: Product) -> dict[str, list[str]]:
    """Have two links of each kind mailed: one to look at, one to press."""
    line = Line(product.url)
    line = Line(product.url, _decoded(line.ask("POST", "/v1/key/request", b"{}").content)["key"])
    mails = _mails(product)
    for name in ("owner", "one", "two", "three", "four"):
        person = {"details": {"name": name, "email": f"{name}@example.com"}}
        line.ask("POST", "/v1/account/register", msgspec.json.encode(person))
    found = dict(next(mails) for _ in range(5))
    line.ask("POST", f"/v1/account/verify?token={found.pop('owner@example.com')}")
    verify = list(found.values())
    resets = []
    for _ in range(2):
        line.ask("POST", "/v1/key/reset", b'{"email":"owner@example.com"}')
        resets.append(next(mails)[1])
    tokens = (verify[:2], verify[2:], resets)
    return {
        f"{method} {path}": [token]
        for path, pair in zip(MAILED, tokens, strict=True)
        for method, token in zip(("GET", "POST"), pair, strict=True)
    }


def _decoded(content: bytes) -> dict[str, str]:
    return msgspec.json.decode(content, type=dict[str, str])


def _mails(product: Product) -> Iterator[tuple[str, str]]:
    """Give the recipient and the link's token of each mail, as they are sent."""
    seen: set[tuple[str, str]] = set()
    end = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < end:
        for file in sorted((product.home / "mail").glob("*")):
            for text in re.split(r"^-{70,}$", file.read_text("utf-8"), flags=re.MULTILINE):
                mail = email.message_from_string(text.strip())
                token = re.search(r"token=([\w-]+)|/verify/([\w-]+)", str(mail.get_payload()))
                told = (str(mail["To"]), (token[1] or token[2]) if token else "")
                if token and told not in seen:
                    seen.add(told)
                    yield told
        time.sleep(0.2)
    raise NotServing("a mail was not sent")
