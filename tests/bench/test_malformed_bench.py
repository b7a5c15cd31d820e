"""The command that sends what should not be: it says what came back, and fails where it must."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench.corpus import CASES
from bench.malformed import main

REPOSITORY = Path(__file__).resolve().parents[2]


class Recorder(BaseHTTPRequestHandler):
    """A server that keeps what it was sent, and answers every request alike."""

    protocol_version = "HTTP/1.1"
    requests: list[tuple[dict[str, str], bytes]]
    status = 200
    content = b'{"received":1,"accepted":1,"rejected":{}}'

    def do_POST(self) -> None:
        size = self.headers.get("Content-Length")
        body = self._chunks() if size is None else self.rfile.read(int(size))
        self.requests.append((dict(self.headers), body))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(status: int, content: bytes) -> Iterator[tuple[str, type[Recorder]]]:
    seen = type("Seen", (Recorder,), {"requests": [], "status": status, "content": content})
    with HTTPServer(("127.0.0.1", 0), seen) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_each_body_goes_through_the_real_view_and_the_exit_status_is_the_verdict() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.malformed", "--only", "UTF", "--json"],
        cwd=REPOSITORY,
        check=False,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["sound"] is True
    assert report["bodies"] == len([case for case in CASES if "UTF" in case.name])
    assert {row["fault"] for row in report["rows"]} == {""}
    assert 0 <= report["growth_bytes"] < 64 << 20
    assert set(report["rows"][0]) == {
        "name", "encoding", "octets", "status", "received", "accepted", "rejected", "seconds",
        "growth_bytes", "fault",
    }  # fmt: skip


def test_a_server_is_asked_with_its_key_and_in_chunks_where_there_is_no_length(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(200, Recorder.content) as (url, seen):
        assert main(["--url", url, "--key", "twy_a", "--only", "no length", "--json"]) == 1
    plain, packed = seen.requests
    assert plain[0]["Authorization"] == "Basic dHd5X2E6"
    assert plain[0]["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in plain[0]
    assert packed[0]["Content-Encoding"] == "gzip"
    assert len(plain[1]) > len(packed[1]) > 0
    report = last_line(capsys)
    assert "is due" in report["rows"][0]["fault"]
    assert report["growth_bytes"] is None


def test_a_right_answer_is_sound(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(200, Recorder.content) as (url, _):
        assert main(["--url", url, "--key", "k", "--only", "an empty key"]) == 0
    assert "1 bodies, 0 answered wrongly" in capsys.readouterr().out


def test_what_no_web_server_passes_on_is_left_out_and_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(503, b"{}") as (url, seen):
        assert main(["--url", url, "--key", "k", "--only", "a negative length", "--json"]) == 1
    assert seen.requests == []
    assert last_line(capsys)["left_out"] == ["a negative length"]
