"""A tenant may shorten how long its rows are kept; after a run nothing is older (PRIV-7)."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client

from analytics.actions import retention
from analytics.actions.retention import is_due, retain
from analytics.models import (
    Alert,
    AlertChange,
    DestinationSummary,
    EvaluationDay,
    IdentityRun,
    Segment,
    SourceSketch,
    Window,
)
from audit import feed
from crypto.ids import made_at
from tenants import holds, terms
from tenants.actions import create_key
from tenants.apikeys import Scope
from tenants.errors import UnfitTerms
from tenants.models import Tenant, UsageDay
from tenants.retention import CLASSES, Kept
from tenants.scope import tenant_scope
from tenants.terms import Terms
from tests.analytics.engine import Engine
from tests.rights.full import SHELL, make_full, sequence
from tests.tenants.doors import basic

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def ask(method: str, path: str, key: str, body: Any = None) -> Any:
    return Client().generic(
        method, path, b"" if body is None else json.dumps(body).encode(),
        content_type="application/json", HTTP_AUTHORIZATION=basic(key),
    )  # fmt: skip


def older(engine: Engine, own: Terms, *, now: datetime) -> dict[str, int]:
    """Count what is older than its class's limit, by the rows' own times."""
    series, alerts = now - own.series, now - own.alerts
    day = series.astimezone(UTC).date()
    with tenant_scope(engine.tenant):
        return {
            "segment": sum(made_at(row.id) < series for row in Segment.objects.all()),
            "identity_run": sum(
                made_at(row.id) < now - timedelta(hours=72) for row in IdentityRun.objects.all()
            ),
            "destination_summary": DestinationSummary.objects.filter(stored_at__lt=series).count(),
            "source_sketch": SourceSketch.objects.filter(day__lt=day).count(),
            "usage_day": UsageDay.objects.filter(day__lt=day).count(),
            "alert": Alert.objects.filter(opened_at__lt=alerts).count(),
            "alert_change": sum(made_at(row.id) < alerts for row in AlertChange.objects.all()),
            "series_window": Window.objects.filter(start__lt=series - timedelta(days=1)).count(),
            "evaluation_day": EvaluationDay.objects.filter(day__lt=day, dirty_since=None).count(),
        }


SHORT = Terms(series_days=7, alerts_days=30)


@pytest.mark.parametrize(
    ("own", "age"),
    [
        (Terms(), timedelta(days=90, minutes=1)),
        (Terms(), timedelta(days=400, minutes=1)),
        (SHORT, timedelta(days=7, minutes=1)),
        (SHORT, timedelta(days=30, minutes=1)),
    ],
)
def test_after_a_run_nothing_is_older_than_its_class(own: Terms, age: timedelta) -> None:
    engine = make_full()
    terms.change(tenant=engine.tenant, terms=own, actor=SHELL, now=engine.now)
    later = engine.now + age
    assert older(engine, own, now=later)["segment"] > 0
    deleted = retain(tenant=engine.tenant, now=later)
    assert deleted["series"] > 0
    left = older(engine, own, now=later)
    assert set(left.values()) == {0}, left


def test_what_is_within_its_term_stays() -> None:
    engine = make_full()
    terms.change(tenant=engine.tenant, terms=SHORT, actor=SHELL, now=engine.now)
    deleted = retain(tenant=engine.tenant, now=engine.now + timedelta(days=7, minutes=-1))
    assert deleted["series"] == deleted["alerts"] == 0
    assert engine.kept()


def test_the_run_is_proven_in_the_log() -> None:
    engine = make_full()
    later = engine.now + timedelta(days=91)
    assert is_due(tenant=engine.tenant, now=later)
    deleted = retain(tenant=engine.tenant, now=later)
    assert not is_due(tenant=engine.tenant, now=later)
    assert is_due(tenant=engine.tenant, now=later + timedelta(days=1))
    sequence()
    with tenant_scope(engine.tenant):
        page = feed.page(engine.tenant, place=0, limit=100, events={"retention.applied"})
    (entry,) = page.entries
    assert entry.content.detail["rows_series"] == deleted["series"] > 0
    assert entry.content.detail["series_before"] == (
        f"{later - timedelta(days=90):%Y-%m-%dT%H:%M:%SZ}"
    )


KILLED = """
import os, signal, sys, django
from datetime import datetime
from uuid import UUID
django.setup()
from django.conf import settings
from django.db import connections
for alias, name in {names!r}.items():
    connections[alias].settings_dict.update(
        HOST={host!r}, PORT={port!r}, USER="tawny_app", PASSWORD={password!r}, NAME=name)
from analytics.actions import retention
retention.BATCH = 1
real, batches = retention._in_batches, []
def dying(tenant, some):
    def one():
        batches.append(1)
        if len(batches) > {batches}:
            os.kill(os.getpid(), signal.SIGKILL)  # in the middle of a transaction
        return some()
    return real(tenant, one)
retention._in_batches = dying
retention.retain(tenant=UUID({tenant!r}), now=datetime.fromisoformat({now!r}))
"""


@pytest.mark.parametrize("batches", [3, 8])
def test_a_run_that_was_killed_goes_on_where_it_was(batches: int, servers: Any) -> None:
    from django.conf import settings  # noqa: PLC0415 -- names of this run's databases
    from django.db import connections  # noqa: PLC0415 -- see above

    engine = make_full()
    later = engine.now + timedelta(days=401)
    before = engine.kept()
    code = KILLED.format(
        names={alias: connections[alias].settings_dict["NAME"] for alias in settings.DATABASES},
        host=str(servers.socket_dir), port=servers.port,
        password=servers.passwords["tawny_app"], batches=batches,
        tenant=str(engine.tenant), now=later.isoformat(),
    )  # fmt: skip
    ended = subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False)
    assert ended.returncode == -signal.SIGKILL
    assert before
    assert is_due(tenant=engine.tenant, now=later)
    with tenant_scope(engine.tenant):  # a killed batch left nothing half done
        for window in Window.objects.all():
            rows = Segment.objects.filter(
                kind=window.kind, shard=window.shard, start=window.start
            ).values_list("rows", flat=True)
            assert window.events == sum(rows)
    retain(tenant=engine.tenant, now=later)
    assert set(older(engine, Terms(), now=later).values()) == {0}
    assert not is_due(tenant=engine.tenant, now=later)


def test_batches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make_full()
    monkeypatch.setattr(retention, "BATCH", 1)
    deleted = retain(tenant=engine.tenant, now=engine.now + timedelta(days=401))
    assert deleted["series"] > 1
    assert set(older(engine, Terms(), now=engine.now + timedelta(days=401)).values()) == {0}


def test_a_key_reads_and_sets_the_terms(tenant: tuple[UUID, str]) -> None:
    path = "/v1/account/retention"
    before = ask("GET", path, tenant[1]).json()
    assert (before["seriesDays"], before["alertsDays"], before["held"]) == (90, 400, False)
    wanted = {"seriesDays": 30, "alertsDays": 200}
    answer = ask("PUT", path, tenant[1], wanted)
    assert answer.status_code == 200
    assert ask("GET", path, tenant[1]).json() == {**before, **wanted} == answer.json()
    assert terms.of_tenant(tenant[0]) == Terms(series_days=30, alerts_days=200)
    assert ask("PUT", path, tenant[1], {"seriesDays": 90, "alertsDays": 400}).status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"seriesDays": 6, "alertsDays": 200}, "from 7 to 90"),
        ({"seriesDays": 91, "alertsDays": 200}, "from 7 to 90"),
        ({"seriesDays": 30, "alertsDays": 29}, "from 30 to 400"),
        ({"seriesDays": 30, "alertsDays": 401}, "from 30 to 400"),
        ({"seriesDays": 60, "alertsDays": 40}, "at least seriesDays"),
        ({"seriesDays": 30}, "seriesDays and alertsDays"),
        ({"seriesDays": 30, "alertsDays": 40, "x": 1}, "no other"),
        ({"seriesDays": True, "alertsDays": 40}, "whole number"),
        ({"seriesDays": 30.0, "alertsDays": 40}, "whole number"),
        ({"seriesDays": "30", "alertsDays": 40}, "whole number"),
        ([], ""),
    ],
)
def test_what_cannot_be_is_refused_and_says_the_limits(
    tenant: tuple[UUID, str], body: Any, words: str
) -> None:
    answer = ask("PUT", "/v1/account/retention", tenant[1], body)
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert terms.of_tenant(tenant[0]) == Terms()


def test_a_key_without_the_scope_may_not(tenant: tuple[UUID, str], now: datetime) -> None:
    key = create_key(
        tenant=Tenant.objects.get(id=tenant[0]), label="", scopes=[Scope.ALERTS, Scope.ACCOUNT],
        actor=SHELL, reason="t", now=now,
    )  # fmt: skip
    for path in ("/v1/account/retention", "/v1/account/research"):
        for method in ("GET", "PUT"):
            assert ask(method, path, key, {}).status_code == 403


def test_a_held_tenant_reads_that_it_is(tenant: tuple[UUID, str], now: datetime) -> None:
    holds.place(tenant=tenant[0], actor=SHELL, reason="x", now=now)
    assert ask("GET", "/v1/account/retention", tenant[1]).json()["held"] is True


def test_the_command_shows_and_shortens(tenant: tuple[UUID, str]) -> None:
    def run(*arguments: str) -> Any:
        out = StringIO()
        call_command("tenant", "retention", str(tenant[0]), *arguments, "--json", stdout=out)
        return json.loads(out.getvalue().splitlines()[-1])

    assert run()["seriesDays"] == 90
    assert run("--series", "14", "--reason", "asked") == {
        "tenant": str(tenant[0]), "seriesDays": 14, "alertsDays": 400, "changed": True,
        "held": False,
    }  # fmt: skip
    for wrong in (("--series", "6", "--reason", "x"), ("--alerts", "60")):
        with pytest.raises(CommandError):
            call_command("tenant", "retention", str(tenant[0]), *wrong)
    with pytest.raises(UnfitTerms):
        terms.change(tenant=UUID(int=9), terms=SHORT, actor=SHELL, now=datetime.now(UTC))


def _tables() -> Iterator[str]:
    for model in apps.get_models():
        yield model._meta.db_table


def test_every_table_has_a_retention_class() -> None:
    assert set(_tables()) - CLASSES.keys() == set()


def test_a_table_without_a_class_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(dict_of(CLASSES), "segment")
    assert set(_tables()) - CLASSES.keys() == {"segment"}


def dict_of(mapping: Any) -> dict[str, Kept]:
    found: dict[str, Kept] = mapping
    return found


def test_the_classes_of_days_are_those_that_a_run_takes(
    as_owner: Callable[..., Any],
) -> None:
    engine = make_full()
    retain(tenant=engine.tenant, now=engine.now + timedelta(days=402))
    of_days = {name for name, kept in CLASSES.items() if kept.is_counted}
    with as_owner() as session:
        for name in sorted(of_days):
            found = session.execute(f"SELECT count(*) FROM {name}").fetchone()  # noqa: S608 -- ours
            assert found == (0,), name
