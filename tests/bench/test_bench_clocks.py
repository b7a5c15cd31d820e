"""The meter and the probes: they charge what was spent to whoever spent it, and leave no trace."""

import os
import sys
import time
from collections.abc import Iterator
from types import ModuleType

import pytest

from analytics.ingest import batches
from bench import meter, probes
from bench.meter import Meter, Spent
from bench.probes import REST, Stages, installed


def _burn(seconds: float) -> None:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def _inner() -> None:
    _burn(0.02)


def _outer() -> None:
    _burn(0.02)
    sys.modules["analytics.made_up"].inner()


def _steps() -> Iterator[int]:
    for number in range(3):
        _burn(0.01)
        yield number


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Stages:
    module = ModuleType("analytics.made_up")
    vars(module).update(inner=_inner, outer=_outer, steps=_steps)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(
        probes,
        "PROBES",
        {
            "analytics.made_up:inner": "inner",
            "analytics.made_up:outer": "outer",
            "analytics.made_up:steps": "steps",
            "analytics.made_up:gone": "gone",
        },
    )
    return Stages()


def test_a_stage_is_charged_without_the_stages_that_it_calls(stages: Stages) -> None:
    with installed(stages), stages.during("phase"):
        sys.modules["analytics.made_up"].outer()
        _burn(0.03)
    assert stages.spent["phase", "outer"] == pytest.approx(0.02, abs=0.01)
    assert stages.spent["phase", "inner"] == pytest.approx(0.02, abs=0.01)
    assert stages.spent["phase", REST] == pytest.approx(0.03, abs=0.01)


def test_a_generator_is_not_charged_with_what_its_consumer_does(stages: Stages) -> None:
    with installed(stages), stages.during("phase"):
        for _ in sys.modules["analytics.made_up"].steps():
            _burn(0.02)
    assert stages.spent["phase", "steps"] == pytest.approx(0.03, abs=0.015)
    assert stages.spent["phase", REST] == pytest.approx(0.06, abs=0.02)


def test_a_function_that_is_gone_is_named(stages: Stages) -> None:
    with installed(stages):
        assert stages.missing == ["analytics.made_up:gone"]


def test_probes_are_in_every_module_that_names_the_function_and_taken_away_after() -> None:
    original = batches.to_batch
    with installed(Stages()):
        parts = sys.modules["analytics.ingest.parts"]
        assert batches.to_batch is not original
        assert vars(parts)["to_batch"] is batches.to_batch
    assert batches.to_batch is original
    assert vars(sys.modules["analytics.ingest.parts"])["to_batch"] is original


def test_the_meter_adds_up_cpu_and_wall() -> None:
    spent = Spent()
    for _ in range(2):
        with Meter(None).on(spent):
            _burn(0.02)
            time.sleep(0.02)
    assert spent.cpu == pytest.approx(0.04, abs=0.02)
    assert spent.wall >= 0.08
    assert spent.database == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_a_process_is_counted_with_its_descendants() -> None:
    _burn(0.05)
    own = meter.cpu_of_tree(os.getpid())  # read first: both clocks go on
    assert meter.cpu_of_tree(os.getppid()) >= own >= 0.05


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_the_peak_counts_from_its_beginning() -> None:
    before = meter.begin_peak()
    held = bytearray(48 << 20)
    held[:: 1 << 12] = b"x" * len(held[:: 1 << 12])
    del held
    assert meter.peak() >= before + (40 << 20)


def test_the_machine_is_named() -> None:
    facts = meter.machine()
    assert facts.cpu
    assert facts.cores >= 1
    assert facts.python.startswith("CPython 3.") or "Python" in facts.python
