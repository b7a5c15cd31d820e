"""Changes of alerts in the order in which a tenant reads them: every one, not only what opened."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max, Min

from analytics.actions.alerts import open_alert
from analytics.actions.findings import AlertContent
from analytics.actions.sequencing import EPOCH
from analytics.models import Alert, AlertChange, AlertSequence, ChangeKind
from crypto.ids import first_uuid7, made_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one alert.

    ``place`` is its place in the order, ``at`` when it was found and ``severity`` what the alert's
    was then; ``content`` is what the alert says when it is read.
    """

    id: UUID
    place: int
    kind: ChangeKind
    severity: int
    at: datetime
    alert: UUID
    opened_at: datetime
    content: AlertContent


def changes_after(place: int, *, limit: int) -> tuple[list[Change], int, bool]:
    """Return at most `limit` changes, the last place looked at, and whether more follow.

    Inside the tenant's scope. More are never said to follow where none is returned.
    """
    while True:
        rows = list(AlertChange.objects.filter(seq__gt=place).order_by("seq")[: limit + 1])
        page, more = rows[:limit], len(rows) > limit
        alerts = {row.id: row for row in Alert.objects.filter(id__in={r.alert_id for r in page})}
        contents = {identifier: open_alert(row) for identifier, row in alerts.items()}
        place = max((row.seq or 0 for row in page), default=place)
        changes = [
            Change(
                id=row.id,
                place=row.seq or 0,
                kind=ChangeKind(row.kind),
                severity=row.severity,
                at=made_at(row.id),
                alert=row.alert_id,
                opened_at=alerts[row.alert_id].opened_at,
                content=contents[row.alert_id],
            )
            for row in page
            if row.alert_id in alerts  # retention may run at any moment
        ]
        if changes or not more:
            return changes, place, more


def known_place(place: int) -> int:
    """Return a bookmark's place, or 0 where this tenant's order never came so far.

    Such a bookmark is another order's that happens to be written like ours; a client that kept it
    would otherwise wait for a place that is years away. Inside the tenant's scope.
    """
    if not place:
        return 0
    last = AlertSequence.objects.filter(epoch=EPOCH).values_list("last", flat=True).first()
    return place if place <= (last or 0) else 0


def place_before(moment: datetime) -> int:
    """Return a place that everything found since `moment` comes after, and little else.

    The order is that of commits, ids are of the time of finding: what was found a little earlier
    and committed later may lie behind the place as well.
    """
    placed = AlertChange.objects.filter(seq__isnull=False)
    first = placed.filter(id__gte=_first_id(moment)).aggregate(seq=Min("seq"))["seq"]
    if first is not None:
        return int(first) - 1
    return int(placed.aggregate(seq=Max("seq"))["seq"] or 0)


def _first_id(moment: datetime) -> UUID:
    """Return the smallest id of what was made at a moment or later."""
    midnight = first_uuid7(moment.date())
    since = (moment - made_at(midnight)).total_seconds()
    return UUID(int=midnight.int + (int(since * 1000) << 80))
