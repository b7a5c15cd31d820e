"""The table: of every route and method, which event each outcome leaves, and how to bring it about.

An outcome is ``success``, ``denied`` (nobody known, or not theirs) or ``error`` (asked wrongly).
An event of None needs a reason in ``why``: the route shows nothing of anybody, and changes nothing.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.test import Client

from audit.actors import Actor
from console import invites
from console.models import Role, SignIn
from tenants import links, members
from tenants.actions import create_tenant, invite
from tenants.actions.members import verify as verify_member
from tenants.links import Opened, Purpose, Role as MemberRole
from tenants.models import KeyIndex, Member
from tenants.scope import tenant_scope
from tests.analytics.views.asking import basic
from tests.console.people import SHELL, Clock, Person
from wisdom.actions import create_engine

Door = tuple[str, str]
SUCCESS, DENIED, ERROR = "success", "denied", "error"
PUBLIC = "for anybody, and says nothing of anybody"
VOCABULARY = "a vocabulary that is the same for every key"
LINK = "the link is the proof"
OWN_TERMS = "the terms of the very key that asks"
OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request; its method is the route's."""

    path: str
    body: Any = None
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What each outcome of a route leaves, and how it is brought about: None where it cannot be.

    `also` are events of what a success made besides, one each; `elsewhere` is the test that drives
    a success which this table cannot. `conflict` makes sense and cannot be done: it is answered
    409, and leaves `conflict_leaves`.
    """

    success: str | None
    denied: str | None
    error: str | None
    why: str = ""
    ask: Callable[["World"], Asked]
    wrong: Callable[["World"], Asked] | None = None
    also: tuple[str, ...] = ()
    elsewhere: str = ""
    conflict: Callable[["World"], Asked] | None = None
    conflict_leaves: str = "requests.failed"
    instead: dict[str, Callable[["World"], Asked]] = field(default_factory=dict)


class World:
    """A tenant, an engine, people: whatever a request of the table needs, made when it is asked."""

    def __init__(
        self, clock: Clock, person: Callable[..., Person], sequenced: Callable[[], None]
    ) -> None:
        self.clock, self.sequenced = clock, sequenced
        self.stranger = Client(raise_request_exception=False)
        new = create_tenant(name="first.example", actor=SHELL, reason="test", now=clock.now)
        self.tenant, self.key = new.tenant.id, new.api_key
        self._person = person
        self.owner = person("owner")
        self.other = person("other", Role.ANALYST)
        self.engine = create_engine(name="e", actor=SHELL, reason="test", now=clock.now)[1]

    @property
    def key_id(self) -> str:
        return self.key.split("_")[1]

    def invitation(self) -> str:
        made = invites.invite(
            username=f"new{uuid4().hex[:6]}", role=Role.ANALYST, actor=SHELL, reason="t",
            now=self.clock.now,
        )  # fmt: skip
        return made.link.split("/")[-2]

    def link(self, purpose: Purpose) -> str:
        details = members.Details(name="A", email=f"{uuid4().hex[:8]}@example.org")
        invite(
            tenant=self.tenant, details=details, role=MemberRole.OWNER,
            actor=Actor(kind="shell", id="t"), reason="t", now=self.clock.now,
        )  # fmt: skip
        with tenant_scope(self.tenant):
            member = Member.objects.order_by("-id").first()
        assert member is not None
        if purpose is Purpose.RESET:  # only who confirmed an address can use it
            opens = Opened(tenant=self.tenant, member=member.id, role=MemberRole.OWNER)
            token = links.make(Purpose.VERIFY, opens, now=self.clock.now)
            assert verify_member(token=token, now=self.clock.now)
        return links.make(purpose, Opened(tenant=self.tenant, member=member.id), now=self.clock.now)

    def session(self) -> UUID:
        other = Client()
        self.clock.advance(seconds=30)
        form = {
            "username": "owner", "password": self.owner.new.password, "code": self.owner.code(),
        }  # fmt: skip
        assert other.post("/console/login/", form).status_code == 302
        return SignIn.objects.order_by("-begun_at").first().pk  # type: ignore[union-attr] # just made

    def live_key(self) -> str:
        new = create_tenant(
            name=f"{uuid4().hex}.example", actor=SHELL, reason="t", now=self.clock.now
        )
        return f"/console/tenants/{new.tenant.id}/keys/{KeyIndex.objects.get(tenant=new.tenant).id}"

    def fresh_tenant(self) -> tuple[UUID, str]:
        name = f"{uuid4().hex}.example"
        return create_tenant(name=name, actor=SHELL, reason="t", now=self.clock.now).tenant.id, name

    def signed_in(self) -> Person:
        """Return the owner, signed in: who made a proof a moment ago, unless time went on."""
        if self.owner.browser.get("/console/account/").status_code != OK:
            self.clock.advance(seconds=30)
            self.owner.sign_in()
        return self.owner

    def colleague(self, role: Role = Role.ANALYST) -> tuple[UUID, str]:
        somebody = self._person(f"c{uuid4().hex[:8]}", role)
        return somebody.staff.id, somebody.staff.username


def of_key(path: str, *, body: Any = None) -> Callable[[World], Asked]:
    """Ask with the tenant's key."""
    return lambda world: Asked(path=path, body=body, key=world.key)


def open_(path: str, *, body: Any = None) -> Callable[[World], Asked]:
    """Ask as nobody."""
    return lambda _world: Asked(path=path, body=body)


def reads(path: str, event: str | None, *, wrong: str = "", why: str = "") -> Row:
    """A route of a tenant's key that reads."""
    return Row(
        success=event, denied="auth.denied", error="requests.failed" if wrong else None, why=why,
        ask=of_key(path), wrong=of_key(wrong) if wrong else None,
    )  # fmt: skip


def puts(path: str, event: str, body: Any) -> Row:
    """A route of a tenant's key that sets something; an object without members makes no sense."""
    return Row(
        success=event, denied="auth.denied", error="requests.failed",
        ask=of_key(path, body=body), wrong=of_key(path, body={}),
    )  # fmt: skip


def public(path: str) -> Row:
    """A route for anybody that says nothing of anybody."""
    return Row(success=None, denied=None, error=None, why=PUBLIC, ask=open_(path))


DETAILS = {"name": "X", "email": "x@example.org"}


def absent(path: str, elsewhere: str) -> Row:
    """A route for anybody that has nothing to give yet, which is an error of nobody's."""
    return Row(
        success=None, denied=None, error="requests.failed", why=PUBLIC, ask=open_(path),
        wrong=open_(path), elsewhere=elsewhere,
    )  # fmt: skip


MADE = ("tenant.created", "key.tenant_key_created", "key.created")
CHECKPOINT_READ = (
    "tests/tenants/test_audit_view.py"
    "::test_anybody_reads_the_newest_checkpoint_and_nobody_keeps_it_in_a_cache"
)
OPEN_WISDOM = "tests/wisdom/test_open_wisdom.py::"
ITEMS_READ = OPEN_WISDOM + "test_names_are_given_as_the_generator_asks_for_them"
FAMILIES_READ = OPEN_WISDOM + "test_a_family_is_found_in_any_case_and_named_as_its_list_spells_it"
EVENT = b'{"ts": "2026-03-01T00:00:00Z", "query": "a.example", "srcIP": "10.0.0.1"}'

API: dict[Door, Row] = {
    ("GET", "healthz"): public("/healthz"),
    ("GET", "readyz"): public("/readyz"),
    ("GET", "v1/schema"): public("/v1/schema"),
    ("GET", "v1/transparency/checkpoint"): absent("/v1/transparency/checkpoint", CHECKPOINT_READ),
    ("GET", "v2/items"): absent("/v2/items?category=c2&type=dns", ITEMS_READ),
    ("GET", "v2/families"): absent("/v2/families?category=c2", FAMILIES_READ),
    ("GET", "v1/alerts"): reads("/v1/alerts", "alerts.polled", wrong="/v1/alerts?follow=%21"),
    ("GET", "v1/findings"): reads("/v1/findings", "alerts.polled", wrong="/v1/findings?follow=%21"),
    ("GET", "v1/dailyDestinations"): reads(
        "/v1/dailyDestinations", "destinations.polled", wrong="/v1/dailyDestinations?follow=%21"
    ),
    ("GET", "v1/audit"): reads("/v1/audit", "audit.polled", wrong="/v1/audit?limit=x"),
    ("GET", "v1/groups/raw"): reads("/v1/groups/raw", "groups.polled"),
    ("GET", "v1/account/status"): reads(
        "/v1/account/status", None, why=OWN_TERMS
    ),
    ("GET", "v1/account/retention"): reads("/v1/account/retention", None, why=OWN_TERMS),
    ("PUT", "v1/account/retention"): puts(
        "/v1/account/retention", "retention.changed", {"seriesDays": 30, "alertsDays": 200}
    ),
    ("GET", "v1/account/research"): reads("/v1/account/research", None, why=OWN_TERMS),
    ("PUT", "v1/account/research"): puts(
        "/v1/account/research", "research.allowed", {"allowed": True}
    ),
    ("GET", "v1/ae/inventory/flags"): reads("/v1/ae/inventory/flags", None, why=VOCABULARY),
    ("GET", "v1/ae/inventory/threats"): reads("/v1/ae/inventory/threats", None, why=VOCABULARY),
    ("GET", "v1/wisdom"): reads(
        "/v1/wisdom?q=10.0.0.1", "wisdom.looked_up", wrong="/v1/wisdom?q="
    ),
    ("POST", "v1/events/<str:kind>"): Row(
        success="events.accepted", denied="auth.denied", error="requests.failed",
        ask=of_key("/v1/events/dns", body=EVENT), wrong=of_key("/v1/events/dns", body=b"\xff"),
    ),
    ("POST", "v1/groups/raw"): Row(
        success="groups.changed", denied="auth.denied", error="requests.failed",
        ask=of_key("/v1/groups/raw", body={"version": "1", "groups": []}),
        wrong=of_key("/v1/groups/raw", body=b"["),
    ),
    ("POST", "v1/wisdom/reports"): Row(
        success="wisdom.asked", denied="auth.denied", error="requests.failed",
        ask=lambda w: Asked(path="/v1/wisdom/reports", body={"destinations": []}, key=w.engine),
        wrong=lambda w: Asked(path="/v1/wisdom/reports", body=b"[", key=w.engine),
    ),
    ("POST", "v1/key/request"): Row(
        success="key.requested", also=MADE, denied=None, error="requests.failed",
        ask=open_("/v1/key/request", body={"platform": {"name": "test"}, "token": ""}),
        wrong=open_("/v1/key/request", body=b"["),
        why="sign-up is open to anybody; closed, it is auth.denied (tests of sign-up)",
    ),
    ("POST", "v1/key/reset"): Row(
        success="key.reset_asked", denied=None, error="requests.failed",
        ask=open_("/v1/key/reset", body={"email": "a@example.org"}),
        wrong=open_("/v1/key/reset", body={}), why="whoever asks is not known, by its nature",
    ),
    ("POST", "v1/account/register"): Row(
        success="member.registered", denied="auth.denied", error="requests.failed",
        ask=of_key("/v1/account/register", body={"details": DETAILS}),
        wrong=of_key("/v1/account/register", body={}),
    ),
    ("GET", "v1/account/verify"): Row(
        success=None, denied=None, error="requests.failed", why="a button; who presses is recorded",
        ask=lambda w: Asked(path=f"/v1/account/verify?token={w.link(Purpose.VERIFY)}"),
        wrong=open_("/v1/account/verify?token=x"),
    ),
    ("GET", "v1/account/verify/<str:token>"): Row(
        success=None, denied=None, error="requests.failed", why="a button; who presses is recorded",
        ask=lambda w: Asked(path=f"/v1/account/verify/{w.link(Purpose.VERIFY)}"),
        wrong=open_("/v1/account/verify/x"),
    ),
    ("GET", "v1/key/reset/open"): Row(
        success=None, denied=None, error="requests.failed", why="a button; who presses is recorded",
        ask=lambda w: Asked(path=f"/v1/key/reset/open?token={w.link(Purpose.RESET)}"),
        wrong=open_("/v1/key/reset/open?token=x"),
    ),
    ("POST", "v1/account/verify"): Row(
        success="member.verified", denied=None, error="requests.failed", why=LINK,
        ask=lambda w: Asked(path=f"/v1/account/verify?token={w.link(Purpose.VERIFY)}"),
        wrong=open_("/v1/account/verify?token=x"),
    ),
    ("POST", "v1/account/verify/<str:token>"): Row(
        success="member.verified", denied=None, error="requests.failed", why=LINK,
        ask=lambda w: Asked(path=f"/v1/account/verify/{w.link(Purpose.VERIFY)}"),
        wrong=open_("/v1/account/verify/x"),
    ),
    ("POST", "v1/key/reset/open"): Row(
        success="key.reset", also=("key.created",), denied=None, error="requests.failed", why=LINK,
        ask=lambda w: Asked(path=f"/v1/key/reset/open?token={w.link(Purpose.RESET)}"),
        wrong=open_("/v1/key/reset/open?token=x"),
    ),
}  # fmt: skip
"""Every route of the API; one that shows or changes a tenant's leaves an event for each outcome."""


def sent(client: Client, door: Door, asked: Asked) -> Any:
    """Send a request of the API."""
    body = asked.body if isinstance(asked.body, bytes) else json.dumps(asked.body).encode()
    headers: dict[str, Any] = {"HTTP_AUTHORIZATION": basic(asked.key)} if asked.key else {}
    data = b"" if asked.body is None else body
    return client.generic(door[0], asked.path, data, content_type="application/json", **headers)
