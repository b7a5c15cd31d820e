"""The world of few people in which deeds take two."""

import pytest

from tenants import approvals
from tenants.approvals import Pending, Subject, kinds
from tests.tenants.circled import Circled


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Circled:
    made = Circled()
    monkeypatch.setattr(kinds, "_kinds", {})
    monkeypatch.setattr(kinds, "_circle", [made.circle])

    def words(pending: Pending) -> str:
        return f"Do it to {pending.subject}"

    approvals.register("slow", made.carry_out, words)
    approvals.register("quick", made.carry_out, words, quick=True)
    approvals.register("person", made.carry_out, words, subject=Subject.STAFF)
    approvals.register("tenant", made.carry_out, words, subject=Subject.TENANT)
    approvals.register("emergency", made.carry_out, words, waits=False, sealed=True, quick=True)
    approvals.register("access", made.carry_out, words, waits=False, quick=True, whom="staff")
    return made
