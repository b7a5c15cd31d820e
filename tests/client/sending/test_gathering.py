"""Where a log is cut into requests."""

from hypothesis import given, settings, strategies as st

from tawny.formats.events import DnsEvent, Event
from tawny.sending.batches import NEAR
from tawny.sending.gathering import Gathered, Line, Range


def line(place: int, *seconds: int) -> Line:
    events: list[Event] = [
        DnsEvent(ts=f"2024-01-01T{second:06d}Z", src_ip="192.0.2.1") for second in seconds
    ]
    return Line(end=place + 1, size=10, tail=b"x", header=b"", events=events, known=True)


def ranges(seconds: list[int], limit: int) -> list[int]:
    """Give the ends of the ranges that a log of these times is cut into."""
    gathered = Gathered(limit_events=limit)
    found = [gathered.add(line(n, second), tick=0.0) for n, second in enumerate(seconds)]
    found.append(gathered.all(tick=0.0))
    return [each.last.end for each in found if each is not None]


def test_a_log_without_repeated_times_is_cut_at_the_limit() -> None:
    assert ranges(list(range(200)), 100) == [100, 200]


def test_lines_of_one_time_are_not_cut_apart() -> None:
    assert ranges([*range(95), *[95] * 20, *range(96, 200)], 100) == [115, 219]


def test_a_time_that_comes_again_is_not_cut_from_itself() -> None:
    times = [*range(98), 500, 98, 99, 500, *range(100, 300)]
    first = ranges(times, 100)[0]
    assert first == 102


def test_a_log_that_stands_still_is_cut_at_twice_the_limit() -> None:
    assert ranges([7] * 500, 100) == [200, 400, 500]


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), max_size=300), st.integers(1, 50), st.sets(st.integers(0, 299)))
def test_ranges_have_no_gap_and_no_overlap(
    seconds: list[int], limit: int, aged_at: set[int]
) -> None:
    gathered = Gathered(limit_events=limit)
    cut: list[Range | None] = []
    for n, second in enumerate(seconds):
        cut.append(gathered.add(line(n, second), tick=float(n)))
        if n in aged_at:
            cut.append(gathered.aged(tick=float(n)))
    cut.append(gathered.all(tick=0.0))
    ends = [each.last.end for each in cut if each is not None]
    counts = [sum(part.events for part in each.parts) for each in cut if each is not None]
    assert ends == sorted(set(ends))
    assert sum(counts) == len(seconds)
    assert [after - before for before, after in zip([0, *ends], ends, strict=False)] == counts
    assert all(count <= 2 * limit for count in counts)
    assert not gathered


@settings(deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=400), st.integers(NEAR + 1, 100))
def test_a_cut_parts_no_time_from_itself_but_where_the_log_stands_still(
    seconds: list[int], limit: int
) -> None:
    ends = ranges(seconds, limit)
    starts = [0, *ends[:-1]]
    for start, end in zip(starts[:-1], ends[:-1], strict=False):
        if end - start + NEAR < 2 * limit:
            before = seconds[max(start, end - NEAR) : end]
            assert not set(before) & set(seconds[end : end + NEAR])


def test_what_has_aged_is_given_but_for_the_newest_time_which_waits_once() -> None:
    gathered = Gathered()
    for n, second in enumerate([1, 2, 3, 3]):
        gathered.add(line(n, second), tick=0.0)
    assert end(gathered.aged(tick=5.0)) == 2
    gathered.add(line(4, 4), tick=6.0)
    assert end(gathered.aged(tick=10.0)) == 4
    assert end(gathered.aged(tick=15.0)) == 5
    assert gathered.aged(tick=20.0) is None


def end(cut: Range | None) -> int:
    assert cut is not None
    return cut.last.end


def test_one_line_of_several_events_is_not_cut() -> None:
    gathered = Gathered(limit_events=2)
    cut = [gathered.add(line(n, n, n + 500, n + 900), tick=0.0) for n in range(4)]
    found = [each for each in [*cut, gathered.all(tick=0.0)] if each is not None]
    assert [each.parts[0].events for each in found] == [3, 6, 3]


def test_lines_without_events_make_a_range_of_their_own() -> None:
    gathered = Gathered(limit_bytes=5)
    cut = [gathered.add(line(n), tick=0.0) for n in range(5)]
    found = next(each for each in cut if each is not None)
    assert found.parts == []
