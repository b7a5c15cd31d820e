"""Whatever happens to the logs, the run, the disk and the service: every line counts once."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.client.sending.world import Disk, World


def rotate(world: World) -> None:
    world.rename()


def cut_off(world: World) -> None:
    world.copy_and_truncate()


def compress_oldest(world: World) -> None:
    if world.rotated:
        world.compress(world.rotated[0])


def delete_oldest(world: World) -> None:
    """A log is deleted when its lines are in the spool: a run that is dead cannot read it."""
    if world.rotated and not world.disk.full:
        world.settle()
        world.rotated[0].unlink()


def write_to_rotated(world: World) -> None:
    """The writer has not heard of the rotation yet."""
    if world.rotated:
        world.append(1, path=world.rotated[-1])


def fill_disk(world: World) -> None:
    world.disk.full = True


def free_disk(world: World) -> None:
    world.disk.full = False


def in_mood(mood: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.service.mood = mood

    return change


def wait(world: World) -> None:
    world.wait(6)


def wait_long(world: World) -> None:
    world.wait(120)


def write(world: World) -> None:
    world.append(1)


def write_much(world: World) -> None:
    world.append(7)


def send_once(world: World) -> None:
    world.send(1)


def read_and_flush(world: World) -> None:
    world.poll()
    world.flush()


DEEDS: list[Callable[[World], object]] = [
    *[write] * 4,
    *[write_much] * 3,
    *[read_and_flush] * 3,
    rotate,
    cut_off,
    compress_oldest,
    delete_oldest,
    write_to_rotated,
    World.poll,
    World.poll,
    World.send,
    send_once,
    World.kill,
    wait,
    wait_long,
    fill_disk,
    free_disk,
    in_mood("good"),
    in_mood("gone"),
    in_mood("busy"),
    in_mood("mute"),
]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(DEEDS), min_size=20, max_size=60),
    st.integers(1, 6),
    st.integers(500, 20_000),
)
def test_what_the_service_holds_is_what_was_written(
    deeds: list[Callable[[World], object]], batch_events: int, spool_bytes: int
) -> None:
    with tempfile.TemporaryDirectory() as root, pytest.MonkeyPatch.context() as patch:
        world = World(
            root=Path(root),
            disk=Disk(patch),
            limits={"batch_events": batch_events, "spool_bytes": spool_bytes},
        )
        for deed in deeds:
            deed(world)
        world.settle()
        assert world.service.ids == world.written
        assert sorted(world.service.distinct) == sorted(world.written)
        assert world.run.spool.waiting == 0
        assert world.account.tally.reasons == {}
        world.kill()
        sent = len(world.service.requests)
        world.settle()
        assert len(world.service.requests) == sent
        world.kill()
