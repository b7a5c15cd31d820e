"""``tawny alerts`` as its users see it."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tawny import Alert, Contribution, Explanation
from tawny.cli import alert_table, run
from tests.client.alert_pages import ALERT, LESSER, THREATS, one_page
from tests.client.loopback import Answer, Request, Service
from tests.client.processes import command, wait_for


def test_alerts_not_for_a_terminal_are_json_one_a_line(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.usual = one_page
    assert run(["alerts"]) == 0
    captured = capsys.readouterr()
    assert [json.loads(line) for line in captured.out.splitlines()] == [ALERT, LESSER]
    assert captured.err == "tawny: continue with --since 1-2s\n"


def test_lesser_alerts_are_left_out(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.usual = one_page
    assert run(["alerts", "--min-severity", "3", "--since", "1-1"]) == 0
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == ["a1"]
    assert service.requests[0].path == "/v1/alerts?threats=all&follow=1-1&minSeverity=3"


def spaced(line: str) -> str:
    return " ".join(line.split())


def test_a_table_has_a_row_for_each_alert(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    service.usual = one_page
    assert run(["alerts", "-o", "table"]) == 0
    heading, first, second = capsys.readouterr().out.splitlines()
    assert spaced(heading) == "severity title direction source -> destination day count score"
    assert spaced(first) == "4 DNS tunnel out 192.0.2.7 -> x.example.net 2024-04-19 318 55.05"
    assert spaced(second) == (
        "2 Rare beacon inside pc.example -> [2001:db8::1]:443 2024-04-20 86400 20.00"
    )


@pytest.mark.parametrize(
    ("kind", "event", "destination"),
    [
        ("dns", {"query": "x.example", "destIP": "192.0.2.53"}, "x.example"),
        ("dns", {"destIP": "192.0.2.53"}, "192.0.2.53"),
        ("dns", {}, "example.net"),
        ("ip", {"destIP": "198.51.100.7", "destPort": 443}, "198.51.100.7:443"),
        ("ip", {"destIP": "198.51.100.7", "host": "x.example"}, "198.51.100.7"),
        ("ip", {"destIP": "2001:db8::1", "destPort": 0}, "2001:db8::1"),
        ("http", {"destIP": "198.51.100.7", "url": "http://x.example/"}, "http://x.example/"),
    ],
)
def test_the_destination_of_a_row_is_what_the_event_was_for(
    kind: str, event: dict[str, Any], destination: str
) -> None:
    alert = Alert(event_type=kind, event=event, wisdom={"domain": "example.net"})
    assert alert_table.destination(alert) == destination


def test_an_explanation_follows_its_alert(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    service.usual = one_page
    assert run(["alerts", "-o", "table", "--explain"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[2:6] == [
        "42.50 name_length 52.5 (20) names are longer than a host's",
        "13.00 names 318 each name was asked once",
        "-0.45 answered 0 (0.25) nothing answered",
        "55.05 sum",
    ]
    assert lines[6].startswith("2 Rare beacon")
    assert len(lines) == 7


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.25, "0.25"), (1234567.0, "1234567"), (86400, "86400"), ("A", "A"), (1e300, "1e+300")],
)
def test_a_value_is_written_as_short_as_it_can_be(value: float | str, written: str) -> None:
    part = Contribution(feature="x", value=value, baseline=value, points=5, reason="y")
    alert = Alert(explanation=Explanation(contributions=[part]))
    assert [spaced(line) for line in alert_table.contributions(alert)] == [
        f"0.05 x {written} ({written}) y",
        "0.05 sum",
    ]


def test_an_alert_of_fewer_fields_is_shown_all_the_same(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.usual = lambda _: Answer(
        body={"follow": "1-1", "more": False, "alerts": [{"id": "a", "detection": "beacon"}]}
    )
    assert run(["alerts", "-o", "table", "--explain"]) == 0
    assert spaced(capsys.readouterr().out).endswith("0 beacon ? -> ? 0 0.00")


def test_a_name_cannot_steer_the_terminal(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    event = {"ts": "2024-04-19T08:15:30Z", "srcIP": "192.0.2.7", "query": "\x1b[2J[red]\u202e"}
    part = {"feature": "\x1b]0;x\x07", "value": "\x1b[1m", "points": 1, "reason": "\u202e"}
    hostile = ALERT | {"event": event, "explanation": {"contributions": [part]}}
    service.usual = lambda _: Answer(
        body={"follow": "1-1", "more": False, "alerts": [hostile], "threats": THREATS}
    )
    assert run(["alerts", "-o", "table", "-v"]) == 0
    assert run(["alerts", "-o", "json"]) == 0
    captured = capsys.readouterr()
    assert "[red]" in captured.out
    assert not {"\x1b", "\x07", "\u202e"} & set(captured.out.split("{")[0] + captured.err)


def test_a_checkpoint_lets_the_next_run_go_on(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.usual = one_page
    place = str(tmp_path / "place")
    assert run(["alerts", "--json", "--checkpoint", place]) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert captured.err == ""
    assert run(["alerts", "--json", "--checkpoint", place]) == 0
    assert run(["alerts", "--json", "--checkpoint", place, "--since", "1-1"]) == 0
    assert [request.path for request in service.requests] == [
        "/v1/alerts?threats=all",
        "/v1/alerts?threats=all&follow=1-2s",
        "/v1/alerts?threats=all&follow=1-1",
    ]


def test_a_checkpoint_that_is_none_is_said_and_nothing_is_read(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "place").write_text("x")
    assert run(["alerts", "--checkpoint", str(tmp_path / "place")]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert service.requests == []


def test_findings_are_printed_as_ocsf_one_a_line(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [{"class_uid": 2004, "severity_id": n, "finding_info": {"uid": n}} for n in (1, 4)]
    service.usual = lambda _: Answer(
        body=json.dumps({"follow": "1-b", "more": False, "records": records}, indent=1).encode()
    )
    assert run(["alerts", "-o", "ocsf", "--max-age", "60"]) == 0
    captured = capsys.readouterr()
    assert [json.loads(line) for line in captured.out.splitlines()] == records
    assert captured.err == "tawny: continue with --since 1-b\n"
    assert run(["alerts", "-o", "ocsf", "--since", "1-a", "--min-severity", "3"]) == 0
    assert json.loads(capsys.readouterr().out) == records[1]
    assert [request.path for request in service.requests] == [
        "/v1/findings?schema=ocsf&maxAge=60s",
        "/v1/findings?schema=ocsf&follow=1-a",
    ]


def test_following_prints_new_alerts_through_a_break_until_interrupted(service: Service) -> None:
    pages = {
        "/v1/alerts?threats=all": ("1-1", [ALERT]),
        "/v1/alerts?threats=all&follow=1-1": ("1-2", [LESSER]),
        "/v1/alerts?threats=all&follow=1-2": ("1-2", []),
    }

    def usual(request: Request) -> Answer:
        if len(service.requests) == 2:
            return Answer(404 if request.path not in pages else 503, b"", {"Retry-After": "900"})
        follow, alerts = pages[request.path]
        body = {"follow": follow, "more": False, "alerts": alerts, "threats": THREATS}
        return Answer(body=body)

    service.usual = usual
    with command("alerts", "--follow", "--interval", "0.05") as process:
        wait_for(5, service)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["a1", "a2"]
    assert "trying again in 0.1 s" in err
    assert err.endswith("continue with --since 1-2\n")
