"""Where the CPU time goes: stages of the product's own functions, timed from outside.

Nothing in the product knows of it. Each probe names a function; while measuring, every reference to
it in the product's modules is replaced by one that first charges the time so far to the stage that
was running. Stages are exclusive: what a function's callees with a probe take is theirs. A call
costs about a microsecond, and there are some hundred a batch of 20,000 events.
"""

import inspect
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from importlib import import_module
from typing import Any

PACKAGES = ("analytics", "audit", "crypto", "destinations", "tenants")
REST = "rest"
"""The stage of what no probe covers."""

PROBES: dict[str, str] = {
    # accept
    "analytics.ingest.bodies:inflated": "inflate",
    "analytics.ingest.bodies:Stretches.__iter__": "cut",
    "analytics.ingest.values:decode_start": "decode",
    "analytics.ingest.values:decode_values": "decode",
    "analytics.ingest.checks:rejections": "check",
    "analytics.ingest.parts:_Packer.add": "pack",
    "analytics.ingest.parts:_Packer.part": "pack",
    "analytics.ingest.batches:_column": "columns",
    "analytics.ingest.batches:to_batch": "columns: table",
    "analytics.series.codec:encode": "encode",
    "tenants.keys.custody:seal": "seal",
    "analytics.actions.accept:accept_request": "commit",
    # take effect
    "tenants.keys.custody:unseal": "unseal",
    "analytics.series.codec:decode": "unpack",
    "analytics.ingest.fingerprints:fingerprints": "fingerprint",
    "analytics.actions.effect:_sort_into_windows": "windows",
    "analytics.series.contacted:destinations_of": "destinations",
    "analytics.ingest.values:count_unknown": "unknown fields",
    "analytics.actions.effect:_read_identities": "identities",
    "analytics.ingest.fingerprints:ordinals": "identities",
    "analytics.ingest.fingerprints:multiplicities": "identities",
    "analytics.ingest.fingerprints:earlier": "identities",
    "analytics.series.store:seal_identities": "identities",
    "analytics.actions.effect:_decide": "segments",
    "analytics.actions.effect:_commit": "commit",
    # evaluate
    "analytics.actions.evaluation:_Rows.__init__": "read",
    "analytics.series.pairs:pairs_of": "pairs",
    "analytics.actions.findings:_reports_by_pair": "ask",
    "analytics.actions.named:find_named": "ask",
    "analytics.actions.daily:summarise": "summary",
    "analytics.detectors.evaluate:pairs": "detectors",
    "analytics.actions.findings:content_of": "contents",
    "analytics.actions.evaluation:_Rows.contents": "contents",
    "analytics.actions.alerts:reconcile": "reconcile",
}
"""``module:name`` of a function and the stage that its own time belongs to."""


def _form(arguments: tuple[Any, ...]) -> str:
    """Return the form of the column that ``_column`` makes."""
    return next((f": {each.form}" for each in arguments if hasattr(each, "form")), "")


@dataclass(slots=True)
class Stages:
    """CPU seconds by phase and stage; `phase` is set by whoever measures."""

    phase: str = ""
    spent: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    missing: list[str] = field(default_factory=list)
    _running: list[str] = field(default_factory=list)
    _since: float = 0.0

    @contextmanager
    def during(self, phase: str) -> Iterator[None]:
        """Charge what happens inside to `phase`."""
        self.phase = phase
        self._since = time.process_time()
        self._running.append(REST)
        try:
            yield
        finally:
            self._charge()
            self._running.pop()
            self.phase = ""

    def enter(self, stage: str) -> None:
        """Let `stage` run from now on."""
        self._charge()
        self._running.append(stage)

    def leave(self) -> None:
        """Let the stage before run again."""
        self._charge()
        self._running.pop()

    def _charge(self) -> None:
        now = time.process_time()
        if self._running:
            self.spent[self.phase, self._running[-1]] += now - self._since
        self._since = now


@contextmanager
def installed(stages: Stages) -> Iterator[None]:
    """Put every probe in place, and take them away after; `stages.missing` names what is gone."""
    undo: list[tuple[object, str, Callable[..., Any]]] = []
    try:
        for target, stage in PROBES.items():
            found = _find(target)
            if found is None:
                stages.missing.append(target)
                continue
            owner, name, original = found
            probe = _probed(original, stage, stages)
            for holder, attribute in [(owner, name), *_references(original)]:
                undo.append((holder, attribute, original))
                setattr(holder, attribute, probe)
        yield
    finally:
        for holder, attribute, original in reversed(undo):
            setattr(holder, attribute, original)


def _find(target: str) -> tuple[object, str, Callable[..., Any]] | None:
    module, _, path = target.partition(":")
    *parents, name = path.split(".")
    try:
        owner: object = import_module(module)
        for parent in parents:
            owner = getattr(owner, parent)
        return owner, name, getattr(owner, name)
    except (ImportError, AttributeError):
        return None


def _references(original: object) -> list[tuple[object, str]]:
    """Return every module and name of the product under which `original` is reached."""
    return [
        (module, name)
        for title, module in list(sys.modules.items())
        if title.partition(".")[0] in PACKAGES
        for name, value in list(vars(module).items())
        if value is original
    ]


def _probed(original: Callable[..., Any], stage: str, stages: Stages) -> Callable[..., Any]:
    if inspect.isgeneratorfunction(original):
        return _probed_steps(original, stage, stages)

    @wraps(original)
    def probe(*arguments: Any, **named: Any) -> Any:
        stages.enter(stage + _form(arguments) if stage == "columns" else stage)
        try:
            return original(*arguments, **named)
        finally:
            stages.leave()

    return probe


def _probed_steps(original: Callable[..., Any], stage: str, stages: Stages) -> Callable[..., Any]:
    """Probe a generator: each of its steps, and not what its consumer does in between."""

    @wraps(original)
    def probe(*arguments: Any, **named: Any) -> Iterator[Any]:
        steps = original(*arguments, **named)
        while True:
            stages.enter(stage)
            try:
                step = next(steps)
            except StopIteration:
                return
            finally:
                stages.leave()
            yield step

    return probe
