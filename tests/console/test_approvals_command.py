"""``manage.py approvals`` and ``break-glass``, and what ``tenant delete`` asks."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from console.models import Role, TOTPDevice
from tenants import approvals
from tenants.actions import create_tenant
from tenants.models import BreakGlass, Pending, Tenant
from tests.console.emergencies import Grants, granting
from tests.console.people import SHELL, Clock, Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

WHY = ("--reason", "contract ended")


@pytest.fixture
def acme(clock: Clock) -> Tenant:
    return create_tenant(name="Acme", actor=SHELL, reason="test", now=clock.now).tenant


@pytest.fixture
def grants() -> Iterator[Grants]:
    with granting() as door:
        yield door


def run(command: str, *arguments: str) -> Any:
    out = io.StringIO()
    call_command(command, *arguments, "--json", stdout=out)
    return json.loads(out.getvalue().splitlines()[-1])


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_a_deletion_from_the_shell_waits_for_an_owner_who_proves_themselves(
    person: Callable[..., Person], acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, bea = person("ana"), person("bea")
    asked = run("tenant", "delete", "Acme", "--confirm", "Acme", *WHY)
    assert asked["tenant"] == str(acme.id)
    assert asked["takes_effect"] == "when another owner approves"
    assert asked["to_cancel"].startswith(f"manage.py approvals cancel {asked['approval']}")
    (listed,) = run("approvals", "list")
    assert (listed["what"], listed["state"]) == ("Delete the tenant Acme", "pending")
    assert run("approvals", "show", asked["approval"]) == listed
    for lines in ((ana.new.password, "000000"), ("wrong", bea.code())):
        typed(monkeypatch, *lines)
        with pytest.raises(CommandError, match="not right"):
            run("approvals", "approve", asked["approval"], "--as", "ana")
    assert len(deeds("staff.login_failed")) == 2
    typed(monkeypatch, bea.new.password, bea.code())
    given = run("approvals", "approve", asked["approval"], "--as", "bea")
    assert (given["state"], given["approved_by"]) == ("approved", "bea")
    assert run("approvals", "carry-out") == {"ended": 1}
    assert Tenant.objects.get(id=acme.id).state == "deleted"
    assert run("approvals", "list") == []
    (over,) = run("approvals", "list", "--all")
    assert (over["state"], len(over["outcome"]["digest_wrap"])) == ("done", 64)


def test_the_shell_cancels_and_who_is_no_owner_does_not_approve(
    person: Callable[..., Person], acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    person("ana"), person("bea")
    cy = person("cy", Role.OPERATOR)
    asked = run("tenant", "delete", str(acme.id), "--confirm", "Acme", *WHY)
    typed(monkeypatch, cy.new.password, cy.code())
    with pytest.raises(CommandError, match="no second person"):
        run("approvals", "approve", asked["approval"], "--as", "cy")
    stopped = run("approvals", "cancel", asked["approval"], "--reason", "wrong tenant")
    assert (stopped["state"], stopped["why"]) == ("cancelled", "wrong tenant")
    with pytest.raises(CommandError, match="cancelled already"):
        run("approvals", "cancel", asked["approval"], "--reason", "again")
    assert Tenant.objects.get(id=acme.id).state == "active"


def test_with_one_owner_the_shell_is_told_when_it_takes_effect(
    person: Callable[..., Person], acme: Tenant, clock: Clock
) -> None:
    person("ana")
    asked = run("tenant", "delete", "Acme", "--confirm", "Acme", *WHY)
    assert asked["takes_effect"] == "2026-03-03 09:00:05+00:00"
    assert run("approvals", "carry-out") == {"ended": 0}
    clock.advance(hours=24)
    assert run("approvals", "carry-out") == {"ended": 1}
    assert Tenant.objects.get(id=acme.id).state == "deleted"


def test_the_only_owner_who_lost_everything_is_reset_from_the_shell_after_a_day(
    person: Callable[..., Person], clock: Clock
) -> None:
    ana = person("ana")
    asked = run("approvals", "mfa-reset", "ana", "--reason", "phone lost")
    with pytest.raises(CommandError, match="are enrolled"):
        run("approvals", "link", "ana", "--reason", "phone lost")
    clock.advance(hours=24)
    assert approvals.carry_out_due(now=clock.now) == 1
    assert not TOTPDevice.objects.filter(user=ana.staff).exists()
    made = run("approvals", "link", "ana", "--reason", "phone lost")
    assert "/console/invite/" in made["link"]
    assert Pending.objects.get(pk=asked["approval"]).state == "done"


def test_emergency_access_from_the_shell(
    person: Callable[..., Person],
    acme: Tenant,
    clock: Clock,
    grants: Grants,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ana, bea = person("ana"), person("bea")
    terms = ("--staff", "ana", "--ticket", "T-1", "--reason", "beacons")
    with pytest.raises(CommandError, match="1 to 30"):
        run("break-glass", "open", "Acme", *terms, "--minutes", "31")
    asked = run("break-glass", "open", "Acme", *terms, "--minutes", "10")
    assert asked["what"] == "Emergency access of ana to Acme for 10 minutes (T-1)"
    typed(monkeypatch, bea.new.password, bea.code())
    assert run("approvals", "approve", asked["approval"], "--as", "bea")["state"] == "done"
    (row,) = run("break-glass", "list")
    assert (row["staff"], row["approved_by"]) == ("ana", "bea")
    assert (grants.opened[0].staff, grants.opened[0].tenant) == (ana.staff.id, acme.id)
    run("break-glass", "close", row["emergency"], "--reason", "over")
    clock.advance(seconds=30)
    review = ("break-glass", "review", row["emergency"], "--reason", "nothing odd", "--as")
    typed(monkeypatch, ana.new.password, ana.code())
    with pytest.raises(CommandError, match="not the one who had"):
        run(*review, "ana")
    typed(monkeypatch, bea.new.password, bea.code())
    reviewed = run(*review, "bea")
    assert reviewed["review_until"] is None
    assert run("break-glass", "list") == []
    assert BreakGlass.objects.get().review == "nothing odd"
