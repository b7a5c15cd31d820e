"""The file that keeps where a reader of alerts is."""

import stat
from pathlib import Path

import pytest

import tawny
from tawny import FileCheckpoint


def test_a_place_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "place"
    FileCheckpoint(path).save("1-a")
    FileCheckpoint(str(path)).save("1-b")
    assert FileCheckpoint(path).load() == "1-b"
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_not_there_is_the_beginning(tmp_path: Path) -> None:
    assert FileCheckpoint(tmp_path / "place").load() == ""


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"follow":1}', b'{"follow":"\xff"}'])
def test_a_file_that_is_no_checkpoint_is_not_taken_for_the_beginning(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "place"
    path.write_bytes(content)
    with pytest.raises(tawny.CheckpointUnusable, match="cannot be read"):
        FileCheckpoint(path).load()


def test_a_place_that_cannot_be_kept_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "x").touch()
    with pytest.raises(tawny.CheckpointUnusable, match="cannot be written"):
        FileCheckpoint(tmp_path / "place").save("1-a")
    with pytest.raises(tawny.CheckpointUnusable, match="cannot be written"):
        FileCheckpoint(tmp_path / "none" / "place").save("1-a")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
