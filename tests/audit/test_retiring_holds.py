"""While a legal hold stands on a tenant, no epoch with an entry of it is taken away."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import transaction

from audit import holding
from audit.errors import NotTheOwner, UnderHold
from audit.retiring import RETENTION, Swept
from tenants import holds
from tenants.actions import create_tenant
from tenants.holds import held_among
from tests.audit.conftest import STAFF, Clock
from tests.audit.test_retiring import (  # noqa: F401 -- its fixtures: a log in epochs of 512
    SIZE,
    _deployment,
    as_role,
    grow,
    small_epochs,
    sweep,
)

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def other_tenant(now: datetime) -> UUID:
    return create_tenant(name="other.example", actor=STAFF, reason="test", now=now).tenant.id


@pytest.fixture
def old_log(
    tenant: tuple[UUID, str],
    deed: Callable[..., UUID],
    grow: Callable[[int], list[str]],  # noqa: F811 -- the fixture
    clock: Clock,
) -> UUID:
    """Two epochs, the first of them whole and too old, with one entry of the tenant."""
    deed(tenant=tenant[0])
    grow(SIZE + 40)
    clock.move(days=RETENTION.days + 1)
    return tenant[0]


def test_an_epoch_with_an_entry_of_a_held_tenant_stays_until_the_hold_is_released(
    old_log: UUID,
    sweep: Callable[..., Swept],  # noqa: F811 -- the fixture
    clock: Clock,
) -> None:
    hold = holds.place(tenant=old_log, actor=STAFF, reason="a court asked", now=clock())
    with pytest.raises(UnderHold, match=f"the first {old_log}"):
        sweep()
    holds.release(tenant=old_log, actor=STAFF, reason="it is over", now=clock(), hold=hold)
    assert [each.stop for each in sweep().epochs] == [SIZE]


@pytest.mark.usefixtures("old_log")
def test_a_hold_on_a_tenant_without_an_entry_in_it_keeps_no_epoch(
    other_tenant: UUID,
    sweep: Callable[..., Swept],  # noqa: F811 -- the fixture
    clock: Clock,
) -> None:
    holds.place(tenant=other_tenant, actor=STAFF, reason="a court asked", now=clock())
    assert [each.stop for each in sweep().epochs] == [SIZE]


def test_the_command_says_so_and_exits_with_one(
    old_log: UUID,
    as_role: Callable[[str], None],  # noqa: F811 -- the fixture
    clock: Clock,
) -> None:
    holds.place(tenant=old_log, actor=STAFF, reason="a court asked", now=clock())
    with time_machine.travel(clock() + timedelta(days=1), tick=False):
        as_role("tawny_owner")
        with pytest.raises(CommandError, match="under a legal hold") as refused:
            call_command("audit", "retire")
    assert refused.value.returncode == 1


@pytest.mark.usefixtures("old_log")
def test_where_nobody_knows_of_holds_nothing_goes(
    sweep: Callable[..., Swept],  # noqa: F811 -- the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(holding, "_asked", {})
    with pytest.raises(UnderHold, match="nothing here knows"):
        sweep()


def test_the_serving_role_is_not_told_that_nobody_is_held(tenant: tuple[UUID, str]) -> None:
    with pytest.raises(NotTheOwner):
        held_among([tenant[0]])


def test_no_hold_is_placed_while_an_epoch_goes(
    tenant: tuple[UUID, str],
    as_role: Callable[[str], None],  # noqa: F811 -- the fixture
    as_owner: Callable[..., Any],
) -> None:
    as_role("tawny_owner")
    with transaction.atomic():
        assert held_among([tenant[0]]) == set()
        with as_owner() as session:
            session.execute("SET lock_timeout = '100ms'")
            with pytest.raises(Exception, match="lock timeout"):
                session.execute("UPDATE legal_hold SET reason = reason")
