"""The quarterly drill of emergency access (MFA-8): ``python -m bench.drill_break_glass``.

On a deployment that goes away, one owner asks for an access of a minute and another approves it;
somebody uses it; it ends by its time, while a worker's sweeper keeps time. What is printed is
measured by the wall clock and read from the audit rows. Some 70 s; exit status 1 where a part of
the bar is not met; with ``--json`` the last line of stdout is one JSON value.
"""

import argparse
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from audit.actors import Actor, shell
from bench.home import throwaway
from config.embedded.progress import on_stderr

if TYPE_CHECKING:
    from console.models import Staff

MOST_ALERT_SECONDS = 60.0
MOST_END_SECONDS = 5.0
"""MFA-8: until everybody is told, and by how much the access may outlive, or miss, its time."""
MINUTES = 1
POLL_SECONDS = 0.05
PATIENCE_SECONDS = 30.0
"""Past the access's time until the drill no longer waits for its end."""
STEPS = ("opened", "used", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the drill measured; times in seconds. `steps` with both people on the audit row."""

    notice_seconds: float
    log_line_seconds: float
    access_ended_after: float
    closing_recorded_after: float
    steps: tuple[str, ...]

    @property
    def met(self) -> bool:
        """Whether the bar is."""
        return (
            max(self.notice_seconds, self.log_line_seconds) <= MOST_ALERT_SECONDS
            and abs(self.access_ended_after) <= MOST_END_SECONDS
            and self.steps == STEPS
        )


class Heard(logging.Handler):
    """Notes when the alarm's line was written."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.at = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Note the first alarm."""
        if not self.at and record.getMessage().startswith("alarm"):
            self.at = time.monotonic()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill."""
    parser = argparse.ArgumentParser(prog="bench.drill_break_glass", description=__doc__)
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    options = parser.parse_args(arguments)
    with throwaway(on_stderr()):
        figures = drill()
    if options.json:
        sys.stdout.write(json.dumps({**asdict(figures), "met": figures.met}) + "\n")
    else:
        for name, value in asdict(figures).items():
            shown = f"{value:.3f}" if isinstance(value, float) else ", ".join(value)
            sys.stdout.write(f"{name.replace('_', ' '):24} {shown}\n")
        sys.stdout.write(f"MFA-8 is {'met' if figures.met else 'NOT met'}\n")
    return 0 if figures.met else 1


def drill() -> Figures:
    """Open, use and end an emergency access, and measure it."""
    from config import sweeper  # noqa: PLC0415 -- models need the apps
    from tenants.grants import record_read  # noqa: PLC0415 -- see above
    from tenants.models import BreakGlass, Tenant  # noqa: PLC0415 -- see above

    people = _people()
    heard = Heard()
    logging.getLogger("console.notices").addHandler(heard)
    sweeper.start()
    try:
        opened = _open_by_two(people)
        seen = _until(lambda: _is_told(people["cy"]))
        row = BreakGlass.objects.get()
        tenant = Tenant.objects.get().id
        actor = _actor(people["cy"])
        record_read(grant=row.grant, tenant=tenant, actor=actor, resource="drill", now=_now())
        ended = _until(lambda: not _is_live(row.grant, row.staff))
        _until(lambda: BreakGlass.objects.get().closed_at is not None)
        closed = _entries()["closed"].occurred_at
    finally:
        sweeper.stop()
    return Figures(
        notice_seconds=seen.monotonic - opened,
        log_line_seconds=(heard.at or float("inf")) - opened,
        access_ended_after=(ended.clock - row.expires_at).total_seconds(),
        closing_recorded_after=(closed - row.expires_at).total_seconds(),
        steps=_complete(people),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When something was so, by both clocks."""

    monotonic: float
    clock: datetime


def _until(so: Callable[[], bool]) -> Moment:
    end = time.monotonic() + MINUTES * 60 + PATIENCE_SECONDS
    while time.monotonic() < end:
        if so():
            return Moment(monotonic=time.monotonic(), clock=_now())
        threading.Event().wait(POLL_SECONDS)
    raise TimeoutError("the drill waited in vain")


def _people() -> Mapping[str, "Staff"]:
    from console.actions import create_staff  # noqa: PLC0415 -- models need the apps
    from console.models import Role  # noqa: PLC0415 -- see above

    roles = {"ana": Role.OWNER, "bea": Role.OWNER, "cy": Role.ANALYST}
    made = {
        name: create_staff(username=name, role=role, actor=shell(), reason="drill", now=_now())
        for name, role in roles.items()
    }
    return {name: new.staff for name, new in made.items()}


def _open_by_two(people: Mapping[str, "Staff"]) -> float:
    """Have one ask and another approve; return when the approval began, by the steady clock."""
    from tenants import approvals, break_glass  # noqa: PLC0415 -- models need the apps
    from tenants.actions import create_tenant  # noqa: PLC0415 -- see above

    tenant = create_tenant(name="drill", actor=shell(), reason="drill", now=_now()).tenant
    asked = break_glass.ask(
        tenant=tenant.id, staff=people["cy"].id, minutes=MINUTES, ticket="DRILL",
        actor=_actor(people["ana"]), reason="a drill", now=_now(),
    )  # fmt: skip
    began = time.monotonic()
    approvals.approve(pending=asked.id, actor=_actor(people["bea"]), now=_now())
    return began


def _is_told(staff: "Staff") -> bool:
    from console import notices  # noqa: PLC0415 -- models need the apps

    return bool(notices.unseen(staff, now=_now()))


def _is_live(grant: UUID, staff: UUID) -> bool:
    """Say whether row-level security still opens the tenant to the person."""
    from tenants.errors import NoGrant  # noqa: PLC0415 -- models need the apps
    from tenants.scope import staff_scope  # noqa: PLC0415 -- see above

    try:
        with staff_scope(grant, staff):
            return True
    except NoGrant:
        return False


def _entries() -> dict[str, Any]:
    from audit.models import Staged  # noqa: PLC0415 -- models need the apps
    from audit.scope import all_tenants_audit  # noqa: PLC0415 -- see above

    with all_tenants_audit("reader", using="default"):
        rows = list(Staged.objects.filter(event__startswith="break_glass."))
    return {row.event.partition(".")[2]: row for row in rows}


def _complete(people: Mapping[str, "Staff"]) -> tuple[str, ...]:
    """Return the steps whose audit row names both people."""
    both = {"asked_by": f"staff:{people['ana'].id}", "approved_by": f"staff:{people['bea'].id}"}
    entries = _entries()
    return tuple(
        step for step in STEPS if step in entries and both.items() <= entries[step].detail.items()
    )


def _actor(staff: "Staff") -> Actor:
    return Actor(kind="staff", id=str(staff.id))


def _now() -> datetime:
    return datetime.now(tz=UTC)  # noqa: TID251 -- the drill goes by the wall clock


if __name__ == "__main__":
    sys.exit(main())
