"""System checks: each numbered one fires on the deployment that it is about, and on no other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from django.core.checks import run_checks
from django.db import DatabaseError, connections

from config import checks
from config.embedded.state import Connection

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
OURS = "tawny."


def fired(databases: list[str] | None = None) -> list[str]:
    messages = run_checks(include_deployment_checks=True, databases=databases)
    return sorted(str(each.id) for each in messages if str(each.id).startswith(OURS))


@contextmanager
def served_as(servers: Connection, role: str) -> Iterator[None]:
    session = connections["default"]
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

    def __init__(self, row: tuple[str, bool, bool, int] | None) -> None:
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

    def fetchone(self) -> tuple[str, bool, bool, int] | None:
        return self.row


def test_the_suites_own_deployment_is_in_order() -> None:
    assert fired(["default", "keys", "wisdom"]) == []


def test_e001_fires_for_a_superuser(servers: Connection) -> None:
    with served_as(servers, "postgres"):
        assert fired(["default"]) == ["tawny.E001"]


def test_e001_fires_for_a_role_that_owns(as_owner: Callable[..., Any]) -> None:
    with as_owner() as session:
        session.execute("CREATE TABLE owned_by_app (); ALTER TABLE owned_by_app OWNER TO tawny_app")
        try:
            assert fired(["default"]) == ["tawny.E001"]
        finally:
            session.execute("DROP TABLE owned_by_app")


def test_e001_lets_the_owner_migrate_unless_it_bypasses(
    servers: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served_as(servers, "tawny_owner"):
        assert fired(["default"]) == []
    owner = {"default": Answering(("tawny_owner", True, True, 160_010))}
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
    answer = {"default": Answering(("tawny_app", False, False, version))}
    monkeypatch.setattr(checks, "connections", answer)
    found = [each.id for each in checks.roles_are_confined(databases=["default"])]
    assert found == (["tawny.E007"] if is_old else [])


def test_a_database_that_cannot_be_reached_is_readinesss_to_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checks, "connections", {"default": Answering(None)})
    assert checks.roles_are_confined(databases=["default"]) == []
    assert checks.roles_are_confined(databases=None) == []


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


def test_e003_fires_for_no_pepper_and_for_each_that_cannot_be_read(
    settings: Any, tmp_path: Path
) -> None:
    good = settings.PEPPERS[1]
    settings.PEPPERS = {}
    assert fired() == ["tawny.E003"]
    settings.PEPPERS = {1: good, 2: str(tmp_path / "none"), 3: str(tmp_path / "none either")}
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
    raised = {f"tawny.E{part[:3]}" for part in source.split('id="tawny.E')[1:]}
    assert listed == raised
    names = Path(__file__).read_text()
    assert all(f"def test_{number[6:].lower()}_" in names for number in listed)
