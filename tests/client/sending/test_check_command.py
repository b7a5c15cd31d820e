"""``tawny send ... --check``."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tawny.cli import run
from tests.client.loopback import Service
from tests.client.zeek_logs import conn_log, conn_row, dns_log, dns_row


@pytest.fixture(autouse=True)
def without_key(service: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.delenv("TAWNY_KEY")
    return service


def check(capsys: pytest.CaptureFixture[str], *paths: Path, code: int = 0) -> dict[str, Any]:
    assert run(["send", "zeek", *map(str, paths), "--check", "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_a_good_log_is_good_and_nothing_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], service: Service
) -> None:
    (tmp_path / "conn.log").write_bytes(conn_log(conn_row(), conn_row(uid="C2")))
    (tmp_path / "dns.log.gz").write_bytes(gzip.compress(dns_log()))
    found = check(capsys, tmp_path)
    assert found["share"] == 1
    assert found["events"] == {"dns": 1, "ip": 2}
    assert [(file["format"], file["mapped"]) for file in found["files"]] == [
        ("zeek", 2),
        ("zeek", 1),
    ]
    assert service.requests == []


def test_rows_that_cannot_be_mapped_are_shown_where_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "conn.log"
    log.write_bytes(conn_log(conn_row(), conn_row(ts="yest\x1b[31merday"), conn_row(), "cut"))
    found = check(capsys, log, code=2)
    assert found["share"] == 0.5
    samples = {sample["reason"]: sample for sample in found["samples"]}
    assert samples["ts_invalid"]["line"] == 10
    assert samples["ts_invalid"]["file"] == str(log)
    assert samples["malformed"]["text"] == "cut"
    assert run(["send", "zeek", str(log), "--check"]) == 2
    shown = capsys.readouterr().out
    assert "50.00% mapped: 2 ip" in shown
    assert "\x1b" not in shown
    assert "nothing was sent" in shown


def test_what_detections_will_not_see_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = ("duration", "orig_bytes", "resp_bytes", "orig_ip_bytes", "resp_ip_bytes")
    blank = dict.fromkeys(columns, "-")
    (tmp_path / "conn.log").write_bytes(conn_log(conn_row(**blank)))
    (tmp_path / "dns.log").write_bytes(dns_log(dns_row(answers="-")))
    found = check(capsys, tmp_path)
    blind = {(each["kind"], each["field"]) for each in found["blind"]}
    assert {("ip", "duration"), ("ip", "bytesOut"), ("dns", "answers")} <= blind
    assert ("dns", "query") not in blind


def test_clocks_and_repeated_ids_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=2)).timestamp()
    (tmp_path / "conn.log").write_bytes(conn_log(conn_row(), conn_row(ts=f"{ahead:.1f}")))
    found = check(capsys, tmp_path)
    assert found["ahead"] == 1
    assert found["old"] == 1
    assert 172_000 < found["skew"] <= 172_801  # the log writes tenths of a second
    assert found["repeatedConnIDs"] == 1
    assert run(["send", "zeek", str(tmp_path), "--check"]) == 0
    shown = capsys.readouterr().out
    assert "ahead of this machine's clock" in shown
    assert "1 events are older than 28 days" in shown


def test_a_file_of_another_format_is_named_as_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "eve.json").write_text('{"event_type": "dns", "timestamp": "x"}\n')
    (tmp_path / "notes.txt").write_text("words\n")
    found = check(capsys, tmp_path / "notes.txt", code=2)
    assert found["files"][0]["format"] is None
    assert found["files"][0]["foreign"] is True
    run(["send", "csv", str(tmp_path / "eve.json"), "--check"])
    assert "begins as eve" in capsys.readouterr().out


def test_a_damaged_file_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(conn_log())[:-8])
    found = check(capsys, tmp_path, code=2)
    assert list(found["damaged"]) == [str(tmp_path / "a.log.gz")]
