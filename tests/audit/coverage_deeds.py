"""The table of grants, of what takes two people, and of deeds on feeds, work and notices.

See `tests.audit.coverage`. What emergencies do on their own, with the first use of one, is in
``tests/console/test_break_glass.py``; what a worker carries out later, in
``tests/console/test_approvals_pages.py``.
"""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

from audit.actors import Actor
from console import invites, notices
from console.models import Role
from console.second import ask_mfa_reset
from crypto.ids import uuid7
from feeds.models import Feed, FeedRelease
from tenants import approvals, break_glass
from tenants.actions.approved import ask_deletion
from tenants.models import Tenant, Work
from tests.audit.coverage import Asked, Door, Row, World, open_
from tests.audit.coverage_console import deed, on_colleague, on_tenant, page, sight, tenant_path
from tests.console.alerts import a_grant, an_alert
from tests.console.people import SHELL

REASON = {"reason": "a test"}


# -- grants


def _grant(world: World) -> UUID:
    return a_grant(world.tenant, world.owner.staff.id).id


def on_grant(what: str, **form: str) -> Callable[[World], Asked]:
    """Ask for something under a live grant of the owner's."""
    return lambda world: Asked(path=f"/console/grants/{_grant(world)}/{what}/", body=form)


def _no_grant(what: str, **form: str) -> Callable[[World], Asked]:
    return lambda _world: Asked(path=f"/console/grants/{uuid4()}/{what}/", body=form)


def _alert(world: World) -> Asked:
    now = world.clock.now
    tenant = Tenant.objects.create(id=uuid7(now), name=uuid4().hex, created_at=now).id
    grant = a_grant(tenant, world.owner.staff.id).id
    return Asked(path=f"/console/grants/{grant}/alerts/{an_alert(tenant)}/")


def _under(ask: Callable[[World], Asked], wrong: Callable[[World], Asked]) -> Row:
    """A page under a grant: one entry for the tenant to see, of the read or of its refusal."""
    return Row(
        success="staff.read", denied="requests.denied", error="grant.refused", ask=ask, wrong=wrong
    )


TERMS = {"ticket": "T-1", "scopes": "alerts", "minutes": "15"}
GRANTS: dict[Door, Row] = {
    ("GET", "grants"): page("/console/grants/", "staff.read"),
    ("GET", "grant_open"): sight(tenant_path("grant/")),
    ("POST", "grant_open"): deed(
        "grant.opened", on_tenant("grant", **TERMS),
        conflict=on_tenant("grant", **{**TERMS, "ticket": "T" * 101}),
    ),
    ("GET", "grant_revoke"): Row(
        success="staff.read", denied="requests.denied", error="staff.read",
        ask=on_grant("revoke"), wrong=_no_grant("revoke"),
    ),
    ("POST", "grant_revoke"): Row(
        success="grant.revoked", denied="requests.denied", error="grant.refused",
        ask=on_grant("revoke", **REASON), wrong=_no_grant("revoke", **REASON),
    ),
    ("GET", "grant_alerts"): _under(on_grant("alerts"), _no_grant("alerts")),
    ("GET", "grant_alert"): _under(_alert, _no_grant(f"alerts/{UUID(int=0)}")),
}  # fmt: skip


# -- what takes two people


def _asked(world: World, *, by: Actor = SHELL) -> UUID:
    """Have a tenant's deletion asked for; two owners are there, so that it waits for one."""
    tenant, _ = world.fresh_tenant()
    world.colleague(Role.OWNER)
    return ask_deletion(tenant=tenant, actor=by, reason="a test", now=world.clock.now).id


def _asked_emergency(world: World) -> UUID:
    tenant, _ = world.fresh_tenant()
    return break_glass.ask(
        tenant=tenant, staff=world.other.staff.id, minutes=30, ticket="T-1", actor=SHELL,
        reason="a test", now=world.clock.now,
    ).id  # fmt: skip


def _emergency(world: World) -> UUID:
    """Open an emergency access, as two people do."""
    pending, second = _asked_emergency(world), Actor(kind="staff", id=str(world.owner.staff.id))
    return approvals.approve(pending=pending, actor=second, now=world.clock.now).id


def _over(world: World) -> UUID:
    emergency = _emergency(world)
    break_glass.close(emergency=emergency, actor=SHELL, reason="a test", now=world.clock.now)
    return emergency


def on_pending(
    what: str, asked: Callable[[World], UUID] = _asked, form: dict[str, str] | None = None
) -> Callable[[World], Asked]:
    """Ask for a step on what waits."""
    return lambda world: Asked(path=f"/console/approvals/{asked(world)}/{what}/", body=form)


def on_emergency(
    what: str, which: Callable[[World], UUID], **form: str
) -> Callable[[World], Asked]:
    """Ask for a step on an emergency access."""
    return lambda world: Asked(path=f"/console/emergency/{which(world)}/{what}/", body=form)


def _own(world: World) -> UUID:
    return _asked(world, by=Actor(kind="staff", id=str(world.owner.staff.id)))


def _twice(world: World) -> Asked:
    asked = on_tenant("delete")(world)
    tenant = UUID(asked.path.split("/")[3])
    ask_deletion(tenant=tenant, actor=SHELL, reason="a test", now=world.clock.now)
    return asked


def _reset_twice(world: World) -> Asked:
    asked = on_colleague("mfa-reset")(world)
    person = UUID(asked.path.split("/")[3])
    ask_mfa_reset(person=person, actor=SHELL, reason="a test", now=world.clock.now)
    return asked


def _invited(world: World) -> Asked:
    made = invites.invite(
        username=f"n{uuid4().hex[:8]}", role=Role.ANALYST, actor=SHELL, reason="a test",
        now=world.clock.now,
    )  # fmt: skip
    return Asked(path=f"/console/staff/{made.staff.id}/link/", body=REASON)


def _emergency_form(world: World, **changed: str) -> Asked:
    world.colleague(Role.OWNER)
    form = {
        **REASON, "tenant": str(world.fresh_tenant()[0]), "staff": str(world.other.staff.id),
        "minutes": "30", "ticket": "T-1", **changed,
    }  # fmt: skip
    return Asked(path="/console/emergency/ask/", body=form)


def _alarm(world: World) -> Asked:
    notice = notices.tell_everybody("a test", now=world.clock.now)
    return Asked(path=f"/console/notices/{notice.id}/seen/", body={})


PHRASE = {**REASON, "phrase": "approve"}
TWO_PEOPLE: dict[Door, Row] = {
    ("GET", "approvals"): page("/console/approvals/", "staff.read"),
    ("GET", "approve"): sight(on_pending("approve")),
    ("POST", "approve"): deed(
        "approval.given", on_pending("approve", _asked_emergency, PHRASE),
        also=("approval.carried_out", "break_glass.opened", "grant.opened"),
        conflict=on_pending("approve", _own, PHRASE), conflict_leaves="approval.given",
    ),
    ("GET", "approval_cancel"): sight(on_pending("cancel")),
    ("POST", "approval_cancel"): deed("approval.cancelled", on_pending("cancel", form=REASON)),
    ("GET", "tenant_delete"): sight(tenant_path("delete/")),
    ("POST", "tenant_delete"): deed("approval.asked", on_tenant("delete"), conflict=_twice),
    ("GET", "staff_mfa_reset"): sight(on_colleague("mfa-reset")),
    ("POST", "staff_mfa_reset"): deed(
        "approval.asked", on_colleague("mfa-reset"), conflict=_reset_twice
    ),
    ("GET", "staff_link"): sight(_invited),
    ("POST", "staff_link"): deed("staff.invited", _invited, conflict=on_colleague("link")),
    ("GET", "emergencies"): page("/console/emergency/", "staff.read"),
    ("GET", "emergency_ask"): page("/console/emergency/ask/", "staff.read"),
    ("POST", "emergency_ask"): deed(
        "approval.asked", _emergency_form,
        conflict=lambda world: _emergency_form(world, tenant="nobody.example"),
    ),
    ("GET", "emergency_close"): sight(on_emergency("close", _emergency)),
    ("POST", "emergency_close"): deed(
        "break_glass.closed", on_emergency("close", _emergency, **REASON), also=("grant.revoked",)
    ),
    ("GET", "emergency_review"): sight(on_emergency("review", _over)),
    ("POST", "emergency_review"): deed(
        "break_glass.reviewed", on_emergency("review", _over, **REASON),
        conflict=on_emergency("review", _emergency, **REASON),
    ),
    ("POST", "notice_seen"): Row(
        success="staff.notice_seen", denied="requests.denied", error="requests.failed",
        ask=_alarm,
        wrong=open_(f"/console/notices/{UUID(int=0)}/seen/", body={}),
    ),
}  # fmt: skip


# -- feeds and work


def _feed(world: World, **changed: object) -> Feed:
    now, name = world.clock.now, f"f{uuid4().hex}"
    terms = {"enabled": True, **changed}
    return Feed.objects.create(
        id=uuid7(now), name=name, source="plain_list", url="https://feeds.example.org/list",
        every=timedelta(hours=1), next_at=now + timedelta(hours=1), created_at=now, **terms,
    )  # fmt: skip


def on_feed(what: str, **changed: object) -> Callable[[World], Asked]:
    """Ask for a deed on a feed that was just added."""

    def ask(world: World) -> Asked:
        name = _feed(world, **changed).name
        return Asked(path=f"/console/feeds/{name}/{what}/", body={**REASON, "phrase": name})

    return ask


def _held(world: World) -> Asked:
    feed = _feed(world, state="held")
    FeedRelease.objects.create(
        id=uuid7(world.clock.now), feed=feed, fetched_at=world.clock.now, sha256=bytes(32), rows=9,
        counts={}, rejected={}, state="held",
    )  # fmt: skip
    return Asked(path=f"/console/feeds/{feed.name}/accept/", body={**REASON, "phrase": feed.name})


def _dead(world: World) -> Asked:
    now = world.clock.now
    work = Work.objects.create(
        id=uuid7(now), tenant_id=world.tenant, queue="ingest", state="dead", attempt=5,
        error="KeyUnavailable", due_at=now, created_at=now,
    )  # fmt: skip
    return Asked(path=f"/console/jobs/{work.id}/retry/", body=REASON)


RUNNING: dict[Door, Row] = {
    ("GET", "feed_switch"): sight(on_feed("switch")),
    ("POST", "feed_switch"): deed("feed.configured", on_feed("switch")),
    ("GET", "feed_refresh"): sight(on_feed("refresh")),
    ("POST", "feed_refresh"): deed(
        "feed.configured", on_feed("refresh"), conflict=on_feed("refresh", enabled=False)
    ),
    ("GET", "feed_accept"): sight(on_feed("accept")),
    ("POST", "feed_accept"): deed("feed.configured", _held, conflict=on_feed("accept")),
    ("GET", "work_retry"): sight(_dead),
    ("POST", "work_retry"): deed("work.retried", _dead),
}
DEEDS = {**GRANTS, **TWO_PEOPLE, **RUNNING}
"""Every page and form of these, by method and name."""
