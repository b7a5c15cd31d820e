"""No core file of a process that holds keys, and nothing of its memory for others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.embedded.state import REPOSITORY
from config.memory import KEPT_DUMPABLE

SHOWN = """
import ctypes, resource, subprocess, sys
from config.memory import keep_private
keep_private()
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
child = [sys.executable, "-c", "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"]
again = subprocess.run(child, capture_output=True, text=True).stdout.strip()
print(dumpable, again, *resource.getrlimit(resource.RLIMIT_CORE))
"""


def shown(**environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SHOWN], cwd=REPOSITORY, capture_output=True, text=True, check=True,
        env={**os.environ, **environment},
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_process_is_not_dumpable_what_it_starts_is_and_neither_leaves_a_core() -> None:
    assert shown() == ["0", "1", "0", "0"]


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_whoever_must_trace_says_so() -> None:
    assert shown(**{KEPT_DUMPABLE: "1"})[0] == "1"


@pytest.mark.parametrize("file", ["manage.py", "config/wsgi.py", "config/celery.py"])
def test_every_door_of_a_process_that_opens_keys_asks_for_it(file: str) -> None:
    assert "memory.keep_private()" in (REPOSITORY / file).read_text()


def test_no_page_advises_a_swap_file() -> None:
    pages = [*Path(REPOSITORY).glob("docs/**/*.md"), REPOSITORY / "README.md"]
    assert not [each.name for each in pages if "swapon" in each.read_text()]
