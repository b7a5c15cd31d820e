"""The launcher as a process: its start, its end, and what is left after either went wrong."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config.embedded import state
from config.embedded.attachment import attached
from config.embedded.roles import connect
from config.embedded.state import RunRecord
from tests.config.embedded.conftest import REPOSITORY, Launched
from tests.config.embedded.waiting import alive, eventually

Launch = Callable[..., Launched]


def everyone(record: RunRecord) -> list[int]:
    return [record.postgres.pid, record.valkey.pid, *record.processes.values()]


def test_it_serves_says_where_and_stops_cleanly(
    launch: Launch, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched = launch()
    record = launched.until_serving()
    assert record.processes.keys() == {"web", "worker"}
    assert record.url == f"http://127.0.0.1:{record.port}"
    assert all(map(alive, everyone(record)))
    assert stat.S_IMODE((home / "run.json").stat().st_mode) == 0o600
    assert state.url(home) == record.url

    second = launch()
    status, said = second.end()
    assert status == 3
    assert f"process {record.pid}" in said
    assert record.url in said

    monkeypatch.setenv("TAWNY_HOME", str(home))
    with (
        attached() as connection,
        connect(connection, user="tawny_app", database="tawny") as session,
    ):
        assert session.info.backend_pid

    launched.process.send_signal(signal.SIGINT)
    status, said = launched.end()
    assert status == 0, said
    assert f"Tawny serves on {record.url}" in said
    assert not any(map(alive, everyone(record)))
    assert not (home / "run.json").exists()
    assert not state.is_running(home)


def test_a_killed_launcher_takes_all_with_it_and_the_next_one_starts(
    launch: Launch, home: Path
) -> None:
    record = launch().until_serving()
    os.kill(record.pid, signal.SIGKILL)
    eventually(lambda: not state.is_running(home))
    assert (home / "run.json").exists()
    # The worker ignores SIGTERM, so it is still there when the next launcher looks.
    again = launch()
    after = again.until_serving()
    assert not any(map(alive, everyone(record)))
    assert after.pid == again.process.pid


def test_servers_and_programs_that_are_killed_come_back(launch: Launch, home: Path) -> None:
    launched = launch()
    record = launched.until_serving()
    for pid in (record.postgres.pid, record.valkey.pid, record.processes["web"]):
        os.kill(pid, signal.SIGKILL)

    def back() -> bool:
        now = state.running(home)
        return (
            now is not None
            and 0 not in everyone(now)
            and len({*everyone(now)} & {*everyone(record)}) == 1
        )

    eventually(back)
    launched.process.terminate()
    status, said = launched.end()
    assert status == 0
    assert "postgres ended with signal 9" in said


def test_a_taken_port_is_said_before_anything_starts(launch: Launch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        status, said = launch(TAWNY_PORT=str(port)).end()
    assert status == 3
    assert "TAWNY_PORT" in said
    assert "Starting" not in said


def test_where_nothing_runs_a_command_gets_servers_of_its_own(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAWNY_HOME", str(home))
    with attached(migrated=False) as connection:
        with connect(connection, user="tawny_app", database="tawny") as session:
            assert session.execute("SELECT 1").fetchone() == (1,)
        assert not state.is_running()
        nested = (
            "from config.embedded.attachment import attached\nwith attached() as c: print(c.port)"
        )
        done = subprocess.run(
            [sys.executable, "-c", nested], cwd=REPOSITORY, capture_output=True, check=True
        )
        assert done.stdout == b"5432\n"
    assert not connection.valkey_socket.exists()
    assert state.LAUNCHED not in os.environ
