"""``run``: everything of the embedded deployment, in the foreground, until a signal."""

import http
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.embedded import state
from config.embedded.errors import ServerFailed
from config.embedded.listening import Listening
from config.embedded.ownership import owned
from config.embedded.preparation import prepare
from config.embedded.processes import Program, last_words
from config.embedded.programs import all_programs
from config.embedded.progress import Progress, on_stdout
from config.embedded.readiness import probe
from config.embedded.servers import STOP_SECONDS, Servers
from config.embedded.signals import Interrupted, Signals
from config.embedded.state import Connection, PostgresRecord, RunRecord, RunState, ValkeyRecord
from config.embedded.supervisor import Stage, Supervisor

SERVING_SECONDS = 120.0
STOP_PROGRAMS_SECONDS = 6.0
ENDS_BEFORE_GIVING_UP = 3
"""A process that ends this often before all serves has a fault that a restart does not mend."""
STARTING_PAUSE_SECONDS = 0.2
SERVING_PAUSE_SECONDS = 60.0
NEXT_COMMAND = ".venv/bin/tawny send zeek PATH (with TAWNY_KEY set to the first start's API key)"

Programs = Callable[[Path, Listening], Sequence[Program]]
Prepare = Callable[[Servers, Progress], None]


def run(*, now: datetime, programs: Programs = all_programs, prepared: Prepare = prepare) -> int:
    """Start all, say where it serves, keep it alive until a signal; return the exit status.

    `programs` gives the processes beside the servers in the order in which they are asked to
    stop, one of which answers ``/readyz``; `prepared` readies the databases before they start.

    Raises
    ------
    EmbeddedError
        It cannot start; nothing is left running.
    """
    progress = on_stdout()
    listening = Listening.from_environment()
    home = state.home()
    with Signals() as signals:
        try:
            with owned(home, purpose="run", say=progress.say):
                deployment = _Deployment(
                    home=home, listening=listening.claimed(), started_at=now, progress=progress
                )
                _serve(deployment, programs=programs, prepared=prepared, signals=signals)
        except Interrupted:
            progress.say("Stopped before all was up")
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deployment:
    """What is served, and where; it keeps ``run.json`` true."""

    home: Path
    listening: Listening
    started_at: datetime
    progress: Progress

    def record(self, pids: Mapping[str, int], *, reached: Connection, as_: RunState) -> None:
        """Write the process numbers `pids`, by name."""
        postgres = PostgresRecord(
            socket_dir=str(reached.socket_dir), port=reached.port, pid=pids.get("postgres", 0)
        )
        valkey = ValkeyRecord(socket=str(reached.valkey_socket), pid=pids.get("valkey", 0))
        own = {name: pid for name, pid in pids.items() if name not in STOP_SECONDS}
        record = RunRecord(
            pid=os.getpid(),
            url=self.listening.url,
            port=self.listening.port,
            bind=self.listening.bind,
            postgres=postgres,
            valkey=valkey,
            processes=own,
            started_at=self.started_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
            state=as_,
        )
        state.write_run(self.home, record)


def _serve(
    deployment: _Deployment, *, programs: Programs, prepared: Prepare, signals: Signals
) -> None:
    servers = Servers(deployment.home)
    begun = time.monotonic()
    try:
        with deployment.progress.step("Starting PostgreSQL and Valkey"):
            reached = servers.start()
        pids = {name: process.pid for name, process in servers.processes.items()}
        deployment.record(pids, reached=reached, as_="starting")
        prepared(servers, deployment.progress)
        signals.defer()
        _supervise(deployment, servers, reached, programs=programs, signals=signals, begun=begun)
    finally:
        state.remove_run(deployment.home)
        servers.stop()


def _supervise(
    deployment: _Deployment,
    servers: Servers,
    reached: Connection,
    *,
    programs: Programs,
    signals: Signals,
    begun: float,
) -> None:
    home, progress = deployment.home, deployment.progress
    phase: RunState = "starting"

    def record(pids: Mapping[str, int]) -> None:
        deployment.record(pids, reached=reached, as_=phase)

    own = programs(home, deployment.listening)
    stages = [Stage(charges=own, seconds=STOP_PROGRAMS_SECONDS)]
    stages += (Stage(charges=[each], seconds=STOP_SECONDS[each.name]) for each in servers.all)
    supervisor = Supervisor(stages, say=progress.say, changed=record)
    supervisor.adopt(servers.processes)
    try:
        with progress.step(f"Starting {', '.join(each.name for each in own)}"):
            serving = _await_serving(deployment, supervisor, signals)
        if serving:
            phase = "serving"
            record(supervisor.pids)
            seconds = time.monotonic() - begun
            url = deployment.listening.url
            progress.say(f"Tawny serves on {url} after {seconds:.1f} s. Ctrl-C stops it.")
            progress.say(f"Next, in another terminal: {NEXT_COMMAND}")
        while not signals.asked:
            signals.wait(min(supervisor.tend(), SERVING_PAUSE_SECONDS))
    finally:
        state.remove_run(home)  # first, so that a command that starts now waits for the end
        with progress.step("Stopping"):
            supervisor.stop()


def _await_serving(deployment: _Deployment, supervisor: Supervisor, signals: Signals) -> bool:
    """Wait until ``/readyz`` answers 200; False where a signal came first."""
    logs = deployment.home / "logs"
    deadline = time.monotonic() + SERVING_SECONDS
    while not signals.asked:
        supervisor.tend()
        status, said = probe(deployment.listening)
        if status == http.HTTPStatus.OK:
            return True
        for name, ends in supervisor.ends().items():
            if ends >= ENDS_BEFORE_GIVING_UP:
                raise ServerFailed(f"{name} ended {ends} times{last_words(logs / f'{name}.log')}")
        if time.monotonic() >= deadline:
            raise ServerFailed(
                f"{deployment.listening.url}/readyz answered {status or 'nothing'}"
                f" for {SERVING_SECONDS:.0f} s: {said}{last_words(logs / 'web.log')}"
            )
        signals.wait(STARTING_PAUSE_SECONDS)
    return False
