"""Migrations run when the code changed, and a first start's secrets are shown once."""

import io
import json
import stat
from pathlib import Path

import pytest

from config.embedded import preparation, processes
from config.embedded.errors import ServerFailed
from config.embedded.processes import Program
from config.embedded.progress import Progress
from config.embedded.servers import Servers


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Program]:
    """Answer like a preparing process that made a key; return what was asked to run."""
    programs: list[Program] = []

    def answer(program: Program, *, seconds: float) -> bytes:
        assert seconds > 60
        programs.append(program)
        return b'some line\n{"user": "owner", "password": "shown once"}\n'

    monkeypatch.setattr(processes, "run", answer)
    return programs


def test_it_runs_as_owner_once_until_the_code_or_the_databases_change(
    tmp_path: Path, asked: list[Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "code"
    (code / "analytics" / "migrations").mkdir(parents=True)
    (code / "requirements.txt").touch()
    monkeypatch.setattr(preparation, "REPOSITORY", code)
    (tmp_path / "home").mkdir()
    servers = Servers(tmp_path / "home")

    def times() -> int:
        preparation.prepare(servers, Progress(io.StringIO()))
        return len(asked)

    assert [times(), times()] == [1, 1]
    assert asked[0].environment["TAWNY_DB_ROLE"] == "owner"
    (code / "analytics" / "migrations" / "0002_more.py").touch()
    assert [times(), times()] == [2, 2]
    servers.are_new = True
    assert times() == 3


def test_secrets_are_shown_on_a_terminal_and_kept_nowhere(
    tmp_path: Path, asked: list[Program]
) -> None:
    screen = Terminal()
    preparation.prepare(Servers(tmp_path), Progress(screen))
    assert "shown once" in screen.getvalue()
    assert not (tmp_path / "first-login").exists()
    assert len(asked) == 1


def test_without_a_terminal_secrets_go_to_a_private_file_and_its_path_is_printed(
    tmp_path: Path, asked: list[Program]
) -> None:
    screen = io.StringIO()
    preparation.prepare(Servers(tmp_path), Progress(screen))
    kept = tmp_path / "first-login"
    assert "shown once" not in screen.getvalue()
    assert str(kept) in screen.getvalue()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text()) == {"user": "owner", "password": "shown once"}
    assert len(asked) == 1


def test_an_answer_that_is_no_json_is_a_failure_and_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "run", lambda _program, *, seconds: b"done\n" * bool(seconds))
    for _ in range(2):
        with pytest.raises(ServerFailed, match="JSON"):
            preparation.prepare(Servers(tmp_path), Progress(io.StringIO()))
