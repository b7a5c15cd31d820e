"""Keeping children alive, and stopping them in order."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from config.embedded.errors import ServerFailed
from config.embedded.processes import Program, launch, run
from config.embedded.supervisor import Stage, Supervisor
from tests.config.embedded.waiting import alive, eventually

SLEEPS = "import time; time.sleep(300)"
NOTES_ITS_STOP = """
import pathlib, signal, sys, time
def stop(*_):
    with open('stops', 'a') as file:
        file.write(sys.argv[1] + ' ')
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
pathlib.Path(sys.argv[1]).touch()
time.sleep(300)
"""
FORKS = """
import os, pathlib, time
child = os.fork()
if child:
    pathlib.Path('child').write_text(str(child))
time.sleep(300)
"""


def python(
    home: Path, name: str, code: str, *arguments: str, stop: signal.Signals = signal.SIGTERM
) -> Program:
    return Program(
        name=name,
        command=(sys.executable, "-c", code, *arguments),
        environment={},
        directory=home,
        home=home,
        stop_signal=stop,
    )


def test_a_child_that_dies_is_started_again_after_a_growing_pause(tmp_path: Path) -> None:
    said: list[str] = []
    seen: list[dict[str, int]] = []
    program = python(tmp_path, "worker", SLEEPS)
    stage = Stage(charges=[program], seconds=5)
    supervisor = Supervisor([stage], say=said.append, changed=seen.append)
    supervisor.tend()
    first = supervisor.pids["worker"]
    os.kill(first, signal.SIGKILL)
    eventually(lambda: 0 < supervisor.tend() < float("inf"))
    assert "signal 9" in said[0]
    assert "in 1 s" in said[0]
    assert supervisor.pids == {}
    eventually(lambda: supervisor.tend() == float("inf"))
    second = supervisor.pids["worker"]
    assert second != first
    os.kill(second, signal.SIGKILL)
    eventually(lambda: 0 < supervisor.tend() < float("inf"))
    assert "in 2 s" in said[1]
    assert supervisor.ends() == {"worker": 2}
    assert seen == [{"worker": first}, {}, {"worker": second}, {}]
    supervisor.stop()


def test_children_stop_stage_by_stage(tmp_path: Path) -> None:
    names = ("web", "valkey", "postgres")
    stages = [
        Stage(charges=[python(tmp_path, name, NOTES_ITS_STOP, name)], seconds=5) for name in names
    ]
    supervisor = Supervisor(stages, say=pytest.fail, changed=lambda _pids: None)
    supervisor.tend()
    pids = supervisor.pids.values()
    eventually(lambda: all((tmp_path / name).exists() for name in names))
    supervisor.stop()
    assert (tmp_path / "stops").read_text() == "web valkey postgres "
    assert not any(map(alive, pids))


def test_a_child_that_will_not_stop_is_killed_with_all_it_forked(tmp_path: Path) -> None:
    said: list[str] = []
    program = python(tmp_path, "worker", FORKS, stop=signal.SIGURG)  # ignored by default
    stage = Stage(charges=[program], seconds=0.2)
    supervisor = Supervisor([stage], say=said.append, changed=lambda _pids: None)
    supervisor.tend()
    eventually(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
    supervisor.stop()
    assert said == ["worker did not stop within 0 s and was ended"]
    grandchild = int((tmp_path / "child").read_text())
    eventually(lambda: not alive(grandchild))


def test_a_program_starts_only_when_its_former_life_has_ended(tmp_path: Path) -> None:
    program = python(tmp_path, "worker", FORKS)
    process = launch(program)
    eventually(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text())
    late = int((tmp_path / "child").read_text())
    process.kill()
    again = launch(python(tmp_path, "worker", SLEEPS))
    assert not alive(late)
    again.kill()


def test_a_child_is_alone_in_its_session_so_that_ctrl_c_passes_it_by(tmp_path: Path) -> None:
    process = launch(python(tmp_path, "worker", SLEEPS))
    assert os.getsid(process.pid) == os.getpgid(process.pid) == process.pid
    process.kill()
    assert process.ended() == -signal.SIGKILL


def test_a_long_log_is_set_aside_at_the_next_start(tmp_path: Path) -> None:
    program = python(tmp_path, "worker", "print('new')")
    program.log.parent.mkdir()
    program.log.write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    process = launch(program)
    assert process.wait(until=time.monotonic() + 10)
    assert program.log.read_text() == "new\n"
    assert program.log.with_name("worker.log.1").stat().st_size > 10 * 1024 * 1024


def test_what_a_program_answers_is_in_no_log_but_its_complaint_is(tmp_path: Path) -> None:
    answers = python(tmp_path, "prepare", "print('secret')")
    assert run(answers, seconds=10) == b"secret\n"
    assert answers.log.read_bytes() == b""
    with pytest.raises(ServerFailed, match=r"status 1\n.*prepare\.log:\n.*it cannot"):
        run(python(tmp_path, "prepare", "import sys; sys.exit('it cannot')"), seconds=10)
    with pytest.raises(ServerFailed, match="not done in 0 s"):
        run(python(tmp_path, "prepare", SLEEPS), seconds=0.2)
