"""Which file is which log, in less usual cases."""

import gzip
import os

import pytest

from tawny.formats import zeek
from tawny.sending import watch
from tests.client.sending.world import World
from tests.client.zeek_logs import CONN_FIELDS, conn_log, conn_row, header


def test_a_log_that_is_cut_off_between_looking_and_reading_is_noticed(world: World) -> None:
    world.append(3)
    world.poll()
    world.run.reader.watch.scan(now=world.now)
    os.truncate(world.log, 0)
    with world.log.open("a") as file:
        file.write(world._header())
    world.append(50)
    world.run.reader.go_on(now=world.now, tick=world.now)
    world.settle()
    assert world.service.ids == world.written


def test_a_log_written_anew_under_the_same_inode_and_size_is_another_log(world: World) -> None:
    world.append(1)
    world.settle()
    os.truncate(world.log, 0)
    with world.log.open("a") as file:
        file.write(world._header())
    world.append(1)
    world.settle()
    assert world.service.ids == world.written


def test_a_gzip_that_is_being_written_is_waited_for(world: World) -> None:
    rows = [conn_row(uid=f"P{n}", ts=f"17134847{n:02d}.5") for n in range(90)]
    packed = gzip.compress(conn_log(*rows))
    path = world.logs / "conn.old.log.gz"
    path.write_bytes(packed[:-200])
    os.utime(path, (world.now, world.now))
    world.poll()
    world.wait(10)
    world.poll()
    assert world.account.damaged == {}
    path.write_bytes(packed)
    world.settle()
    assert world.service.ids.total() == 90


def test_a_gzip_that_stays_damaged_is_said_and_the_rows_before_count(world: World) -> None:
    path = world.logs / "conn.old.log.gz"
    path.write_bytes(gzip.compress(conn_log(*[conn_row(uid=f"P{n}") for n in range(90)]))[:-8])
    os.utime(path, (world.now, world.now))
    world.settle()
    assert list(world.account.damaged) == [str(path)]
    assert world.service.ids.total() == 90
    world.kill()
    world.settle()
    assert len(world.service.requests) == 1


def test_a_file_that_is_no_log_is_named_and_left_alone(world: World) -> None:
    (world.logs / "notes.txt").write_text("words\n" * 10)
    world.append(1)
    world.settle()
    assert world.account.foreign == [str(world.logs / "notes.txt")]
    assert world.service.ids == world.written


def test_a_log_that_began_like_another_is_read_once_it_is_seen_to_be_its_own(world: World) -> None:
    world.append(2)
    world.settle()
    twin = world.logs / "conn.twin.log"
    twin.write_bytes(world.log.read_bytes())
    world.append(3, path=twin)
    world.settle()
    assert world.service.ids == world.written
    assert sum(request.events for request in world.service.requests) == 5


def test_logs_with_nothing_but_the_same_header_are_not_taken_for_copies(world: World) -> None:
    world.log.write_text(header("conn", CONN_FIELDS))
    world.poll()
    other = world.logs / "conn.other.log"
    other.write_text(header("conn", CONN_FIELDS))
    world.append(2, path=other)
    world.poll()
    world.flush()
    world.send()
    assert world.service.ids == world.written


def test_more_logs_than_may_be_open_are_all_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "OPEN_FILES", 4)
    paths = []
    for n in range(20):
        paths.append(world.logs / f"conn.{n}.log")
        paths[-1].write_text(world._header())
        world.append(2, path=paths[-1])
    world.poll()
    tails = world.run.reader.watch.tails.values()
    assert sum(tail.content is not None for tail in tails) <= 5
    for path in paths:
        world.append(1, path=path)
    world.settle()
    assert world.service.ids == world.written


def test_a_log_that_appears_later_is_read(world: World) -> None:
    world.poll()
    deep = world.logs / "sensor2"
    deep.mkdir()
    (deep / "conn.log").write_text(world._header())
    world.append(2, path=deep / "conn.log")
    world.settle()
    assert world.service.ids == world.written


def test_an_overlong_line_is_counted_and_the_next_one_read(world: World) -> None:
    world.append(1)
    with world.log.open("a") as file:
        file.write("x" * (3 << 20) + "\n")
    world.append(1)
    world.settle()
    world.run.reader.close()
    assert world.account.tally.reasons == {"too_large": 1}
    assert world.service.ids == world.written


def test_the_last_line_of_a_rotated_log_needs_no_newline(world: World) -> None:
    world.append(2)
    world.append_half()
    world.poll()
    with world.log.open("a") as file:
        file.write(world._half[40:].rstrip("\n"))
    world.rename()
    world.settle()
    assert world.service.ids == world.written


def test_a_run_that_goes_on_knows_what_earlier_logs_lend(world: World) -> None:
    fields = ("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "server_name")
    row = "1713484700.5\tC0\t192.0.2.10\t50123\t198.51.100.7\t443\tlent.example\n"
    (world.logs / "ssl.log").write_text(header("ssl", fields) + row)
    os.utime(world.logs / "ssl.log", (world.now, world.now))
    world.poll()
    world.flush()
    world.send()
    world.kill()
    world.append(1)
    world.poll()
    world.flush()
    world.send()
    assert b'"host":"lent.example"' in world.service.requests[-1].body
    assert [request.events for request in world.service.requests] == [1, 1]


def test_files_are_read_in_the_order_of_the_format(world: World) -> None:
    world.append(1)
    fields = ("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "server_name")
    row = "1713484700.5\tC0\t192.0.2.10\t50123\t198.51.100.7\t443\tlent.example\n"
    (world.logs / "ssl.log").write_text(header("ssl", fields) + row)
    assert zeek.reading_order("ssl.log") < zeek.reading_order("conn.log")
    world.settle()
    assert any(b'"host":"lent.example"' in request.body for request in world.service.requests)


def test_a_path_that_cannot_be_read_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def closed(path: str, *arguments: int, **named: int) -> int:
        if str(path).endswith("secret.log"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **named)

    (world.logs / "secret.log").write_bytes(conn_log())
    monkeypatch.setattr(os, "open", closed)
    world.append(1)
    world.settle()
    world.run.reader.close()
    assert world.account.damaged == {str(world.logs / "secret.log"): "Permission denied"}
    assert world.service.ids == world.written


def test_a_link_and_its_target_are_one_log(world: World) -> None:
    (world.logs / "link.log").symlink_to(world.log)
    world.append(2)
    world.settle()
    assert sum(request.events for request in world.service.requests) == 2
