"""Wrong passwords from a hundred networks do not keep the owner out (MFA-9).

Each network is refused unseen after five for one name: ten thousand cost five hundred hashes.
"""

from collections.abc import Callable
from typing import Any

import pytest

from console.models import TOTPDevice
from tests.console.hashing import HASHERS
from tests.console.people import Clock, Person, deeds
from tests.console.sizes import size

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
NETWORKS = 100
WRONG = size("wrong", 300)


def guess(jo: Person, network: int) -> int:
    wrong = jo.submit(password="wrong", code="000000", address=f"198.51.{network}.9")
    return int(wrong.status_code)


def test_wrong_passwords_from_a_hundred_networks_do_not_keep_the_owner_out(
    person: Callable[..., Person],
    clock: Clock,
    settings: Any,
    record_property: Callable[[str, object], None],
) -> None:
    settings.PASSWORD_HASHERS = HASHERS
    jo = person("jo")
    answers = [guess(jo, number % NETWORKS) for number in range(WRONG)]
    assert set(answers) <= {403, 429}
    assert TOTPDevice.objects.get().throttling_failure_count == 0
    opened = jo.submit(address="203.0.113.1").status_code
    record_property(
        "MFA-9",
        f"{WRONG} wrong passwords from {NETWORKS} networks, {answers.count(403)} looked at: "
        f"the owner gets {opened}",
    )
    assert opened == 302
    assert len(deeds("staff.login")) == 1
    clock.advance(seconds=30)
    assert jo.submit(address="198.51.7.9").status_code == (429 if WRONG >= 600 else 302)
