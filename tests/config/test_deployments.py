"""A cloud's and a managed engine's settings pass every deployment check; bad ones are named."""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config import chains
from config.settings import base


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What an operator sets, with key files as they must be."""
    for name in ("root", "pepper"):
        path = tmp_path / name
        path.write_text(secrets.token_hex(32))
        path.chmod(0o400)
    (tmp_path / "secret").write_text(secrets.token_urlsafe(64))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAWNY_")}
    return kept | {
        "DATABASE_URL": "postgresql://tawny_app:x@db.example/tawny",
        "KEYS_DATABASE_URL": "postgresql://tawny_app:x@db.example/tawny_keys",
        "WISDOM_DATABASE_URL": "postgresql://tawny_app:x@db.example/tawny_wisdom",
        "STAFF_DATABASE_URL": "postgresql://tawny_staff:x@db.example/tawny",
        "BROKER_URL": "rediss://broker.example/0",
        "CACHE_URL": "rediss://cache.example/0",
        "SECRET_KEY_FILE": str(tmp_path / "secret"),
        "TAWNY_HOSTS": "tawny.example",
        "TAWNY_TRUSTED_PROXIES": "192.0.2.0/24",
        "TAWNY_ROOT_KEY_FILE": str(tmp_path / "root"),
        "TAWNY_PEPPER_1_FILE": str(tmp_path / "pepper"),
        "TAWNY_WISDOM_URL": "https://tawny.example",
        "TAWNY_WISDOM_KEY_FILE": str(tmp_path / "wisdom"),
        "TAWNY_SNAPSHOT_DIR": str(tmp_path / "snapshots"),
        "TAWNY_AUDIT_ORIGIN": "tawny.example/log",
        "TAWNY_CHECKPOINT_FILE": str(tmp_path / "checkpoint"),
        "TAWNY_HOME": str(tmp_path / "home"),
    }


def check(deployment: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=base.REPOSITORY,
        env=environment | {"DJANGO_SETTINGS_MODULE": f"config.settings.{deployment}"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("deployment", ["cloud", "engine"])
def test_no_check_warns_of_a_deployment_that_is_set_up_as_documented(
    deployment: str, environment: dict[str, str]
) -> None:
    found = check(deployment, environment)
    assert (found.returncode, found.stderr) == (0, ""), found.stderr
    assert "no issues" in found.stdout


def test_a_deployment_that_names_no_proxy_is_warned_of(environment: dict[str, str]) -> None:
    del environment["TAWNY_TRUSTED_PROXIES"]
    found = check("cloud", environment)
    assert found.returncode == 1
    assert "tawny.W014" in found.stderr


BAD: list[tuple[str, Any, str]] = [
    ("PAGE_MIDDLEWARE", ["console.gate.StaffGate"], "tawny.E011"),
    ("API_MIDDLEWARE", ["django.middleware.security.SecurityMiddleware"], "tawny.E011"),
    ("SECURE_HSTS_SECONDS", 86_400, "tawny.E012"),
    ("SECURE_HSTS_INCLUDE_SUBDOMAINS", False, "tawny.E012"),
    ("SECURE_SSL_REDIRECT", False, "tawny.E012"),
    ("SECURE_CONTENT_TYPE_NOSNIFF", False, "tawny.E012"),
    ("SESSION_COOKIE_SECURE", False, "tawny.E012"),
    ("SESSION_COOKIE_HTTPONLY", False, "tawny.E012"),
    ("CSRF_COOKIE_NAME", "csrf", "tawny.E012"),
    ("CONTENT_SECURITY_POLICY", {"DIRECTIVES": {"default-src": ["'self'"]}}, "tawny.E012"),
    (
        "CONTENT_SECURITY_POLICY",
        {
            "DIRECTIVES": {
                "default-src": ["'none'"],
                "base-uri": ["'none'"],
                "frame-ancestors": ["'none'"],
                "script-src": ["'unsafe-inline'"],
            }
        },
        "tawny.E012",
    ),
    ("SECRET_KEY", "short", "tawny.E013"),
    ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https"), "tawny.W014"),
]


@pytest.fixture
def sound(settings: Any) -> Any:
    """The tests' own settings, with what TLS adds in a cloud."""
    settings.SECURE_HSTS_SECONDS = chains.HSTS_SECONDS
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    settings.SECURE_SSL_REDIRECT = True
    for kind in ("SESSION", "CSRF"):  # the embedded deployment, which these come from, has no TLS
        for what in ("NAME", "SECURE"):
            name = f"{kind}_COOKIE_{what}"
            setattr(settings, name, getattr(base, name))
    settings.SECRET_KEY = secrets.token_urlsafe(64)
    return settings


def fired() -> list[str]:
    checks = (
        chains.chains_are_whole,
        chains.browsers_are_told,
        chains.secrets_are_long,
        chains.proxies_are_named,
    )
    return sorted({str(each.id) for ask in checks for each in ask()})


def test_sound_settings_fire_nothing(sound: Any) -> None:
    assert sound.SECURE_SSL_REDIRECT
    assert fired() == []


@pytest.mark.parametrize(("name", "value", "expected"), BAD)
def test_each_bad_setting_is_named(sound: Any, name: str, value: Any, expected: str) -> None:
    setattr(sound, name, value)
    assert fired() == [expected]
