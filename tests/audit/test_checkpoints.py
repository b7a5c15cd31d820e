import base64
from pathlib import Path

import pytest

from audit import checkpoints
from audit.checkpoints import TreeHead
from audit.errors import NoSuchCheckpoint
from crypto import signatures
from crypto.errors import NotAuthentic
from crypto.merkle import EMPTY_ROOT

ORIGIN = "tawny.example/test"
HEAD = TreeHead(origin=ORIGIN, size=7, root=EMPTY_ROOT)


def test_a_checkpoint_is_three_lines_and_reads_back() -> None:
    root = base64.b64encode(EMPTY_ROOT).decode()
    assert HEAD.text() == f"{ORIGIN}\n7\n{root}\n"
    assert TreeHead.parse(HEAD.text()) == HEAD
    assert TreeHead.parse(HEAD.text() + "a line of a later version\n") == HEAD


@pytest.mark.parametrize(
    "text",
    ["", "\n7\nAAAA\n", "a\n07\nAAAA\n", "a\n-1\nAAAA\n", "a\n7\n????\n", "a\n7\nAAAA\n", "a\n7"],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoSuchCheckpoint):
        TreeHead.parse(text)


def test_only_the_log_s_own_key_and_name_open_it() -> None:
    signer = signatures.generate(ORIGIN)
    note = checkpoints.sign(HEAD, signer)
    assert checkpoints.opened(note, key=signer.verifying, origin=ORIGIN) == HEAD
    with pytest.raises(NotAuthentic):
        checkpoints.opened(note, key=signatures.generate(ORIGIN).verifying, origin=ORIGIN)
    with pytest.raises(NoSuchCheckpoint):
        checkpoints.opened(note, key=signer.verifying, origin="other.example/log")


def test_a_checkpoint_is_about_two_hundred_bytes() -> None:
    assert len(checkpoints.sign(HEAD, signatures.generate(ORIGIN)).encode()) < 250


def test_a_file_is_replaced_as_a_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    checkpoints.write_atomically(path, "old\n")
    checkpoints.write_atomically(path, "new\n")
    assert path.read_text() == "new\n"
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoint"]
    assert checkpoints.public_key_path(path) == tmp_path / "checkpoint.pub"
