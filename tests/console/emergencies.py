"""Grants as `tenants.break_glass` needs them, in memory: what the real door must do, no more."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from audit.actors import Actor
from crypto.ids import uuid7
from tenants import break_glass


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A grant with the terms it was opened on."""

    id: UUID
    tenant: UUID
    staff: UUID
    scopes: Sequence[str]
    ticket: str
    actor: Actor
    expires_at: datetime


class Grants:
    """Opens and revokes grants, and remembers them."""

    def __init__(self) -> None:
        self.opened: list[Grant] = []
        self.revoked: dict[UUID, datetime] = {}

    def open(
        self,
        *,
        tenant: UUID,
        staff: UUID,
        scopes: Sequence[str],
        reason: str,
        ticket: str,
        minutes: int,
        actor: Actor,
        now: datetime,
    ) -> Grant:
        assert reason
        grant = Grant(
            id=uuid7(now), tenant=tenant, staff=staff, scopes=scopes, ticket=ticket, actor=actor,
            expires_at=now + timedelta(minutes=minutes),
        )  # fmt: skip
        self.opened.append(grant)
        return grant

    def revoke(self, *, grant: UUID, actor: Actor, reason: str, now: datetime) -> None:
        assert actor.id
        assert reason
        self.revoked[grant] = now


@contextmanager
def granting() -> Iterator[Grants]:
    """Have emergencies open grants in memory."""
    before = dict(break_glass._doors)
    grants = Grants()
    break_glass.grants_by(open_grant=grants.open, revoke_grant=grants.revoke)
    try:
        yield grants
    finally:
        break_glass._doors.clear()
        break_glass._doors.update(before)
