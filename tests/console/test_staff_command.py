"""``manage.py staff``."""

import base64
import io
import json
import re

import pytest
from django.apps import apps
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command

from console.apps import CloudConsoleConfig
from console.models import Staff, TOTPDevice
from tests.console.people import Person, deeds

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("staff", *arguments, stdout=out)
    return out.getvalue()


def test_a_created_account_signs_in_with_what_the_last_line_says(jo: Person) -> None:
    told = json.loads(run("create", "ana", "--role", "analyst", "--json").splitlines()[-1])
    assert set(told) == {"username", "password", "totp_secret"}
    ana = Staff.objects.get(username="ana")
    device = TOTPDevice.objects.get(user=ana)
    assert (ana.role, device.confirmed) == ("analyst", True)
    assert check_password(told["password"], ana.password)
    assert base64.b32decode(told["totp_secret"]) == device.seed()
    assert jo.submit(username="ana", password=told["password"], code="0").status_code == 403
    created = deeds("staff.created")[-1]
    assert (created.actor_kind, created.resource) == ("shell", f"staff:{ana.id}")
    assert told["password"] not in str(created.detail)


def test_text_for_people_shows_password_and_secret_once() -> None:
    told = run("create", "ana")
    assert re.search(r"password +[a-z2-7]{6}(-[a-z2-7]{6}){3} ", told)
    assert re.search(r"authenticator +[A-Z2-7]{32} ", told)
    assert "\x1b" not in told  # no QR code where nobody looks


def test_a_cloud_deployments_account_must_replace_its_authenticator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = apps.get_app_config("console")
    replaces = CloudConsoleConfig.replaces_shell_mfa
    monkeypatch.setattr(config, "replaces_shell_mfa", replaces, raising=False)
    assert "must be replaced" in run("create", "ana")
    assert Staff.objects.get(username="ana").must_replace_mfa


@pytest.mark.parametrize("name", ["Ana", "", "a b", ".a", "a" * 64, "ana\n"])
def test_an_unfit_name_is_refused_in_words(name: str) -> None:
    with pytest.raises(CommandError, match="a user name has"):
        run("create", name)


def test_a_name_is_given_once(jo: Person) -> None:
    with pytest.raises(CommandError, match="exists already"):
        run("create", jo.new.staff.username)
    assert TOTPDevice.objects.count() == 1


def test_disabling_ends_access_at_once_and_is_audited(jo: Person) -> None:
    jo.sign_in()
    assert json.loads(run("disable", "jo", "--json")) == {"username": "jo", "active": False}
    assert jo.browser.get("/console/").status_code == 302
    assert [row.resource for row in deeds("staff.disabled")] == [f"staff:{jo.staff.id}"]
    with pytest.raises(CommandError, match="no active staff account"):
        run("disable", "jo")
    assert json.loads(run("list", "--json")) == [
        {"username": "jo", "role": "owner", "active": False}
    ]
    assert "disabled" in run("list")


def test_enabling_again_brings_no_session_back(jo: Person) -> None:
    jo.sign_in()
    run("disable", "jo")
    Staff.objects.update(is_active=True)
    assert jo.browser.get("/console/").status_code == 302
