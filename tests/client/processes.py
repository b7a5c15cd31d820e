"""The ``tawny`` command as a process of its own, for tests that interrupt it."""

import os
import subprocess
import sys
import time

from tests.client.loopback import Service


def wait_for(count: int, service: Service) -> None:
    deadline = time.monotonic() + 20
    while len(service.requests) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(service.requests) >= count


def command(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tawny", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"NO_COLOR": "1"},
    )
