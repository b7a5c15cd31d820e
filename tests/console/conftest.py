"""People and time for the console's tests."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from audit.sequencer import Sequencer
from console.actions import create_staff
from console.models import Role
from crypto import signatures
from tests.console.authenticator import Authenticator, laptop
from tests.console.people import SHELL, START, Clock, Person


@pytest.fixture
def clock() -> Iterator[Clock]:
    with time_machine.travel(START, tick=False) as traveller:
        yield Clock(traveller)


@pytest.fixture
def person(clock: Clock) -> Callable[..., Person]:
    def make(
        username: str = "jo", role: Role = Role.OWNER, *, must_replace: bool = False
    ) -> Person:
        new = create_staff(
            username=username,
            role=role,
            actor=SHELL,
            reason="a test",
            now=clock.now,
            must_replace_mfa=must_replace,
        )
        return Person(new, clock)

    return make


@pytest.fixture
def jo(person: Callable[..., Person]) -> Person:
    return person()


@pytest.fixture
def keyed(jo: Person, clock: Clock) -> tuple[Person, Authenticator]:
    """Somebody with a passkey, signed out, whose next code is not used yet."""
    jo.sign_in()
    mine = laptop()
    mine.enrolled(jo)
    jo.browser = Client()
    clock.advance(seconds=30)
    return jo, mine


@pytest.fixture
def sequenced(tmp_path: Path, settings: Any) -> Callable[[], None]:
    """Put what was recorded into the log, and sign it."""
    sequencer = Sequencer(
        signer=signatures.generate("tawny.example/test"),
        origin="tawny.example/test",
        checkpoint_path=tmp_path / "checkpoint",
        now=lambda: START + timedelta(minutes=1),
    )

    settings.CHECKPOINT_FILE = str(tmp_path / "checkpoint")
    settings.AUDIT_ORIGIN = "tawny.example/test"

    def step() -> None:
        while sequencer.step(flush=True).more:
            pass

    return step
