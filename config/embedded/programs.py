"""The product's own processes, as the launcher starts them."""

import os
import signal
import sys
from pathlib import Path

from config.embedded.errors import WrongSetting
from config.embedded.listening import Listening
from config.embedded.processes import Program
from config.embedded.state import LAUNCHED, REPOSITORY

QUEUES = "ingest,analyse,lookups,feeds,deliver"
WEB_THREADS = 8
"""Requests under way at once. Each may hold a database session; of large bodies there are fewer
(`tenants.admission`)."""
WEB_WAITING = 64
"""Connections taken beyond those; more wait in the kernel's queue."""
WEB_STOP_SECONDS = 4
MOST_WEB_PROCESSES = 64
"""Each is 150 MB and eight database sessions."""


def environment(
    home: Path, *, listening: Listening | None = None, role: str = "app"
) -> dict[str, str]:
    """Return the environment of a process that uses `home`'s servers as a database role."""
    own = {
        "TAWNY_HOME": str(home),
        "TAWNY_DB_ROLE": role,
        "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
        LAUNCHED: str(home),
        "PYTHONUNBUFFERED": "1",
    }
    if listening:
        own |= {"TAWNY_BIND": listening.bind, "TAWNY_PORT": str(listening.port)}
    return {**os.environ, **own}


def all_programs(home: Path, listening: Listening) -> tuple[Program, ...]:
    """Return web, beat, worker and sequencer: the order in which they are asked to stop."""
    surroundings = environment(home, listening=listening)

    def program(
        name: str, *command: str, orphan_signal: signal.Signals = signal.SIGTERM
    ) -> Program:
        return Program(
            name=name,
            command=(sys.executable, *command),
            environment=surroundings,
            directory=REPOSITORY,
            home=home,
            orphan_signal=orphan_signal,
        )

    celery = ("-m", "celery", "-A", "config.celery")
    return (
        program("web", *web_command(listening, processes=web_processes())),
        program("beat", *celery, "beat", "-l", "WARNING", *_beat(home)),
        # Orphaned, it stops without waiting for its tasks (celery's cold shutdown): its broker
        # and its database are going too, and each task's lease is offered again.
        program("worker", *celery, "worker", *_worker(), orphan_signal=signal.SIGQUIT),
        program("sequencer", "manage.py", "sequencer"),
    )


def web_processes() -> int:
    """Return how many web processes TAWNY_WEB_PROCESSES asks for; `WrongSetting` for nonsense."""
    text = os.environ.get("TAWNY_WEB_PROCESSES") or "1"
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_WEB_PROCESSES):
        raise WrongSetting(
            f"TAWNY_WEB_PROCESSES is {text!r}: a number from 1 to {MOST_WEB_PROCESSES}"
        )
    return int(text)


def web_command(listening: Listening, *, processes: int) -> tuple[str, ...]:
    """Return the interpreter's arguments that serve the product over HTTP."""
    command = ["-m", "granian", "config.wsgi:application", "--interface", "wsgi"]
    command += ["--host", listening.bind, "--port", str(listening.port)]
    command += ["--workers", str(processes), "--blocking-threads", str(WEB_THREADS)]
    command += ["--backpressure", str(WEB_WAITING), "--no-ws", "--no-access-log"]
    command += ["--log-level", "warning", "--workers-kill-timeout", str(WEB_STOP_SECONDS)]
    if listening.certificate and listening.key:
        command += ["--ssl-certificate", str(listening.certificate)]
        command += ["--ssl-keyfile", str(listening.key), "--ssl-protocol-min", "tls1.2"]
    return tuple(command)


def _worker() -> tuple[str, ...]:
    command = ("-P", "prefork", "-c", str(os.cpu_count() or 1), "-Q", QUEUES, "-l", "WARNING")
    return (*command, "--without-gossip", "--without-mingle", "--without-heartbeat")


def _beat(home: Path) -> tuple[str, ...]:
    return ("--schedule", str(home / "beat-schedule"), "--pidfile", "")
