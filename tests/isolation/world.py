"""Two tenants that both have everything, and what of the second must never reach the first."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.core.management import call_command
from django.test import Client

from analytics.models import Alert, AlertChange
from analytics.wisdom_client import Answer
from audit.actors import Actor
from destinations.report import Destination, Reason, Report
from tenants import links, members
from tenants.actions import create_tenant, invite
from tenants.links import Opened, Purpose, Role
from tenants.models import Link, Member, Work
from tenants.scope import tenant_scope
from tests.analytics.engine import Engine
from tests.analytics.views.asking import basic

SHELL = Actor(kind="shell", id="test")
THEIR_SOURCE, THEIR_DESTINATION = "10.66.77.1", "198.51.100.177"
THEIR_LABEL, THEIR_MAIL, THEIR_NAME = "canary-group", "canary@example.org", "canary.example"
OUR_SOURCE, OUR_DESTINATION = "10.1.1.1", "198.51.100.11"


def listed(destinations: frozenset[Destination]) -> Answer:
    """A Wisdom that lists every public address."""
    return Answer(reports={each: _report(each) for each in destinations}, owed=frozenset())


def _report(destination: Destination) -> Report:
    reason = Reason(
        source="list",
        title="A list",
        kind="feed",
        points=5_000,
        flag="c2",
        indicator=destination.value,
    )
    return Report(
        destination=destination,
        flags=("c2",),
        labels=(),
        domain="",
        score=5_000,
        verdict="malicious",
        reasons=(reason,),
        ttl=60,
        snapshot="s1",
        psl="p1",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The first tenant's key; the second tenant, by every name that its things have."""

    key: str
    ours: UUID
    theirs: UUID
    their_key: str
    alerts: tuple[UUID, ...]
    changes: tuple[UUID, ...]
    works: tuple[UUID, ...]
    member: UUID
    link: bytes
    follow: dict[str, str]

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id of the second tenant's."""
        each = (self.theirs, self.member, *self.alerts, *self.changes, *self.works)
        return (*map(str, each), self.their_key.split("_")[1])

    @property
    def canaries(self) -> tuple[str, ...]:
        """Texts that only the second tenant has."""
        names = (THEIR_SOURCE, THEIR_DESTINATION, THEIR_LABEL, THEIR_MAIL, THEIR_NAME)
        return (*self.ids, *(str(each).replace("-", "") for each in self.alerts), *names)


def make_world() -> World:
    """Make both tenants through the product's own deeds, up to sequenced alerts and entries."""
    now = datetime.now(UTC)
    first = create_tenant(name="ours.example", actor=SHELL, reason="test", now=now)
    second = create_tenant(name=THEIR_NAME, actor=SHELL, reason="test", now=now)
    _watch(first.tenant.id, now, source=OUR_SOURCE, destination=OUR_DESTINATION, days=1)
    _watch(second.tenant.id, now, source=THEIR_SOURCE, destination=THEIR_DESTINATION, days=3)
    _group(first.api_key, label="ours", source=OUR_SOURCE)
    _group(second.api_key, label=THEIR_LABEL, source=THEIR_SOURCE)
    theirs = second.tenant.id
    details = members.Details(name="Canary", email=THEIR_MAIL)
    invite(tenant=theirs, details=details, role=Role.OWNER, actor=SHELL, reason="test", now=now)
    with tenant_scope(theirs):
        member = Member.objects.get().id
        alerts = tuple(Alert.objects.order_by("id").values_list("id", flat=True))
        changes = tuple(AlertChange.objects.order_by("id").values_list("id", flat=True))
    links.make(Purpose.VERIFY, Opened(tenant=theirs, member=member), now=now)
    call_command("sequencer", once=True)
    return World(
        key=first.api_key,
        ours=first.tenant.id,
        theirs=theirs,
        their_key=second.api_key,
        alerts=alerts,
        changes=changes,
        works=tuple(Work.objects.filter(tenant_id=theirs).values_list("id", flat=True)),
        member=member,
        link=bytes(Link.objects.get().mac),
        follow={path: _follow(second.api_key, path) for path in FOLLOWED},
    )


FOLLOWED = ("/v1/alerts", "/v1/findings", "/v1/dailyDestinations", "/v1/audit")


def _watch(tenant: UUID, now: datetime, *, source: str, destination: str, days: int) -> None:
    engine = Engine(tenant=tenant, now=now, wisdom=listed)
    engine.send(
        [
            engine.event(n, srcIP=source.rpartition(".")[0] + f".{n + 1}", destIP=destination)
            for n in range(days)
        ]
    )
    engine.evaluate()
    engine.sequence()


def _group(key: str, *, label: str, source: str) -> None:
    body = {"version": "1", "groups": [{"label": label, "inclusions": [f"{source}/24"]}]}
    answer = Client().post(
        "/v1/groups/raw",
        json.dumps(body),
        content_type="application/json",
        HTTP_AUTHORIZATION=basic(key),
    )
    assert answer.status_code == 200, answer.content


def _follow(key: str, path: str) -> str:
    answer = Client().get(path, HTTP_AUTHORIZATION=basic(key))
    assert answer.status_code == 200, (path, answer.content)
    follow: str = answer.json()["follow"]
    return follow


def rows_of(tenant: UUID, as_owner: Callable[..., Any]) -> dict[str, tuple[int, str]]:
    """Count and digest what each table holds of a tenant, past every policy."""
    found: dict[str, tuple[int, str]] = {}
    for alias in ("default", "keys"):
        with as_owner(alias) as session:
            tables = session.execute(
                "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                " WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p')"
                " AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace"
            ).fetchall()
            for (table,) in tables:
                digest = "coalesce(md5(string_agg(t::text, ' ' ORDER BY t::text)), '')"
                asked = f"SELECT count(*), {digest} FROM {table} t WHERE tenant_id = %s"  # noqa: S608 -- our own names
                found[table] = session.execute(asked, [tenant]).fetchone()
    return found


def nobody() -> str:
    """An id that exists nowhere."""
    return str(uuid4())
