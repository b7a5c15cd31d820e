"""One tenant's large bodies leave threads to the others."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import UUID

import pytest

from config.embedded.programs import WEB_THREADS
from tenants import admission
from tenants.admission import LARGE, OF_ALL, OF_TENANT, WAITING, Gate, admitted
from tenants.errors import Crowded

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    monkeypatch.setattr(admission, "PATIENCE", 0.05)
    return Gate()


@pytest.fixture
def inside() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_a_tenant_has_its_places_and_another_finds_one(gate: Gate, inside: ExitStack) -> None:
    for _ in range(OF_TENANT):
        inside.enter_context(gate.place(ONE))
    with pytest.raises(Crowded) as caught:
        inside.enter_context(gate.place(ONE))
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (503, "1")
    inside.enter_context(gate.place(TWO))


def test_all_together_leave_threads_for_what_is_small(gate: Gate, inside: ExitStack) -> None:
    assert OF_ALL + WAITING < WEB_THREADS
    assert OF_TENANT + WAITING < OF_ALL
    for tenant in (ONE, TWO, THREE) * 2:
        inside.enter_context(gate.place(tenant))
    with pytest.raises(Crowded):
        inside.enter_context(gate.place(ONE))
    inside.close()
    inside.enter_context(gate.place(ONE))


def test_one_waits_for_a_place_and_any_more_are_told_at_once(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "PATIENCE", 30.0)
    begun, let_go = threading.Event(), threading.Event()

    def wait() -> str:
        begun.set()
        with gate.place(ONE):
            return "inside"

    with ThreadPoolExecutor(1) as pool, ExitStack() as held:
        for _ in range(OF_TENANT):
            held.enter_context(gate.place(ONE))
        late = pool.submit(wait)
        begun.wait()
        while not gate._waiting[ONE]:
            let_go.wait(0.001)
        with pytest.raises(Crowded), gate.place(ONE):
            pass
        held.close()
        assert late.result() == "inside"


def test_a_place_is_given_back_after_a_failure(gate: Gate) -> None:
    for _ in range(2 * OF_TENANT):
        with pytest.raises(ValueError, match="broken"), gate.place(ONE):
            raise ValueError("broken")
    with gate.place(ONE):
        assert dict(gate._inside) == {ONE: 1}
    assert dict(gate._inside) == {}


def test_small_bodies_pass_and_one_of_no_stated_length_is_large(inside: ExitStack) -> None:
    for _ in range(2 * OF_ALL):
        inside.enter_context(admitted(ONE, octets=LARGE - 1))
    for octets in (None, LARGE) * (OF_TENANT // 2):
        inside.enter_context(admitted(ONE, octets=octets))
    inside.callback(lambda: None)
    assert admission._gate._inside[ONE] == OF_TENANT
