"""Asking the web server whether everything serves."""

import http.client
import ssl
from pathlib import Path

from config.embedded.listening import Listening

SECONDS = 5.0
ANSWER_BYTES = 300


def probe(listening: Listening) -> tuple[int, str]:
    """Ask ``/readyz``; return the status, 0 for no answer, and the beginning of what was said."""
    line = _line(listening)
    try:
        line.request("GET", "/readyz")
        answer = line.getresponse()
        return answer.status, answer.read(ANSWER_BYTES).decode(errors="replace")
    except (OSError, http.client.HTTPException) as failure:
        return 0, str(failure)
    finally:
        line.close()


def _line(listening: Listening) -> http.client.HTTPConnection:
    host, port = listening.host, listening.port
    if listening.certificate is None:
        return http.client.HTTPConnection(host, port, timeout=SECONDS)
    context = own_certificate_only(listening.certificate)
    return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)


def own_certificate_only(certificate: Path) -> ssl.SSLContext:
    """Trust the certificate in `certificate` and no other, whatever name it was made for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # no other authority is loaded
    context.load_verify_locations(cafile=str(certificate))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False  # we ask by address; the chain must end at this certificate
    return context
