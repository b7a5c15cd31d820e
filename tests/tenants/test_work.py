"""Work: claimed by one, finished under its token, given back when it fails, dead in the end."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connections

from crypto.ids import uuid7
from tenants.errors import LostLease
from tenants.leases import TERM, held
from tenants.models import Lease, Work, WorkState
from tenants.models.work import (
    BACKOFF,
    MAX_ATTEMPTS,
    MAX_CLAIMS,
    bury,
    claim,
    finish,
    give_back,
    postpone,
    renew,
)

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
TENANT = UUID(int=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    """The machine's clock: claims are decided by the database's."""
    return datetime.now(UTC)


@pytest.fixture
def work(now: datetime) -> Work:
    return Work.objects.create(
        id=uuid7(now), tenant_id=TENANT, queue="ingest", due_at=now, created_at=now
    )


def claimed(work: Work) -> Lease:
    lease = claim(work.id, lease=MINUTE)
    assert lease is not None
    return lease


def expire(work: Work, now: datetime) -> None:
    Work.objects.filter(id=work.id).update(lease_until=now - MINUTE)


def test_one_claim_wins_and_names_what_it_got(work: Work, now: datetime) -> None:
    lease = claimed(work)
    assert lease == Lease(work=work.id, tenant=TENANT, queue="ingest", token=1, attempt=1)
    assert claim(work.id, lease=MINUTE) is None
    work.refresh_from_db()
    assert work.state == WorkState.LEASED
    assert work.lease_until is not None
    assert now < work.lease_until < now + 2 * MINUTE


def test_of_many_claims_at_once_one_wins(work: Work) -> None:
    ready = threading.Barrier(6)
    leases: list[Lease | None] = []

    def run() -> None:
        try:
            ready.wait(10)
            leases.append(claim(work.id, lease=MINUTE))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(leases) == 6
    assert sum(lease is not None for lease in leases) == 1


def test_what_is_not_due_done_dead_or_unknown_cannot_be_claimed(work: Work, now: datetime) -> None:
    Work.objects.update(due_at=now + MINUTE)
    assert claim(work.id, lease=MINUTE) is None
    for state in (WorkState.DONE, WorkState.DEAD):
        Work.objects.update(due_at=now, state=state)
        assert claim(work.id, lease=MINUTE) is None
    assert claim(UUID(int=99), lease=MINUTE) is None


def test_a_lease_that_ran_out_goes_to_the_next_with_a_higher_token(
    work: Work, now: datetime
) -> None:
    old = claimed(work)
    expire(work, now)
    new = claimed(work)
    assert (new.token, new.attempt) == (old.token + 1, 2)
    with pytest.raises(LostLease):
        finish(old)
    assert give_back(old, error="x", now=now) is None
    postpone(old, due_at=now)
    assert not renew(old, term=MINUTE)
    work.refresh_from_db()
    assert (work.state, work.token, work.error) == (WorkState.LEASED, new.token, "")
    finish(new)
    work.refresh_from_db()
    assert (work.state, work.lease_until) == (WorkState.DONE, None)
    with pytest.raises(LostLease):
        finish(new)


def test_failed_work_waits_longer_each_time_and_is_dead_after_five(
    work: Work, now: datetime
) -> None:
    for attempt in range(1, MAX_ATTEMPTS + 1):
        state = give_back(claimed(work), error="E" * 100, now=now)
        work.refresh_from_db()
        assert work.error == "E" * 64
        assert work.due_at == now + BACKOFF * 2 ** (attempt - 1)
        assert state == (WorkState.DEAD if attempt == MAX_ATTEMPTS else WorkState.PENDING)
        Work.objects.filter(id=work.id).update(due_at=now)
    assert claim(work.id, lease=MINUTE) is None


def test_postponed_work_has_lost_no_attempt(work: Work, now: datetime) -> None:
    for _ in range(MAX_ATTEMPTS + 3):
        postpone(claimed(work), due_at=now)
    work.refresh_from_db()
    assert (work.state, work.attempt, work.lease_until) == (WorkState.PENDING, 0, None)


def test_work_that_kills_its_workers_is_dead_in_the_end(work: Work, now: datetime) -> None:
    for _ in range(MAX_CLAIMS):
        assert bury() == []
        claimed(work)
        expire(work, now)
    assert claim(work.id, lease=MINUTE) is None
    assert bury() == [(work.id, TENANT, "ingest")]
    work.refresh_from_db()
    assert (work.state, work.error) == (WorkState.DEAD, "worker_lost")


def test_a_renewed_lease_is_still_held(work: Work, now: datetime) -> None:
    lease = claimed(work)
    expire(work, now)
    assert renew(lease, term=MINUTE)
    assert claim(work.id, lease=MINUTE) is None
    finish(lease)
    assert not renew(lease, term=MINUTE)


def test_a_lease_is_renewed_beside_the_work(
    work: Work, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.leases.RENEWED_EVERY", 0.01)
    lease = claimed(work)
    expire(work, now)
    renewed = threading.Event()

    def noted(lease: Lease, *, term: timedelta) -> bool:
        done = renew(lease, term=term)
        renewed.set()
        return done

    monkeypatch.setattr("tenants.leases.renew", noted)
    with held(lease):
        assert renewed.wait(10)
    work.refresh_from_db()
    assert work.lease_until is not None
    assert work.lease_until > now + TERM - timedelta(seconds=5)


def test_a_state_that_is_none_cannot_be_written(work: Work) -> None:
    with pytest.raises(IntegrityError):
        Work.objects.filter(id=work.id).update(state="odd")


def test_a_row_of_work_holds_no_telemetry(as_owner: Callable[..., Any]) -> None:
    with as_owner() as session:
        columns = session.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'work'"
        ).fetchall()
    assert {name for (name,) in columns} == {
        "id", "tenant_id", "queue", "state", "due_at", "lease_until", "token", "attempt",
        "events", "error", "created_at", "offered_at", "done_at",
    }  # fmt: skip
