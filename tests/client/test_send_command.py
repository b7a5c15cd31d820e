"""``tawny send`` as its users see it."""

import gzip
import io
import json
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tawny.cli import run
from tests.client.loopback import KEY, Answer, Service
from tests.client.processes import command, wait_for
from tests.client.zeek_logs import conn_log, conn_row, dns_log, dns_row


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    five = [conn_row(uid=f"C{n}", ts=f"171348479{n}.943239") for n in range(5)]
    (tmp_path / "conn.log").write_bytes(conn_log(*five))
    (tmp_path / "dns.log.gz").write_bytes(gzip.compress(dns_log(dns_row(), dns_row())))
    (tmp_path / "weird.log").write_bytes(conn_log(conn_row(), path="weird"))
    (tmp_path / "open_conn.log").write_bytes(conn_log(path="open_conn"))
    return tmp_path


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    last: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return last


def test_a_folder_of_logs_is_sent_and_accounted_for(
    service: Service, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["send", "zeek", str(logs), "--json"]) == 0
    assert told(capsys) == {
        "files": 4,
        "logs": {"conn": 5, "dns": 2, "open_conn": 1},
        "sent": {
            "dns": {"received": 2, "accepted": 2, "rejected": {}},
            "ip": {"received": 6, "accepted": 6, "rejected": {}},
        },
        "skipped": {"weird": 1},
        "malformed": {},
        "foreign": [],
        "damaged": {},
        "clockless": [],
    }
    assert [request.path for request in service.requests] == [
        "/v1/events/ip",
        "/v1/events/dns",
        "/v1/events/ip",
    ]
    assert [event["connID"] for event in service.requests[0].events] == [f"C{n}" for n in range(5)]


@pytest.mark.usefixtures("service")
def test_without_json_the_summary_is_for_people(
    logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["send", "zeek", str(logs)]) == 0
    shown = capsys.readouterr()
    assert "4 files read" in shown.out
    assert ["conn", "5", "5", "0", "0"] in [line.split() for line in shown.out.splitlines()]
    assert ["weird", "1", "0", "0", "1"] in [line.split() for line in shown.out.splitlines()]
    assert ["ip", "6", "6", "0"] in [line.split() for line in shown.out.splitlines()]
    assert "\x1b" not in shown.out + shown.err
    assert shown.err == ""


def test_batches_are_no_larger_than_asked_for(service: Service, logs: Path) -> None:
    assert run(["send", "zeek", str(logs / "conn.log"), "--batch-events", "2"]) == 0
    assert [len(request.events) for request in service.requests] == [2, 2, 1]


def test_a_batch_that_failed_is_sent_again_whole_and_the_others_once(
    service: Service, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.script = [Answer(), Answer(503, None, {"Retry-After": "0"}), Answer(hang_up=True)]
    code = run(["send", "zeek", str(logs / "conn.log"), "--batch-events", "2", "--json"])
    assert code == 0
    sent = [[event["connID"] for event in request.events] for request in service.requests]
    assert sent == [["C0", "C1"], ["C2", "C3"], ["C2", "C3"], ["C2", "C3"], ["C4"]]
    captured = capsys.readouterr()
    assert json.loads(captured.out)["sent"]["ip"]["received"] == 5
    assert captured.err.count("trying again in") == 2


def test_rejected_events_give_exit_code_2(
    service: Service, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.usual = lambda request: Answer(
        body={
            "received": len(request.events),
            "accepted": len(request.events) - 1,
            "rejected": {"ts_future": 1},
        }
    )
    assert run(["send", "zeek", str(logs), "--json"]) == 2
    sent = told(capsys)["sent"]
    assert sent["ip"] == {"received": 6, "accepted": 4, "rejected": {"ts_future": 2}}
    assert run(["send", "zeek", str(logs)]) == 2
    assert "rejected by the service: ip ts_future 2" in capsys.readouterr().out


def test_malformed_rows_give_exit_code_2(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "conn.log").write_bytes(conn_log(conn_row(), conn_row(ts="x"), "cut"))
    assert run(["send", "zeek", str(tmp_path), "--json"]) == 2
    answer = told(capsys)
    assert answer["malformed"] == {"malformed": 1, "ts_invalid": 1}
    assert answer["logs"] == {"conn": 1}
    assert len(service.requests) == 1


def test_a_damaged_file_is_said_and_the_next_one_is_read(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(conn_log())[:-8])
    (tmp_path / "b.log").write_bytes(conn_log())
    assert run(["send", "zeek", str(tmp_path), "--json"]) == 2
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert list(answer["damaged"]) == [str(tmp_path / "a.log.gz")]
    assert answer["logs"] == {"conn": 2}
    assert "a.log.gz: damaged gzip" in captured.err
    assert len(service.requests) == 2


def test_files_that_are_no_logs_are_said_and_do_no_harm(
    service: Service, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(5):
        (logs / f"notes{n}.txt").write_text("words\n")
    assert run(["send", "zeek", str(logs), "--json"]) == 0
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)["foreign"]) == 5
    assert "skipped, no log of this format" in captured.err
    assert "and 2 more" in captured.err
    assert len(service.requests) == 3


def test_logs_that_count_from_their_opening_are_said(
    service: Service, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(5):
        (logs / f"replay{n}.log").write_bytes(conn_log(conn_row(ts=f"{n}.5")))
    assert run(["send", "zeek", str(logs), "--json"]) == 0
    captured = capsys.readouterr()
    named = [str(logs / f"replay{n}.log") for n in range(5)]
    assert json.loads(captured.out)["clockless"] == named
    assert captured.err == (
        "tawny: times before 1980 counted from when the log was opened: "
        f"{', '.join(named[:3])} and 2 more\n"
    )
    assert service.requests[-1].events[0]["ts"] == "2024-04-19T00:00:05.5Z"


def test_standard_input_is_sent(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(conn_log()))))
    assert run(["send", "zeek", "-", "--json"]) == 0
    assert told(capsys)["logs"] == {"conn": 1}
    assert len(service.requests) == 1


@pytest.mark.parametrize(("status", "code"), [(500, 1), (503, 4), (429, 4)])
def test_a_service_that_fails_to_the_end_is_told_from_one_that_is_busy(
    service: Service, logs: Path, capsys: pytest.CaptureFixture[str], status: int, code: int
) -> None:
    service.usual = lambda _: Answer(status, {"message": "down"})
    assert run(["send", "zeek", str(logs), "--json", "--retries", "0"]) == code
    answer = told(capsys)
    assert answer["error"]["message"] == f"{status}: down"
    assert answer["sent"] == {}
    assert len(service.requests) == 1


def test_a_service_that_is_not_there_gives_exit_code_1(
    logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    code = run(["send", "zeek", str(logs), "--json", "--retries", "0", "--url", url, "--key", KEY])
    assert code == 1
    assert told(capsys)["error"]["code"] == "unreachable"


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_taken_gives_exit_code_3(
    service: Service, logs: Path, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    service.usual = lambda _: Answer(status, {"message": "the key is not valid"})
    assert run(["send", "zeek", str(logs), "--json"]) == 3
    captured = capsys.readouterr()
    assert "the key is not valid" in captured.err
    assert len(service.requests) == 1


def test_a_request_too_large_says_what_to_try(
    service: Service, logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.usual = lambda _: Answer(413, b"")
    assert run(["send", "zeek", str(logs)]) == 1
    assert "--batch-events" in capsys.readouterr().err


def test_an_interrupted_sending_ends_at_once(service: Service, logs: Path) -> None:
    service.usual = lambda _: Answer(503, b"", {"Retry-After": "60"})
    with command("send", "zeek", str(logs)) as process:
        wait_for(1, service)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
