"""``make verify``: hold the running API against its own document, with requests nobody thought of.

Starts the embedded deployment in a folder that goes away, lets schemathesis make requests of the
document at ``/v1/schema``, and fails for an answer that is a failure of ours, of a status or media
type that the document does not name, or of another shape than it says. Some two minutes.
"""

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

REPOSITORY = Path(__file__).resolve().parents[1]
CASES = 60
"""Requests made up for each operation beside the document's examples: below 2,000 in all."""
STARTS_SECONDS = 180.0
STOPS_SECONDS = 60.0
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
HOOKS = "bench.api_hooks"
"""Teaches schemathesis to send lines of JSON."""


class NotServing(Exception):  # noqa: N818 -- reads as a fact
    """The deployment did not come up, so that nothing could be verified."""


class _FirstLogin(msgspec.Struct):
    api_key: str


class _Run(msgspec.Struct):
    url: str


@contextmanager
def deployment(home: Path) -> Iterator[tuple[str, str]]:
    """Run everything in a folder; give its address and its first tenant's key."""
    environment = {
        **os.environ,
        "TAWNY_HOME": str(home),
        "TAWNY_PORT": "0",
        "TAWNY_SIGNUP": "open",
        "TAWNY_OPEN_WISDOM": "on",
    }
    command = [sys.executable, "-m", "config.embedded", "run"]
    with subprocess.Popen(command, env=environment, cwd=REPOSITORY) as running:  # noqa: S603 -- our own
        try:
            url = _serving(home, running)
            key = msgspec.json.decode((home / "first-login").read_bytes(), type=_FirstLogin).api_key
            _publish(environment)
            yield url, key
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(STOPS_SECONDS)


def _publish(environment: dict[str, str]) -> None:
    """Publish a snapshot of a small list, so that there is something to ask about."""
    folder = Path(environment["TAWNY_HOME"], "feeds")
    folder.mkdir(exist_ok=True)
    (folder / "verify.txt").write_text("c2.example c2:Example\n192.0.2.66:443\n", "ascii")
    for words in (
        ("add", "verify", "--source", "plain_list", "--path", "verify.txt"),
        ("refresh", "verify"),
    ):
        command = [sys.executable, "-W", "ignore", "manage.py", "feeds", *words]
        subprocess.run(command, env=environment, cwd=REPOSITORY, check=True)  # noqa: S603 -- our own


def _serving(home: Path, running: subprocess.Popen[bytes]) -> str:
    """Wait until the deployment says that it serves; return its address."""
    end = time.monotonic() + STARTS_SECONDS
    while time.monotonic() < end and running.poll() is None:
        try:
            url = msgspec.json.decode((home / "run.json").read_bytes(), type=_Run).url
            if _is_ready(url):
                return url
        except (OSError, msgspec.DecodeError):  # not written yet, or nobody listens yet
            pass
        time.sleep(0.5)
    raise NotServing(f"it did not serve within {STARTS_SECONDS:.0f} s")


def _is_ready(url: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    finally:
        connection.close()


def verify(url: str, key: str) -> int:
    """Make the requests; return schemathesis' exit status, 0 where all was as documented."""
    return subprocess.run(  # noqa: S603 -- our own
        [
            str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/v1/schema",
            "--auth", f"{key}:",
            "--checks", ",".join(CHECKS),
            "--phases", "examples,fuzzing",
            "--max-examples", str(CASES),
            "--suppress-health-check", "filter_too_much",
        ],
        env={**os.environ, "SCHEMATHESIS_HOOKS": HOOKS, "PYTHONPATH": str(REPOSITORY)},
        cwd=tempfile.gettempdir(),  # where its own files may lie
        check=False,
    ).returncode  # fmt: skip


def main() -> int:
    """Verify a deployment made for it; return the exit status."""
    with (
        tempfile.TemporaryDirectory(prefix="tawny-verify-") as folder,
        deployment(Path(folder) / "home") as (url, key),
    ):
        return verify(url, key)


if __name__ == "__main__":
    raise SystemExit(main())
