"""Bodies that should not be, through the whole of a request: no 5xx, and every answer says why."""

import json
from collections.abc import Sequence
from uuid import UUID

import pytest
from django.test import Client

from analytics.models import InboxPart
from bench.corpus import codings, honest, lengths, texts
from bench.corpus.asking import environ_of
from bench.corpus.case import Case
from bench.corpus.judging import Answer, fault_of
from tenants.models import Work
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def faults(cases: Sequence[Case], key: str) -> list[str]:
    """Send each body; return what is wrong with the answers."""
    client = Client(raise_request_exception=False)
    found = []
    for case in cases:
        response = client.request(**environ_of(case, case.body(), key=key))
        answer = Answer(status=response.status_code, content=response.content)
        if fault := fault_of(case, answer):
            found.append(f"{case.name}: {fault}")
        if response["Content-Type"] != "application/json":
            found.append(f"{case.name}: {response['Content-Type']}")
    return found


def taken(tenant: UUID) -> int:
    with tenant_scope(tenant):
        return sum(InboxPart.objects.values_list("events", flat=True))


@pytest.mark.parametrize(
    "cases",
    [texts.CASES, codings.WHOLE, codings.BROKEN, codings.BOMBS, lengths.CASES, honest.CASES],
    ids=["texts", "codings", "broken codings", "bombs", "lengths", "honest batches"],
)
def test_each_body_gets_its_answer_and_what_is_accepted_is_kept(
    cases: Sequence[Case], tenant: tuple[UUID, str]
) -> None:
    assert faults(cases, tenant[1]) == []
    assert taken(tenant[0]) == sum(case.accepted for case in cases)
    assert Work.objects.count() == sum(case.accepted > 0 for case in cases)


def test_a_window_that_is_too_large_is_told_its_limit(tenant: tuple[UUID, str]) -> None:
    case = next(case for case in codings.BROKEN if "128 MiB" in case.name)
    response = Client().request(**environ_of(case, case.body(), key=tenant[1]))
    assert response.status_code == 400
    assert "8 MiB" in json.loads(response.content)["message"]
