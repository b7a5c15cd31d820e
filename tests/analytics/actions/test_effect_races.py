"""Taking effect beside others: whoever is overtaken decides anew, whoever lost its lease stops."""

import threading
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest
from django.db import connections

from analytics.actions import effect
from analytics.actions.effect import Overtaken, take_effect
from analytics.models import EvaluationDay, IdentityRun, Segment, SourceSketch, Stream, Window
from analytics.series.store import WindowKey
from tenants.errors import LostLease
from tenants.models import Lease, Work, WorkState
from tenants.scope import tenant_scope
from tests.analytics.engine import Engine, nothing_listed

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
ROWS = (Segment, IdentityRun, Window, Stream, EvaluationDay, SourceSketch)


def effect_of(engine: Engine, lease: Lease) -> int:
    return take_effect(lease, listed=nothing_listed, now=engine.now)


def counts(engine: Engine) -> list[int]:
    with tenant_scope(engine.tenant):
        return [model.objects.count() for model in ROWS]


def before_first_commit(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> list[int]:
    """Run `deed` between the deciding and the committing of the request that commits first."""
    commit = effect._commit
    turns: list[int] = []

    def interleaved(*args: object, **kwargs: object) -> int:
        turns.append(1)
        if len(turns) == 1:
            deed()
        return commit(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(effect, "_commit", interleaved)
    return turns


def test_a_request_that_is_overtaken_decides_anew(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [engine.event(number) for number in range(3)]
    mine = engine.lease(engine.accept([*events, engine.event(5)]))
    theirs = engine.lease(engine.accept([*events, engine.event(6)]))
    turns = before_first_commit(monkeypatch, lambda: effect_of(engine, theirs))
    assert effect_of(engine, mine) == 1
    assert len(turns) == 3  # mine, theirs inside it, mine again
    assert engine.kept().total() == 5


def test_only_the_hours_that_moved_on_are_decided_anew(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = engine.lease(engine.accept([engine.event(0), engine.event(7200)]))
    theirs = engine.lease(engine.accept([engine.event(7200)]))
    decided: list[int] = []
    decide = effect._decide

    def noted(tenant: UUID, window: WindowKey, request: effect.Request, *, now: datetime) -> None:
        decided.append(window.start)
        decide(tenant, window, request, now=now)

    monkeypatch.setattr(effect, "_decide", noted)
    before_first_commit(monkeypatch, lambda: effect_of(engine, theirs))
    assert effect_of(engine, mine) == 1
    first, second = sorted(set(decided))
    assert decided.count(first) == 1
    assert decided.count(second) == 3  # mine, theirs, mine again


def test_a_request_in_other_hours_overtakes_nobody(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = engine.lease(engine.accept([engine.event(0)]))
    theirs = engine.lease(engine.accept([engine.event(3600)]))
    turns = before_first_commit(monkeypatch, lambda: effect_of(engine, theirs))
    assert effect_of(engine, mine) == 1
    assert len(turns) == 2


def test_a_request_that_never_gets_its_turn_gives_up_and_has_done_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = engine.lease(engine.accept([engine.event()]))
    read = effect._read_identities

    def out_of_date(*args: object) -> None:
        read(*args)  # type: ignore[arg-type]  # passed on as they came
        for touched in args[1].windows.values():  # type: ignore[attr-defined]  # a Request
            touched.generation = 99

    monkeypatch.setattr(effect, "MAX_TURNS", 3)
    monkeypatch.setattr(effect, "_read_identities", out_of_date)
    with pytest.raises(Overtaken, match="3 turns"):
        effect_of(engine, lease)
    assert counts(engine) == [0] * len(ROWS)


def test_requests_at_the_same_time_add_each_event_once(engine: Engine) -> None:
    events = [engine.event(number, srcIP=f"10.0.0.{number % 4}") for number in range(8)]
    leases = [engine.lease(engine.accept([*events, engine.event(100 + n)])) for n in range(4)]
    ready = threading.Barrier(len(leases))
    new: list[int] = []

    def work(lease: Lease) -> None:
        try:
            ready.wait(10)
            new.append(effect_of(engine, lease))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(lease,)) for lease in leases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(new) == [1, 1, 1, 9]
    assert engine.kept().total() == 12


def test_whoever_lost_the_lease_leaves_nothing_behind(engine: Engine) -> None:
    work = engine.accept([engine.event(number) for number in range(3)])
    old = engine.lease(work)
    Work.objects.filter(id=work).update(lease_until=engine.now.replace(year=2000))
    new = engine.lease(work)
    assert new.token == old.token + 1
    with pytest.raises(LostLease):
        effect_of(engine, old)
    assert counts(engine) == [0] * len(ROWS)
    assert effect_of(engine, new) == 3
    with pytest.raises(LostLease):
        effect_of(engine, old)
    assert engine.kept().total() == 3


@pytest.mark.parametrize(
    "step",
    [
        "_open_request", "_read_identities", "_decide", "_advance_stream", "_add_to_windows",
        "add_sources", "add_to_day", "finish",
    ],
)  # fmt: skip
def test_a_worker_that_dies_at_any_step_has_done_nothing_and_the_next_does_all(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    work = engine.accept([engine.event(0), engine.event(0), engine.event(3600)])
    with monkeypatch.context() as dying:

        def die(*_args: object, **_kwargs: object) -> None:
            raise SystemExit(step)

        dying.setattr(effect, step, die)
        with pytest.raises(SystemExit):
            effect_of(engine, engine.lease(work))
    assert counts(engine) == [0] * len(ROWS)
    assert Work.objects.get(id=work).state == WorkState.LEASED
    Work.objects.filter(id=work).update(lease_until=engine.now.replace(year=2000))
    assert effect_of(engine, engine.lease(work)) == 3
    assert engine.send([engine.event(0)] * 2 + [engine.event(3600)]) == 0
    assert engine.kept().total() == 3
