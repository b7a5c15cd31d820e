"""``tawny doctor`` against services that are well and services that are not."""

import io
import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tawny.checkup import Check, Examination, State
from tawny.cli import run
from tawny.cli.doctor import Sheet
from tests.client.examined import GOOD_KEY, NOW, STATUS, examined, saying, unwell, well
from tests.client.loopback import Answer, Service


def test_where_all_is_well_nothing_is_to_be_done(service: Service, tmp_path: Path) -> None:
    service.usual = well
    checks = examined(service.url, tmp_path)
    assert list(checks) == [
        "client", "state folder", "key form", "address", "proxy", "reachable", "TLS", "ready",
        "latency", "key known", "clock", "scopes", "expiry", "account", "messages",
    ]  # fmt: skip
    assert unwell(checks) == set()
    assert not any(check.todo for check in checks.values())
    assert checks["key known"].said == "yes, sensor 1"
    assert checks["expiry"].said == "in 365 days"
    assert checks["account"].said == "12 endpoints seen today; events kept: 1,200 dns"
    assert not (tmp_path / "state").exists()


def test_the_key_goes_where_it_is_needed_and_nowhere_else(service: Service, tmp_path: Path) -> None:
    service.usual = well
    examined(service.url, tmp_path)
    with_key = [request.path for request in service.requests if "Authorization" in request.headers]
    assert with_key == ["/v1/account/status"]


def test_a_port_where_nothing_listens_ends_the_examination(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    checks = examined(url, tmp_path)
    assert list(checks)[-1] == "reachable"
    assert checks["reachable"].state is State.FAILED
    assert "start the service" in checks["reachable"].todo


def test_a_redirect_is_named_and_given_no_key(service: Service, tmp_path: Path) -> None:
    service.usual = lambda _: Answer(308, {}, {"Location": "https://tawny.example/healthz"})
    checks = examined(service.url, tmp_path)
    assert "https://tawny.example/healthz" in checks["reachable"].said
    assert "TAWNY_URL" in checks["reachable"].todo
    assert [request.path for request in service.requests] == ["/healthz"]


def test_another_program_at_the_address_is_given_no_key(service: Service, tmp_path: Path) -> None:
    service.usual = lambda _: Answer(404, b"not here")
    assert examined(service.url, tmp_path)["reachable"].said == "/healthz answered 404"
    assert [request.path for request in service.requests] == ["/healthz"]


def test_a_service_that_is_not_ready_says_what_it_lacks(service: Service, tmp_path: Path) -> None:
    service.usual = lambda request: (
        Answer(503, {"missing": ["worker"]}) if request.path == "/readyz" else well(request)
    )
    check = examined(service.url, tmp_path)["ready"]
    assert check.state is State.FAILED
    assert "worker" in check.said


@pytest.mark.parametrize(
    ("status", "message", "state", "code"),
    [
        (401, "The API key is unknown.", "failed", 3),
        (403, "The API key is revoked or expired.", "failed", 3),
        (403, "The API key lacks the scope account:read.", "warning", 0),
        (429, "slow down", "failed", 4),
        (503, "overloaded", "failed", 4),
        (500, "broken", "failed", 1),
    ],
)
def test_a_key_that_is_not_taken_is_said_why(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    status: int, message: str, state: str, code: int,
) -> None:  # fmt: skip
    monkeypatch.setenv("TAWNY_KEY", GOOD_KEY)
    service.usual = lambda request: (
        Answer(status, {"message": message}) if "/v1/" in request.path else well(request)
    )
    assert run(["doctor", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    known = next(check for check in told["checks"] if check["name"] == "key known")
    assert known["state"] == state
    assert message in known["said"]
    assert known["todo"]


@pytest.mark.parametrize(
    ("late", "state", "said"),
    [
        (0, "ok", "within"),
        (4, "ok", "within"),
        (90, "warning", "is 89.9 s ahead of"),
        (-7200, "warning", "is 2 h behind"),
        (90_000, "failed", "rejected"),
        (-90_000_000, "warning", "is 1042 days behind"),
    ],
)
def test_a_clock_that_is_off_is_told_with_the_span(
    service: Service, tmp_path: Path, late: float, state: str, said: str
) -> None:
    service.usual = well
    check = examined(service.url, tmp_path, late=late)["clock"]
    assert (check.state, said in check.said) == (state, True), check.said


def test_without_an_account_the_date_header_tells_the_time(
    service: Service, tmp_path: Path
) -> None:
    service.usual = saying({})
    off = datetime.now(UTC) - NOW + timedelta(seconds=600)
    check = examined(service.url, tmp_path, late=off.total_seconds())["clock"]
    assert check.state is State.WARNING
    assert "is 10 min ahead" in check.said
    assert unwell(examined(service.url, tmp_path, key="", late=off.total_seconds())) == {
        "key form", "clock",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "name", "state", "said"),
    [
        ({"expirationDate": "2026-12-01T12:00:00Z"}, "expiry", "warning", "in 7 days"),
        ({"expirationDate": "2026-11-01T12:00:00Z"}, "expiry", "failed", "expired"),
        ({"expired": True}, "expiry", "failed", "expired"),
        ({"expirationDate": None}, "expiry", "ok", "none"),
        ({"expirationDate": "soon"}, "expiry", "ok", "none"),
        ({"key": {"expiresAt": "2026-11-30T12:00:00Z"}}, "expiry", "warning", "in 6 days"),
        ({"key": {"scopes": ["ingest:write"]}}, "scopes", "ok", "may not read alerts"),
        ({"key": {"scopes": []}}, "scopes", "warning", "may not send events"),
        ({"key": {"scopes": ["account:read"]}}, "scopes", "warning", "may read the account;"),
        ({"key": None}, "scopes", "skipped", "does not tell"),
        ({"registered": False}, "account", "warning", "not registered"),
        ({"messages": [{"level": 1, "body": "hello"}]}, "messages", "ok", "hello"),
        ({"messages": [{"level": 2, "body": "b"}, {"body": "a"}]}, "messages", "warning", "b; a"),
        ({"messages": [{"level": 3, "body": "over"}]}, "messages", "failed", "over"),
    ],
)  # fmt: skip
def test_what_the_account_says_is_judged(
    service: Service, tmp_path: Path, change: dict[str, Any], name: str, state: str, said: str
) -> None:
    service.usual = saying(STATUS | change)
    check = examined(service.url, tmp_path)[name]
    assert (check.state, said in check.said) == (state, True), check.said


def test_a_key_that_was_mistyped_is_told_without_the_service(tmp_path: Path) -> None:
    check = examined("nowhere", tmp_path, key=GOOD_KEY[:-1])["key form"]
    assert check.state is State.FAILED
    assert GOOD_KEY[20:-1] not in check.said


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("http://192.0.2.1", "warning"),
        ("http://localhost:8000", "ok"),
        ("http://[::1]:8000", "ok"),
        ("https://tawny.example", "ok"),
        ("tawny.example", "failed"),
        ("https://me@tawny.example", "failed"),
    ],
)
def test_an_address_that_would_show_the_key_is_warned_of(
    tmp_path: Path, url: str, state: str
) -> None:
    examination = Examination(url=url, key="", environment={}, state=tmp_path).checks()
    assert next(check for check in examination if check.name == "address").state == state


@pytest.mark.parametrize(
    ("environment", "state", "said"),
    [
        ({}, "ok", "none"),
        ({"HTTPS_PROXY": "http://192.0.2.9:1"}, "ok", "none"),
        ({"NO_PROXY": "localhost,127.0.0.1"}, "ok", "none"),
        ({"http_proxy": "http://me:pw@192.0.2.9:3128"}, "warning", "http://192.0.2.9:3128, for"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "0.0.1, 127.0.0.1"}, "ok", "none: NO_PROXY"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "*"}, "ok", "none: NO_PROXY"),
    ],
)
def test_proxies_are_told_without_their_password(
    service: Service, tmp_path: Path, environment: dict[str, str], state: str, said: str
) -> None:
    service.usual = well
    check = examined(service.url, tmp_path, environment=environment)["proxy"]
    assert (check.state, said in check.said) == (state, True), check.said
    assert "pw" not in check.said


def test_a_proxy_that_cannot_be_used_ends_the_examination(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "gopher://me:pw@192.0.2.9")
    checks = examined(service.url, tmp_path)
    assert list(checks)[-1] == "proxy use"
    assert "pw" not in checks["proxy use"].said


def test_a_state_folder_that_others_can_enter_is_warned_of(
    service: Service, tmp_path: Path
) -> None:
    service.usual = well
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "own").mkdir(mode=0o700)
    (tmp_path / "file").touch()
    said = {
        name: examined(service.url, tmp_path, state=tmp_path / name)["state folder"]
        for name in ("open", "own", "file")
    }
    assert said["open"].todo == f"chmod 700 {tmp_path / 'open'}"
    assert said["own"].state is State.OK
    assert "cannot be written" in said["file"].said


def test_people_get_a_mark_a_finding_and_what_to_do(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAWNY_KEY", GOOD_KEY)
    service.usual = saying(STATUS | {"messages": [{"level": 3, "body": "\x1b[2J[red]"}]})
    assert run(["doctor"]) == 1
    captured = capsys.readouterr()
    assert "✓ reachable    first answer after " in captured.out
    assert "✗ messages     \\x1b[2J[red]\n" in captured.out
    assert "\x1b" not in captured.out
    assert GOOD_KEY not in captured.out + captured.err


def test_a_terminal_without_the_marks_gets_words() -> None:
    written = io.BytesIO()
    plain = io.TextIOWrapper(written, encoding="ascii")
    Sheet(Console(file=plain)).show(Check(name="x", state=State.FAILED, said="y", todo="z"))
    plain.flush()
    assert written.getvalue() == b"FAIL x            y\n                  -> z\n"
