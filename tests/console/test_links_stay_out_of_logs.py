"""A live link's token is in no line of the log, however its page ends."""

import logging

import pytest
from django.test import Client

from config.logs import Scrub, line_formatter
from console.invites import invite
from console.models import Role
from tests.console.people import SHELL, Clock

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


@pytest.fixture
def link(clock: Clock) -> str:
    made = invite(username="ana", role=Role.OWNER, actor=SHELL, reason="a test", now=clock.now)
    return "/console/invite/" + made.link.partition("/console/invite/")[2]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = []
    for record in caplog.records:
        assert Scrub().filter(record)
        found.append(line_formatter().format(record))
    return found


@pytest.mark.parametrize("form", [{"password": "short", "again": "short"}, {}])
def test_an_unfit_form_and_one_without_its_token_leave_no_link(
    link: str, form: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = link.rstrip("/").rpartition("/")[2]
    assert len(token) > 20
    assert Client().post(link, form).status_code >= 400
    assert Client(enforce_csrf_checks=True).post(link, form).status_code == 403
    assert Client().get(link[:-4] + "zzz/").status_code == 404
    said = "\n".join(lines(caplog))
    assert "/console/invite/" in said
    assert token not in said
    assert token[:-3] not in said


@pytest.mark.parametrize("path", ["/v1/account/verify/", "/console/invite/"])
def test_what_looks_like_a_link_is_cut_and_the_rest_stays(path: str) -> None:
    record = logging.LogRecord(
        "django.request", logging.WARNING, __file__, 1, "Forbidden: %s", (f"{path}{'aZ0_-' * 8}/",),
        None,
    )  # fmt: skip
    text = line_formatter().format(record)
    assert f"Forbidden: {path}" in text
    assert "aZ0_-aZ0" not in text
