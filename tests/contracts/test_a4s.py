"""The Splunk app that pulls findings, against a live product."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from analytics.views import findings
from audit.actors import Actor
from tenants.actions import revoke_key
from tenants.models import KeyIndex, Tenant
from tests.analytics.engine import BAD
from tests.contracts.clients import nfr
from tests.contracts.clients.a4s import Input, PullError
from tests.contracts.clients.nfr import Nfr
from tests.contracts.product import Product

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def pulling(tawny: Product) -> Input:
    return Input(server=tawny.server, key=tawny.key)


def raise_alerts(tawny: Product, *sources: str) -> None:
    agent = Nfr(server=tawny.server, key=tawny.key)
    agent.buffer("ip", [nfr.ip(tawny.at(n), each, BAD) for n, each in enumerate(sources)])
    agent.flush("ip")
    tawny.settle()


def test_it_asks_the_status_pulls_findings_and_goes_on_from_there(
    tawny: Product, pulling: Input
) -> None:
    raise_alerts(tawny, "10.0.0.1", "10.0.0.2")
    assert pulling.run() == 1
    assert len(pulling.indexed) == 2
    for each in pulling.indexed:
        assert (each.record["class_uid"], each.record["category_uid"]) == (2004, 2)
        assert each.record["finding_info"]["title"]
    assert list(pulling.follow) == [str(tawny.tenant)]
    pulling.run()
    assert len(pulling.indexed) == 2
    raise_alerts(tawny, "10.0.0.3")
    pulling.run()
    assert len(pulling.indexed) == 3


@pytest.mark.parametrize("told_by", ["the deployment", "a proxy in front of it"])
def test_event_times_are_seconds_where_the_product_is_told_so(
    tawny: Product, pulling: Input, settings: Any, told_by: str
) -> None:
    raise_alerts(tawny, "10.0.0.1")
    if told_by == "the deployment":
        settings.FINDINGS_TIME = "s"  # TAWNY_FINDINGS_TIME
    else:
        pulling.more = "&time=s"
    pulling.run()
    (indexed,) = pulling.indexed
    assert indexed.at is not None
    assert abs(indexed.at - datetime.now(UTC)) < timedelta(days=3)


def test_it_pulls_page_after_page(
    tawny: Product, pulling: Input, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "PAGE", 2)
    raise_alerts(tawny, *(f"10.0.1.{n}" for n in range(1, 6)))
    assert pulling.run() == 3
    assert len({each.record["finding_info"]["uid"] for each in pulling.indexed}) == 5


def test_an_unknown_key_and_a_revoked_one_are_invalid(tawny: Product, pulling: Input) -> None:
    (key,) = KeyIndex.objects.filter(tenant_id=tawny.tenant)
    revoke_key(
        key=key.id, actor=Actor(kind="shell", id="test"), reason="test", now=tawny.engine.now
    )
    with pytest.raises(PullError, match="invalid key"):
        pulling.run()
    pulling.key = "test-api-key"
    with pytest.raises(PullError, match="invalid key"):
        pulling.run()


def test_an_account_or_a_key_whose_time_is_over_is_called_expired(
    tawny: Product, pulling: Input
) -> None:
    over = tawny.engine.now - timedelta(hours=1)
    Tenant.objects.filter(id=UUID(str(tawny.tenant))).update(expires_at=over)
    with pytest.raises(PullError, match="expired"):
        pulling.run()
    Tenant.objects.filter(id=UUID(str(tawny.tenant))).update(expires_at=None)
    KeyIndex.objects.filter(tenant_id=tawny.tenant).update(expires_at=over)
    with pytest.raises(PullError, match="expired"):
        pulling.run()
