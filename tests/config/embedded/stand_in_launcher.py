"""The launcher with small programs in place of the product's, for its tests."""

import datetime as dt
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from config.embedded import processes
from config.embedded.errors import EmbeddedError
from config.embedded.launch import run
from config.embedded.listening import Listening
from config.embedded.processes import Program
from config.embedded.progress import Progress
from config.embedded.servers import Servers

WEB = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Ready).serve_forever()
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(300)
"""


def programs(home: Path, listening: Listening) -> tuple[Program, ...]:
    """Return a web server that is always ready, and a worker that will not stop when orphaned."""

    def python(name: str, code: str, *arguments: str, stop: signal.Signals) -> Program:
        command = (sys.executable, "-c", code, *arguments)
        return Program(
            name=name,
            command=command,
            environment={},
            directory=home,
            home=home,
            stop_signal=stop,
        )

    return (
        python("web", WEB, str(listening.port), stop=signal.SIGTERM),
        python("worker", STUBBORN, stop=signal.SIGQUIT),
    )


def nothing_to_prepare(_servers: Servers, _progress: Progress) -> None:
    """Migrate nothing."""


if __name__ == "__main__":
    processes.SURVIVOR_SECONDS = 0.8  # the worker above would use up any patience
    try:
        now = dt.datetime.now(dt.UTC)
        sys.exit(run(now=now, programs=programs, prepared=nothing_to_prepare))
    except EmbeddedError as failure:
        sys.stderr.write(f"{failure}\n")
        sys.exit(failure.exit_status)
