"""Deeds that take two people: one asks, another approves, and a worker carries them out.

Where there is no second person, a deed takes effect after 24 hours in which any owner can cancel
it. The mechanism knows nothing of the deeds: whoever does one registers its kind.
"""

from tenants.approvals.carrying import carry_out, carry_out_due, expire, take_turn
from tenants.approvals.deeds import WAIT, approve, ask, cancel, cancel_asked_by
from tenants.approvals.kinds import (
    LASTS,
    Circle,
    Kind,
    Subject,
    kind_named,
    people,
    people_by,
    register,
)
from tenants.approvals.rows import TASK, second_people, waiting
from tenants.models import Pending, PendingState

__all__ = [
    "LASTS",
    "TASK",
    "WAIT",
    "Circle",
    "Kind",
    "Pending",
    "PendingState",
    "Subject",
    "approve",
    "ask",
    "cancel",
    "cancel_asked_by",
    "carry_out",
    "carry_out_due",
    "expire",
    "kind_named",
    "people",
    "people_by",
    "register",
    "second_people",
    "take_turn",
    "waiting",
]
