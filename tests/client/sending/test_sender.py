"""How parcels are sent, sent again, split and set aside."""

import gzip
import json
from collections import Counter

import pytest

from tawny.answers import Receipt
from tawny.errors import (
    Forbidden,
    Overloaded,
    Refused,
    TawnyError,
    TooLarge,
    Unauthenticated,
    UnexpectedAnswer,
    Unreachable,
)
from tawny.formats.events import Kind
from tawny.retries import Retry
from tawny.sending.parcels import Part, halves, part
from tests.client.sending.world import World


def read(world: World, count: int = 4) -> None:
    world.append(count)
    world.poll()
    world.flush()


def answer(world: World, monkeypatch: pytest.MonkeyPatch, *errors: TawnyError) -> list[Part]:
    """Let the next requests fail in this way; give the list of all that are made."""
    made: list[Part] = []
    waiting = list(errors)
    good = world.service.deliver

    def deliver(kind: Kind, sent: Part) -> Receipt:
        made.append(sent)
        if waiting:
            raise waiting.pop(0)
        return good(kind, sent)

    monkeypatch.setattr(world.run.sender, "deliver", deliver)
    return made


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("refused"),
        Overloaded(503, "later"),
        Overloaded(429, "later"),
        UnexpectedAnswer("a login page"),
        Refused(500, "oh"),
        Refused(404, "not yet"),
    ],
)
def test_what_may_pass_is_sent_again_with_the_same_bytes(
    world: World, monkeypatch: pytest.MonkeyPatch, error: TawnyError
) -> None:
    read(world)
    made = answer(world, monkeypatch, error, error)
    for _ in range(3):
        world.send()
        world.wait(60)
    assert len(made) == 3
    assert len({sent.packed for sent in made}) == 1
    assert world.service.ids == world.written
    assert world.account.sent["ip"].received == 4


def test_a_service_that_asks_for_patience_gets_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(world)
    made = answer(world, monkeypatch, Overloaded(503, "later", "120"))
    assert 120 <= (world.run.sender.step(tick=world.now) or 0) <= 121
    world.wait(119)
    world.send()
    assert len(made) == 1
    world.wait(2)
    world.send()
    assert len(made) == 2
    assert any("trying again in 120" in message for message in world.said)


@pytest.mark.parametrize("error", [Unauthenticated(401, "who?"), Forbidden(403, "no")])
def test_a_key_that_is_not_taken_ends_the_run_and_keeps_the_data(
    world: World, monkeypatch: pytest.MonkeyPatch, error: TawnyError
) -> None:
    read(world)
    answer(world, monkeypatch, error)
    world.send()
    assert world.run.sender.failure is error
    assert world.run.spool.waiting == 1
    world.kill()
    world.settle()
    assert world.service.ids == world.written


def test_a_run_that_is_not_patient_gives_up_and_keeps_the_data(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(world)
    world.service.mood = "gone"
    monkeypatch.setattr(world.run.sender, "retry", Retry(retries=2))
    for _ in range(5):
        world.send()
        world.wait(60)
    assert isinstance(world.run.sender.failure, Unreachable)
    assert world.run.spool.waiting == 1


def test_a_request_that_is_wrong_is_set_aside_with_its_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(world)
    answer(world, monkeypatch, Refused(400, "nothing parses"))
    world.send()
    kept = {path.suffix: path for path in (world.state / "rejected").iterdir()}
    assert json.loads(kept[".json"].read_text()) == {
        "kind": "ip",
        "events": 4,
        "reason": "400: nothing parses",
    }
    assert len(gzip.decompress(kept[".gz"].read_bytes()).splitlines()) == 4
    assert world.account.set_aside == {"400: nothing parses": 4}
    assert world.account.exit == 2
    assert world.run.spool.waiting == 0
    world.append(2)
    world.settle()
    assert world.service.ids.total() == 2


def test_a_wrong_request_that_cannot_be_kept_stays_until_it_can(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(world)
    answer(world, monkeypatch, Refused(400, "no"), Refused(400, "no"))
    world.disk.full = True
    world.send()
    assert world.run.spool.waiting == 1
    world.disk.full = False
    world.wait(2)
    world.send()
    assert world.run.spool.waiting == 0
    assert world.account.set_aside == {"400: no": 4}


def test_a_request_that_is_too_large_is_sent_in_halves(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(world, 5)
    made = answer(world, monkeypatch, TooLarge(413, "big"), TooLarge(413, "big"))
    world.send()
    assert [sent.events for sent in made] == [5, 2, 1, 1, 3]
    assert world.service.ids == world.written
    assert world.service.order == list(world.written)


def test_an_event_that_is_too_large_alone_is_set_aside(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(world, 2)
    answer(world, monkeypatch, *[TooLarge(413, "big")] * 2)
    world.send()
    assert world.account.set_aside == {"413: big": 1}
    assert world.service.ids == Counter({"C1": 1})


def test_halves_keep_equal_events_together() -> None:
    whole = part("ip", b"1\n2\n3\n3\n3\n4\n", events=6)
    assert [half.body for half in halves(whole)] == [b"1\n2\n", b"3\n3\n3\n4\n"]
    same = halves(part("ip", b"1\n" * 4, events=4))
    assert [half.events for half in same] == [2, 2]


def test_a_taken_parcel_is_not_sent_again_though_the_disk_was_full(world: World) -> None:
    read(world, 500)
    (waiting,) = (world.state / "spool").iterdir()
    size = waiting.stat().st_size
    world.disk.full = True
    world.send()
    assert world.run.spool.waiting == 0
    (taken,) = (world.state / "spool").glob("*.taken")
    assert taken.stat().st_size < size / 2  # only the marks are left
    world.kill()
    world.disk.full = False
    world.settle()
    assert len(world.service.requests) == 1
    assert list((world.state / "spool").iterdir()) == []


def test_a_parcel_that_the_checkpoint_has_passed_is_not_sent_again(world: World) -> None:
    read(world)
    (waiting,) = (world.state / "spool").iterdir()
    content = waiting.read_bytes()
    world.send()
    world.kill()
    waiting.write_bytes(content)  # as if the run had been killed before removing it
    world.settle()
    assert len(world.service.requests) == 1
    assert not waiting.exists()


def test_reading_waits_while_the_disk_is_full_and_goes_on_after(world: World) -> None:
    world.disk.full = True
    read(world)
    world.append(3)
    world.poll()
    assert world.run.reader.waits_for
    assert world.service.requests == []
    world.disk.full = False
    world.settle()
    assert world.service.ids == world.written
    assert sum("reading waits" in message for message in world.said) == 1
    assert sum("reading goes on" in message for message in world.said) == 1


def test_reading_waits_when_the_spool_is_full(world: World) -> None:
    world.limits = {"spool_bytes": 1000, "batch_events": 1}
    world.service.mood = "gone"
    for _ in range(30):
        read(world, 1)
        world.send()
        world.wait(100)
    assert world.run.reader.waits_for == "room in the spool"
    assert world.run.spool.waiting < 10
    world.settle()
    assert world.service.ids == world.written


def test_an_answer_that_is_lost_changes_nothing(world: World) -> None:
    read(world)
    world.service.mood = "mute"
    world.send()
    world.kill()
    world.settle()
    assert len({sent.packed for sent in world.service.requests}) == 1
    assert len(world.service.requests) == 2
    assert world.service.ids == world.written
