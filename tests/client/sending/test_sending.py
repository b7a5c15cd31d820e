"""From files to batches, and from batches to the service."""

import gzip
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from tawny.formats import DnsEvent, Event, IpEvent, encode_lines
from tawny.formats.zeek import Parser
from tawny.sending.account import Account
from tawny.sending.batches import NEAR, Batch, Cutter
from tawny.sending.courier import Courier
from tawny.sending.logs import send_logs
from tawny.sending.sources import Damaged, Source, find, pieces
from tests.client.zeek_logs import conn_log, conn_row, dns_log, dns_row

NO_STDIN = io.BufferedReader(io.BytesIO())


def names(paths: Iterator[Source], root: Path) -> list[str]:
    return [source.path.relative_to(root).as_posix() for source in paths if source.path]


def read(path: Path) -> bytes:
    (source,) = find([str(path)])
    return b"".join(pieces(source, stdin=NO_STDIN))


def test_a_folder_is_walked_in_the_order_of_its_paths(tmp_path: Path) -> None:
    for name in ("b/conn.log", "a/z.log", "a/c/dns.log", "conn.log", ".hidden.log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    found = names(find([str(tmp_path)]), tmp_path)
    assert found == [".hidden.log", "a/c/dns.log", "a/z.log", "b/conn.log", "conn.log"]


def test_arguments_keep_their_order_and_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "c.log").symlink_to(tmp_path / "b.log")
    assert names(find([str(tmp_path / "b.log"), str(tmp_path)]), tmp_path) == ["b.log", "a.log"]


def test_gzip_is_known_by_its_content(tmp_path: Path) -> None:
    log = conn_log()
    (tmp_path / "named.gz").write_bytes(log)
    (tmp_path / "packed").write_bytes(gzip.compress(log) + gzip.compress(log))
    assert read(tmp_path / "named.gz") == log
    assert read(tmp_path / "packed") == log + log


def test_a_folder_that_cannot_be_listed_is_said_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    listed = os.scandir

    def scandir(path: str) -> object:
        if path == str(closed):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)  # the tests may run as root, whom nothing stops
    (source,) = find([str(tmp_path)])
    with pytest.raises(Damaged):
        list(pieces(source, stdin=NO_STDIN))


@pytest.mark.parametrize("damage", ["cut", "changed", "trailing"])
def test_a_damaged_gzip_gives_what_comes_before_the_damage(tmp_path: Path, damage: str) -> None:
    log = b"".join(os.urandom(20).hex().encode() + b"\n" for _ in range(20_000))
    packed = bytearray(gzip.compress(log))
    match damage:
        case "cut":
            del packed[-1000:]
        case "changed":
            packed[-6] ^= 1
        case "trailing":
            packed += b"garbage"
    (tmp_path / "log.gz").write_bytes(packed)
    (source,) = find([str(tmp_path / "log.gz")])
    kept: list[bytes] = []
    with pytest.raises(Damaged):
        kept.extend(pieces(source, stdin=NO_STDIN))
    got = b"".join(kept)
    assert log.startswith(got)
    assert len(got) > len(log) - 10_000


def test_a_file_that_has_gone_is_damaged_and_not_a_crash(tmp_path: Path) -> None:
    gone = Source(name="gone.log", path=tmp_path / "gone.log", size=1)
    with pytest.raises(Damaged, match="No such file"):
        list(pieces(gone, stdin=NO_STDIN))


def test_the_reading_tells_how_far_it_has_come(tmp_path: Path) -> None:
    (tmp_path / "log.gz").write_bytes(gzip.compress(os.urandom(600_000)))
    (source,) = find([str(tmp_path / "log.gz")])
    told: list[int] = []
    list(pieces(source, stdin=NO_STDIN, read=told.append))
    assert told == sorted(told)
    assert told[-1] == source.size


EVENTS: list[Event] = [
    IpEvent(ts=f"2024-01-01T00:00:{n:02d}Z", src_ip="192.0.2.1", dest_ip="198.51.100.1")
    if n % 3
    else DnsEvent(ts=f"2024-01-01T00:00:{n:02d}Z", src_ip="192.0.2.1", query="x" * n)
    for n in range(50)
]


def cut(cuts: list[int], log: list[Event] = EVENTS, **limits: int) -> list[Batch]:
    cutter = Cutter(**limits)
    batches: list[Batch] = []
    start = 0
    for end in (*sorted(cuts), len(log)):
        batches += cutter.add(log[start:end])
        start = end
    return batches + list(cutter.finish())


def at(*seconds: int) -> list[Event]:
    return [
        IpEvent(
            ts=f"2024-01-01T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z",
            src_ip="192.0.2.1",
            dest_ip="198.51.100.1",
        )
        for second in seconds
    ]


def sizes(log: list[Event], **limits: int) -> list[int]:
    return [batch.events for batch in cut([], log, **limits)]


@settings(deadline=None)
@given(st.lists(st.integers(0, 50), max_size=8), st.integers(1, 60), st.integers(1, 3000))
def test_batches_do_not_depend_on_how_the_events_arrive(
    cuts: list[int], events: int, size: int
) -> None:
    whole = cut([], events=events, size=size)
    assert cut(cuts, events=events, size=size) == whole
    assert sum(batch.events for batch in whole) == len(EVENTS)
    assert all(batch.body.count(b"\n") == batch.events <= events for batch in whole)
    longest = max(len(line) for batch in whole for line in batch.body.splitlines()) + 1
    assert all(len(batch.body) < size + longest for batch in whole)


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 400), max_size=8),
    st.lists(st.integers(0, 30), max_size=400),
    st.integers(1, 60),
    st.integers(100, 3000),
)
def test_repeated_times_lose_no_event_and_at_most_double_a_batch(
    cuts: list[int], seconds: list[int], events: int, size: int
) -> None:
    log = at(*seconds)
    whole = cut([], log, events=events, size=size)
    assert cut([min(place, len(log)) for place in cuts], log, events=events, size=size) == whole
    lines = [line for batch in whole for line in batch.body.splitlines()]
    assert sorted(lines) == sorted(encode_lines(log).splitlines())
    assert all(batch.body.count(b"\n") == batch.events <= 2 * events for batch in whole)
    assert all(len(batch.body) < 2 * size + 100 for batch in whole)


def test_a_run_of_one_time_is_not_cut() -> None:
    assert sizes(at(1, 2, 3, 3, 3, 4, 5, 6), events=4) == [5, 3]
    assert sizes(at(1, 2, 3, 4, 5, 5, 5, 6), events=4) == [4, 4]


def test_a_run_longer_than_twice_the_limit_is_cut_there() -> None:
    assert sizes(at(1, 2, *[3] * 20, 4), events=4) == [8, 8, 6, 1]


def test_the_limit_of_bytes_keeps_a_run_together_too() -> None:
    line = len(encode_lines(at(1)))
    assert sizes(at(1, 2, 3, 3, 3, 4, 5, 6), size=4 * line) == [5, 3]


def test_equal_events_with_others_between_them_come_into_one_request() -> None:
    log = at(1, 2, 3, 5, 4, 5, 6, 7, 8)
    batches = cut([], log, events=4)
    assert [batch.events for batch in batches] == [5, 4]
    assert batches[0].body == encode_lines(at(1, 2, 3, 5, 5))


@pytest.mark.parametrize("between", [1, 10, NEAR - 1])
def test_equal_events_are_brought_together_over_any_cut(between: int) -> None:
    others = list(range(2000))
    for place in range(80, 130):
        log = at(*others[:place], 5000, *others[place : place + between], 5000, *others[place:300])
        holding = [batch for batch in cut([], log, events=100) if b"T01:23:20Z" in batch.body]
        assert [batch.body.count(b"T01:23:20Z") for batch in holding] == [2]


def test_the_times_of_one_kind_do_not_hold_back_another() -> None:
    questions: list[Event] = [
        DnsEvent(ts=event.ts, src_ip="192.0.2.1", query="x.example") for event in at(*[1] * 6)
    ]
    log = [event for pair in zip(questions, at(1, 2, 3, 4, 5, 6), strict=True) for event in pair]
    batches = cut([], log, events=3)
    assert sorted((batch.kind, batch.events) for batch in batches) == [
        ("dns", 6),
        ("ip", 3),
        ("ip", 3),
    ]


class Listener:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def began(self, source: Source) -> None:
        """Nothing to keep."""

    def read(self, position: int) -> None:
        """Nothing to keep."""

    def said(self, message: str) -> None:
        self.messages.append(message)


def run(paths: list[Path], stdin: bytes = b"", **limits: int) -> tuple[list[Batch], Account]:
    batches: list[Batch] = []
    account = Account()
    send_logs(
        find([str(path) for path in paths]),
        parser=lambda name: Parser(file_name=name),
        put=batches.append,
        account=account,
        watcher=Listener(),
        stdin=io.BufferedReader(io.BytesIO(stdin)),
        **limits,
    )
    return batches, account


def test_a_batch_never_holds_events_of_two_files(tmp_path: Path) -> None:
    (tmp_path / "conn.log").write_bytes(conn_log(conn_row(), conn_row(uid="C2")))
    (tmp_path / "copy.log").write_bytes(conn_log(conn_row(), conn_row(uid="C2")))
    batches, account = run([tmp_path])
    assert [batch.events for batch in batches] == [2, 2]
    assert batches[0] == batches[1]
    assert account.files == 2


def test_a_second_run_makes_the_same_batches(tmp_path: Path) -> None:
    rows = [conn_row(uid=f"C{n}", ts=f"1713484795.{n:06d}") for n in range(25)]
    (tmp_path / "b.log").write_bytes(conn_log(*rows))
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(dns_log(*(dns_row() for _ in range(7)))))
    first, _ = run([tmp_path], batch_events=10)
    (tmp_path / "a.new.log").write_bytes(conn_log())
    second, _ = run([tmp_path], batch_events=10)
    assert [batch.events for batch in first] == [7, 10, 10, 5]
    assert [batch for batch in second if batch in first] == first


def test_a_log_whose_times_count_from_its_opening_is_named(tmp_path: Path) -> None:
    (tmp_path / "replay.log").write_bytes(conn_log(conn_row(ts="0.5"), conn_row()))
    (tmp_path / "usual.log").write_bytes(conn_log())
    (batch, _), account = run([tmp_path])
    assert account.clockless == [str(tmp_path / "replay.log")]
    assert account.as_json()["clockless"] == account.clockless
    assert account.exit == 0
    assert b'"ts":"2024-04-19T00:00:01.5Z"' in batch.body


def test_standard_input_is_read_for_a_dash_plain_or_packed() -> None:
    plain, account = run([Path("-")], conn_log())
    packed, _ = run([Path("-")], gzip.compress(conn_log()))
    assert plain == packed
    assert account.tally.mapped == {"conn": 1}


def test_a_foreign_file_is_left_after_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"no log\n" + conn_log())
    batches, account = run([tmp_path])
    assert batches == []
    assert account.foreign == [str(tmp_path / "notes.txt")]
    assert account.exit == 0


def batch(number: int) -> Batch:
    return Batch(kind="ip", body=str(number).encode(), events=1)


def test_a_courier_delivers_in_order_while_its_caller_goes_on() -> None:
    delivered: list[bytes] = []

    def deliver(one: Batch) -> None:
        time.sleep(0.001)
        delivered.append(one.body)

    with Courier(deliver) as courier:
        for number in range(30):
            courier.put(batch(number))
    assert delivered == [str(number).encode() for number in range(30)]


def test_the_first_error_of_a_delivery_reaches_the_caller_and_ends_it() -> None:
    delivered: list[bytes] = []

    def deliver(one: Batch) -> None:
        delivered.append(one.body)
        if one.body == b"3":
            raise ConnectionError("gone")

    def put_all() -> None:
        with Courier(deliver, waiting=1) as courier:
            for number in range(100):
                courier.put(batch(number))

    with pytest.raises(ConnectionError, match="gone"):
        put_all()
    assert delivered == [b"0", b"1", b"2", b"3"]


def test_an_error_of_the_last_delivery_is_raised_on_leaving() -> None:
    def deliver(one: Batch) -> None:
        raise ConnectionError(one.body.decode())

    def put_one() -> None:
        with Courier(deliver) as courier:
            courier.put(batch(7))

    with pytest.raises(ConnectionError, match="7"):
        put_one()
