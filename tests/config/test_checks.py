"""System checks: each numbered one fires on the deployment that it is about, and on no other."""

import runpy
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Self

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import DatabaseError, connections

import manage
from config import celery, checks
from config.embedded.state import Connection
from config.start import refuse_wrong_roles
from tenants import catalogue

pytestmark = pytest.mark.django_db(
    transaction=True, databases=["default", "keys", "wisdom", "staff"]
)
OURS = "tawny."
Row = tuple[str, bool, bool, bool, int, str]
"""Role, bypasses, owns, may become another that does, version, log_error_verbosity."""


OF_TLS = {"tawny.E012", "tawny.E013", "tawny.W014"}
"""What the suite's deployment, without TLS, cannot have: tests/config/test_deployments.py."""


def fired(databases: list[str] | None = None) -> list[str]:
    messages = run_checks(include_deployment_checks=True, databases=databases)
    return sorted(
        str(each.id) for each in messages if str(each.id).startswith(OURS) and each.id not in OF_TLS
    )


@contextmanager
def served_as(servers: Connection, role: str, *, alias: str = "default") -> Iterator[None]:
    session = connections[alias]
    before = {name: session.settings_dict[name] for name in ("USER", "PASSWORD")}
    session.close()
    session.settings_dict.update(USER=role, PASSWORD=servers.passwords[role])
    try:
        yield
    finally:
        session.close()
        session.settings_dict.update(before)


class Answering:
    """A connection that answers the roles' question in a given way."""

    def __init__(self, row: Row | None) -> None:
        self.row = row

    def cursor(self) -> "Answering":
        if self.row is None:
            raise DatabaseError
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def execute(self, _sql: str) -> None:
        pass

    def fetchone(self) -> Row | None:
        return self.row


def test_the_suites_own_deployment_is_in_order() -> None:
    assert fired(["default", "keys", "wisdom"]) == []


def test_e001_fires_for_a_superuser(servers: Connection) -> None:
    with served_as(servers, "postgres"):
        assert fired(["default"]) == ["tawny.E001"]


def test_e001_fires_for_a_superuser_that_became_the_serving_role(
    servers: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served_as(servers, "postgres"):
        monkeypatch.setitem(
            connections["default"].settings_dict, "OPTIONS", {"options": "-c role=tawny_app"}
        )
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT current_user")
            assert cursor.fetchone() == ("tawny_app",)
        assert fired(["default"]) == ["tawny.E001"]


def test_e001_fires_for_a_role_that_owns(as_owner: Callable[..., Any]) -> None:
    with as_owner() as session:
        session.execute("CREATE TABLE owned_by_app (); ALTER TABLE owned_by_app OWNER TO tawny_app")
        try:
            assert set(fired(["default"])) == {"tawny.E001", "tawny.E009"}
        finally:
            session.execute("DROP TABLE owned_by_app")


@pytest.mark.parametrize("role", ["tawny_backup", "tawny_owner", "pg_read_server_files"])
def test_e008_fires_for_a_role_that_may_become_one_that_bypasses_or_owns(
    as_owner: Callable[..., Any], role: str
) -> None:
    with as_owner() as session:
        session.execute(f"GRANT {role} TO tawny_app WITH INHERIT FALSE")
        try:
            assert set(fired(["default"])) == {"tawny.E008", "tawny.E009"}
        finally:
            session.execute(f"REVOKE {role} FROM tawny_app")
    assert fired(["default"]) == []


def test_e009_fires_for_what_the_catalogue_lint_finds(as_owner: Callable[..., Any]) -> None:
    with as_owner() as session:
        session.execute("ALTER TABLE alert NO FORCE ROW LEVEL SECURITY")
        try:
            assert fired(["default"]) == ["tawny.E009"]
        finally:
            session.execute("ALTER TABLE alert FORCE ROW LEVEL SECURITY")


@pytest.mark.parametrize("role", ["tawny_app", "tawny_owner", "postgres"])
def test_e015_fires_where_the_alias_of_staff_may_write(servers: Connection, role: str) -> None:
    assert fired(["staff"]) == []
    with served_as(servers, role, alias="staff"):
        assert "tawny.E015" in fired(["staff"])
        with pytest.raises(ImproperlyConfigured, match="E015"):
            refuse_wrong_roles()


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("GRANT tawny_app TO tawny_staff", "REVOKE tawny_app FROM tawny_staff"),
        (
            "GRANT INSERT (id) ON staff TO tawny_staff",
            "REVOKE INSERT (id) ON staff FROM tawny_staff",
        ),
        ("GRANT DELETE ON work TO tawny_staff", "REVOKE DELETE ON work FROM tawny_staff"),
    ],
)
def test_e015_fires_for_a_role_of_staff_that_may_do_more(
    as_owner: Callable[..., Any], given: str, taken: str
) -> None:
    with as_owner() as session:
        session.execute(given)
        try:
            assert "tawny.E015" in fired(["staff"])
        finally:
            session.execute(taken)
    assert fired(["staff"]) == []


@pytest.mark.parametrize("role", ["tawny_backup", "tawny_owner"])
def test_e001_and_e008_are_asked_of_the_alias_of_staff_too(
    servers: Connection, as_owner: Callable[..., Any], role: str
) -> None:
    with served_as(servers, "postgres", alias="staff"):
        assert "tawny.E001" in fired(["staff"])
    with as_owner() as session:
        session.execute(f"GRANT {role} TO tawny_staff WITH INHERIT FALSE")
        try:
            assert {"tawny.E008", "tawny.E015"} <= set(fired(["staff"]))
        finally:
            session.execute(f"REVOKE {role} FROM tawny_staff")


def test_w010_fires_where_the_servers_log_quotes_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"default": Answering(("tawny_app", False, False, False, 180_000, "default"))}
    monkeypatch.setattr(checks, "connections", answer)
    assert [each.id for each in checks.roles_are_confined(databases=["default"])] == ["tawny.W010"]


@pytest.mark.parametrize("role", ["postgres", "tawny_owner"])
def test_a_process_that_serves_refuses_to_start_as_another_role(
    servers: Connection, role: str
) -> None:
    refuse_wrong_roles()
    with served_as(servers, role), pytest.raises(ImproperlyConfigured, match=f"E001: {role}"):
        refuse_wrong_roles()


def test_a_process_that_serves_starts_while_its_database_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connections["default"].settings_dict, "PORT", "1")
    refuse_wrong_roles()


def test_the_web_server_the_workers_and_the_sequencer_ask_before_they_serve(
    servers: Connection,
) -> None:
    with served_as(servers, "tawny_owner"):
        with pytest.raises(ImproperlyConfigured):
            call_command("sequencer", once=True)
        with pytest.raises(ImproperlyConfigured):
            runpy.run_module("config.wsgi")
        with pytest.raises(ImproperlyConfigured):
            celery._start()


def test_a_check_of_a_database_has_the_servers_and_a_check_of_none_has_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", manage.EMBEDDED)
    assert isinstance(manage.servers_for(["check"]), nullcontext)
    assert not isinstance(manage.servers_for(["check", "--database", "default"]), nullcontext)


def test_e001_lets_the_owner_migrate_unless_it_bypasses(
    servers: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served_as(servers, "tawny_owner"):
        assert fired(["default"]) == []
    owner = {"default": Answering(("tawny_owner", True, True, False, 160_010, "terse"))}
    monkeypatch.setattr(checks, "connections", owner)
    assert [each.id for each in checks.roles_are_confined(databases=["default"])] == ["tawny.E001"]


@pytest.mark.parametrize(
    ("version", "is_old"),
    [
        (140_020, True), (150_013, True), (150_014, False), (160_009, True), (160_010, False),
        (170_005, True), (170_006, False), (180_000, False),
    ],
)  # fmt: skip
def test_e007_fires_for_an_old_server_and_a_faulty_minor_release(
    monkeypatch: pytest.MonkeyPatch, version: int, *, is_old: bool
) -> None:
    answer = {"default": Answering(("tawny_app", False, False, False, version, "terse"))}
    monkeypatch.setattr(checks, "connections", answer)
    found = [each.id for each in checks.roles_are_confined(databases=["default"])]
    assert found == (["tawny.E007"] if is_old else [])


def test_a_database_that_cannot_be_reached_is_readinesss_to_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks, "connections", {"default": Answering(None)})
    assert checks.roles_are_confined(databases=["default"]) == []
    assert checks.roles_are_confined(databases=None) == []
    assert checks.schema_isolates(databases=None) == []
    monkeypatch.setattr(catalogue, "connections", {"default": Answering(None)})
    assert checks.schema_isolates(databases=["default"]) == []


@pytest.mark.parametrize("mode", [None, 0o644])
def test_e002_fires_for_a_root_key_that_is_missing_or_open_to_others(
    settings: Any, tmp_path: Path, mode: int | None
) -> None:
    file = tmp_path / "root"
    if mode is not None:
        file.write_text("00" * 32)
        file.chmod(mode)
    settings.ROOT_KEY_FILE = str(file)
    assert fired() == ["tawny.E002"]


def test_e003_fires_for_each_file_of_a_pepper_that_cannot_be_read(
    settings: Any, tmp_path: Path
) -> None:
    settings.PEPPERS = {}
    assert fired() == []
    good = tmp_path / "pepper_1"
    good.write_text("0b" * 32)
    good.chmod(0o400)
    settings.PEPPERS = {1: str(good), 2: str(tmp_path / "none"), 3: str(tmp_path / "none either")}
    assert fired() == ["tawny.E003", "tawny.E003"]


@pytest.mark.parametrize(
    ("url", "fires"),
    [
        ("", False),
        ("https://wisdom.example", False),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
        ("http://localhost", False),
        ("http://wisdom.example", True),
        ("http://127.0.0.1.example", True),
        ("ftp://wisdom.example", True),
        ("wisdom.example", True),
    ],
)
def test_e004_fires_for_a_wisdom_elsewhere_without_tls(
    settings: Any, url: str, *, fires: bool
) -> None:
    settings.WISDOM_URL = url
    assert fired() == (["tawny.E004"] if fires else [])


def test_e005_fires_where_every_host_is_allowed(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["engine.example", "*"]
    assert fired() == ["tawny.E005"]


def test_e006_fires_in_debug_mode(settings: Any) -> None:
    settings.DEBUG = True
    assert "tawny.E006" in fired()


def test_every_number_has_a_line_in_the_list_and_a_test() -> None:
    source = Path(checks.__file__).read_text()
    listed = {word for word in source.split("``") if word.startswith(OURS)}
    raised = {f"tawny.{part[:4]}" for part in source.split('id="tawny.')[1:]}
    assert listed == raised
    names = Path(__file__).read_text()
    assert all(f"def test_{number[6:].lower()}_" in names for number in listed)
