"""What ``--follow`` does with logs that grow, rotate, shrink and vanish."""

from tests.client.sending.world import World


def test_lines_are_sent_when_they_have_waited_five_seconds(world: World) -> None:
    world.append(5)
    world.poll()
    world.send()
    assert not world.service.requests
    world.wait(5)
    world.poll()
    world.wait(5)
    world.poll()
    world.send()
    assert world.service.ids == world.written


def test_a_second_run_goes_on_where_the_first_was_acknowledged(world: World) -> None:
    world.append(5)
    world.settle()
    world.kill()
    world.append(3)
    world.settle()
    assert [request.events for request in world.service.requests] == [5, 3]
    assert world.service.ids == world.written


def test_what_a_rotated_log_still_gets_is_read_before_the_new_one(world: World) -> None:
    world.append(3)
    world.poll()
    world.append(2)
    rotated = world.rename()
    world.append(4)
    world.append(1, path=rotated)
    world.settle()
    assert world.service.ids == world.written
    assert world.service.order == ["C0", "C1", "C2", "C3", "C4", "C9", "C5", "C6", "C7", "C8"]


def test_a_log_that_is_cut_off_after_a_copy_loses_nothing(world: World) -> None:
    world.append(3)
    world.poll()
    world.append(2)
    world.copy_and_truncate()
    world.append(4)
    world.settle()
    assert world.service.ids == world.written
    assert sum(request.events for request in world.service.requests) == 9


def test_a_copy_alone_is_not_sent(world: World) -> None:
    world.append(3)
    world.poll()
    (world.logs / "conn.copy.log").write_bytes(world.log.read_bytes())
    world.settle()
    assert sum(request.events for request in world.service.requests) == 3


def test_a_rotated_log_that_is_compressed_is_sent_once(world: World) -> None:
    world.append(3)
    world.settle()
    world.append(2)
    world.compress(world.rename())
    world.append(1)
    world.settle()
    assert world.service.ids == world.written
    assert sum(request.events for request in world.service.requests) == 6


def test_compression_while_nothing_runs_leaves_the_rest_to_be_sent(world: World) -> None:
    world.append(3)
    world.settle()
    world.kill()
    world.append(2)
    world.compress(world.rename())
    world.append(1)
    world.settle()
    assert world.service.ids == world.written
    assert sum(request.events for request in world.service.requests) == 6


def test_a_deleted_log_is_read_to_its_end(world: World) -> None:
    world.append(3)
    world.poll()
    world.append(2)
    world.rename().unlink()
    world.append(1)
    world.settle()
    assert world.service.ids == world.written


def test_an_unfinished_line_waits_for_its_end(world: World) -> None:
    world.append(2)
    world.append_half()
    world.settle()
    assert sum(request.events for request in world.service.requests) == 2
    world.end_half()
    world.settle()
    assert world.service.ids == world.written
    assert world.account.tally.reasons == {}


def test_a_log_compressed_before_its_first_line_was_read_is_sent_once(world: World) -> None:
    world.poll()
    world.append(3)
    world.compress(world.rename())
    world.settle()
    assert sorted(world.service.distinct) == sorted(world.written)


def test_all_lines_are_read_though_the_disk_takes_nothing_for_a_while(world: World) -> None:
    world.limits = {"batch_events": 1}
    world.append(200)
    world.disk.full = True
    world.poll()
    world.poll()
    world.disk.full = False
    world.settle()
    assert sorted(world.service.distinct) == sorted(world.written)
