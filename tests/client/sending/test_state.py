"""The files that a run leaves on the disk, and what a later one makes of them."""

import errno
import os
import stat
from pathlib import Path

import pytest

from tawny.sending.checkpoints import GONE_SECONDS, Checkpoint, state_folder, state_name
from tawny.sending.errors import StateError, StateInUse
from tawny.sending.folders import Folder
from tawny.sending.marks import Mark
from tawny.sending.parcels import Parcel, TornParcel, decode, decode_marks, encode, part
from tawny.sending.spool import Spool
from tests.client.sending.world import World

MARK = Mark(
    log=1,
    path="/var/log/conn.log",
    device=1,
    inode=2,
    offset=9,
    head_bytes=9,
    head="a",
    tail_bytes=9,
    tail="b",
    header=b"\xff#fields",
    events=True,
)
PARCEL = Parcel(
    marks=[MARK], parts=[part("ip", b"{}\n", events=1), part("dns", b"{}\n" * 3, events=3)]
)


def test_a_parcel_is_read_as_it_was_written() -> None:
    assert decode(b"".join(encode(PARCEL))) == PARCEL


def test_a_parcel_that_is_cut_or_changed_anywhere_is_known_as_torn() -> None:
    whole = b"".join(encode(PARCEL))
    for place in range(len(whole)):
        with pytest.raises(TornParcel):
            decode(whole[:place])
        with pytest.raises(TornParcel):
            decode(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(TornParcel):
        decode(whole + b"x")


def test_the_marks_of_a_parcel_are_there_without_its_bodies() -> None:
    whole = b"".join(encode(PARCEL))
    assert decode_marks(whole[: whole.index(b"\x1f\x8b")]) == [MARK]


def test_state_is_for_its_owner_only(world: World) -> None:
    world.append(3)
    world.poll()
    world.flush()
    paths = [world.state, *world.state.rglob("*")]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()}
    assert modes == {0o700}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()}
    assert modes == {0o600}


def test_two_runs_do_not_share_a_state(tmp_path: Path) -> None:
    with Checkpoint(Folder(tmp_path)), pytest.raises(StateInUse), Checkpoint(Folder(tmp_path)):
        pytest.fail("it was given twice")
    with Checkpoint(Folder(tmp_path)):
        assert (tmp_path / "lock").exists()


@pytest.mark.parametrize("content", [b"", b"{", b'{"schema":2}', b'{"schema":1,"marks":[{}]}'])
def test_a_checkpoint_that_cannot_be_read_is_said_and_kept(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoint.json").write_bytes(content)
    with pytest.raises(StateError, match=r"checkpoint\.json"), Checkpoint(Folder(tmp_path)):
        pytest.fail("it was taken")
    assert (tmp_path / "checkpoint.json").read_bytes() == content


def test_a_write_that_fails_leaves_the_file_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Folder(tmp_path)
    folder.write("file", [b"before"])

    def no_room(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(OSError, match="No space"):
        folder.write("file", [b"after"])
    assert folder.names() == ["file"]
    assert folder.read("file") == b"before"


def test_what_an_earlier_run_left_unfinished_is_removed(tmp_path: Path) -> None:
    (tmp_path / "x.unfinished").write_bytes(b"half")
    Folder(tmp_path).make()
    assert list(tmp_path.iterdir()) == []


def spool(root: Path) -> Spool:
    return Spool(Folder(root / "spool"), Folder(root / "rejected"))


def test_a_torn_parcel_at_the_end_was_never_sent_and_is_dropped(tmp_path: Path) -> None:
    first = spool(tmp_path)
    first.open(0)
    first.append(PARCEL)
    first.append(PARCEL)
    (last,) = (tmp_path / "spool").glob("*2.parcel")
    last.write_bytes(last.read_bytes()[:-5])
    second = spool(tmp_path)
    assert [found.sequence for found in second.open(0)] == [1]
    assert second.waiting == 1
    assert not last.exists()
    assert second.damaged == []


def test_a_parcel_that_the_disk_has_changed_is_put_away_and_said(tmp_path: Path) -> None:
    first = spool(tmp_path)
    first.open(0)
    first.append(PARCEL)
    first.append(PARCEL)
    (place,) = (tmp_path / "spool").glob("*1.parcel")
    place.write_bytes(b"zeros")
    second = spool(tmp_path)
    assert [found.sequence for found in second.open(0)] == [2]
    assert second.damaged == [f"{place}.damaged"]


def test_a_parcel_that_changes_while_it_waits_is_put_away_and_said(world: World) -> None:
    world.append(2)
    world.poll()
    world.flush()
    (place,) = (world.state / "spool").glob("*.parcel")
    place.write_bytes(place.read_bytes()[:-3])
    world.send()
    assert list(world.account.damaged) == [f"{place}.damaged"]
    assert world.account.exit == 2
    world.append(1)
    world.settle()
    assert world.service.ids.total() == 1


def test_sequence_numbers_are_never_given_twice(tmp_path: Path) -> None:
    first = spool(tmp_path)
    first.open(6)
    assert first.append(PARCEL) == 7
    first.took(7)
    second = spool(tmp_path)
    assert [(found.sequence, found.taken) for found in second.open(6)] == [(7, True)]
    assert second.append(PARCEL) == 8


def test_a_state_belongs_to_a_service_a_key_and_a_format() -> None:
    def name(**changes: str) -> str:
        usual = {"url": "https://a.example", "key": "twy_abc123_secret", "log_format": "zeek"}
        return state_name(**usual | changes)

    assert name() == name(key="twy_abc123_other")
    others = {
        name(),
        name(url="https://b.example"),
        name(url="https://a.example/x"),
        name(key="twy_xyz_secret"),
        name(key="an old one"),
        name(log_format="eve"),
    }
    assert len(others) == 6
    assert all("secret" not in each and "old" not in each and "/" not in each for each in others)


def test_the_state_is_where_xdg_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state_folder({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "tawny"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder({}) == tmp_path / ".local/state/tawny"
    assert state_folder({"XDG_STATE_HOME": "relative"}) == tmp_path / ".local/state/tawny"


def test_a_log_that_has_long_gone_is_forgotten(tmp_path: Path) -> None:
    with Checkpoint(Folder(tmp_path)) as checkpoint:
        checkpoint.acknowledge(1, [MARK])
        checkpoint.forget_gone(now=GONE_SECONDS - 1)
        assert checkpoint.marks
        checkpoint.forget_gone(now=GONE_SECONDS)
        assert not checkpoint.marks
