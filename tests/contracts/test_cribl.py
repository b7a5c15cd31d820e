"""Cribl's collector against a live product: OCSF findings behind a bookmark in a header."""

from dataclasses import replace
from typing import Any

import pytest

from analytics.views import findings
from tenants.plans import Rate
from tests.analytics.engine import BAD
from tests.contracts.clients import nfr
from tests.contracts.clients.cribl import CollectFailed, Collector
from tests.contracts.clients.nfr import Nfr
from tests.contracts.product import Product

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def collector(tawny: Product) -> Collector:
    return Collector(server=tawny.server, key=tawny.key)


def raise_alerts(tawny: Product, *sources: str) -> None:
    agent = Nfr(server=tawny.server, key=tawny.key)
    agent.buffer("ip", [nfr.ip(tawny.at(n), each, BAD) for n, each in enumerate(sources)])
    agent.flush("ip")
    tawny.settle()


@pytest.mark.parametrize("age", ["3600s", "", "undefined"])
def test_the_first_job_has_no_bookmark_and_the_next_goes_on_from_it(
    tawny: Product, collector: Collector, age: str
) -> None:
    collector.age = age
    raise_alerts(tawny, "10.0.0.1", "10.0.0.2")
    assert collector.job() == 1
    assert len(collector.events) == 2
    for each in collector.events:
        assert (each["class_uid"], each["category_uid"]) == (2004, 2)
        assert isinstance(each["time"], int)
        assert each["metadata"]["version"]
    collector.job()
    assert len(collector.events) == 2
    raise_alerts(tawny, "10.0.0.3")
    collector.job()
    assert len(collector.events) == 3


@pytest.mark.parametrize("unset", ["", "undefined"])
def test_a_variable_that_was_never_set_is_a_first_call(
    tawny: Product, collector: Collector, unset: str
) -> None:
    raise_alerts(tawny, "10.0.0.1")
    collector.state["follow"] = unset
    collector.job()
    assert len(collector.events) == 1


def test_pages_follow_each_other_to_an_end(
    tawny: Product, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "PAGE", 2)
    raise_alerts(tawny, *(f"10.0.1.{n}" for n in range(1, 6)))
    assert collector.job() == 3
    assert len({each["finding_info"]["uid"] for each in collector.events}) == 5


def test_without_findings_a_job_ends_with_an_empty_list(collector: Collector) -> None:
    assert collector.job() == 1
    assert (collector.events, bool(collector.state["follow"])) == ([], True)


def test_a_key_that_is_not_valid_ends_the_job(collector: Collector) -> None:
    collector.key = "test-api-key"
    with pytest.raises(CollectFailed) as failed:
        collector.job()
    assert (failed.value.status, failed.value.wait) == (401, None)


def test_a_rate_that_is_reached_says_when_to_come_again(
    collector: Collector, settings: Any
) -> None:
    rate = Rate(per_second=0.01, burst=1)
    settings.LIMITS = {
        plan: replace(limits, key_requests=rate) for plan, limits in settings.LIMITS.items()
    }
    collector.job()
    with pytest.raises(CollectFailed) as failed:
        collector.job()
    assert failed.value.status == 429
    assert failed.value.wait is not None
    assert 1 <= failed.value.wait <= 100
