"""PostgreSQL and Valkey of one home."""

import os
import shutil
import signal
import socket
import stat
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from config.embedded import postgres, processes, sockets
from config.embedded.errors import Damaged
from config.embedded.processes import Identity
from config.embedded.roles import connect
from config.embedded.servers import Servers
from config.embedded.wire import ask

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


def test_a_wrong_password_is_refused_and_so_is_none(home: Path) -> None:
    with Servers(home, fast=True) as connection:
        for role, password in connection.passwords.items():
            with connect(
                connection, user=role, database="postgres" if role == "postgres" else "tawny"
            ):
                pass
            for wrong in ("", password[:-1], "x" * 64):
                forged = replace(connection, passwords={role: wrong})
                with pytest.raises(psycopg.OperationalError, match="password"):
                    connect(forged, user=role, database="tawny")


def test_the_serving_role_owns_nothing_and_bypasses_nothing(home: Path) -> None:
    with (
        Servers(home, fast=True) as connection,
        connect(connection, user="tawny_app", database="tawny") as session,
    ):
        roles = session.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin FROM pg_roles"
            " WHERE rolname LIKE 'tawny%' ORDER BY 1"
        ).fetchall()
        assert roles == [
            ("tawny_app", False, False, True),
            ("tawny_backup", False, True, False),
            ("tawny_owner", False, False, True),
            ("tawny_staff", False, False, True),
        ]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("CREATE TABLE mine (id int)")
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            connect(connection, user="tawny_app", database="postgres")


def test_a_killed_postmaster_keeps_a_committed_row(home: Path) -> None:
    servers = Servers(home)
    connection = servers.start()
    try:
        with connect(connection, user="tawny_owner", database="tawny") as session:
            session.execute("CREATE TABLE kept (id int)")
            session.execute("INSERT INTO kept VALUES (7)")
            os.kill(servers.processes["postgres"].pid, signal.SIGKILL)
    finally:
        servers.stop()
    assert (home / "pg" / "postmaster.pid").exists()
    with (
        Servers(home) as connection,
        connect(connection, user="tawny_owner", database="tawny") as session,
    ):
        assert session.execute("SELECT id FROM kept").fetchall() == [(7,)]


def test_lock_files_that_name_a_living_stranger_keep_nothing_down(home: Path) -> None:
    """After a power cut: nobody removed them, and somebody else may have the number by now."""
    for lock in (home / "pg" / "postmaster.pid", home / "sockets" / ".s.PGSQL.5432.lock"):
        lock.write_text(f"{os.getpid()}\n{home / 'pg'}\n0\n5432\n{home / 'sockets'}\n")
    for name in (".s.PGSQL.5432", "valkey.sock"):
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(home / "sockets" / name))
    with (
        Servers(home, fast=True) as connection,
        connect(connection, user="tawny_app", database="tawny") as session,
    ):
        assert session.execute("SELECT 1").fetchone() == (1,)
        assert ask(connection.valkey_socket, b"PING\r\n") == b"+PONG\r\n"


def test_a_path_too_long_for_a_socket_gets_a_private_folder_elsewhere(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    far = tmp_path / ("long" * 30)
    shutil.rmtree(own_home / "sockets")
    own_home.rename(far)
    with (
        Servers(far, fast=True) as connection,
        connect(connection, user="tawny_app", database="tawny") as session,
    ):
        assert session.execute("SELECT 1").fetchone() == (1,)
        folder = connection.socket_dir
        assert folder == (far / "sockets").resolve()
        assert far not in folder.parents
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert ask(connection.valkey_socket, b"PING\r\n") == b"+PONG\r\n"
    shutil.rmtree(folder)


def test_a_strangers_folder_in_a_shared_place_is_refused(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path_factory.mktemp("s")  # short enough for a socket, unlike the home
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(shared))
    home = tmp_path / ("long" * 30)
    home.mkdir()
    made = sockets.place(home)
    assert made.parent == shared
    made.chmod(0o770)
    with pytest.raises(Damaged, match="not a private folder"):
        sockets.place(home)


def test_neither_statements_nor_values_reach_the_servers_log(home: Path) -> None:
    with Servers(home, fast=True) as connection:
        for role in ("tawny_app", "tawny_owner"):
            with (
                connect(connection, user=role, database="tawny") as session,
                pytest.raises(psycopg.errors.DivisionByZero),
            ):
                session.execute("SELECT 'very-private', 1 / %s", [0])
        with (
            connect(connection, user="tawny_app", database="tawny") as session,
            pytest.raises(psycopg.errors.InvalidTextRepresentation),
        ):
            session.execute("SELECT %s::text::uuid", ["very-private"])
    assert "very-private" not in (home / "logs" / "postgres.log").read_text()


def test_what_valkey_took_outlives_a_stop(home: Path) -> None:
    with Servers(home) as connection:
        assert ask(connection.valkey_socket, b"SET kept 7\r\n") == b"+OK\r\n"
    with Servers(home) as connection:
        assert ask(connection.valkey_socket, b"GET kept\r\n") == b"$1\r\n7\r\n"


def test_nothing_in_a_home_is_open_to_others(home: Path) -> None:
    for folder in ("", "keys", "pg", "valkey", "sockets", "logs", "alive"):
        assert stat.S_IMODE((home / folder).stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "keys" / "database.json").stat().st_mode) == 0o400


def test_data_without_its_passwords_is_an_error_that_says_so(own_home: Path) -> None:
    (own_home / "keys" / "database.json").unlink()
    with pytest.raises(Damaged, match=r"database\.json is missing"):
        Servers(own_home).start()


def test_an_interrupted_making_of_the_data_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "pg.draft" / "base").mkdir(parents=True)
    with Servers(tmp_path, fast=True) as connection:
        assert connection.passwords.keys() == {
            "postgres",
            "tawny_owner",
            "tawny_app",
            "tawny_staff",
        }
    assert not (tmp_path / "pg.draft").exists()


@as_root
def test_root_without_user_namespaces_runs_it_as_nobody(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    permitted = processes.is_permitted
    monkeypatch.setattr(
        processes,
        "is_permitted",
        lambda identity, command: identity is Identity.NOBODY and permitted(identity, command),
    )
    assert postgres.permitted_identity(own_home / "pg") is Identity.NOBODY
    with (
        Servers(own_home, fast=True) as connection,
        connect(connection, user="tawny_app", database="tawny") as session,
    ):
        assert session.execute("SELECT 1").fetchone() == (1,)
        assert (own_home / "pg").stat().st_uid == 65534
    monkeypatch.undo()
    assert postgres.permitted_identity(own_home / "pg") is Identity.NOBODY
