"""Rotating the deployment's own secret, in the same order as the root key.

A newer version is added and opens only; every process reports it; it is made primary; what is
sealed is sealed anew. `rotate_system` after a kill goes on where the last one stopped. Earlier
versions stay, wrapped by the root key: the first tags what is compared and never opened.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from crypto.random import random_bytes
from tenants import keys
from tenants.actions.rotation import Progress, await_readers, quiet
from tenants.keys import keyring, resealing
from tenants.keys.files import KEY_BYTES
from tenants.keys.system import (
    FIRST,
    LOOKED_SECONDS,
    adopt_system_secret,
    forget_system,
    keep_system_secret,
    wrapped_row,
)
from tenants.models import SystemKey, SystemState


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRotated:
    """What one rotation did; `left` are rows that are locked or that nobody can open."""

    version: int
    resealed: int
    left: int
    resumed: bool


def rotate_system(
    *,
    actor: Actor,
    reason: str,
    now: datetime,
    wait: float = 300.0,
    progress: Progress = quiet,
    sleep: Callable[[float], None] = time.sleep,
) -> SystemRotated:
    """Seal what is the deployment's under a newer version of its own secret.

    Goes on with a rotation that was not finished. Raises `UnfitTerms` when a process has not
    reported the new version after `wait` seconds: nothing is sealed under it then.
    """
    version, resumed = _target(actor=actor, reason=reason, now=now)
    row = _rows().get(version=version)
    if row.state != SystemState.PRIMARY:
        progress(f"system {version} opens", 0, 0)
        name = keyring.system_name(version)
        await_readers(name, wait=wait, sleep=sleep, progress=progress)
        _promote(version, actor=actor, reason=reason, now=now)
    progress(f"system {version} is primary", 0, 0)
    forget_system()
    done, _ = _reseal_all(progress)
    sleep(LOOKED_SECONDS + 1)  # a process may believe in the older primary for so long
    more, stuck = _reseal_all(progress)
    done += more
    left = sum(resealing.left(each) for each in resealing.registered())
    with transaction.atomic():
        record(
            event=EventType.SYSTEM_RESEALED, actor=actor, now=now, reason=reason,
            resource=f"system:{version}", detail={"rows": done, "left": left},
        )  # fmt: skip
        if left == stuck:  # what nobody can open does not hold the next rotation up
            _rows().filter(version=version).update(resealed_at=now)
    keys.forget()
    return SystemRotated(version=version, resealed=done, left=left, resumed=resumed)


def sealed_left() -> dict[str, int]:
    """Return how many rows of each registered table are sealed under an older version."""
    return {each.table: resealing.left(each) for each in resealing.registered()}


def _target(*, actor: Actor, reason: str, now: datetime) -> tuple[int, bool]:
    """Return the version to go to, and whether a rotation had begun already."""
    adopt_system_secret()
    if not _rows().exists():
        keep_system_secret(random_bytes(KEY_BYTES))
    waiting = _rows().filter(state=SystemState.DECRYPT, primary_at=None).order_by("version").first()
    if waiting is not None and waiting.version != FIRST:
        return waiting.version, True
    primary = _rows().get(state=SystemState.PRIMARY)
    if primary.version != FIRST and primary.resealed_at is None:
        return primary.version, True
    version = max(_rows().values_list("version", flat=True)) + 1
    with transaction.atomic():
        record(
            event=EventType.SYSTEM_VERSION_ADDED, actor=actor, now=now, reason=reason,
            resource=f"system:{version}",
        )  # fmt: skip
        with transaction.atomic(using="keys"):
            wrapped_row(random_bytes(KEY_BYTES), version=version, state=SystemState.DECRYPT).save(
                force_insert=True, using="keys"
            )
    return version, False


def _promote(version: int, *, actor: Actor, reason: str, now: datetime) -> None:
    with transaction.atomic():
        record(
            event=EventType.SYSTEM_VERSION_PROMOTED, actor=actor, now=now, reason=reason,
            resource=f"system:{version}",
        )  # fmt: skip
        with transaction.atomic(using="keys"):
            list(_rows().select_for_update())
            _rows().filter(state=SystemState.PRIMARY).update(state=SystemState.DECRYPT)
            _rows().filter(version=version).update(state=SystemState.PRIMARY, primary_at=now)


def _reseal_all(progress: Progress) -> tuple[int, int]:
    """Seal every registered column anew; return how many rows were, and how many did not open."""
    done = stuck = 0
    for each in resealing.registered():
        resealed, closed = resealing.reseal(each)
        done, stuck = done + resealed, stuck + closed
        progress(f"{each.table} is sealed anew", done, done)
    return done, stuck


def _rows() -> "QuerySet[SystemKey]":
    return SystemKey.objects.using("keys").all()
