"""One kind's measurement: the floor, accepting, and everything that workers do after.

Import it only inside ``bench.home.throwaway``: it needs the product's models.
"""

import gc
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.core.handlers.wsgi import WSGIRequest
from django.db.models import F, Func, IntegerField, Sum
from isal import isal_zlib

from analytics import tasks
from analytics.actions.draining import drain_step
from analytics.actions.sequencing import sequence_alerts
from analytics.ingest.events import KINDS
from analytics.models import Alert, EvaluationDay, IdentityRun, InboxPart, Segment, Window
from analytics.views.events import post_events
from audit.actors import Actor
from bench.bodies import Body, Kind
from bench.meter import Meter, Spent, begin_peak, peak
from bench.probes import Stages, installed
from bench.report import Counts, Floor, KindReport, Memory, Ratios, Sealed, Stage, pace
from tenants.actions import create_tenant
from tenants.models import Work, WorkState
from tenants.scope import tenant_scope

_GZIP = 31  # zlib's window bits for a gzip wrapper
MOST_ROUNDS = 20
"""Rounds of evaluating and sequencing before something is wrong: one is usual, two are possible."""


class BenchFailed(Exception):  # noqa: N818 -- reads as a fact
    """What was measured did not do its work, so its figures would say nothing."""


def now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)  # noqa: TID251 -- a command: it is the caller who knows the time


class Subject:
    """A tenant of its own for each measurement, and the doors that its telemetry goes through."""

    def __init__(self, name: str) -> None:
        made = create_tenant(
            name=name, actor=Actor(kind="shell", id="bench"), reason="benchmark", now=now()
        )
        self.tenant: UUID = made.tenant.id
        self.key = made.api_key

    def accept(self, body: Body) -> dict[str, Any]:
        """Send a body through the view, as the web server does; return the answer's members."""
        request = WSGIRequest(
            {
                "REQUEST_METHOD": "POST",
                "PATH_INFO": f"/v1/events/{body.kind}",
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "80",
                "CONTENT_LENGTH": str(len(body.packed)),
                "HTTP_CONTENT_ENCODING": "gzip",
                "HTTP_AUTHORIZATION": f"Bearer {self.key}",
                "wsgi.input": io.BytesIO(body.packed),
                "wsgi.url_scheme": "http",
            }
        )
        response = post_events(request, body.kind)
        if response.status_code != 200:
            raise BenchFailed(
                f"the view answered {response.status_code}: {response.content[:200]!r}"
            )
        answer: dict[str, Any] = msgspec.json.decode(response.content)
        return answer

    def take_effect(self) -> None:
        """Run the worker's task on each accepted request."""
        for work in self._pending("ingest"):
            tasks.ingest(tenant=str(self.tenant), work=str(work))

    def evaluate(self) -> None:
        """Close every stream and run the worker's task on each day."""
        drain_step(now=now())
        for work in self._pending("analyse"):
            tasks.analyse(tenant=str(self.tenant), work=str(work))

    def unfinished(self) -> int:
        """Count the tenant's rows of work that are not done."""
        rows = Work.objects.filter(tenant_id=self.tenant)
        return rows.exclude(state=WorkState.DONE).count()

    def _pending(self, queue: str) -> list[UUID]:
        rows = Work.objects.filter(tenant_id=self.tenant, queue=queue, state=WorkState.PENDING)
        return list(rows.order_by("created_at", "id").values_list("id", flat=True))


def warm_up(bodies: Sequence[Body]) -> None:
    """Take a body of each kind through everything, so that no figure holds a first time."""
    subject = Subject("warm-up")
    for body in bodies:
        decode(body)
        subject.accept(body)
    subject.take_effect()
    _finish(subject, Stages(), Meter(None), Spent())


def measure(kind: Kind, bodies: Sequence[Body], *, meter: Meter, stages: Stages) -> KindReport:
    """Measure one kind.

    The floor and the acceptance of a body follow each other, so that both meet the same machine.
    Workers begin when everything is accepted, days are evaluated when everything took effect.

    Raises `BenchFailed` when an event went astray.
    """
    subject = Subject(kind)
    floor, accept, effect, rest = Spent(), Spent(), Spent(), Spent()
    answers: list[dict[str, Any]] = []
    memory = Memory(before=begin_peak(), accept=0, process=0)
    with installed(stages):
        for body in bodies:
            with meter.on(floor):
                decoded = decode(body)
            if decoded != body.events:
                raise BenchFailed(f"{decoded} of {body.events} events were decoded")
            with meter.on(accept), stages.during("accept"):
                answers.append(subject.accept(body))
        memory.accept = peak()
        inbox = _sealed(subject, InboxPart, kind)
        begin_peak()
        with meter.on(effect), stages.during("effect"):
            subject.take_effect()
        _finish(subject, stages, meter, rest)
        memory.process = peak()
    counts = _counts(subject, kind, bodies, answers)
    events = counts.sent
    processed = Spent(
        cpu=accept.cpu + effect.cpu + rest.cpu,
        wall=accept.wall + effect.wall + rest.wall,
        database=accept.database + effect.database + rest.database,
    )
    bare = Floor(
        **msgspec.structs.asdict(pace(floor, events)),
        megabytes_per_cpu_second=sum(body.inflated for body in bodies) / floor.cpu / 1e6,
    )
    return KindReport(
        counts=counts,
        gzip_bytes=sum(len(body.packed) for body in bodies),
        inflated_bytes=sum(body.inflated for body in bodies),
        floor=bare,
        accepted=pace(accept, events),
        processed=pace(processed, events),
        ratios=Ratios(
            accepted_to_floor=floor.cpu / accept.cpu, processed_to_floor=floor.cpu / processed.cpu
        ),
        sealed_bytes_per_event=Sealed(
            segments=_sealed(subject, Segment, kind) / max(1, counts.effective),
            identities=_sealed(subject, IdentityRun, kind) / max(1, counts.effective),
            inbox=inbox / max(1, counts.accepted),
        ),
        resident_bytes=memory,
        stages=_stages(stages, events),
    )


def decode(body: Body) -> int:
    """Inflate a body and decode its lines to the server's own struct; return how many there are.

    What any server that understands its input pays, by the fastest way there is: one call inflates
    and one decodes. Nothing is checked further or kept, and no garbage collector looks at it, whose
    cost depends on what else a process holds.
    """
    gc.disable()
    try:
        return len(_DECODERS[body.kind](isal_zlib.decompress(body.packed, _GZIP)))
    finally:
        gc.enable()


_DECODERS = {name: msgspec.json.Decoder(kind.struct).decode_lines for name, kind in KINDS.items()}


def _finish(subject: Subject, stages: Stages, meter: Meter, spent: Spent) -> None:
    """Evaluate and sequence until nothing is left to do."""
    for _ in range(MOST_ROUNDS):
        with meter.on(spent):
            with stages.during("evaluate"):
                subject.evaluate()
            with stages.during("sequence"):
                sequence_alerts(now=now())
        if not subject.unfinished():
            return
    raise BenchFailed(f"{subject.unfinished()} rows of work are not done")


def _counts(
    subject: Subject, kind: Kind, bodies: Sequence[Body], answers: list[dict[str, Any]]
) -> Counts:
    with tenant_scope(subject.tenant):
        effective = Window.objects.filter(kind=kind).aggregate(sum=Sum("events"))["sum"] or 0
        days = EvaluationDay.objects.count()
        alerts = Alert.objects.count()
        segments = Segment.objects.filter(kind=kind).count()
    counts = Counts(
        requests=len(bodies),
        sent=sum(body.events for body in bodies),
        received=sum(answer["received"] for answer in answers),
        accepted=sum(answer["accepted"] for answer in answers),
        effective=effective,
        segments=segments,
        days=days,
        alerts=alerts,
    )
    if counts.received != counts.sent or counts.effective > counts.accepted:
        raise BenchFailed(f"the counts disagree: {counts}")
    return counts


def _sealed(subject: Subject, model: Any, kind: Kind) -> int:
    """Return the sealed bytes that a table holds of the tenant's events of one kind."""
    size = Func(F("sealed"), function="octet_length", output_field=IntegerField())
    with tenant_scope(subject.tenant):
        total = model.objects.filter(kind=kind).aggregate(sum=Sum(size))["sum"]
    return int(total or 0)


def _stages(stages: Stages, events: int) -> list[Stage]:
    return [
        Stage(phase=phase, stage=stage, cpu_us_per_event=seconds / events * 1e6)
        for (phase, stage), seconds in stages.spent.items()
    ]
