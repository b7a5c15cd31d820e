"""The table of the console's pages and forms; see `tests.audit.coverage`."""

from collections.abc import Callable
from uuid import uuid4

from console import invites
from console.models import TOTPDevice
from crypto import otp
from tests.audit.coverage import DENIED, PUBLIC, Asked, Door, Row, World, open_

OWN = "a person's own page, of nothing but their account"
PAINT = "how a page is painted, for nobody else"
LINK = "the link is the proof"
NO_FORM = "a form without what fills it"


def page(path: str, event: str | None, *, why: str = "") -> Row:
    """A page of the console: its sight is recorded before it is shown."""
    return Row(
        success=event, denied="requests.denied", error=None, why=why, ask=open_(path)
    )  # fmt: skip


def deed(event: str, ask: Callable[[World], Asked], *, also: tuple[str, ...] = ()) -> Row:
    """A form of the console: the deed is recorded; an empty form is one that makes no sense."""
    return Row(
        success=event, denied="requests.denied", error="requests.failed", ask=ask, also=also,
        wrong=lambda world: Asked(path=ask(world).path, body={}),
    )  # fmt: skip


def _on_tenant(what: str, **form: str) -> Callable[[World], Asked]:
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


def _on_colleague(what: str, **form: str) -> Callable[[World], Asked]:
    def ask(world: World) -> Asked:
        person, name = world.colleague()
        body = {"reason": "a test", "phrase": name, **form}
        return Asked(path=f"/console/staff/{person}/{what}/", body=body)

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


def _step_up(world: World) -> Asked:
    world.clock.advance(seconds=30)
    return Asked(path="/console/verify/", body={"code": world.owner.code()})


def _sign_in(world: World) -> Asked:
    world.clock.advance(seconds=30)
    body = {
        "username": "owner", "password": world.owner.new.password, "code": world.owner.code(),
    }  # fmt: skip
    return Asked(path="/console/login/", body=body)


def _tenant_path(what: str = "") -> Callable[[World], Asked]:
    return lambda world: Asked(path=f"/console/tenants/{world.tenant}/{what}")


def _read(ask: Callable[[World], Asked]) -> Row:
    return Row(success="staff.read", denied="requests.denied", error=None, ask=ask)


CONSOLE: dict[Door, Row] = {
    ("GET", "overview"): page("/console/", "staff.read"),
    ("GET", "tenants"): page("/console/tenants/", "staff.read"),
    ("GET", "tenant"): _read(_tenant_path()),
    ("GET", "tenant_state"): _read(_tenant_path("state/")),
    ("GET", "tenant_plan"): _read(_tenant_path("plan/")),
    ("GET", "key_create"): _read(_tenant_path("keys/new/")),
    ("GET", "key_rotate"): _read(lambda w: Asked(path=f"{w.live_key()}/rotate/")),
    ("GET", "key_revoke"): _read(lambda w: Asked(path=f"{w.live_key()}/revoke/")),
    ("GET", "feeds"): page("/console/feeds/", "staff.read"),
    ("GET", "jobs"): page("/console/jobs/", "staff.read"),
    ("GET", "staff"): page("/console/staff/", "staff.read"),
    ("GET", "staff_invite"): page("/console/staff/invite/", "staff.read"),
    ("GET", "staff_role"): _read(lambda w: Asked(path=f"/console/staff/{w.other.staff.id}/role/")),
    ("GET", "staff_disable"): _read(
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
    ),
    ("POST", "staff_role"): deed("staff.role_changed", _on_colleague("role", role="auditor")),
    ("POST", "staff_disable"): deed("staff.disabled", _on_colleague("disable")),
    ("POST", "tenant_state"): deed("tenant.suspended", _on_tenant("state")),
    ("POST", "tenant_plan"): deed("tenant.plan_changed", _on_tenant("plan", plan="provisional")),
    ("POST", "key_create"): deed("key.created", _on_tenant("keys/new", scopes="alerts:read")),
    ("POST", "key_rotate"): deed(
        "key.rotated", _on_key("rotate", overlap="0"), also=("key.created",)
    ),
    ("POST", "key_revoke"): deed("key.revoked", _on_key("revoke")),
}  # fmt: skip
"""Every page and form of the console, by method and name."""
ELSEWHERE = {("POST", "authenticator"): "its two steps are in tests/console/test_authenticators.py"}
"""Forms that one request cannot carry out: where each is driven instead."""
