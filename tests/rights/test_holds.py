"""While a legal hold stands nothing of the tenant ends, by any path; everybody else's goes on."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.template.loader import render_to_string

from analytics.actions.retention import retain, tend_partitions
from analytics.models import Alert, IdentityRun, InboxPart, Segment
from tenants import holds
from tenants.actions import delete_tenant
from tenants.actions.deletion import destroy_keys
from tenants.errors import Held, UnfitTerms
from tenants.models import LegalHold, Tenant, TenantKey, TenantState, Work
from tenants.scope import tenant_scope
from tests.analytics.engine import Engine
from tests.rights.full import SHELL, make_full, tables_with_rows

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
YEARS = timedelta(days=1000)


@pytest.fixture
def engine() -> Engine:
    return make_full("held.example")


def held(engine: Engine) -> UUID:
    return holds.place(
        tenant=engine.tenant, actor=SHELL, reason="a court asked", ticket="L-1", now=engine.now
    )


def rows(as_owner: Callable[..., Any], tenant: UUID) -> dict[str, int]:
    with as_owner() as session:
        counts = dict(tables_with_rows(session, tenant))
    return {name: count for name, count in counts.items() if name != "legal_hold"}


def test_retention_takes_nothing_of_a_held_tenant_and_all_of_its_neighbour(
    engine: Engine, as_owner: Callable[..., Any]
) -> None:
    neighbour = make_full("free.example")
    held(engine)
    before = rows(as_owner, engine.tenant)
    later = engine.now + YEARS
    for each in (engine, neighbour):
        retain(tenant=each.tenant, now=later)
    assert rows(as_owner, engine.tenant) == before
    assert all(before[name] for name in ("segment", "inbox_part", "identity_run", "alert", "work"))
    with tenant_scope(neighbour.tenant):
        left = [model.objects.count() for model in (Segment, InboxPart, IdentityRun, Alert)]
    assert left == [0, 0, 0, 0]


def test_a_partition_goes_with_its_last_row_and_not_before(
    engine: Engine, as_owner: Callable[..., Any]
) -> None:
    def partitions() -> int:
        with as_owner() as session:
            found = session.execute(
                "SELECT count(*) FROM pg_class WHERE relname ~ '^segment_2020' AND relkind = 'r'"
            ).fetchone()
        count: int = found[0]
        return count

    with as_owner() as session:
        session.execute("SELECT series_partitions(DATE '2020-01-01', 2)")
        session.execute(
            "INSERT INTO segment SELECT tenant_id, series_first_id(DATE '2020-01-02'), kind,"
            " shard, start, schema, rows, sealed FROM segment LIMIT 1"
        )
    hold = held(engine)
    retain(tenant=engine.tenant, now=engine.now)
    tend_partitions(now=engine.now)
    assert partitions() == 1
    holds.release(tenant=engine.tenant, hold=hold, actor=SHELL, reason="over", now=engine.now)
    retain(tenant=engine.tenant, now=engine.now)
    tend_partitions(now=engine.now)
    assert partitions() == 0


def test_a_long_reader_such_as_an_export_delays_partitions_and_nothing_else(
    engine: Engine, as_owner: Callable[..., Any]
) -> None:
    with as_owner() as session:
        session.execute("SELECT series_partitions(DATE '2020-01-01', 1)")
        with session.transaction():
            session.execute("SELECT count(*) FROM segment")
            assert tend_partitions(now=engine.now + timedelta(days=30)) == (0, 0)
            assert retain(tenant=engine.tenant, now=engine.now + YEARS)["series"] > 0
        made, dropped = tend_partitions(now=engine.now)
    assert dropped >= 1
    assert made >= 0


@pytest.mark.parametrize("deed", [delete_tenant, destroy_keys])
def test_neither_deletion_nor_destruction_of_keys_happens(
    engine: Engine, as_owner: Callable[..., Any], deed: Callable[..., Any]
) -> None:
    held(engine)
    before = rows(as_owner, engine.tenant)
    with pytest.raises(Held):
        deed(tenant=engine.tenant, actor=SHELL, reason="asked", now=engine.now)
    assert rows(as_owner, engine.tenant) == before
    with tenant_scope(engine.tenant, using="keys"):
        assert not TenantKey.objects.exclude(destroyed_at=None).exists()
    assert Tenant.objects.get(id=engine.tenant).state == TenantState.ACTIVE
    assert engine.kept()


def test_a_path_that_forgot_to_ask_deletes_nothing(engine: Engine) -> None:
    held(engine)
    with tenant_scope(engine.tenant):
        for model in (Segment, InboxPart, Alert, LegalHold):
            assert model.objects.exists()
            assert model.objects.all().delete()[0] == 0
            assert model.objects.exists()


def test_every_kind_of_row_that_a_tenant_could_miss_is_held_by_the_database(
    as_owner: Callable[..., Any],
) -> None:
    with as_owner() as session:
        found = session.execute(
            "SELECT tablename FROM pg_policies WHERE permissive = 'RESTRICTIVE'"
            " AND policyname LIKE '%\\_held'"
        ).fetchall()
    assert {name for (name,) in found} == {
        "segment", "inbox_part", "destination_summary", "destination_day", "alert",
        "alert_change", "ignored_fields", "source_sketch", "monitoring_groups", "member",
        "usage_day", "data_key",
    }  # fmt: skip


def test_released_the_terms_hold_again(engine: Engine) -> None:
    first, second = held(engine), held(engine)
    # placed in one moment, they stand in the order of their ids, which are random within it
    assert [each.id for each in holds.standing(engine.tenant)] == sorted([first, second])
    assert holds.release(
        tenant=engine.tenant, hold=first, actor=SHELL, reason="over", now=engine.now
    ) == [first]
    assert holds.is_held(engine.tenant)
    assert retain(tenant=engine.tenant, now=engine.now + YEARS) == {}
    holds.release(tenant=engine.tenant, actor=SHELL, reason="over", now=engine.now)
    assert retain(tenant=engine.tenant, now=engine.now + YEARS)["series"] > 0
    delete_tenant(tenant=engine.tenant, actor=SHELL, reason="asked", now=engine.now)
    with pytest.raises(UnfitTerms):
        held(engine)


def test_a_hold_that_comes_in_the_middle_of_a_run_stops_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from analytics.actions import retention  # noqa: PLC0415 -- its own name is patched

    real, seen = retention._forget_series, []

    def first_a_hold(tenant: UUID, limit: Any) -> int:
        held(engine)
        seen.append(limit)
        return real(tenant, limit)

    monkeypatch.setattr(retention, "_forget_series", first_a_hold)
    deleted = retain(tenant=engine.tenant, now=engine.now + YEARS)
    assert seen
    assert deleted["series"] == deleted["alerts"] == deleted["changes"] == 0
    assert engine.kept()
    assert Work.objects.filter(tenant_id=engine.tenant).exists() is False


def test_a_hold_says_why(engine: Engine) -> None:
    for reason, ticket in (("", ""), ("  ", ""), ("x" * 1025, ""), ("x", "y" * 101)):
        with pytest.raises(UnfitTerms):
            holds.place(
                tenant=engine.tenant, actor=SHELL, reason=reason, ticket=ticket, now=engine.now
            )
    with pytest.raises(CommandError, match="--reason"):
        call_command("tenant", "hold", "held.example")


@pytest.mark.usefixtures("engine")
def test_the_command_places_lists_and_releases() -> None:
    def run(*arguments: str) -> Any:
        out = StringIO()
        call_command("tenant", *arguments, "--json", stdout=out)
        return json.loads(out.getvalue().splitlines()[-1])

    made = run("hold", "held.example", "--reason", "a court asked", "--ticket", "L-1")
    (listed,) = run("holds", "held.example")
    assert listed["hold"] == made["hold"]
    assert (listed["ticket"], listed["reason"]) == ("L-1", "a court asked")
    with pytest.raises(CommandError, match="legal hold"):
        call_command("tenant", "delete", "held.example", "--confirm", "held.example",
                     "--reason", "asked")  # fmt: skip
    assert run("release", "held.example", "--reason", "over")["released"] == [made["hold"]]
    assert run("holds", "held.example") == []


def test_the_consoles_page_says_that_a_tenant_is_held(engine: Engine) -> None:
    assert "Legal hold" not in render_to_string(
        "tenants/hold.html", {"holds": holds.standing(engine.tenant)}
    )
    held(engine)
    page = render_to_string("tenants/hold.html", {"holds": holds.standing(engine.tenant)})
    assert "Legal hold" in page
    assert "a court asked" in page
    assert "L-1" in page
