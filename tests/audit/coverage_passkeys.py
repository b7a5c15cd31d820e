"""The table of passkeys: pages, and what a script asks for; see `tests.audit.coverage`."""

import json
from collections.abc import Callable
from typing import Any

from console.models import Staff
from tests.audit.coverage import DENIED, OK, Asked, Door, Row, World, open_
from tests.audit.coverage_console import NO_FORM, OWN, deed
from tests.console.authenticator import Authenticator, Enrolled

ADD, VERIFY = "/console/account/passkeys/new/", "/console/verify/passkey/"
LOGIN = "/console/login/passkey/"
CHALLENGE = "a challenge is worth nothing until it is answered, and the answer is recorded"
NAME = "a name that the session keeps for a passkey that is recorded once it is made"


def _laptop() -> Authenticator:
    return Authenticator.at("localhost")


def _enrolled(world: World) -> Enrolled:
    return _laptop().enrolled(world.signed_in())


def _options(browser: Any, path: str) -> dict[str, Any]:
    answer = browser.post(path)
    assert answer.status_code == OK, answer.content
    found: dict[str, Any] = answer.json()
    return found


def _named(world: World) -> None:
    answer = world.signed_in().browser.post(ADD, {"name": "laptop"})
    assert answer.status_code == OK


def _add_begin(world: World) -> Asked:
    _named(world)
    return Asked(path=f"{ADD}begin/", body={})


def _added(world: World) -> Asked:
    _named(world)
    made = _laptop().made(_options(world.owner.browser, f"{ADD}begin/"))
    return Asked(path=f"{ADD}complete/", body=json.dumps(made).encode())


def _proved(world: World) -> Asked:
    held = _enrolled(world)
    signed = held.authenticator.signed(_options(world.owner.browser, f"{VERIFY}begin/"))
    return Asked(path=f"{VERIFY}complete/", body=json.dumps(signed).encode())


def _half_way(world: World) -> None:
    """Send name and password alone, in the browser of somebody who is nobody yet."""
    form = {"username": "owner", "password": world.owner.new.password, "with": "passkey"}
    assert world.stranger.post("/console/login/", form).status_code == OK


def _login_begin(world: World) -> Asked:
    _half_way(world)
    return Asked(path=f"{LOGIN}begin/", body={})


def _signed_in(of: Callable[[World], Authenticator]) -> Callable[[World], Asked]:
    def ask(world: World) -> Asked:
        authenticator = of(world)
        _half_way(world)
        signed = authenticator.signed(_options(world.stranger, f"{LOGIN}begin/"))
        return Asked(path=f"{LOGIN}complete/", body=json.dumps(signed).encode())

    return ask


def _changed(world: World) -> Asked:
    Staff.objects.filter(pk=world.owner.staff.pk).update(passkeys_changed_at=world.clock.now)
    return Asked(path="/console/account/passkeys/seen/", body={})


def _removed(world: World) -> Asked:
    number = _enrolled(world).passkey.pk
    return Asked(path=f"/console/account/passkeys/{number}/remove/", body={"reason": "a test"})


def _scripted(
    success: str | None, where: str, ask: Callable[[World], Asked], *, why: str = ""
) -> Row:
    """What a script asks for; nobody known and an answer to nothing are refused alike."""
    return Row(
        success=success, denied="requests.denied", error="requests.denied", why=why, ask=ask,
        wrong=open_(where, body=b"{}"), instead={DENIED: open_(where, body=b"{}")},
    )  # fmt: skip


PASSKEYS: dict[Door, Row] = {
    ("GET", "passkey_new"): Row(
        success=None, denied="requests.denied", error=None, why=OWN, ask=open_(ADD)
    ),
    ("POST", "passkey_new"): Row(
        success=None, denied="requests.denied", error="requests.failed", why=NAME,
        ask=open_(ADD, body={"name": "laptop"}), wrong=open_(ADD, body={"name": ""}),
    ),
    ("POST", "passkey_add_begin"): _scripted(None, f"{ADD}begin/", _add_begin, why=CHALLENGE),
    ("POST", "passkey_add_complete"): _scripted("staff.passkey_added", f"{ADD}complete/", _added),
    ("POST", "passkey_verify_begin"): Row(
        success=None, denied="requests.denied", error=None, why=f"{CHALLENGE}; {NO_FORM}",
        ask=open_(f"{VERIFY}begin/", body={}),
    ),
    ("POST", "passkey_verify_complete"): _scripted(
        "staff.stepped_up", f"{VERIFY}complete/", _proved
    ),
    ("POST", "passkey_login_begin"): _scripted(
        None, f"{LOGIN}begin/", _login_begin, why=CHALLENGE
    ),
    ("POST", "passkey_login_end"): Row(
        success="staff.login", denied="staff.login_failed", error="requests.denied",
        ask=_signed_in(lambda world: _enrolled(world).authenticator),
        wrong=open_(f"{LOGIN}complete/", body=b"{}"),
        instead={DENIED: _signed_in(lambda _world: _laptop())},
    ),
    ("GET", "passkey_remove"): Row(
        success=None, denied="requests.denied", error=None, why=OWN, ask=_removed
    ),
    ("POST", "passkey_remove"): deed("staff.passkey_removed", _removed),
    ("POST", "passkeys_seen"): Row(
        success="staff.notice_seen", denied="requests.denied", error=None, why=NO_FORM,
        ask=_changed,
    ),
}  # fmt: skip
"""Every page and form of passkeys, by method and name."""
