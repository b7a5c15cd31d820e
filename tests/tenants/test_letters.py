"""Mails wait for a mail server, are tried again, and are sent by one worker."""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any
from uuid import UUID

import pytest
import time_machine
from celery import current_app
from django.core import mail
from kombu.exceptions import OperationalError

from audit.actors import Actor
from tenants import attempts, letters, links, tasks
from tenants.actions import note_expiries, register
from tenants.actions.tenants import create_provisional
from tenants.links import Opened, Purpose, Role
from tenants.members import Details
from tenants.models import AttemptWindow, Letter, Link
from tests.tenants.doors import deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
MINUTE = timedelta(minutes=1)


@pytest.fixture
def waiting(tenant: tuple[UUID, str], now: datetime) -> Letter:
    register(
        tenant=tenant[0], details=Details(name="Ann", email="ann@example.org"), role=Role.MEMBER,
        actor=Actor(kind="shell", id="test"), now=now,
    )  # fmt: skip
    return Letter.objects.get()


def fail(*_args: Any, **_named: Any) -> None:
    raise SMTPException("550 ann@example.org is unknown here")


def test_a_mail_that_was_not_sent_is_tried_again_later_and_later(
    waiting: Letter, now: datetime, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(letters, "_send", fail)
        assert letters.deliver(now=now) == 0
        assert letters.deliver(now=now + MINUTE / 2) == 0
        assert letters.deliver(now=now + MINUTE) == 0
    waiting.refresh_from_db()
    assert (waiting.attempt, waiting.due_at) == (2, now + 3 * MINUTE)
    assert letters.deliver(now=now + 3 * MINUTE) == 1
    assert [each.to for each in mail.outbox] == [["ann@example.org"]]
    assert "ann@example.org" not in caplog.text


@pytest.mark.usefixtures("waiting")
def test_a_mail_that_nobody_takes_is_given_up_and_the_log_says_so(
    now: datetime, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr(letters, "_send", fail)
    for day in range(letters.MAX_ATTEMPTS):
        letters.deliver(now=now + timedelta(days=day))
    assert not Letter.objects.exists()
    assert len(caplog.records) == letters.MAX_ATTEMPTS


def test_a_letter_is_claimed_once(waiting: Letter, now: datetime) -> None:
    assert [letters.deliver(now=now), letters.deliver(now=now)] == [1, 0]
    assert not Letter.objects.filter(id=waiting.id).exists()
    assert len(mail.outbox) == 1


def test_a_broker_that_is_away_costs_no_mail(
    tenant: tuple[UUID, str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: Any, **_named: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(current_app, "send_task", away)
    register(
        tenant=tenant[0], details=Details(name="Ann", email="ann@example.org"), role=Role.MEMBER,
        actor=Actor(kind="shell", id="test"), now=now,
    )  # fmt: skip
    assert letters.deliver(now=now) == 1


@pytest.mark.usefixtures("waiting")
def test_the_task_delivers() -> None:
    tasks.deliver(anything="later")
    assert len(mail.outbox) == 1
    assert not Letter.objects.exists()


def test_tidying_drops_what_means_nothing_and_records_each_end_once(
    now: datetime, as_owner: Any
) -> None:
    create_provisional(now=now)
    links.make(Purpose.RESET, Opened(tenant=UUID(int=1), member=UUID(int=2)), now=now)
    attempts.count("requests", "192.0.2.0/24", windows=attempts.REQUESTS_OF_NETWORK, now=now)
    assert note_expiries(now=now + timedelta(days=30) - timedelta(seconds=1)) == 0
    with time_machine.travel(now + timedelta(days=30), tick=False):
        tasks.tidy()
        tasks.tidy()
    assert deeds(as_owner).count("tenant.expired") == 1
    assert not Link.objects.exists()
    assert not AttemptWindow.objects.exists()
