from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from feeds.indicators import Kind
from feeds.sources import plain_list
from feeds.sources.plain_list import parse

MIXED = b"""\xef\xbb\xbf# Title: a list of everything\r
# Last modified: 2026-07-06 00:40:31 UTC\r
; a remark
// another
! and one more

Evil.Example
*.wild.example.net
.dotted.example.net
host.evil.example   # with a remark
192.0.2.1
192.0.2.2\t7
2001:db8::1
198.51.100.0/24
198.51.100.7/32
2001:db8:1::/48
192.0.2.3:8443
[2001:db8::2]:443
http://bad.example.org/a/b?c=d#e
https://192.0.2.4/x
https://[2001:db8::3]:8443/
paths.example.org/drop
hxxp://defanged[.]example[.]org/p
b\xc3\xbccher.example
two words
not_an_address:99999
192.0.2.999
"""


def test_a_list_of_everything_is_read_line_by_line() -> None:
    parsed = parse(MIXED)
    assert [(str(found.kind), found.value) for found in parsed.indicators] == [
        ("domain", "evil.example"),
        ("domain", "wild.example.net"),
        ("domain", "dotted.example.net"),
        ("name", "host.evil.example"),
        ("address", "192.0.2.1"),
        ("address", "192.0.2.2"),
        ("address", "2001:db8::1"),
        ("network", "198.51.100.0/24"),
        ("address", "198.51.100.7"),
        ("network", "2001:db8:1::/48"),
        ("address_port", "192.0.2.3:8443"),
        ("address_port", "[2001:db8::2]:443"),
        ("url", "bad.example.org/a/b?c=d"),
        ("name", "bad.example.org"),
        ("url", "192.0.2.4/x"),
        ("address_port", "192.0.2.4:443"),
        ("url", "[2001:db8::3]:8443/"),
        ("address_port", "[2001:db8::3]:8443"),
        ("url", "paths.example.org/drop"),
        ("name", "paths.example.org"),
        ("url", "defanged.example.org/p"),
        ("name", "defanged.example.org"),
        ("domain", "xn--bcher-kva.example"),
    ]
    assert dict(parsed.rejected) == {"malformed": 3}
    assert parsed.as_of == datetime(2026, 7, 6, 0, 40, 31, tzinfo=UTC)
    assert {found.flag for found in parsed.indicators} == {"blocklist"}


def test_a_hosts_file_names_exact_hosts() -> None:
    body = (
        b"127.0.0.1 localhost\n0.0.0.0 evil.example ads.example.net\n::1 localhost\n::  v6.example"
    )
    found = parse(body).indicators
    assert [(each.kind, each.value) for each in found] == [
        (Kind.NAME, "evil.example"),
        (Kind.NAME, "ads.example.net"),
        (Kind.NAME, "v6.example"),
    ]


def test_a_bad_page_on_a_shared_platform_condemns_its_path_only() -> None:
    body = (
        b"https://github.com/user/repo/x.exe\nhttps://user.github.io/x\nhttps://dl.dropbox.com/x\n"
    )
    assert {found.kind for found in parse(body).indicators} == {Kind.URL}


def test_a_platform_named_outright_is_taken_exactly_and_never_with_all_below() -> None:
    (found,) = parse(b"dropbox.com\n").indicators
    assert found.kind is Kind.NAME


def test_a_customer_of_a_platform_is_a_domain_of_its_own() -> None:
    (found,) = parse(b"user.github.io\n").indicators
    assert found.kind is Kind.DOMAIN


def test_repeated_rows_count_once() -> None:
    assert len(parse(b"a.example\nA.EXAMPLE.\n a.example # again\n").indicators) == 1


@pytest.mark.parametrize("body", [b"", b"\n\r\n", b"# nothing\n", b"\xef\xbb\xbf"])
def test_an_empty_list_is_empty(body: bytes) -> None:
    parsed = parse(body)
    assert parsed.indicators == ()
    assert not parsed.rejected


@given(st.binary(max_size=200))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    for found in parse(body).indicators:
        assert found.value.isprintable()


@given(
    st.lists(
        st.sampled_from(
            ["a.example", "192.0.2.1", "198.51.100.0/24", "192.0.2.9:80", "x.example/y", "?"]
        )
    )
)
def test_order_and_remarks_change_nothing(lines: list[str]) -> None:
    plain = parse("\n".join(lines).encode())
    noisy = parse("\r\n".join(f"  {line}\t# x" for line in reversed(lines)).encode())
    assert {(each.kind, each.value) for each in plain.indicators} == {
        (each.kind, each.value) for each in noisy.indicators
    }
    assert plain.rejected == noisy.rejected


def test_it_declares_what_a_source_must() -> None:
    assert not plain_list.REDISTRIBUTE
    assert plain_list.EXPIRES > plain_list.EVERY


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("evil.example c2:Example", ("c2", "Example")),
        ("192.0.2.1\tsinkholed", ("sinkholed", "")),
        ("192.0.2.1 7", ("blocklist", "")),
        ("evil.example", ("blocklist", "")),
    ],
)
def test_a_second_word_says_what_an_entry_is(line: str, said: tuple[str, str]) -> None:
    (found,) = plain_list.parse(line.encode()).indicators
    assert (found.flag, found.family) == said


def test_a_second_word_that_is_no_flag_is_malformed() -> None:
    assert plain_list.parse(b"evil.example nonsense:Family").rejected == {"malformed": 1}
