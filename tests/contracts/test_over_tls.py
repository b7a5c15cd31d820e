"""The product's own web server over TLS: where the Splunk app that sends always goes.

The other tests of this folder speak with the framework's own server in the suite's process; here is
shown that it answers as the product's does.
"""

import gzip
import json
import ssl
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

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
from tests.contracts.product import Product, product
from tests.contracts.served import over_tls
from tests.contracts.wire import Headers, Server, basic, request

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def web(
    django_db_setup: None,  # noqa: ARG001 -- the databases that it serves from
    tmp_path: Path,
) -> Iterator[tuple[Server, Path]]:
    """A web server, stopped by its own process number: one a test, as it keeps a pepper."""
    with over_tls(tmp_path) as serving:
        yield serving


@pytest.fixture
def secure(web: tuple[Server, Path], tenant: tuple[UUID, str]) -> Product:
    """The product over HTTPS."""
    return product(web[0], tenant)


def test_the_app_that_forces_https_makes_its_whole_round(secure: Product) -> None:
    app = App(server=secure.server, key=secure.key)
    assert app.status()["registered"] is True
    item = {"ts": nba.stamp(secure.at(1)), "query": BAD_NAME, "srcIP": "10.0.0.1"}
    app.send("dns", [item])
    assert app.stats[0]["accepted"] == 1
    assert secure.settle() == 1
    app.poll()
    assert [each["src_ip"] for each in app.indexed] == ["10.0.0.1"]
    app.send("dns", [item | {"srcIP": "10.0.0.2"}])
    secure.settle()
    app.poll()
    assert [each["src_ip"] for each in app.indexed] == ["10.0.0.1", "10.0.0.2"]
    app.pull_destinations()
    assert [each["destination"] for each in app.summaries] == [BAD_NAME]
    assert app.threats()
    assert app.flags()
    assert app.send_groups([])["groups"] == 0


def test_a_client_that_does_not_check_certificates_is_served_too(secure: Product) -> None:
    careless = ssl.create_default_context()
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    server = Server(host=secure.server.host, port=secure.server.port, tls=careless)
    assert App(server=server, key=secure.key).status()["registered"] is True


def test_a_client_that_trusts_nobody_of_ours_sees_no_answer(secure: Product) -> None:
    strict = ssl.create_default_context()
    server = Server(host=secure.server.host, port=secure.server.port, tls=strict)
    with pytest.raises(ssl.SSLCertVerificationError):
        App(server=server, key=secure.key).status()


def test_every_other_client_makes_its_round_over_tls_as_well(secure: Product) -> None:
    where: dict[str, Any] = {"server": secure.server, "key": secure.key}
    agent = Nfr(**where)
    agent.buffer("ip", [nfr.ip(secure.at(1), "10.0.0.1", BAD)])
    assert agent.flush("ip")["accepted"] == 1
    sent = Generated(**where).send("ip", [nfr.ip(secure.at(2), "10.0.0.2", BAD)])
    assert sent["accepted"] == 1
    assert secure.settle() == 2
    agent.poll()
    sdk, beat, pack = Sdk(**where), Beat(**where), AlertsPack(**where)
    beat.poll()
    pulling, collector = Input(**where), Collector(**where)
    pulling.run()
    collector.job()
    read = [agent.written, sdk.alerts()["alerts"], beat.published, pulling.indexed]
    assert [len(each) for each in [*read, collector.events]] == [2] * 5
    assert pack.fetch() == 2


def asked(tawny: Product) -> list[tuple[str, bytes]]:
    """Requests at the edges of what clients send."""
    authority, key = tawny.server.authority, basic(tawny.key)
    event = json.dumps(nfr.dns(tawny.at(1), "10.0.0.1", "www.example.com")).encode()

    def get(target: str, *more: tuple[str, str], authorization: str = key) -> bytes:
        headers: Headers = [("Host", authority), ("Authorization", authorization), *more]
        return request("GET", target, headers)

    def post(target: str, body: bytes, *more: tuple[str, str]) -> bytes:
        headers = [("Host", authority), ("Authorization", key), *more]
        return request("POST", target, [*headers, ("Content-Length", str(len(body)))], body)

    sender = [("Host", authority), ("Authorization", key)]
    past_the_cap = ("Content-Length", str(1 << 30))
    gzipped = ("Content-Encoding", "gzip")
    return [
        ("a bare question mark", get("/v1/alerts?")),
        ("gzip without a body", get("/v1/alerts", gzipped)),
        ("gzip of no length", get("/v1/alerts", gzipped, ("Content-Length", "0"))),
        ("an unset bookmark", get("/v1/alerts?follow=undefined&threats=all")),
        ("a zero", get("/v1/alerts?follow=0&minSeverity=")),
        ("a severity that is none", get("/v1/alerts?minSeverity=6")),
        ("a bookmark that is none", get("/v1/alerts?follow=nowhere")),
        ("no key", get("/v1/alerts", authorization="")),
        ("an unknown key", get("/v1/account/status", authorization=basic("test-api-key"))),
        ("a path that is not there", get("/v1/alerts/")),
        ("findings", get("/v1/findings?schema=ocsf&follow=undefined&maxAge=")),
        ("brackets", get("/v1/wisdom?q=tcp:[fe80::1]:22")),
        ("a method that is not served", request("DELETE", "/v1/alerts", [("Host", authority)])),
        ("nothing between", post("/v1/events/dns", event * 3)),
        ("two members of gzip", post("/v1/events/dns", gzip.compress(event) * 2, gzipped)),
        ("deflate", post("/v1/events/dns", zlib.compress(event), ("Content-Encoding", "deflate"))),
        ("an empty body", post("/v1/events/dns", b"")),
        ("an empty body called gzip", post("/v1/events/dns", b"", gzipped)),
        ("a length past the cap", request("POST", "/v1/events/dns", [*sender, past_the_cap])),
        ("no JSON", post("/v1/events/dns", b"no json at all")),
        ("an encoding that is none", post("/v1/events/dns", event, ("Content-Encoding", "br"))),
        ("a type of its own", post("/v1/events/dns", event, ("Content-Type", "text/plain"))),
        ("another kind", post("/v1/events/dhcp", event)),
        ("groups", post("/v1/groups/raw", b'{"version":"1","groups":null}')),
    ]


def test_the_suites_server_answers_as_the_products_own_does(
    secure: Product, server: Server
) -> None:
    plain = Product(server=server, tenant=secure.tenant, key=secure.key, engine=secure.engine)
    for (name, there), (_, here) in zip(asked(secure), asked(plain), strict=True):
        over, local = secure.server.send(there), server.send(here)
        assert (name, over.status, over.body) == (name, local.status, local.body)
        said = ("content-type", "www-authenticate", "x-stream-follow", "allow", "cache-control")
        assert [over.headers.get(each) for each in said] == [
            local.headers.get(each) for each in said
        ]
        assert over.status not in {201, 202, 204, 301, 302, 307, 308}
        body = json.loads(over.body)
        assert isinstance(body, dict)
        assert over.status == 200 or body["message"]
