"""``GET /v1/ae/inventory/*``: every word that an alert may use."""

import json
from uuid import UUID

import pytest

from analytics import catalogue
from analytics.actions.attack import attack_of
from analytics.detectors import listed
from tests.analytics.views.asking import get, stated
from tests.analytics.views.go_clients import check_threat, decoded

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def test_flags_have_a_title_and_a_type(tenant: tuple[UUID, str]) -> None:
    flags = json.loads(get(tenant[1], "/v1/ae/inventory/flags").content)["flags"]
    assert set(listed.THREATS) <= set(flags)
    assert all(entry["title"] and entry["type"] for entry in flags.values())


def test_threats_have_a_title_a_severity_and_a_policy(tenant: tuple[UUID, str]) -> None:
    body = json.loads(get(tenant[1], "/v1/ae/inventory/threats").content)
    assert set(body["threats"]) == set(catalogue.threats())
    assert {threat.id for threat in listed.THREATS.values()} <= set(body["threats"])
    for entry in body["threats"].values():
        assert entry["title"]
        assert 0 <= entry["severity"] <= 5
        assert isinstance(entry["policy"], bool)
    assert body["version"] == catalogue.VERSION


def test_the_ids_that_existing_clients_know_are_used_for_what_they_mean(
    tenant: tuple[UUID, str],
) -> None:
    threats = decoded(get(tenant[1], "/v1/ae/inventory/threats").content)["threats"]
    known = {"c2_communication": 5, "sinkholed_destination": 4, "anon_circuit": 3}
    assert {name: threats[name]["severity"] for name in known} == known
    for threat in threats.values():
        check_threat(threat)


def test_flags_are_of_the_two_types_that_the_app_keeps(tenant: tuple[UUID, str]) -> None:
    flags = decoded(get(tenant[1], "/v1/ae/inventory/flags").content)["flags"]
    assert {"beacon", "c2", "trusted", "non_whitelisted"} <= set(flags)
    assert {entry["type"] for entry in flags.values()} == {"category", "feature"}


def test_every_technique_of_the_catalogue_has_its_name() -> None:
    for entry in catalogue.threats().values():
        assert entry.attack
        for text in entry.attack:
            attack = attack_of(text)
            assert all(attack[part]["name"] for part in attack.keys() - {"version"}), text


@pytest.mark.parametrize("path", ["flags", "threats"])
def test_nobody_reads_it_without_a_key(path: str) -> None:
    assert stated(get("nobody", f"/v1/ae/inventory/{path}"))["status"] == 401
