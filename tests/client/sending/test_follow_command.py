"""``tawny send --follow`` and ``--resume`` as their users see them, killed and stopped for real."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tawny.cli import run
from tests.client.loopback import Answer, Request, Service
from tests.client.processes import command, wait_for
from tests.client.zeek_logs import conn_log, conn_row

TICKER = re.compile(rb"kB read, 0 B behind, 1\d events taken \([\d,]+/s\)")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    path = tmp_path / "logs" / "conn.log"
    path.write_bytes(conn_log(*rows(0, 20)))
    return path


def rows(first: int, last: int) -> list[str]:
    return [conn_row(uid=f"C{n}", ts=f"{1713484795 + n}.5") for n in range(first, last)]


def write(path: Path, first: int, last: int) -> None:
    with path.open("a") as file:
        file.write("".join(rows(first, last)))


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    last: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return last


def ids(requests: list[Request]) -> list[str]:
    return [event["connID"] for request in requests for event in request.events]


def test_following_ends_with_everything_sent_when_it_is_told_to(
    service: Service, log: Path
) -> None:
    arguments = ("send", "zeek", str(log.parent), "--follow", "--json", "--batch-events", "2")
    with command(*arguments) as process:
        wait_for(4, service)
        write(log, 20, 25)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    sent = json.loads(out.splitlines()[-1])["sent"]["ip"]["received"]
    assert ids(service.requests) == [f"C{n}" for n in range(sent)]
    assert sent >= 20
    with command(*arguments) as process:
        wait_for(len(service.requests) + (sent < 25), service)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert ids(service.requests) == [f"C{n}" for n in range(25)]


@pytest.mark.parametrize("killed_at", [1, 2, 4])
def test_a_run_that_is_killed_as_a_request_arrives_sends_it_again_as_it_was(
    service: Service, log: Path, killed_at: int
) -> None:
    arguments = ("send", "zeek", str(log.parent), "--follow", "--batch-events", "2")
    with command(*arguments) as process:

        def kill(request: Request) -> Answer:
            if len(service.requests) == killed_at:
                process.kill()
                process.wait(20)
            count = len(request.events)
            return Answer(body={"received": count, "accepted": count, "rejected": {}})

        service.usual = kill
        process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    service.usual = None
    write(log, 20, 30)
    assert run(["send", "zeek", str(log.parent), "--follow", "--resume"]) == 2
    again = command(*arguments)
    with again:
        wait_for(killed_at + 5, service)
        again.send_signal(signal.SIGTERM)
        again.communicate(timeout=20)
    bodies = {request.body: request for request in service.requests}
    assert Counter(ids(list(bodies.values()))) == Counter(f"C{n}" for n in range(30))


def test_the_disk_takes_over_when_the_service_goes_and_gives_back_when_it_returns(
    service: Service, log: Path
) -> None:
    service.script = [
        Answer(),
        Answer(503, {"message": "later"}, {"Retry-After": "0"}),
        Answer(hang_up=True),
        Answer(500, {"message": "oh"}),
    ]
    with command("send", "zeek", str(log), "--follow", "--batch-events", "2") as process:
        wait_for(8, service)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 0
    bodies = {request.body: request for request in service.requests}
    assert ids(list(bodies.values())) == [f"C{n}" for n in range(20)]
    assert len(service.requests) == len(bodies) + 3
    assert err.count("trying again in") == 3


def test_a_resumed_run_sends_what_is_new_and_ends(
    service: Service, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["send", "zeek", str(log), "--resume", "--json"]) == 0
    assert told(capsys)["sent"]["ip"]["received"] == 20
    assert run(["send", "zeek", str(log), "--resume", "--json"]) == 0
    assert told(capsys)["sent"] == {}
    write(log, 20, 23)
    assert run(["send", "zeek", str(log), "--resume", "--json"]) == 0
    assert told(capsys)["sent"]["ip"]["received"] == 3
    assert run(["send", "zeek", str(log), "--resume", "--again", "--json"]) == 0
    assert told(capsys)["sent"]["ip"]["received"] == 23
    assert run(["send", "zeek", str(log), "--resume", "--json"]) == 0
    assert told(capsys)["sent"] == {}
    assert len(service.requests) == 3


def test_a_resumed_run_that_fails_keeps_what_it_read_for_the_next(
    service: Service, log: Path, capsys: pytest.CaptureFixture[str], state: Path
) -> None:
    service.usual = lambda _: Answer(503, {"message": "down"})
    assert run(["send", "zeek", str(log), "--resume", "--retries", "0", "--json"]) == 4
    captured = capsys.readouterr()
    kept = json.loads(captured.out)["state"]
    assert kept["waiting"] == 1
    assert kept["folder"].startswith(str(state))
    assert "1 requests" in captured.err
    service.usual = None
    log.unlink()
    assert run(["send", "zeek", str(log.parent), "--resume", "--json"]) == 0
    assert told(capsys)["sent"]["ip"]["received"] == 20


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_taken_stops_following_with_exit_code_3(
    service: Service, log: Path, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    service.usual = lambda _: Answer(status, {"message": "no"})
    assert run(["send", "zeek", str(log), "--follow", "--batch-events", "2", "--json"]) == 3
    assert told(capsys)["state"]["waiting"] >= 1


def test_a_wrong_request_gives_exit_code_2_and_lies_in_the_state(
    service: Service, log: Path, capsys: pytest.CaptureFixture[str], state: Path
) -> None:
    service.usual = lambda _: Answer(400, {"message": "nothing parses"})
    assert run(["send", "zeek", str(log), "--resume"]) == 2
    shown = capsys.readouterr()
    assert "refused by the service and kept: 20 events, 400: nothing parses" in shown.out
    (kept,) = state.glob("tawny/zeek-127.0.0.1-*/rejected/*.ndjson.gz")
    assert str(kept) in shown.err


def test_a_state_that_is_in_use_is_said(
    service: Service, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with command("send", "zeek", str(log), "--follow", "--batch-events", "2") as process:
        wait_for(1, service)
        assert run(["send", "zeek", str(log), "--resume"]) == 1
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert "another run" in capsys.readouterr().err


def test_the_key_is_in_no_file_of_the_state(service: Service, log: Path, state: Path) -> None:
    assert run(["send", "zeek", str(log), "--resume", "--key", "twy_abc_0123456789secret"]) == 0
    assert service.requests
    for path in state.rglob("*"):
        assert "secret" not in path.name
        if path.is_file():
            assert b"0123456789secret" not in path.read_bytes()


def test_a_terminal_sees_how_the_run_stands(service: Service, log: Path) -> None:
    main, side = os.openpty()
    arguments = ["send", "zeek", str(log), "--follow", "--batch-events", "2"]
    with subprocess.Popen(
        [sys.executable, "-m", "tawny", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=side,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "120"},
    ) as process:
        os.close(side)
        wait_for(5, service)
        shown = b""
        while not TICKER.search(shown):
            shown += os.read(main, 4096)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    os.close(main)


@pytest.mark.parametrize(
    "options",
    [
        ["--follow", "--resume"],
        ["--again"],
        ["--check", "--follow"],
        ["--follow", "--spool-bytes", "5"],
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    service: Service, log: Path, options: list[str]
) -> None:
    assert run(["send", "zeek", str(log), *options]) == 2
    assert service.requests == []


def test_standard_input_cannot_be_followed(service: Service) -> None:
    assert run(["send", "zeek", "-", "--follow"]) == 2
    assert service.requests == []
