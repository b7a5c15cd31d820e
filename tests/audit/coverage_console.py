"""The table of the console's pages and forms; see `tests.audit.coverage`."""

from collections.abc import Callable
from uuid import uuid4

from console import invites
from console.models import TOTPDevice
from crypto import otp
from tests.audit.coverage import DENIED, OK, PUBLIC, Asked, Door, Row, World, open_

OWN = "a person's own page, of nothing but their account"
PAINT = "how a page is painted, for nobody else"
LINK = "the link is the proof"
NO_FORM = "a form without what fills it"


def page(path: str, event: str | None, *, why: str = "") -> Row:
    """A page of the console: its sight is recorded before it is shown."""
    return Row(
        success=event, denied="requests.denied", error=None, why=why, ask=open_(path)
    )  # fmt: skip


def deed(
    event: str,
    ask: Callable[[World], Asked],
    *,
    also: tuple[str, ...] = (),
    conflict: Callable[[World], Asked] | None = None,
    conflict_leaves: str = "requests.failed",
) -> Row:
    """A form of the console: the deed is recorded; an empty form is one that makes no sense."""
    return Row(
        success=event, denied="requests.denied", error="requests.failed", ask=ask, also=also,
        wrong=lambda world: Asked(path=ask(world).path, body={}),
        conflict=conflict, conflict_leaves=conflict_leaves,
    )  # fmt: skip


def on_tenant(what: str, **form: str) -> Callable[[World], Asked]:
    """Ask for a deed on a tenant that was just made."""

    def ask(world: World) -> Asked:
        tenant, name = world.fresh_tenant()
        body = {"reason": "a test", "phrase": name, **form}
        return Asked(path=f"/console/tenants/{tenant}/{what}/", body=body)

    return ask


def _on_key(what: str, **form: str) -> Callable[[World], Asked]:
    def ask(world: World) -> Asked:
        path = world.live_key()
        body = {"reason": "a test", "phrase": path.rpartition("/")[2], **form}
        return Asked(path=f"{path}/{what}/", body=body)

    return ask


def on_colleague(what: str, **form: str) -> Callable[[World], Asked]:
    """Ask for a deed on somebody who was just given an account."""

    def ask(world: World) -> Asked:
        person, name = world.colleague()
        body = {"reason": "a test", "phrase": name, **form}
        return Asked(path=f"/console/staff/{person}/{what}/", body=body)

    return ask


def _on_the_last_owner(what: str, **form: str) -> Callable[[World], Asked]:
    def ask(world: World) -> Asked:
        owner = world.owner.staff
        body = {"reason": "a test", "phrase": owner.username, **form}
        return Asked(path=f"/console/staff/{owner.id}/{what}/", body=body)

    return ask


def _enrolled(world: World) -> Asked:
    form = {"step": "password", "password": "burrow-lantern-quiet-42"}
    form["again"] = form["password"]
    token = world.invitation()
    invites.set_password(token=token, password=form["password"], now=world.clock.now)
    waiting = invites.waiting(token=token, now=world.clock.now)
    assert waiting is not None
    device = TOTPDevice.objects.filter(confirmed=False).first()
    assert device is not None
    code = otp.totp(device.seed(), at=world.clock.now)
    return Asked(path=f"/console/invite/{token}/", body={"step": "confirm", "code": code})


def _password(world: World) -> Asked:
    world.clock.advance(seconds=30)
    body = {
        "password": world.owner.new.password, "code": world.owner.code(),
        "new": "burrow-lantern-quiet-42", "again": "burrow-lantern-quiet-42",
    }  # fmt: skip
    return Asked(path="/console/account/password/", body=body)


def _replaced(world: World) -> Asked:
    """Prove password and code, and confirm the new authenticator, which alone changes anything."""
    owner, path = world.owner, "/console/authenticator/"
    world.clock.advance(seconds=30)
    proof = {"step": "prove", "password": owner.new.password, "code": owner.code()}
    assert owner.browser.post(path, proof).status_code == OK
    waiting = TOTPDevice.objects.get(user=owner.staff, confirmed=False)
    code = otp.totp(waiting.seed(), at=world.clock.now)
    return Asked(path=path, body={"step": "confirm", "code": code})


def _step_up(world: World) -> Asked:
    world.clock.advance(seconds=30)
    return Asked(path="/console/verify/", body={"code": world.owner.code()})


def _sign_in(world: World) -> Asked:
    world.clock.advance(seconds=30)
    body = {
        "username": "owner", "password": world.owner.new.password, "code": world.owner.code(),
    }  # fmt: skip
    return Asked(path="/console/login/", body=body)


def tenant_path(what: str = "") -> Callable[[World], Asked]:
    """Ask for a page of the world's tenant."""
    return lambda world: Asked(path=f"/console/tenants/{world.tenant}/{what}")


def sight(ask: Callable[[World], Asked]) -> Row:
    """A page of something that is there; its sight is recorded before it is shown."""
    return Row(success="staff.read", denied="requests.denied", error=None, ask=ask)


def _entry(world: World) -> Asked:
    world.sequenced()
    return Asked(path="/console/audit/0/")


CONSOLE: dict[Door, Row] = {
    ("GET", "overview"): page("/console/", "staff.read"),
    ("GET", "tenants"): page("/console/tenants/", "staff.read"),
    ("GET", "tenant"): sight(tenant_path()),
    ("GET", "tenant_state"): sight(tenant_path("state/")),
    ("GET", "tenant_plan"): sight(tenant_path("plan/")),
    ("GET", "key_create"): sight(tenant_path("keys/new/")),
    ("GET", "key_rotate"): sight(lambda w: Asked(path=f"{w.live_key()}/rotate/")),
    ("GET", "key_revoke"): sight(lambda w: Asked(path=f"{w.live_key()}/revoke/")),
    ("GET", "live"): page("/console/live/", "staff.watched"),
    ("GET", "queues"): page("/console/jobs/live/", "staff.watched"),
    ("GET", "search"): page("/console/search/?q=first", "staff.read"),
    ("GET", "tenants_export"): page("/console/tenants/export/", "staff.read"),
    ("GET", "keys"): page("/console/keys/", "staff.read"),
    ("GET", "entry"): Row(
        success="audit.read", denied="requests.denied", error="audit.read", ask=_entry,
        wrong=open_("/console/audit/999999/"),
    ),
    ("GET", "feeds"): page("/console/feeds/", "staff.read"),
    ("GET", "jobs"): page("/console/jobs/", "staff.read"),
    ("GET", "staff"): page("/console/staff/", "staff.read"),
    ("GET", "staff_invite"): page("/console/staff/invite/", "staff.read"),
    ("GET", "staff_role"): sight(lambda w: Asked(path=f"/console/staff/{w.other.staff.id}/role/")),
    ("GET", "staff_disable"): sight(
        lambda w: Asked(path=f"/console/staff/{w.other.staff.id}/disable/")
    ),
    ("GET", "audit"): page("/console/audit/", "audit.read"),
    ("GET", "audit_export"): page("/console/audit/export/", "audit.exported"),
    ("GET", "system"): page("/console/system/", "staff.read"),
    ("GET", "account"): page("/console/account/", None, why=OWN),
    ("GET", "password"): page("/console/account/password/", None, why=OWN),
    ("GET", "recovery"): page("/console/account/recovery/", None, why=OWN),
    ("GET", "authenticator"): page("/console/authenticator/", None, why=OWN),
    ("GET", "verify"): page("/console/verify/", None, why=OWN),
    ("GET", "login"): Row(
        success=None, denied=None, error=None, why=PUBLIC, ask=open_("/console/login/")
    ),
    ("GET", "invite"): Row(
        success=None, denied=None, error="requests.failed", why=LINK,
        ask=lambda w: Asked(path=f"/console/invite/{w.invitation()}/"),
        wrong=open_("/console/invite/x/"),
    ),
    ("POST", "authenticator"): Row(
        success="staff.mfa_replaced", denied="requests.denied", error="requests.denied",
        ask=_replaced, wrong=open_("/console/authenticator/", body={}),
        instead={DENIED: open_("/console/authenticator/", body={})},
    ),
    ("POST", "invite"): Row(
        success="staff.enrolled", also=("staff.recovery_made",), denied=None,
        error="requests.failed",
        why=LINK, ask=_enrolled, wrong=open_("/console/invite/x/", body={}),
    ),
    ("POST", "login"): Row(
        success="staff.login", denied="staff.login_failed", error=None, why=NO_FORM, ask=_sign_in,
        instead={
            DENIED: open_("/console/login/", body={"username": "owner", "password": "x"})
        },
    ),
    ("POST", "logout"): Row(
        success="staff.logout", denied="requests.denied", error=None, why=NO_FORM,
        ask=open_("/console/logout/", body={}),
    ),
    ("POST", "verify"): Row(
        success="staff.stepped_up", denied="requests.denied", error="requests.denied",
        ask=_step_up, wrong=open_("/console/verify/", body={"code": "1"}),
    ),
    ("POST", "password"): Row(
        success="staff.password_changed", denied="requests.denied", error="requests.denied",
        ask=_password, wrong=open_("/console/account/password/", body={"new": "x", "again": "y"}),
    ),
    ("POST", "recovery"): Row(
        success="staff.recovery_made", denied="requests.denied", error=None, why=NO_FORM,
        ask=open_("/console/account/recovery/", body={}),
    ),
    ("POST", "theme"): Row(
        success=None, denied="requests.denied", error="requests.failed", why=PAINT,
        ask=open_("/console/account/theme/", body={"theme": "dark"}),
        wrong=open_("/console/account/theme/", body={"theme": "x"}),
    ),
    ("POST", "session_end"): Row(
        success="staff.session_ended", denied="requests.denied", error="requests.failed",
        ask=lambda w: Asked(path=f"/console/account/sessions/{w.session()}/end/", body={}),
        wrong=lambda _w: Asked(path=f"/console/account/sessions/{uuid4()}/end/", body={}),
    ),
    ("POST", "staff_invite"): deed(
        "staff.invited",
        lambda _w: Asked(
            path="/console/staff/invite/",
            body={"username": f"n{uuid4().hex[:8]}", "role": "analyst", "reason": "a test"},
        ),
        conflict=open_(
            "/console/staff/invite/",
            body={"username": "other", "role": "analyst", "reason": "a test"},
        ),
    ),
    ("POST", "staff_role"): deed(
        "staff.role_changed", on_colleague("role", role="auditor"),
        conflict=_on_the_last_owner("role", role="auditor"),
    ),
    ("POST", "staff_disable"): deed(
        "staff.disabled", on_colleague("disable"), conflict=_on_the_last_owner("disable")
    ),
    ("POST", "tenant_state"): deed("tenant.suspended", on_tenant("state")),
    ("POST", "tenant_plan"): deed("tenant.plan_changed", on_tenant("plan", plan="provisional")),
    ("POST", "key_create"): deed(
        "key.created", on_tenant("keys/new", scopes="alerts:read"),
        conflict=on_tenant("keys/new", scopes="alerts:read", networks="nowhere"),
    ),
    ("POST", "key_rotate"): deed(
        "key.rotated", _on_key("rotate", overlap="0"), also=("key.created",)
    ),
    ("POST", "key_revoke"): deed("key.revoked", _on_key("revoke")),
}  # fmt: skip
"""Every page and form of the console, by method and name."""
