"""A home whose databases were made once, and a launcher with small programs on it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.embedded.servers import Servers
from config.embedded.state import RunRecord, running
from tests.config.embedded.waiting import PATIENCE_SECONDS, eventually

REPOSITORY = Path(__file__).resolve().parents[3]
STAND_IN = Path(__file__).with_name("stand_in_launcher.py")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with roles and databases; each test finds and leaves its servers stopped."""
    home = tmp_path_factory.mktemp("made") / "home"
    with Servers(home, fast=True):
        pass
    return home


@pytest.fixture
def own_home(home: Path, tmp_path: Path) -> Path:
    """Return a copy of `home` that a test may spoil."""
    own = tmp_path / "home"
    shutil.copytree(home, own)
    return own


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """A launcher under test."""

    process: subprocess.Popen[bytes]
    home: Path
    screen: Path

    def until_serving(self) -> RunRecord:
        """Wait until it serves; return its record."""

        def record() -> RunRecord | None:
            assert self.process.poll() is None, self.screen.read_text()
            found = running(self.home)
            return found if found and found.state == "serving" else None

        eventually(record)
        found = record()
        assert found is not None
        return found

    def end(self) -> tuple[int, str]:
        """Wait for its end; return the exit status and what it printed."""
        return self.process.wait(PATIENCE_SECONDS), self.screen.read_text()


@pytest.fixture
def launch(home: Path, tmp_path: Path) -> Iterator[Callable[..., Launched]]:
    """Return a function that starts a launcher on the test's home."""
    begun: list[Launched] = []

    def start(**settings: str) -> Launched:
        screen = tmp_path / f"screen-{len(begun)}"
        with screen.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, str(STAND_IN)],
                stdout=output,
                stderr=output,
                cwd=REPOSITORY,
                env={**os.environ, "TAWNY_HOME": str(home), "TAWNY_PORT": "0", **settings},
            )
        begun.append(Launched(process=process, home=home, screen=screen))
        return begun[-1]

    yield start
    for each in begun:
        each.process.terminate()
        each.end()
