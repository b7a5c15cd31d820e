"""A tenant that has something in every table of tenants, through the product's own deeds."""

import gzip
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management import call_command

from analytics.actions import daily
from analytics.actions.groups import read_groups, replace_groups
from analytics.ingest.events import DNS, HTTP, IP, LEASE, TLS, Kind
from audit.actors import Actor
from tawny.exported import Unpacked, unpack
from tenants import members
from tenants.actions import create_tenant, invite
from tenants.links import Role
from tenants.scope import tenant_scope
from tests.analytics.engine import BAD, Engine, noon, reporting

SHELL = Actor(kind="shell", id="test")
PASSPHRASE = "a passphrase for tests"
COUNTS = {"dns": 5, "ip": 7, "http": 3, "tls": 2, "lease": 4}
MAIL = "ann@example.org"


def make_full(name: str = "full.example", *, place_days: bool = True) -> Engine:
    """Make the tenant, evaluated, sequenced, with members and groups."""
    now = datetime.now(UTC)
    made = create_tenant(name=name, actor=SHELL, reason="test", now=now)
    engine = Engine(tenant=made.tenant.id, now=now, wisdom=reporting("c2"))
    send_all(engine)
    engine.evaluate()
    engine.sequence()
    with tenant_scope(engine.tenant):
        if place_days:
            daily.place_days(tenant=engine.tenant, now=now)
    details = members.Details(name="Ann Example", email=MAIL, phone="555-0100")
    invite(tenant=engine.tenant, details=details, role=Role.OWNER, actor=SHELL, reason="t", now=now)
    body = {"version": "1", "groups": [{"label": "servers", "inclusions": ["10.0.0.0/24"]}]}
    replace_groups(
        tenant=engine.tenant, groups=read_groups(json.dumps(body).encode()), actor=SHELL, now=now
    )
    return engine


def send_all(engine: Engine) -> None:
    """Send events of every kind, with fields set that are easily lost on the way."""
    at = noon(engine.now)
    stamp = f"{at:%Y-%m-%dT%H:%M}:%02d.%06dZ"
    head = {"srcIP": "10.0.0.1", "srcHost": "ann-laptop", "srcUser": "ann", "connID": "C%d"}
    rows: dict[Kind, dict[str, Any]] = {
        DNS: {"query": "www.example.com", "qtype": "A", "answers": ["203.0.113.9", "x"]},
        IP: {"destIP": BAD, "destPort": 443, "proto": "tcp", "bytesIn": 0, "bytesOut": 7,
             "duration": 1.5, "labels": ["a", "b"], "localOrig": True, "localResp": False},
        HTTP: {"url": "http://example.com/a?b=1", "method": "GET", "status": 200, "host": "x"},
        TLS: {"destIP": BAD, "sni": "www.example.com", "validFrom": "2026-01-01T00:00:00Z",
              "certHash": {"alg": "sha1", "value": "ab" * 20}},
        LEASE: {"srcMac": "02:00:00:00:00:01", "type": "dhcp", "duration": 3600,
                "termination": False},
    }  # fmt: skip
    for kind, fields in rows.items():
        engine.send(
            [
                {**head, **fields, "ts": stamp % (n, n + 1), "connID": f"C{n}"}
                for n in range(COUNTS[kind.name])
            ],
            kind=kind,
        )


def sequence() -> None:
    """Put what was audited into the log, and sign it."""
    call_command("sequencer", once=True)


def lines_of(folder: Path, section: str) -> list[dict[str, Any]]:
    """Read a section's lines from an opened archive."""
    return [
        json.loads(line)
        for part in sorted((folder / section).glob("*.ndjson.gz"))
        for line in gzip.decompress(part.read_bytes()).splitlines()
    ]


def opened(archive: Path, into: Path) -> Unpacked:
    """Open an archive as its tenant does."""
    with archive.open("rb") as file:
        return unpack(file, PASSPHRASE, into)


def tables_with_rows(session: Any, tenant: UUID) -> Iterator[tuple[str, int]]:
    """Count the tenant's rows of every table that has a column for it, past every policy."""
    names = session.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
    ).fetchall()
    for (name,) in names:
        query = f"SELECT count(*) FROM {name} WHERE tenant_id = %s"  # noqa: S608 -- the catalogue's
        yield name, session.execute(query, [tenant]).fetchone()[0]


def buffer() -> io.BytesIO:
    """A file in memory to export into."""
    return io.BytesIO()
