"""Weak keyrings are refused, each by a number."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from config import start
from config.settings import environment
from tenants import keys
from tenants.errors import KeyUnavailable
from tenants.keys import files
from tenants.models import RootVersion


def fired(*, databases: list[str] | None = None) -> list[str]:
    found = run_checks(include_deployment_checks=True, databases=databases)
    return sorted(
        str(each.id) for each in found if str(each.id) == "tawny.E002" or "E03" in str(each.id)
    )


@pytest.fixture
def root(settings: Any, tmp_path: Path) -> Path:
    path = tmp_path / "root"
    path.write_text("0b" * 32)
    path.chmod(0o400)
    settings.ROOT_KEY_FILE = str(path)
    return path


@pytest.mark.usefixtures("root")
def test_a_sound_keyring_is_not_refused() -> None:
    assert fired() == []


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("content", "mode"), [("0b" * 32, 0o644), ("0b" * 31, 0o400)])
def test_an_open_or_short_key_file_is_refused(
    root: Path, version: int, content: str, mode: int
) -> None:
    path = root if version == 1 else root.with_name("root_2")
    path.unlink(missing_ok=True)
    path.write_text(content)
    path.chmod(mode)
    assert fired() == ["tawny.E002" if version == 1 else "tawny.E030"]


def test_another_accounts_key_file_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    another = os.getuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: another)
    assert fired() == ["tawny.E002"]
    with pytest.raises(KeyUnavailable, match="belongs to uid"):
        files.read_key_file(str(root))


def test_a_missing_key_file_is_refused(root: Path) -> None:
    root.unlink()
    assert fired() == ["tawny.E002"]


@pytest.mark.usefixtures("root")
def test_a_root_key_in_the_environment_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TAWNY_ROOT_KEY", "0b" * 32)
    assert fired() == ["tawny.E031"]
    with pytest.raises(ValueError, match="TAWNY_ROOT_KEY_FILE"):
        environment.key_provider({"TAWNY_ROOT_KEY": "0b" * 32})


@pytest.mark.usefixtures("root")
def test_a_chosen_provider_that_is_not_configured_is_refused(settings: Any) -> None:
    settings.KEY_PROVIDER = "aws_kms"
    assert fired() == ["tawny.E033"]


@pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
def test_a_root_key_that_is_another_than_was_recorded_is_refused_and_no_process_starts(
    tenant: tuple[UUID, str], now: datetime
) -> None:
    keys.seal(tenant[0], keys.SERIES, b"x", now=now)
    assert fired(databases=["keys"]) == []
    start.refuse_wrong_roles()
    RootVersion.objects.using("keys").update(check_value=b"0" * 16)
    assert fired(databases=["keys"]) == ["tawny.E032"]
    with pytest.raises(ImproperlyConfigured, match=r"tawny\.E032"):
        start.refuse_wrong_roles()


@pytest.mark.parametrize(
    ("environ", "fault"),
    [
        ({"TAWNY_KEY_PROVIDER": "none"}, "TAWNY_KEY_PROVIDER"),
        ({"TAWNY_KEY_PROVIDER": "vault_transit"}, "TAWNY_VAULT_ADDRESS"),
        ({"TAWNY_KMS_REGION": "eu-west-1"}, "TAWNY_KMS_KEYS"),
        (
            {
                "TAWNY_VAULT_ADDRESS": "http://vault.example", "TAWNY_VAULT_KEY": "root",
                "TAWNY_VAULT_TOKEN_FILE": "token",
            },
            "over https",
        ),
    ],
)  # fmt: skip
def test_a_half_configured_key_service_stops_the_start(environ: dict[str, str], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        environment.key_provider(environ)


def test_a_key_service_is_read_from_the_environment() -> None:
    provider, options = environment.key_provider(
        {
            "TAWNY_KEY_PROVIDER": "aws_kms", "TAWNY_KMS_REGION": "eu-west-1",
            "TAWNY_KMS_KEYS": "arn:one,arn:two", "TAWNY_KMS_CREDENTIALS_FILE": "aws",
        }
    )  # fmt: skip
    assert provider == "aws_kms"
    assert options["aws_kms"]["keys"] == ("arn:one", "arn:two")
    assert options["aws_kms"]["address"] == "https://kms.eu-west-1.amazonaws.com"
