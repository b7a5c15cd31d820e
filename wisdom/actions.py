"""Deeds on engines' credentials: one transaction on ``wisdom`` each, its audit row inside."""

from datetime import datetime

from django.db import transaction

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from crypto.ids import uuid7
from tenants import apikeys, keys
from wisdom.models import Engine

DATABASE = "wisdom"


def create_engine(*, name: str, actor: Actor, reason: str, now: datetime) -> tuple[Engine, str]:
    """Make a credential for an engine; its key is given this once and not kept.

    Raises
    ------
    django.db.IntegrityError
        For a name taken.

    """
    version, pepper = keys.primary_pepper()
    key = apikeys.mint(apikeys.ENGINE_PREFIX, pepper=pepper)
    engine = Engine(
        id=uuid7(now), name=name, key_id=key.id, pepper=version, mac=key.mac, created_at=now
    )
    with transaction.atomic(using=DATABASE):
        engine.save(force_insert=True)
        record(
            event=EventType.ENGINE_CREATED,
            actor=actor,
            now=now,
            resource=f"engine:{engine.id}",
            reason=reason,
            detail={"name": name},
            using=DATABASE,
        )
    return engine, key.text


def revoke_engine(*, engine: Engine, actor: Actor, reason: str, now: datetime) -> Engine:
    """Stop an engine's credential for good, at once; a second time changes nothing."""
    with transaction.atomic(using=DATABASE):
        row = Engine.objects.select_for_update().get(id=engine.id)
        if not row.is_revoked:
            row.revoked_at = now
            row.save(update_fields=["revoked_at"])
            record(
                event=EventType.ENGINE_REVOKED,
                actor=actor,
                now=now,
                resource=f"engine:{row.id}",
                reason=reason,
                using=DATABASE,
            )
    return row
