"""What the product does between a client's events and a client's alerts, by its own functions."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from analytics.actions.effect import take_effect
from tenants.models import Work, WorkState
from tests.analytics.engine import Engine, noon, nothing_listed, reporting
from tests.contracts.wire import Server

INBOX = "ingest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A running product, one of its tenants with its key, and that tenant's engine."""

    server: Server
    tenant: UUID
    key: str
    engine: Engine

    def at(self, number: int = 0) -> datetime:
        """Return an event time of its own in an hour that every rule calls closed."""
        return noon(self.engine.now).astimezone(UTC) + timedelta(seconds=number)

    def settle(self) -> int:
        """Let all that was sent take effect, be evaluated and be placed; return the new events."""
        waiting = Work.objects.filter(queue=INBOX, state=WorkState.PENDING)
        new = sum(
            take_effect(self.engine.lease(work), listed=nothing_listed, now=self.engine.now)
            for work in waiting.order_by("created_at", "id").values_list("id", flat=True)
        )
        self.engine.evaluate()
        self.engine.sequence()
        return new

    def kept(self, kind: Any) -> int:
        """Count the events of a kind in the tenant's series."""
        return sum(self.engine.kept(kind).values())


def product(server: Server, tenant: tuple[UUID, str]) -> Product:
    """Return a product whose Wisdom lists the suite's bad address and name under ``c2``."""
    engine = Engine(tenant=tenant[0], now=datetime.now(UTC), wisdom=reporting("c2"))
    return Product(server=server, tenant=tenant[0], key=tenant[1], engine=engine)
