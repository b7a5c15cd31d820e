"""Migrations and the first start, skipped at no cost where neither has anything to do."""

import json
import sys
from pathlib import Path

from config.embedded import processes
from config.embedded.errors import ServerFailed
from config.embedded.files import write_private
from config.embedded.processes import Program
from config.embedded.programs import environment
from config.embedded.progress import Progress
from config.embedded.servers import Servers
from config.embedded.state import REPOSITORY

SECONDS = 600.0
WHAT_DECIDES = (
    "requirements.txt",
    "config/settings/*.py",
    "[a-z]*/migrations/*.py",
    "[a-z]*/*/migrations/*.py",
)
"""Files without whose change there is nothing to migrate, as globs from the repository."""


def prepare(servers: Servers, progress: Progress) -> None:
    """Bring the databases of started servers up to the code, and show what a first start made."""
    home = servers.home
    note = home / "prepared.json"
    if servers.are_new:  # then a note is about databases that are no more
        note.unlink(missing_ok=True)
    wanted = json.dumps(_files(), indent=0).encode()
    if note.exists() and note.read_bytes() == wanted:
        return
    program = Program(
        name="prepare",
        command=(sys.executable, "-m", "config.embedded.prepare"),
        environment=environment(home, role="owner"),
        directory=REPOSITORY,
        home=home,
    )
    with progress.step("Migrating the databases"):
        answer = processes.run(program, seconds=SECONDS)
    _show(_last_value(answer), home=home, progress=progress)
    write_private(note, wanted)


def _files() -> list[tuple[str, int, int]]:
    found = (path for glob in WHAT_DECIDES for path in REPOSITORY.glob(glob))
    return sorted(
        (str(path.relative_to(REPOSITORY)), path.stat().st_size, path.stat().st_mtime_ns)
        for path in found
    )


def _last_value(answer: bytes) -> dict[str, object]:
    lines = answer.decode().splitlines()
    try:
        value = json.loads(lines[-1]) if lines else {}
    except json.JSONDecodeError:
        raise ServerFailed("first_start did not end with a line of JSON") from None
    return value if isinstance(value, dict) else {}


def _show(secrets: dict[str, object], *, home: Path, progress: Progress) -> None:
    """Show secrets once on a terminal; where there is none, keep them for their owner only."""
    if not secrets:
        return
    if progress.is_terminal:
        progress.say("First start. Write these down, they are shown this once:")
        width = max(map(len, secrets))
        for name, value in secrets.items():
            progress.say(f"  {name:<{width}}  {value}")
        return
    path = home / "first-login"
    write_private(path, json.dumps(secrets, indent=1).encode() + b"\n")
    progress.say(f"First start: its secrets are in {path}")
