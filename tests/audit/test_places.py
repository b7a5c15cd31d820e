import json
import logging
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from audit.checkpoints import TreeHead, sign
from audit.errors import UnknownPlace
from audit.places import DELIVER_EVERY, FilePlace, Places, SyslogPlace, place_of
from audit.sequencer import Sequencer
from crypto.merkle import EMPTY_ROOT
from crypto.signatures import SigningKey
from tests.audit.conftest import ORIGIN

SECONDS = 5.0


def note(signer: SigningKey, size: int) -> str:
    return sign(TreeHead(origin=ORIGIN, size=size, root=EMPTY_ROOT), signer)


def offered(places: Places, text: str, now: datetime) -> None:
    places.offer(text, now=now)
    places.wait(SECONDS)


def test_a_file_holds_the_newest_and_never_an_older(
    signer: SigningKey, tmp_path: Path, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    kept = tmp_path / "kept"
    places = Places([place_of(f"file:{kept}")])
    offered(places, note(signer, 5), now)
    assert kept.read_text() == note(signer, 5)
    offered(places, note(signer, 4), now + DELIVER_EVERY)
    assert kept.read_text() == note(signer, 5)
    assert "knows of 5 leaves, we of 4" in caplog.text


def test_a_place_that_fails_is_logged_and_tried_again_a_minute_later_with_the_newest(
    signer: SigningKey, tmp_path: Path, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "away"
    other = tmp_path / "there"
    places = Places([place_of(f"file:{folder}/kept"), place_of(f"file:{other}")])
    with caplog.at_level(logging.ERROR):
        offered(places, note(signer, 1), now)
    assert "checkpoint not kept at file:" in caplog.text
    assert other.read_text() == note(signer, 1)
    folder.mkdir()
    offered(places, note(signer, 2), now + timedelta(seconds=59))
    assert not (folder / "kept").exists()
    assert other.read_text() == note(signer, 1), "at most once a minute"
    offered(places, note(signer, 3), now + DELIVER_EVERY)
    assert (folder / "kept").read_text() == other.read_text() == note(signer, 3)


def test_syslog_gets_one_line_of_rfc_5424_by_socket_and_by_udp(
    signer: SigningKey, tmp_path: Path, now: datetime
) -> None:
    path = tmp_path / "log"
    local = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    remote = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with local, remote:
        local.bind(str(path))
        remote.bind(("127.0.0.1", 0))
        port = remote.getsockname()[1]
        places = Places([place_of(f"syslog:{path}"), place_of(f"syslog://127.0.0.1:{port}")])
        offered(places, note(signer, 7), now)
        for each in (local, remote):
            each.settimeout(SECONDS)
            line = each.recv(4096).decode("ascii")
            assert line.startswith("<109>1 2026-05-01T12:00:00.000000Z ")
            assert "\n" not in line
            assert json.loads(line[line.index("{") :]) == {"checkpoint": note(signer, 7)}


def test_a_slow_place_holds_nobody_up(signer: SigningKey, tmp_path: Path, now: datetime) -> None:
    class Slow:
        name = "slow"
        free = threading.Event()
        calls = 0

        def keep(self, note: str, *, now: datetime) -> None:
            assert note
            assert now.tzinfo
            self.calls += 1
            self.free.wait(SECONDS)

    slow = Slow()
    other = tmp_path / "there"
    places = Places([slow, place_of(f"file:{other}")])
    for n in range(3):
        places.offer(note(signer, n + 1), now=now + n * DELIVER_EVERY)
    assert slow.calls <= 1
    slow.free.set()
    places.wait(SECONDS)
    assert slow.calls == 1


def test_places_of_other_kinds_are_refused_by_name() -> None:
    assert place_of("syslog:") == SyslogPlace(name="syslog:", address="/dev/log")
    assert place_of("syslog://log.example") == SyslogPlace(
        name="syslog://log.example", address=("log.example", 514)
    )
    assert place_of("file:/var/kept") == FilePlace(name="file:/var/kept", path=Path("/var/kept"))
    for text in ("https://kept.example/", "file:kept", "file://host/kept", "syslog:log", "kept",
                 "syslog://log.example:x"):  # fmt: skip
        with pytest.raises(UnknownPlace, match=r"kept at|no place"):
            place_of(text)


@pytest.mark.django_db(transaction=True, databases=["default", "wisdom"])
def test_the_sequencer_offers_each_new_checkpoint(
    signer: SigningKey, checkpoint_path: Path, clock: Any, deed: Callable[..., UUID], tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    places = Places([place_of(f"file:{kept}")])
    one = Sequencer(
        signer=signer, origin=ORIGIN, checkpoint_path=checkpoint_path, now=clock, places=places
    )
    for _ in range(2):
        deed()
        one.step(flush=True)
        places.wait(SECONDS)
        assert kept.read_text() == checkpoint_path.read_text()
        clock.move(seconds=60)
