from datetime import UTC, datetime

import pytest

from feeds.errors import ListRefused
from feeds.indicators import Kind
from feeds.sources.spamhaus_drop import parse

V4 = b"""{"cidr":"192.0.2.0/24","sblid":"SBL1","rir":"apnic"}
{"cidr":"198.51.100.0\\/25","sblid":"SBL2","rir":"ripencc"}
{"type":"metadata","timestamp":1790072042,"size":104461,"records":2,"copyright":"(c)"}
"""
V6 = b"""{"cidr":"2001:db8::\\/29","sblid":"SBL3","rir":"ripencc"}
{"type":"metadata","timestamp":1791060242,"size":103249,"records":1}
"""
LEGACY = b"""; A DROP list 2016/08/30
; Last-Modified: Tue, 30 Aug 2016 05:17:00 GMT
; Expires: Tue, 30 Aug 2016 09:03:35 GMT
192.0.2.0/24 ; SBL1
203.0.113.5/32 ; SBL9
192.0.2.1/24 ; SBL2
"""


def test_networks_come_with_their_record_and_the_lists_date() -> None:
    parsed = parse(V4)
    assert [(each.kind, each.value, each.reference) for each in parsed.indicators] == [
        (Kind.NETWORK, "192.0.2.0/24", "SBL1"),
        (Kind.NETWORK, "198.51.100.0/25", "SBL2"),
    ]
    assert parsed.as_of == datetime(2026, 9, 22, 10, 14, 2, tzinfo=UTC)
    assert {each.flag for each in parsed.indicators} == {"blocklist"}
    assert [each.value for each in parse(V6).indicators] == ["2001:db8::/29"]


def test_the_older_text_says_the_same() -> None:
    parsed = parse(LEGACY)
    assert [(each.kind, each.value) for each in parsed.indicators] == [
        (Kind.NETWORK, "192.0.2.0/24"),
        (Kind.ADDRESS, "203.0.113.5"),
    ]
    assert parsed.as_of == datetime(2016, 8, 30, 5, 17, tzinfo=UTC)
    assert dict(parsed.rejected) == {"malformed": 1}


def test_a_list_that_was_cut_is_refused() -> None:
    with pytest.raises(ListRefused) as refused:
        parse(b"".join(V4.splitlines(keepends=True)[1:]))
    assert refused.value.code == "truncated"


def test_a_missing_last_line_is_noted_and_bad_lines_are_counted() -> None:
    parsed = parse(b'{"cidr":"192.0.2.0/24"}\n{"cidr":"192.0.2.7/24"}\n{"cidr":7}\n{"ci')
    assert len(parsed.indicators) == 1
    assert parsed.notes == ("no metadata line",)
    assert dict(parsed.rejected) == {"malformed": 3}
