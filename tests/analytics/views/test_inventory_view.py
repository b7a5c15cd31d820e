"""``GET /v1/ae/inventory/*``: every word that an alert may use."""

import json
from uuid import UUID

import pytest

from analytics import catalogue
from analytics.detectors import listed
from tests.analytics.views.asking import get, stated

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


@pytest.mark.parametrize("path", ["flags", "threats"])
def test_nobody_reads_it_without_a_key(path: str) -> None:
    assert stated(get("nobody", f"/v1/ae/inventory/{path}"))["status"] == 401
