import re

from analytics.catalogue import VERSION, threats
from analytics.detectors import beacon, failed_contact, listed, sessions
from analytics.detectors.directions import Direction


def test_every_detection_built_here_has_an_entry() -> None:
    made = {beacon.DETECTION, failed_contact.DETECTION, sessions.DETECTION, listed.DETECTION}
    assert made <= threats().keys()
    assert {threat.id for threat in listed.THREATS.values()} <= threats().keys()


def test_titles_name_what_clients_look_for() -> None:
    assert "beacon" in threats()["beacon_rare"].title
    assert "beacon" in threats()["beacon_failed_contact"].title
    assert "long-lived session" in threats()["long_session"].title


def test_every_entry_is_complete() -> None:
    assert VERSION
    for id_, entry in threats().items():
        assert entry.id == id_
        assert re.fullmatch(r"[a-z0-9_]+", id_)
        assert 1 <= entry.severity <= 5
        assert all(re.fullmatch(r"TA\d{4}:T\d{4}(\.\d{3})?", item) for item in entry.attack)
        assert entry.attack
        assert entry.triage
        assert entry.false_positives
        assert entry.limits
        assert set(entry.directions) <= {direction.value for direction in Direction}
        assert all(limit.reason and limit.unit for limit in entry.limits)


def test_failed_contacts_do_not_run_on_what_comes_from_outside() -> None:
    assert "in" not in threats()["beacon_failed_contact"].directions
