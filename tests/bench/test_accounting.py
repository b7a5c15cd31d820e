"""Every line of a folder is in the account, whatever the folder holds."""

import gzip
import json
from pathlib import Path

import pytest

from bench.accounting import account, main

EVE = (
    b'{"timestamp":"2024-05-01T10:00:00+0000","event_type":"http","src_ip":"192.0.2.1",'
    b'"dest_ip":"198.51.100.7","dest_port":80,"http":{"url":"/","length":5}}\n{"event_type":"stats"}\n'
)
ZEEK = (
    b"#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\n"
    b"1714557600.5\t192.0.2.1\t198.51.100.7\n\ncut\n"
)
OWN = b'{"ts":"2024-05-01T10:00:00Z","srcIP":"192.0.2.1","query":"a.example"}\n'
TABLE = b"ts,srcIP,query\n2024-05-01T10:00:00Z,192.0.2.1,a.example\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "eve.json").write_bytes(EVE)
    (tmp_path / "conn.log").write_bytes(ZEEK)
    (tmp_path / "dns.ndjson").write_bytes(OWN)
    (tmp_path / "dns.csv").write_bytes(TABLE)
    (tmp_path / "words.txt").write_bytes(b"some words\nand more")
    (tmp_path / "http.log.gz").write_bytes(gzip.compress(ZEEK * 2000)[:-20])
    return tmp_path


def test_every_line_of_every_file_is_accounted_for(folder: Path) -> None:
    rows = {Path(row.file).name: row for row in account([folder])}
    assert all(row.unaccounted == 0 for row in rows.values())
    assert rows["conn.log"].mapped == {"conn": 1}
    assert rows["conn.log"].malformed == {"malformed": 1}
    assert (rows["conn.log"].headers, rows["conn.log"].blank) == (3, 1)
    assert (rows["eve.json"].mapped, rows["eve.json"].skipped) == ({"http": 1}, {"stats": 1})
    assert rows["dns.ndjson"].mapped == rows["dns.csv"].mapped == {"dns": 1}
    assert (rows["words.txt"].format, rows["words.txt"].lines) == ("", 2)
    assert rows["http.log.gz"].damaged
    assert rows["http.log.gz"].mapped["conn"] > 0


def test_the_account_is_a_table_or_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8
    assert any("eve.json | eve | 2 | http 1 | stats 1 |" in line for line in lines)
    assert main([str(folder), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 6
