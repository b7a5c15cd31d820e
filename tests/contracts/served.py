"""The product's own web server over TLS, as the launcher starts it, on the suite's databases."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from config.embedded.listening import Listening
from config.embedded.processes import Process
from config.embedded.programs import all_programs
from config.embedded.readiness import probe
from config.embedded.state import home
from tests.client.secure import Secure
from tests.config.embedded.waiting import PATIENCE_SECONDS, eventually
from tests.contracts.wire import Server


@contextmanager
def over_tls(folder: Path) -> Iterator[tuple[Server, Path]]:
    """Serve with a certificate of the test's; give a server that trusts it, and the certificate."""
    certificate = Secure(folder).certificate("tawny.pem")
    listening = Listening(bind="127.0.0.1", port=0, certificate=certificate, key=certificate)
    listening = listening.claimed()
    (web,) = (each for each in all_programs(home(), listening) if each.name == "web")
    tls = {"TAWNY_TLS_CERT": str(certificate), "TAWNY_TLS_KEY": str(certificate)}
    process = replace(web, environment={**web.environment, **tls}).launch()
    try:
        eventually(lambda: _answers(process, listening))
        trusting = ssl.create_default_context(cafile=str(certificate))
        yield Server(host=listening.host, port=listening.port, tls=trusting), certificate
    finally:
        process.ask_to_stop()
        if not process.wait(until=time.monotonic() + PATIENCE_SECONDS):
            process.kill()


def _answers(process: Process, listening: Listening) -> bool:
    assert process.ended() is None, process.program.log.read_text()
    return probe(listening)[0] != 0
