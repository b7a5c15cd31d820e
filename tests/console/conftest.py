"""People and time for the console's tests."""

from collections.abc import Callable, Iterator

import pytest
import time_machine

from console.actions import create_staff
from console.models import Role
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
