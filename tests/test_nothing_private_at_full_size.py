"""ENC-1: ten thousand events of all five kinds, every private field unique, errors forced: 0 hits.

A hundred thousand canaries cannot be looked for one by one, so each holds a marker: a text's is 14
random characters, an address's its network, a time's the first digits and bytes that all times of
the test share. Where a canary lies, under an encoding, its marker lies under the same one.
"""

import json
import logging
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from redis import Redis

from analytics import tasks
from analytics.ingest.events import KINDS, Column, Form, Kind
from analytics.views import alerts as alerts_view
from config import logs
from config.embedded import state
from config.management.commands import sequencer
from tenants.models import Work
from tests.analytics.views.asking import basic
from tests.canaries import encodings, found_in
from tests.test_nothing_private_at_rest import _work

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

EVENTS_OF_KIND = 2_000
MARK = secrets.token_hex(7)
ROW = secrets.token_hex(7)
"""A marker in a column that is in clear: a duplicate key is only noticed when its row is written,
write-ahead log and all. It must not be where errors are told."""
NETWORK = "10.233."
COUNT = 733_377_550_000_000
"""Counts of octets and packets are above it: their first digits, and first five bytes, are one."""
_SECOND = int(datetime(2026, 5, 1, 10, tzinfo=UTC).timestamp()) * 10**9
BASE = ((_SECOND + 120_000_000) >> 24) + 1 << 24
"""All times lie in the 2^24 ns after it: the first five of their eight bytes are one."""


_NETWORK_INT = 10 << 8 | 233
_NUMBER = re.compile(rb"(?<![0-9A-Za-z\\])183\d{6}(?![0-9A-Za-z])")
"""A number as long, and with the same first digits, as an address of the network is one."""


def markers() -> dict[str, str]:
    """Each marker as the text that the product was sent."""
    at = datetime.fromtimestamp(BASE // 10**9, UTC)
    fraction = f"{BASE % 10**9:09d}"[:2]
    return {
        "text": MARK,
        "address": NETWORK,
        "network": f"2001:db8:{MARK[:4]}:{MARK[4:8]}:",
        "count": str(COUNT)[:9],
        "time": f"{at:%H:%M:%S}.{fraction}",
        "epoch": str(BASE)[:12],
    }


def packed() -> dict[str, str]:
    """Each marker as bytes that numbers and addresses have in memory, written as Latin-1."""
    forms = {
        "address": b"\xff\xff\x0a\xe9",
        "network": bytes.fromhex("20010db8" + MARK[:8]),
        "count": COUNT.to_bytes(8, "big")[1:6],
        "time": BASE.to_bytes(8, "big")[:5],
    }
    return {name: form.decode("latin-1") for name, form in forms.items()}


@dataclass(slots=True)
class Numbers:
    """Numbers that are given once."""

    last: int = -1

    def __call__(self) -> int:
        self.last += 1
        return self.last


def value(column: Column, unique: Numbers) -> Any:  # noqa: PLR0911 -- one a form
    """Return a value of a column that no other event has."""
    n = unique()
    match column.form:
        case Form.ADDRESS if column.name == "srcIP":
            return f"{NETWORK}{n // 7 % 65536 // 256}.{n // 7 % 256}"
        case Form.ADDRESS:
            return f"2001:db8:{MARK[:4]}:{MARK[4:8]}:{n >> 16:x}:{n % 65536:x}:0:1"
        case Form.NAME:
            return f"{MARK}-{n}.example.com"
        case Form.URL:
            return f"https://{MARK}{n}.example.com/{MARK}/{n}?{MARK}={n}"
        case Form.TEXTS:
            return [f"{MARK}-{n}"]
        case Form.TEXT | Form.LOWER:
            return f"{MARK}-{n}"
        case Form.COUNT:
            return COUNT + n
        case Form.HASH:
            return {"alg": "sha256", "value": f"{MARK}{n:050x}"}
        case _:
            return None


def event(kind: Kind, unique: Numbers) -> dict[str, Any]:
    made = {each.name: value(each, unique) for each in kind.columns}
    nanoseconds = BASE + 500 * (unique.last // 15 % 20_000)
    stamp = datetime.fromtimestamp(nanoseconds // 10**9, UTC)
    made["ts"] = f"{stamp:%Y-%m-%dT%H:%M:%S}.{nanoseconds % 10**9:09d}Z"
    made |= {"note": f"{MARK} in a field that no event has"}
    return {name: each for name, each in made.items() if each is not None}


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """Write what the deployment's handler would, of every level, to a file."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logs.line_formatter())
    handler.addFilter(logs.Scrub())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()


FORCED = {
    "duplicate key": "INSERT INTO tenant (id, name, state, plan, created_at) VALUES"
    " (gen_random_uuid(), '{0}', 'active', 'full', now()),"
    " (gen_random_uuid(), '{0}', 'active', 'full', now())",
    "check violation": "INSERT INTO tenant (id, name, state, plan, created_at) VALUES"
    " (gen_random_uuid(), '{0}', 'none', 'full', now())",
    "not null": "INSERT INTO tenant (id, name, state, plan, created_at) VALUES"
    " (gen_random_uuid(), '{0}', 'active', 'full', null)",
    "bad JSON": """SELECT '{{"user": "{0}", '::jsonb""",
    "bad uuid": "SELECT '{0}'::uuid",
    "bad time": "SELECT '{0}'::timestamptz",
    "statement timeout": "SET LOCAL statement_timeout = 20; SELECT pg_sleep(2), '{0}'",
}


def forced(name: str) -> None:
    """Have the database raise an error that quotes a canary."""
    with transaction.atomic(), connection.cursor() as cursor:
        quoted = ROW if name == "duplicate key" else f"{MARK} {NETWORK}9.9"
        cursor.execute(FORCED[name].format(quoted))


def fails_everywhere(name: str, key: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Force an error in a request, in a worker and in the sequencer; return what they answered."""
    with pytest.raises(DatabaseError) as raised:
        forced(name)
    said = str(raised.value)
    quoted = MARK in said or ROW in said or name == "statement timeout"
    assert quoted, f"{name} proves nothing: {raised.value}"

    def fail(*_arguments: Any, **_named: Any) -> Any:
        forced(name)

    answers = []
    client = Client(raise_request_exception=False)
    with monkeypatch.context() as patch:
        patch.setattr(alerts_view.Alerts, "get", fail)
        answer = client.get("/v1/alerts", headers={"authorization": basic(key)})
        answers.append(answer.content.decode())
        assert answer.status_code == 500
        patch.setattr(tasks, "take_effect", fail)
        work = Work.objects.filter(queue="ingest").order_by("created_at").first()
        assert work is not None
        Work.objects.filter(id=work.id).update(
            state="pending", attempt=0, lease_until=None, due_at=datetime.now(UTC)
        )
        tasks.ingest(tenant=str(work.tenant_id), work=str(work.id))
        patch.setattr(tasks, "_attempt", fail)  # what no deed of ours catches: Celery's own report
        Work.objects.filter(id=work.id).update(state="pending", due_at=datetime.now(UTC))
        done = tasks.ingest.apply(kwargs={"tenant": str(work.tenant_id), "work": str(work.id)})
        assert done.state == "FAILURE"
        Work.objects.filter(id=work.id).update(state="done")
        patch.setattr(sequencer, "sequence_alerts", fail)
        try:
            call_command("sequencer", once=True)
        except DatabaseError as error:
            logs.uncaught(type(error), error, error.__traceback__)
    logging.getLogger("x").error("%s", raised.value)
    logging.getLogger("x").error(raised.value)
    return answers


def dumped(as_owner: Callable[..., Any], folder: Path) -> None:
    """Copy every table of every database as the backup's role reads it."""
    for alias in ("default", "keys", "wisdom"):
        with as_owner(alias) as session:
            session.execute("SET ROLE tawny_backup")
            tables = session.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'public'::regnamespace"
            ).fetchall()
            for (table,) in tables:
                with (
                    (folder / f"{alias}.{table}").open("wb") as file,
                    session.cursor().copy(f"COPY {table} TO STDOUT") as copy,
                ):
                    for piece in copy:
                        file.write(bytes(piece))
            session.execute("RESET ROLE")


def searched(paths: list[Path]) -> dict[str, str]:
    """Look for every marker as text in eight encodings, and as bytes, either way round."""
    hits = {f"text:{each}": file for each, file in found_in(paths, markers().values()).items()}
    for path in paths:
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file():
                content = file.read_bytes()
                if any(int(each[0]) >> 16 == _NETWORK_INT for each in _NUMBER.finditer(content)):
                    hits["int:address"] = file.name
                for name, form in packed().items():
                    raw = form.encode("latin-1")
                    if raw in content or (name != "address" and raw[::-1] in content):
                        hits[f"bytes:{name}"] = file.name
    return hits


def test_ten_thousand_events_and_forced_errors_leave_no_private_byte(
    tenant: tuple[UUID, str], client: Client, now: datetime, as_owner: Callable[..., Any],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    places = [state.home() / each for each in ("pg", "valkey", "logs", "snapshots", "mail")]
    assert searched(places) == {}, "the markers are somewhere already"
    unique, accepted = Numbers(), 0
    log = tmp_path / "application.log"
    with logged_to(log):
        for kind in KINDS.values():
            body = "\n".join(json.dumps(event(kind, unique)) for _ in range(EVENTS_OF_KIND))
            body += f'\n{{"srcIP": "{NETWORK}1.1"}}\n{MARK} is no JSON\n'
            answer = client.post(
                f"/v1/events/{kind.name}", body, content_type="application/json",
                headers={"authorization": basic(tenant[1])},
            )  # fmt: skip
            assert answer.status_code == 200, answer.content
            accepted += answer.json()["accepted"]
        _work(now)
        answers = [
            each for name in FORCED for each in fails_everywhere(name, tenant[1], monkeypatch)
        ]
        for path in ("/v1/alerts", "/v1/findings", "/v1/dailyDestinations", "/v1/account/status"):
            client.get(path, headers={"authorization": basic(tenant[1])})
    assert accepted == len(KINDS) * EVENTS_OF_KIND
    assert log.read_text().count("Error") >= 3 * len(FORCED)
    told = tmp_path / "answers"
    told.write_text("\n".join(answers))
    valkey = Redis.from_url(settings.CACHE_URL)
    broker = tmp_path / "broker"
    broker.write_bytes(b"".join(key + (valkey.dump(key) or b"") for key in valkey.scan_iter()))
    with as_owner("default") as session:
        session.execute("CHECKPOINT")
    tables = tmp_path / "tables"
    tables.mkdir()
    dumped(as_owner, tables)
    assert sum(file.stat().st_size for file in tables.iterdir()) > 1_000_000
    assert searched([*places, tables, broker, log, told]) == {}
    assert found_in([*places[1:], broker, log, told], [ROW]) == {}


@pytest.mark.parametrize("name", sorted(markers()))
def test_a_planted_canary_is_found_in_every_encoding(name: str, tmp_path: Path) -> None:
    full = {
        "text": f"{MARK}-77", "address": f"{NETWORK}7.7", "count": str(COUNT + 77),
        "network": f"2001:db8:{MARK[:4]}:{MARK[4:8]}:0:7:0:1",
        "time": markers()["time"] + "3456789", "epoch": str(BASE + 77),
    }[name]  # fmt: skip
    for number, form in enumerate(encodings(full)):
        if name == "address" and number == 8:
            continue  # the packed form has a test of its own
        (tmp_path / "one").write_bytes(b"before " + form + b" after")
        assert searched([tmp_path]), (name, number)
    (tmp_path / "one").write_bytes(b"nothing")
    assert searched([tmp_path]) == {}


@pytest.mark.parametrize("name", sorted(packed()))
def test_a_planted_number_is_found_as_it_lies_in_memory(name: str, tmp_path: Path) -> None:
    planted = {
        "address": b"\xff\xff\x0a\xe9\x07\x07", "count": (COUNT + 77).to_bytes(8, "little"),
        "network": bytes.fromhex("20010db8" + MARK[:8]) + bytes(8),
        "time": (BASE + 77).to_bytes(8, "little"),
    }[name]  # fmt: skip
    (tmp_path / "one").write_bytes(b"before " + planted + b" after")
    assert searched([tmp_path]), name
