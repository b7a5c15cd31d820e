"""Alerts made of one client's events, read by all the others: one bad value would fail a page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from tests.analytics.engine import BAD, BAD_NAME
from tests.contracts.clients import nba, nfr
from tests.contracts.clients.a4s import Input
from tests.contracts.clients.agen import Generated
from tests.contracts.clients.ago import Sdk
from tests.contracts.clients.beat import Beat
from tests.contracts.clients.cribl import Collector
from tests.contracts.clients.nba import App
from tests.contracts.clients.nfr import Nfr
from tests.contracts.clients.xsoar import AlertsPack
from tests.contracts.product import Product

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
Batches = Mapping[str, Sequence[dict[str, Any]]]


def by_the_agent(tawny: Product) -> Batches:
    return {
        "dns": [nfr.dns(tawny.at(1), "10.0.0.1", BAD_NAME, "")],
        "ip": [nfr.ip(tawny.at(2), "10.0.0.2", BAD, srcPort=0, destPort=0)],
        "http": [nfr.http(tawny.at(3), "10.0.0.3", f"{BAD_NAME}/a/b")],
        "tls": [nfr.tls(tawny.at(4), "2001:db8::4", destIP=BAD)],
    }


def by_the_app(tawny: Product) -> Batches:
    """As the app sends what Splunk has: times without a colon, hashes of any kind, odd texts."""
    ts = nba.stamp(tawny.at(1))
    return {
        "dns": [{"ts": ts, "srcIP": "10.0.0.1", "query": BAD_NAME, "rcode": "NXDOMAIN",
                 "srcHost": "HOST\u00e4 \U0001f600"}],
        "ip": [{"ts": ts, "srcIP": "10.0.0.2", "destIP": BAD, "srcPort": 65_535, "destPort": 0,
                "bytesIn": 2**53 + 1, "bytesOut": 2**62, "duration": 0.001, "proto": "6"}],
        "http": [{"ts": ts, "srcIP": "10.0.0.3", "url": BAD_NAME, "method": "get", "status": 599,
                  "referrer": "-", "userAgent": 'a\tb "c" <d> & e\u2028'}],
        "tls": [{"ts": ts, "srcIP": "::ffff:10.0.0.4", "destIP": BAD, "certHash": "c" * 64,
                 "issuer": "CN=\u00fc", "validFrom": "2015-02-12T18:07:27+0000",
                 "validTo": "9999-12-31T23:59:59+0000"}],
    }  # fmt: skip


@pytest.mark.parametrize("made", [by_the_agent, by_the_app])
def test_every_reader_decodes_what_another_client_sent(
    tawny: Product, made: Callable[[Product], Batches]
) -> None:
    where: dict[str, Any] = {"server": tawny.server, "key": tawny.key}
    app = App(**where)
    for kind, events in made(tawny).items():
        app.send(kind, events)
    assert [stats["rejected"] for stats in app.stats] == [{}] * 4
    assert tawny.settle() == 4
    agent, beat, pack = Nfr(**where), Beat(**where), AlertsPack(**where)
    pulling, collector = Input(**where), Collector(**where)
    agent.poll()
    beat.poll()
    app.poll()
    pack.fetch()
    pulling.run()
    collector.job()
    kinds = {"dns", "ip", "http", "tls"}
    assert {each.kind for each in agent.written} == kinds
    assert {each["eventType"] for each in beat.published} == kinds
    assert {each["section"] for each in app.indexed} == kinds
    assert {each["eventType"] for each in Sdk(**where).alerts()["alerts"]} == kinds
    assert {each["eventType"] for each in Generated(**where).alerts()["alerts"]} == kinds
    assert {each.raw["eventType"] for each in pack.incidents} == kinds
    assert len(pulling.indexed) == len(collector.events) == 4
