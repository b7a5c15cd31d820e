"""Alerts of a day: opened, raised, updated, withdrawn, and the same id in every run."""

from datetime import date, timedelta
from uuid import uuid5

import pytest
from django.db import IntegrityError

from analytics.actions.alerts import alert_id, open_alert, previous_id
from analytics.models import Alert, AlertChange
from crypto.digests import sha256
from crypto.errors import CryptoError
from crypto.ids import uuid7
from tenants import keys
from tenants.scope import tenant_scope
from tests.analytics.engine import BAD, Engine, noon, reporting, unknown

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def opened(engine: Engine) -> Engine:
    engine.wisdom = reporting("blocklist")
    engine.send([engine.event(destIP=BAD)])
    assert engine.evaluate() == 1
    return engine


def last(engine: Engine) -> str:
    engine.sequence()
    return engine.changes()[-1][1]


def test_an_alerts_id_is_made_of_what_who_whom_and_when(opened: Engine) -> None:
    (row,) = opened.alerts()
    day = noon(opened.now).date()
    who = keys.blind_index(opened.tenant, "source", "10.0.0.1").hex()
    whom = keys.blind_index(opened.tenant, "destination", BAD).hex()
    assert row.id == uuid5(opened.tenant, f"listed_destination|{who}|{whom}|{day.isoformat()}")
    assert previous_id(opened.tenant, open_alert(row), day + timedelta(days=1)) == row.id
    assert alert_id(opened.tenant, open_alert(row), date(2026, 5, 1)) != row.id


def test_an_alerts_id_cannot_be_guessed_from_the_address_it_is_about(opened: Engine) -> None:
    """It lies in clear, so whoever has a dump could try every address."""
    (row,) = opened.alerts()
    day = noon(opened.now).date().isoformat()
    assert row.id != uuid5(opened.tenant, f"listed_destination|10.0.0.1|{BAD}|{day}")


def test_the_same_findings_again_are_no_change(opened: Engine) -> None:
    assert opened.evaluate_again() == 0
    assert last(opened) == "opened"


def test_another_contact_is_an_update(opened: Engine) -> None:
    opened.send([opened.event(60, destIP=BAD)])
    assert opened.evaluate() == 1
    assert last(opened) == "updated"


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        (("blocklist", "c2"), "raised"),  # a threat more, and worse
        (("tor",), "raised"),  # another threat, as severe
        (("botnet",), "raised"),  # worse
        (("dshield",), "updated"),  # the same threat, less severe
    ],
)
def test_a_threat_more_or_more_severity_raises(
    opened: Engine, flags: tuple[str, ...], kind: str
) -> None:
    opened.wisdom = reporting(*flags)
    assert opened.evaluate_again() == 1
    assert last(opened) == kind


def test_what_is_found_no_more_is_withdrawn_once_and_opens_again(opened: Engine) -> None:
    opened.wisdom = unknown
    assert opened.evaluate_again() == 1
    assert last(opened) == "withdrawn"
    assert opened.evaluate_again() == 0
    opened.wisdom = reporting("blocklist")
    assert opened.evaluate_again() == 1
    assert last(opened) == "opened"
    (row,) = opened.alerts()
    assert row.state == "open"
    assert [kind for _, kind in opened.changes()] == ["opened", "withdrawn", "opened"]


def test_other_days_alerts_are_left_alone(opened: Engine) -> None:
    opened.send([opened.event(86_400, destIP=BAD)])
    assert opened.evaluate() == 1
    opened.wisdom = unknown
    with tenant_scope(opened.tenant):
        Alert.objects.filter(day=noon(opened.now).date()).update(shard=99)  # no day of this run
    assert opened.evaluate_again() == 1
    assert sorted(row.state for row in opened.alerts()) == ["open", "withdrawn"]


def test_an_alert_opens_in_its_own_row_only(opened: Engine) -> None:
    (row,) = opened.alerts()
    assert open_alert(row).destination == BAD
    row.id = uuid7(opened.now)
    with pytest.raises(CryptoError):
        open_alert(row)


def test_nothing_that_a_sensor_said_lies_in_clear(opened: Engine) -> None:
    (row,) = opened.alerts()
    clear = b"".join(
        bytes(each)
        for each in (row.source_index, row.destination_index, row.content_digest, row.sealed)
    )
    assert BAD.encode() not in clear
    assert b"10.0.0.1" not in clear
    content = open_alert(row)
    for guess in (content.source, content.destination, content.digest):
        assert sha256(guess.encode())[:16] not in clear


def test_a_change_belongs_to_an_alert_of_the_tenant(engine: Engine) -> None:
    with pytest.raises(IntegrityError), tenant_scope(engine.tenant):
        AlertChange.objects.create(
            id=uuid7(engine.now), alert_id=uuid7(engine.now), kind="opened", severity=3
        )
