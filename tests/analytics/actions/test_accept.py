"""Accepting: a request is sealed and committed whole, or not at all."""

import pytest
from django.db import DatabaseError, connection

from analytics.actions import accept
from analytics.actions.accept import accept_request, is_overloaded, seal_request
from analytics.ingest import bodies, parts
from analytics.ingest.events import IP
from analytics.models import InboxPart
from tenants.auth import Caller
from tenants.models import Work, WorkState
from tenants.scope import tenant_scope
from tests.analytics.engine import Engine

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def test_a_request_is_work_and_sealed_parts(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MAX_BATCH_EVENTS", 2)
    monkeypatch.setattr(bodies, "STRETCH", 1)
    monkeypatch.setattr(bodies, "LONGEST", 300)  # an event and a half
    work = engine.accept([engine.event(number, srcHost="secret") for number in range(5)])
    row = Work.objects.get(id=work)
    assert (row.queue, row.state, row.events) == ("ingest", WorkState.PENDING, 5)
    with tenant_scope(engine.tenant):
        rows = list(InboxPart.objects.order_by("part"))
    assert [(row.part, row.events, row.work_id) for row in rows] == [
        (0, 2, work), (1, 2, work), (2, 1, work),
    ]  # fmt: skip
    assert all(b"secret" not in bytes(part.sealed) for part in rows)


def test_nothing_is_taken_where_the_audit_row_cannot_be_written(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_what: object) -> None:
        raise DatabaseError("no tally")

    monkeypatch.setattr(accept, "tally", fail)
    with pytest.raises(DatabaseError):
        engine.accept([engine.event()])
    assert Work.objects.count() == 0
    with tenant_scope(engine.tenant):
        assert InboxPart.objects.count() == 0


def test_a_request_without_an_accepted_event_makes_no_work(engine: Engine) -> None:
    caller = Caller(tenant=engine.tenant, key="k")
    sealed = seal_request(caller=caller, kind=IP, parts=[], now=engine.now)
    accept_request(caller=caller, parts=sealed, octets=0, now=engine.now)
    assert Work.objects.count() == 0


def test_the_backlog_of_one_tenant_has_an_end_and_is_its_own(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accept, "MAX_WAITING", 2)
    caller = Caller(tenant=engine.tenant, key="k")
    for number in range(3):
        assert not is_overloaded(caller)
        engine.accept([engine.event(number)])
    assert is_overloaded(caller)
    assert not is_overloaded(Caller(tenant=Work.objects.values_list("id", flat=True)[0], key="k"))
    Work.objects.update(state=WorkState.DONE)
    assert not is_overloaded(caller)


def test_the_hint_goes_out_after_the_commit(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def send(_rows: object) -> int:
        seen.append(connection.in_atomic_block)
        return 1

    monkeypatch.setattr("tenants.offers.send", send)
    engine.accept([engine.event()])
    assert seen == [False]
