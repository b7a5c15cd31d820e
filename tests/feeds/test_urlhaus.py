from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from feeds.errors import ListRefused
from feeds.indicators import Kind
from feeds.sources.urlhaus import parse

CSV = b"""################################################################
# abuse.ch URLhaus Database Dump (CSV - recent URLs only)      #
# Last updated: 2026-02-26 12:05:20 (UTC)                      #
################################################################
#
# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter
"3","2026-02-26 12:05:20","http://192.0.2.1:58801/i","online","2026-02-26 13:00:00","malware_download","32-bit,elf,mips,Mozi","https://urlhaus.example/url/3/","a"
"2","2026-02-20 01:02:03","http://192.0.2.1:58801/bin.sh","offline","","malware_download","32-bit,elf","https://urlhaus.example/url/2/","a"
"1","2026-02-26 11:26:06","https://evil.example.net/a,b?x=1&y=%20z","online","2026-02-26 11:26:09","malware_download","None","https://urlhaus.example/url/1/","b"
"0","2026-02-26 11:26:06","https://user.github.io/x.exe","offline","","malware_download","exe,AgentTesla","https://urlhaus.example/url/0/","b"
"9","2026-02-26 11:26:06","https://192.0.2.2/x","offline","","malware_download","","https://urlhaus.example/url/9/","b"
"8","yesterday","https://192.0.2.3/x","offline","","malware_download","","","b"
"7","2026-02-26 11:26:06","not a url","offline","","malware_download","","","b"
"6","2026-02-26 11:2
"""
JSON = b"""{"3":[{"dateadded":"2026-07-21 17:55:19 UTC","url":"http://[2001:db8::1]:81/i",
"url_status":"online","last_online":"2026-07-22 17:55:19 UTC","threat":"malware_download",
"tags":["elf","Mozi"],"urlhaus_link":"https://urlhaus.example/url/3/","reporter":"a"}],
"2":[{"dateadded":"2024-03-13 18:49:10 UTC","url":"http://evil.example/x","url_status":"offline",
"last_online":null,"threat":"malware_download","tags":null,"urlhaus_link":"u","reporter":"b"},
{"url":7}]}"""


def test_the_csv_gives_urls_and_what_they_say_of_their_hosts() -> None:
    parsed = parse(CSV)
    assert [(str(found.kind), found.value, found.family) for found in parsed.indicators] == [
        ("url", "192.0.2.1:58801/i", "Mozi"),
        ("address_port", "192.0.2.1:58801", "Mozi"),
        ("url", "192.0.2.1:58801/bin.sh", ""),
        ("url", "evil.example.net/a,b?x=1&y=%20z", ""),
        ("name", "evil.example.net", ""),
        ("url", "user.github.io/x.exe", "AgentTesla"),
        ("url", "192.0.2.2/x", ""),
        ("address_port", "192.0.2.2:443", ""),
    ]
    assert parsed.as_of == datetime(2026, 2, 26, 12, 5, 20, tzinfo=UTC)
    assert dict(parsed.rejected) == {"malformed": 3}
    assert {found.flag for found in parsed.indicators} == {"dropper"}


def test_rows_about_one_host_are_one_indicator_over_their_whole_time() -> None:
    host = next(each for each in parse(CSV).indicators if each.kind is Kind.ADDRESS_PORT)
    assert host.first_seen == datetime(2026, 2, 20, 1, 2, 3, tzinfo=UTC)
    assert host.last_seen == datetime(2026, 2, 26, 13, 0, 0, tzinfo=UTC)
    assert host.reference == "https://urlhaus.example/url/3/"


def test_the_json_says_the_same_in_other_words() -> None:
    parsed = parse(JSON)
    assert [(str(found.kind), found.value) for found in parsed.indicators] == [
        ("url", "[2001:db8::1]:81/i"),
        ("address_port", "[2001:db8::1]:81"),
        ("url", "evil.example/x"),
        ("name", "evil.example"),
    ]
    assert parsed.indicators[0].last_seen == datetime(2026, 7, 22, 17, 55, 19, tzinfo=UTC)
    assert parsed.indicators[3].last_seen == datetime(2024, 3, 13, 18, 49, 10, tzinfo=UTC)
    assert dict(parsed.rejected) == {"malformed": 1}


def test_columns_follow_the_header_not_the_place() -> None:
    body = b'# URLhaus\n# url,dateadded,reporter\n"http://192.0.2.1/x","2026-02-26 11:26:06","a"\n'
    assert [each.value for each in parse(body).indicators] == ["192.0.2.1/x", "192.0.2.1:80"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"query_status":"unknown_auth_key"}',
        b'{"3":[{"url"',
        b"# abuse.ch ThreatFox\n# first_seen,ioc\n",
        b"# URLhaus\n# id,dateadded\n",
    ],
)
def test_another_list_in_its_place_is_refused(body: bytes) -> None:
    if b"id,dateadded\n" in body:
        with pytest.raises(ListRefused, match="columns"):
            parse(body)
    else:
        with pytest.raises(ListRefused):
            parse(body)


def test_a_list_without_rows_is_empty() -> None:
    assert parse(b"# URLhaus\n").indicators == ()
    assert parse(b"{}").indicators == ()


@given(st.binary(max_size=200))
def test_no_rows_break_the_reader(body: bytes) -> None:
    head = b"# URLhaus\n# id,dateadded,url\n"
    assert parse(head + body.replace(b"#", b"")) is not None
