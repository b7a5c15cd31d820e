import pytest

from feeds import guards
from feeds.errors import ListRefused
from feeds.indicators import Indicator, Kind, Parsed, merged, relabelled
from feeds.shared_hosts import SHARED_HOSTS, is_shared
from feeds.sources import SOURCES, plain_list


def screened(text: str) -> Parsed:
    return guards.screen(plain_list.parse(text.encode()))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("10.0.0.1", "private"),
        ("127.0.0.1", "private"),
        ("169.254.169.254", "private"),
        ("100.64.0.1", "private"),
        ("224.0.0.1", "private"),
        ("0.0.0.0", "private"),  # noqa: S104 -- a row, nothing is bound
        ("255.255.255.255", "private"),
        ("::1", "private"),
        ("fe80::1", "private"),
        ("fd00::1", "private"),
        ("ff02::1", "private"),
        ("192.168.1.1:80", "private"),
        ("10.0.0.0/8", "private"),
        ("192.168.0.0/24", "private"),
        ("172.0.0.0/8", "private"),
        ("0.0.0.0/0", "too_broad"),
        ("16.0.0.0/7", "too_broad"),
        ("2001::/16", "too_broad"),
        ("com", "single_label"),
        ("localhost", "single_label"),
        ("co.uk", "public_suffix"),
        ("github.io", "public_suffix"),
        ("*.co.uk", "public_suffix"),
    ],
)
def test_a_row_that_condemns_everybody_or_nobody_is_dropped(row: str, reason: str) -> None:
    parsed = screened(row)
    assert parsed.indicators == ()
    assert dict(parsed.rejected) == {reason: 1}


def test_documentation_ranges_are_ordinary() -> None:
    assert len(screened("192.0.2.1\n198.51.100.0/24\n2001:db8::1\nevil.example").indicators) == 4


def test_a_url_of_the_inside_is_dropped_with_its_host() -> None:
    parsed = screened("http://10.0.0.1/x\nhttp://router/x\nhttp://[fd00::1]:81/x")
    assert parsed.indicators == ()
    assert dict(parsed.rejected) == {"private": 4, "single_label": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html>",
        b"\n  <html>",
        b"\xef\xbb\xbf<HTML lang=en>",
        b"<?xml version='1'?>",
    ],
)
def test_a_web_page_in_the_place_of_a_list_is_refused(body: bytes) -> None:
    with pytest.raises(ListRefused) as refused:
        guards.check_body(body)
    assert refused.value.code == "html_page"


def rows(count: int, refused: int = 0) -> Parsed:
    one = Indicator(kind=Kind.ADDRESS, value="192.0.2.1", flag="c2")
    return Parsed(indicators=(one,) * count, rejected={"malformed": refused})


def test_a_list_that_lost_its_rows_is_refused_unless_it_never_had_any() -> None:
    guards.check_rows(rows(0), [])
    guards.check_rows(rows(0), [0, 0])
    with pytest.raises(ListRefused) as refused:
        guards.check_rows(rows(0), [0, 5])
    assert refused.value.code == "emptied"


def test_a_list_that_is_mostly_nonsense_is_refused() -> None:
    guards.check_rows(rows(5, refused=5), [])
    with pytest.raises(ListRefused) as refused:
        guards.check_rows(rows(5, refused=6), [])
    assert refused.value.code == "mostly_refused"


@pytest.mark.parametrize(
    ("count", "earlier", "jumped"),
    [
        (100, [], False),
        (100, [100] * 7, False),
        (200, [100] * 7, False),
        (201, [100] * 7, True),
        (50, [100] * 7, False),
        (49, [100] * 7, True),
        (10_000, [100] * 7, True),
        (19, [3], False),
        (30, [3], True),
        (150, [100, 1_000, 100], False),
    ],
)
def test_a_size_unlike_the_last_ones_is_a_jump(
    count: int,
    earlier: list[int],
    jumped: bool,  # noqa: FBT001 -- a row of the table
) -> None:
    assert guards.is_jump(count, earlier) is jumped


def test_an_operators_word_stands_for_rows_that_say_nothing_of_their_own() -> None:
    parsed = screened("192.0.2.1")
    (found,) = relabelled(parsed, flag="c2", family="Test", usual="blocklist").indicators
    assert (found.flag, found.family) == ("c2", "Test")
    (kept,) = relabelled(parsed, flag="", family="", usual="blocklist").indicators
    assert (kept.flag, kept.family) == ("blocklist", "")
    (own,) = plain_list.parse(b"192.0.2.1 dropper:Own").indicators
    said = Parsed(indicators=(own,), rejected={}, as_of=None)
    (own,) = relabelled(said, flag="c2", family="Test", usual="blocklist").indicators
    assert (own.flag, own.family) == ("dropper", "Own")


def test_merging_keeps_different_flags_apart() -> None:
    one = Indicator(kind=Kind.ADDRESS, value="192.0.2.1", flag="c2")
    other = Indicator(kind=Kind.ADDRESS, value="192.0.2.1", flag="dropper")
    assert merged([one, other, one]) == (one, other)


def test_every_source_declares_its_terms_and_believes_rows_for_a_while() -> None:
    for name, source in SOURCES.items():
        assert name == source.NAME
        assert source.TITLE
        assert source.LICENCE
        assert source.EXPIRES >= source.EVERY
        assert source.URL.startswith("https://") or not source.ORIGIN


def test_every_shared_host_says_why_it_is_one() -> None:
    assert all(SHARED_HOSTS.values())
    assert all(is_shared(host) for host in SHARED_HOSTS)
    assert is_shared("files.dropbox.com")
    assert not is_shared("www.example.com")
