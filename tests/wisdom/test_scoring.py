from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from destinations.flags import BY_NAME
from destinations.report import FULL_SCORE, Destination, Report
from feeds.serving import Serving
from tests.wisdom.served import AS_OF, NOW, serving
from wisdom import scoring
from wisdom.index import Match, Snapshot, SnapshotFeed, build
from wisdom.index.records import Entry
from wisdom.reports import reports


def report(folder: Path, destination: Destination, *lists: Serving) -> Report:
    manifest = build(folder, lists, stamp=(), now=NOW)
    (one,) = reports([destination], Snapshot(folder / manifest.version), now=NOW)
    return one


EVIL = Destination.of_name("www.evil.example")


def test_one_list_that_says_c2_makes_a_malicious_report_with_its_reason(tmp_path: Path) -> None:
    one = report(tmp_path, EVIL, serving("a", "evil.example", family="TestBot"))
    assert (one.score, one.verdict, one.flags, one.labels) == (
        60_00,
        "malicious",
        ("c2",),
        ("c2:TestBot",),
    )
    assert one.domain == "evil.example"
    (reason,) = one.reasons
    assert (reason.source, reason.title, reason.kind) == ("a", "List a", "feed")
    assert (reason.indicator, reason.family, reason.as_of) == ("evil.example", "TestBot", AS_OF)
    assert (reason.licence, reason.reference) == ("CC0-1.0", "ref")
    assert one.ttl == scoring.TTL_LISTED
    assert one.snapshot.startswith("20261124T120000Z-")
    assert one.psl


def test_a_second_independent_list_adds_and_a_sister_list_does_not(tmp_path: Path) -> None:
    alone = report(tmp_path, EVIL, serving("a", "evil.example", flag="blocklist"))
    sister = report(
        tmp_path,
        EVIL,
        serving("a", "evil.example", origin="o", flag="blocklist"),
        serving("b", "evil.example", origin="o", flag="blocklist"),
    )
    agreed = report(
        tmp_path,
        EVIL,
        serving("a", "evil.example", flag="blocklist"),
        serving("b", "evil.example", flag="blocklist"),
    )
    assert (alone.score, alone.verdict) == (40_00, "suspicious")
    assert [reason.points for reason in sister.reasons] == [40_00, 0]
    assert [reason.points for reason in agreed.reasons] == [40_00, 15_00]
    assert (agreed.score, agreed.verdict) == (55_00, "malicious")


def test_the_cap_is_a_reason_of_its_own(tmp_path: Path) -> None:
    one = report(tmp_path, EVIL, *[serving(f"l{n}", "evil.example") for n in range(5)])
    assert one.score == FULL_SCORE
    assert [reason.points for reason in one.reasons] == [6000, 1500, 1500, 1500, 1500, -2000]
    assert one.reasons[-1].kind == "cap"
    assert one.flags == ("c2",)


def test_an_unlisted_destination_has_no_reasons_and_is_asked_again_within_hours(
    tmp_path: Path,
) -> None:
    one = report(tmp_path, Destination.of_name("www.fine.example"), serving("a", "evil.example"))
    assert (one.score, one.verdict, one.flags, one.reasons) == (0, "unlisted", (), ())
    assert one.domain == "fine.example"
    assert one.ttl == scoring.TTL_UNLISTED


def test_without_a_snapshot_nothing_is_known_for_minutes_only() -> None:
    (one,) = reports([EVIL], None, now=NOW)
    assert (one.verdict, one.snapshot, one.ttl) == ("unlisted", "", scoring.TTL_UNKNOWING)
    assert one.domain == "evil.example"


def test_a_report_never_outlives_the_row_it_rests_on(tmp_path: Path) -> None:
    soon = serving("a", "evil.example", until=timedelta(minutes=10))
    assert report(tmp_path, EVIL, soon).ttl == 600
    sooner = serving("a", "evil.example", until=timedelta(seconds=5))
    assert report(tmp_path, EVIL, sooner).ttl == scoring.TTL_LEAST


def test_what_a_destination_is_counts_a_little_and_is_only_noted(tmp_path: Path) -> None:
    one = report(tmp_path, EVIL, serving("a", "evil.example", flag="doh"))
    assert (one.score, one.verdict) == (5_00, "noted")


def test_reports_come_in_the_order_of_the_request_and_echo_it(tmp_path: Path) -> None:
    asked = [
        Destination.of_name("b.example"),
        Destination("address", "192.0.2.1", 443, "tcp"),
        Destination.of_name("a.example"),
        Destination("address", "192.0.2.1", 80, "tcp"),
    ]
    manifest = build(tmp_path, [serving("a", "192.0.2.1:443")], stamp=(), now=NOW)
    found = reports(asked, Snapshot(tmp_path / manifest.version), now=NOW)
    assert [one.destination for one in found] == asked
    assert [bool(one.flags) for one in found] == [False, True, False, False]


feeds = st.sampled_from(["a", "b", "c", "d", "e", "f"])
flags = st.sampled_from(sorted(BY_NAME))


@given(st.lists(st.tuples(feeds, flags), max_size=12))
def test_the_score_is_the_exact_sum_whatever_the_lists_say(
    claims: list[tuple[str, str]],
) -> None:
    matches = [_match(name, flag) for name, flag in claims]
    found = scoring.reasons(matches)
    total = sum(reason.points for reason in found)
    assert 0 <= total <= FULL_SCORE
    assert all(reason.points >= 0 for reason in found if reason.kind != "cap")
    assert found == scoring.reasons(list(reversed(matches)))
    more = scoring.reasons([*matches, _match("z", "c2")])
    assert sum(reason.points for reason in more) >= total


def _match(name: str, flag: str) -> Match:
    feed = SnapshotFeed(
        name=name,
        title=name,
        origin="sisters" if name in "ab" else name,
        licence="",
        redistribute=False,
        release="",
        as_of=AS_OF,
        fetched_at=NOW,
        rows=1,
    )
    return Match(Entry(0, "name", "x.example", flag, "", None, None, 0, ""), feed)


def test_every_weight_belongs_to_a_flag_and_says_why() -> None:
    assert set(scoring.WEIGHTS) <= set(BY_NAME)
    assert all(0 <= weight.points <= FULL_SCORE for weight in scoring.WEIGHTS.values())
    assert all(weight.why for weight in scoring.WEIGHTS.values())


@pytest.mark.parametrize(
    ("score", "expected"),
    [(0, "unlisted"), (25_00, "suspicious"), (49_99, "suspicious"), (50_00, "malicious")],
)
def test_verdicts_begin_at_their_thresholds(score: int, expected: str) -> None:
    assert scoring.verdict(score, ()) == expected
