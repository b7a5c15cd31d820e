"""The reading doors whatever the method, the headers and the parameters that nobody knows."""

from uuid import UUID

import pytest
from django.test import Client

from tests.analytics.engine import Engine
from tests.analytics.views.alert_pages import raise_alerts
from tests.analytics.views.asking import basic, get, stated
from tests.analytics.views.go_clients import check_alerts

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def key(tenant: tuple[UUID, str]) -> str:
    return tenant[1]


@pytest.mark.parametrize(
    "path",
    ["alerts", "findings", "dailyDestinations", "ae/inventory/flags", "ae/inventory/threats"],
)
@pytest.mark.parametrize("method", ["post", "put", "delete", "options", "patch"])
def test_another_method_is_405_and_says_which_there_are(key: str, path: str, method: str) -> None:
    client = Client(headers={"Authorization": basic(key)})
    response = getattr(client, method)(f"/v1/{path}")
    assert stated(response)["status"] == 405
    assert response["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["alerts", "findings", "dailyDestinations", "groups/raw"])
def test_head_answers_as_get_without_a_body(engine: Engine, key: str, path: str) -> None:
    raise_alerts(engine, 1)
    response = Client(headers={"Authorization": basic(key)}).head(f"/v1/{path}")
    assert (response.status_code, response.content) == (200, b"")


def test_an_empty_get_with_an_encoding_is_answered(engine: Engine, key: str) -> None:
    raise_alerts(engine, 1)
    response = Client().get(
        "/v1/alerts", HTTP_CONTENT_ENCODING="gzip", HTTP_AUTHORIZATION=basic(key)
    )
    assert len(check_alerts(response.content)["alerts"]) == 1


@pytest.mark.parametrize(
    "query", [{"format": "xml"}, {"whatever": "x"}, {"threats": "none"}, {"p": "nfr"}]
)
def test_unknown_parameters_are_ignored(key: str, query: dict[str, str]) -> None:
    assert get(key, "/v1/alerts", **query).status_code == 200


def test_any_accept_header_gets_json(key: str) -> None:
    response = Client().get("/v1/alerts", HTTP_ACCEPT="text/csv", HTTP_AUTHORIZATION=basic(key))
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
