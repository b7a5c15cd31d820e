"""A log of its own for each test: a key, a file for the checkpoint, and a clock that is set."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connections, transaction

from audit.actors import Actor
from audit.events import EventType
from audit.reading import pages, stored_checkpoints
from audit.record import record
from audit.scope import all_tenants_audit
from audit.sequencer import Sequencer
from audit.verify import Verdict, verify
from crypto import signatures
from crypto.signatures import SigningKey

ORIGIN = "tawny.example/test"
STAFF = Actor(kind="staff", id="0190a1b2-0000-7000-8000-000000000001")


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def signer() -> SigningKey:
    return signatures.generate(ORIGIN)


@pytest.fixture
def checkpoint_path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint"


@pytest.fixture
def start(signer: SigningKey, checkpoint_path: Path, clock: Clock) -> Callable[[], Sequencer]:
    """Start a sequencer as a process would: with nothing but its key, its file and the clock."""
    return lambda: Sequencer(
        signer=signer, origin=ORIGIN, checkpoint_path=checkpoint_path, now=clock
    )


@pytest.fixture
def deed(clock: Clock) -> Callable[..., UUID]:
    """Record a deed, a different one each time."""
    number = iter(range(1_000_000))

    def deed(*, using: str = "default", tenant: UUID | None = None) -> UUID:
        return record(
            event=EventType.STAFF_READ,
            actor=STAFF,
            now=clock(),
            tenant=tenant,
            resource=f"alert/{next(number)}",
            reason="ticket 17",
            using=using,
        )

    return deed


@pytest.fixture
def check(signer: SigningKey, clock: Clock) -> Callable[..., Verdict]:
    """Verify the log in the database against what is kept outside."""

    def check(*outside: str) -> Verdict:
        with all_tenants_audit("reader", using="default"):
            return verify(
                pages=pages(using="default"),
                checkpoints=stored_checkpoints(using="default"),
                key=signer.verifying,
                origin=ORIGIN,
                outside=outside,
                now=clock,
            )

    return check


@pytest.fixture
def logged() -> Callable[[], list[UUID]]:
    """Read the staged ids of the log, in the order of the log."""

    def logged() -> list[UUID]:
        with (
            all_tenants_audit("reader", using="default"),
            connections["default"].cursor() as cursor,
        ):
            cursor.execute("SELECT stage FROM audit_log ORDER BY idx")
            return [row[0] for row in cursor.fetchall()]

    return logged


@pytest.fixture
def in_scope() -> Callable[..., object]:
    """Open a tenant's scope as the tenants' package does, which this one may not import."""

    def in_scope(tenant: UUID, *, using: str = "default") -> transaction.Atomic:
        class Scope(transaction.Atomic):
            def __enter__(self) -> None:
                super().__enter__()
                with connections[using].cursor() as cursor:
                    cursor.execute("SELECT set_config('app.tenant', %s, true)", [str(tenant)])

        return Scope(using, savepoint=True, durable=False)

    return in_scope
