"""The order of the checks: each is told as it comes, and none is made whose ground is missing."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tawny.checkup import account, machine, network
from tawny.checkup.probe import Probe
from tawny.checkup.values import Check, Lost, State
from tawny.errors import InvalidUrl
from tawny.exits import Exit
from tawny.transport import Target, checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """Everything between this machine and the account of a key.

    ``environment`` is looked at for proxy variables, ``state`` is where ``tawny send --follow``
    keeps its place. ``clock`` is epoch time in seconds, ``timer`` a clock that nobody sets.
    """

    url: str
    key: str = field(repr=False)
    environment: Mapping[str, str]
    state: Path
    clock: Callable[[], float] = time.time
    timer: Callable[[], float] = time.perf_counter

    def checks(self) -> Iterator[Check]:
        """Make the checks, each when the one before was taken."""
        yield machine.client()
        yield machine.state_folder(self.state)
        yield machine.key_form(self.key)
        addressed = machine.address(self.url)
        yield addressed
        if addressed.state is State.FAILED:
            return
        target = Target(url=checked(self.url), key=self.key)
        yield machine.proxy(target.url, self.environment)
        try:
            probe = Probe(target, clock=self.clock, timer=self.timer)
        except InvalidUrl as error:
            todo = "correct or unset the proxy variables"
            yield Check(
                name="proxy use", state=State.FAILED, said=str(error), todo=todo, exit=Exit.USAGE
            )
            return
        with probe:
            yield from self._over_the_network(probe)

    def _over_the_network(self, probe: Probe) -> Iterator[Check]:
        alive = probe.get("/healthz", with_key=False)
        reached = network.reachable(alive)
        yield reached
        if isinstance(alive, Lost):
            return
        yield network.encrypted(alive, now=self.clock())
        if reached.state is State.FAILED:
            return  # whoever answers there is not to be given the key
        readiness = probe.get("/readyz", with_key=False)
        yield network.ready(readiness)
        if not isinstance(readiness, Lost):
            yield network.latency(readiness)
        if not self.key:
            yield network.clock(alive, today=None)
            return
        answer = probe.get("/v1/account/status", with_key=True)
        known, status = account.known(answer)
        yield known
        timed = alive if isinstance(answer, Lost) else answer
        yield network.clock(timed, today=account.moment(status.today) if status else None)
        if status:
            yield from account.standing(status, now=self.clock())
