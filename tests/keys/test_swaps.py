"""Sealed bytes in another place than their own do not open, and the log says how often."""

import random
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from audit.actors import Actor
from crypto.errors import CryptoError
from tenants import keys
from tenants.actions import create_tenant
from tenants.errors import KeyUnavailable
from tenants.keys import failures

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

PAIRS = 200
FIELDS = ("key", "tenant", "class", "table", "row", "part", "schema")
"""What a sealed row is bound to: its data key's id, and six that the row's columns say."""
Place = dict[str, Any]


def sealed(place: Place, now: datetime) -> bytes:
    return keys.seal(
        place["tenant"], place["class"], b"contents", place["table"], place["row"], place["part"],
        place["schema"], now=now,
    )  # fmt: skip


def opened(place: Place, blob: bytes) -> bytes:
    return keys.unseal(
        place["tenant"], place["class"], blob, place["table"], place["row"], place["part"],
        place["schema"],
    )  # fmt: skip


def failures_recorded(as_owner: Any) -> dict[UUID, int]:
    failures.flush()
    with as_owner("default") as session:
        rows = session.execute(
            "SELECT tenant, sum(calls)::int FROM audit_tally WHERE event = 'key.decrypt_failed'"
            " GROUP BY tenant"
        ).fetchall()
    return dict(rows)


def test_a_swap_of_any_of_seven_fields_is_refused_every_time(now: datetime, as_owner: Any) -> None:
    source = random.Random(4)
    a, b = (
        create_tenant(
            name=name, actor=Actor(kind="shell", id="test"), reason="test", now=now
        ).tenant.id
        for name in ("a.example", "b.example")
    )
    other: dict[str, Any] = {"tenant": b, "class": keys.FINDINGS, "table": "alert", "schema": 2}
    refused = 0
    for field in FIELDS:
        for _ in range(PAIRS):
            place: Place = {
                "tenant": a, "class": keys.SERIES, "table": "segment",
                "row": UUID(int=source.getrandbits(128)), "part": source.getrandbits(40),
                "schema": 1,
            }  # fmt: skip
            blob = sealed(place, now)
            moved = dict(place)
            if field == "key":  # another key of the same tenant
                blob = blob[:4] + sealed({**place, "class": keys.INBOX}, now)[4:20] + blob[20:]
            elif field in other:
                moved[field] = other[field]
            else:
                moved[field] = UUID(int=source.getrandbits(128)) if field == "row" else -1
            with pytest.raises((CryptoError, KeyUnavailable)):  # no key at all in another tenant
                opened(moved, blob)
            refused += 1
            assert opened(place, sealed(place, now)) == b"contents"
    assert refused == len(FIELDS) * PAIRS == 1400
    assert sum(failures_recorded(as_owner).values()) == 1400


def test_a_failure_is_recorded_though_its_transaction_is_rolled_back(
    tenant: tuple[UUID, str], now: datetime, as_owner: Any
) -> None:
    blob = keys.seal(tenant[0], keys.SERIES, b"x", "row", now=now)
    with pytest.raises(CryptoError), transaction.atomic():
        keys.unseal(tenant[0], keys.SERIES, blob, "another row")
    assert failures_recorded(as_owner) == {tenant[0]: 1}
