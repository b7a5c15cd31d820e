"""Captured requests sent again: which bytes change, and what each client makes of the answers."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from bench import replay
from bench.replay import Capture, NotACapture, Target, main, read_capture, reading
from tests.client.loopback import Answer, Handler, Request, Server, Service

KEY = "twy_0123456789ab_notarealkey"
AGENT = "AlphaSOC NFR/0.0.0"


def capture(
    path: str = "/v1/events/dns",
    body: bytes = b'{"ts":"2024-05-01T10:00:00Z"}\n',
    *,
    method: str = "POST",
    authorization: str = "Basic " + base64.b64encode(b"test-api-key:").decode(),
    agent: str = AGENT,
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 192.0.2.1:18099", f"User-Agent: {agent}"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    if authorization:
        lines.append(f"Authorization: {authorization}")
    lines += ["Content-Type: application/json", "Accept-Encoding: gzip", "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.fixture
def service() -> Iterator[Service]:
    server = Server(("127.0.0.1", 0), Handler)
    server.service = Service(url=f"http://127.0.0.1:{server.server_port}")
    server.service.usual = lambda _request: Answer(
        body={"received": 3, "accepted": 1, "rejected": {"url_invalid": 1, "ts_missing": 1}}
    )
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.service
    server.shutdown()
    thread.join()
    server.server_close()


def written(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        (folder / f"{name}.http").write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("captured", "sent"),
    [
        (b"test-api-key:", f"{KEY}:"),
        (b"test-api-key", KEY),
        (b"test-api-key:-", f"{KEY}:-"),
        (b"test-api-key:a:b", f"{KEY}:a:b"),
        (b":", f"{KEY}:"),
    ],
)
def test_the_key_is_replaced_and_the_password_stays(captured: bytes, sent: str) -> None:
    before = capture(authorization="Basic " + base64.b64encode(captured).decode())
    after = read_capture(before, key=KEY).content
    (line,) = [each for each in after.split(b"\r\n") if each.startswith(b"Authorization")]
    assert line == b"Authorization: Basic " + base64.b64encode(sent.encode())


@pytest.mark.parametrize(
    ("captured", "sent"),
    [
        ("Bearer test-api-key", f"Bearer {KEY}"),
        ("basic  dDo=", "basic  " + base64.b64encode(f"{KEY}:".encode()).decode()),
        ("Basic !!!", "Basic !!!"),
        ("Basic", "Basic"),
    ],
)
def test_the_scheme_and_what_cannot_be_read_stay(captured: str, sent: str) -> None:
    after = read_capture(capture(authorization=captured), key=KEY).content
    assert f"Authorization: {sent}\r\n".encode() in after


def test_every_other_byte_is_sent_as_it_was_captured() -> None:
    body = b"\r\n\r\nAuthorization: Basic dDo=\r\n\x00\xff{}{}"
    before = capture("/v1/alerts?follow=&x=[::1]", body)
    after = read_capture(before, key=KEY).content
    old = base64.b64encode(b"test-api-key:")
    assert after == before.replace(old, base64.b64encode(f"{KEY}:".encode()), 1)
    plain = capture(authorization="")
    assert read_capture(plain, key=KEY).content == plain


@pytest.mark.parametrize(
    "content", [b"", b"GET / HTTP/1.1\r\n", b"hello\r\n\r\n", b"a b c\r\n\r\n"]
)
def test_a_file_that_holds_no_request_is_refused(content: bytes) -> None:
    with pytest.raises(NotACapture):
        read_capture(content, key=KEY)


@pytest.mark.parametrize(
    ("path", "agent", "status", "message", "said"),
    [
        ("/v1/events/dns", AGENT, 200, "", replay.OK),
        ("/v1/events/dns", AGENT, 200, None, replay.UNREADABLE),
        ("/v1/events/dns", AGENT, 202, "", replay.FOR_EVER),
        ("/v1/events/dns", AGENT, 400, "no", replay.FOR_EVER),
        ("/v1/events/dns", AGENT, 429, "no", replay.FOR_EVER),
        ("/v1/events/dns", AGENT, 503, "no", replay.AGAIN),
        ("/v1/events/dns", "network_behavior_analytics/3", 400, "no", replay.DROPS),
        ("/v1/events/dns", "network_behavior_analytics/3", 429, "no", replay.DROPS),
        ("/v1/events/dns", "network_behavior_analytics/3", 403, "no", replay.STOPS),
        ("/v1/events/dns", "network_behavior_analytics/3", 500, None, replay.AGAIN),
        ("/v1/account/status", AGENT, 401, "no", replay.SHOWS),
        ("/v1/account/status", AGENT, 401, None, replay.UNREADABLE),
    ],
)
def test_an_answer_is_read_as_its_client_reads_it(
    path: str, agent: str, status: int, message: str | None, said: str
) -> None:
    sent = Capture(method="POST", path=path, agent=agent, content=b"")
    assert reading(sent, status, message) == said


def test_a_folder_is_sent_in_order_and_told_as_a_table(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, b=capture(), a=capture("/v1/account/status", b"", method="GET"))
    (tmp_path / "notes.txt").write_text("no capture")
    assert main([str(tmp_path), "--url", service.url, "--key", KEY]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["file", "status", "received", "accepted", "rejected", "the", "client"]
    assert first.split()[:2] == ["a.http", "200"]
    assert second.split()[:4] == ["b.http", "200", "3", "1"]
    assert "1 ts_missing, 1 url_invalid" in second
    assert second.endswith("ok")
    asked = [(each.method, each.path) for each in service.requests]
    assert asked == [("GET", "/v1/account/status"), ("POST", "/v1/events/dns")]
    assert service.requests[1].headers["Host"] == "192.0.2.1:18099"
    assert service.requests[1].body == b'{"ts":"2024-05-01T10:00:00Z"}\n'


def test_what_a_client_would_do_wrong_is_told_and_is_no_success(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: dict[str, Answer] = {
        "/v1/events/dns": Answer(status=400, body={"message": "No JSON."}),
        "/v1/events/ip": Answer(status=503, body={"message": "Later."}),
        "/v1/alerts?": Answer(status=200, body=b"<html>"),
        "/v1/key/reset": Answer(hang_up=True),
    }

    def answer(request: Request) -> Answer:
        return answers[request.path]

    service.usual = answer
    written(
        tmp_path, a=capture(), b=capture("/v1/events/ip"), d=capture("/v1/key/reset"),
        c=capture("/v1/alerts?", b"", method="GET"),
    )  # fmt: skip
    assert main([str(tmp_path), "--url", service.url, "--key", KEY, "--json"]) == 1
    report: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (report["schema"], report["url"]) == (1, service.url)
    assert [(each["file"], each["status"], each["reading"]) for each in report["files"]] == [
        ("a.http", 400, replay.FOR_EVER),
        ("b.http", 503, replay.AGAIN),
        ("c.http", 200, replay.UNREADABLE),
        ("d.http", 0, replay.AGAIN),
    ]
    assert report["files"][0]["message"] == "No JSON."
    assert KEY not in json.dumps(report)


@pytest.mark.parametrize(
    ("url", "files"),
    [
        ("ftp://192.0.2.1", {"a": capture()}),
        ("http://127.0.0.1:1", {}),
        ("http://127.0.0.1:1", {"a": b"nothing"}),
    ],
)
def test_without_anything_to_send_the_exit_status_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, files: dict[str, bytes]
) -> None:
    assert main([str(written(tmp_path, **files)), "--url", url, "--key", KEY]) == 2
    assert capsys.readouterr().err.startswith("replay: ")


def test_an_address_says_where_and_whether_over_tls() -> None:
    assert Target.of("http://192.0.2.1") == Target(host="192.0.2.1", port=80)
    secure = Target.of("https://[2001:db8::1]:8443/")
    assert (secure.host, secure.port) == ("2001:db8::1", 8443)
    assert secure.tls is not None
    assert secure.tls.check_hostname
