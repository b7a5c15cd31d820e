"""Where the web server listens, from the environment."""

import errno
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from config.embedded.errors import PortTaken, WrongSetting

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 -- where to ask, not where to listen
HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """An address, a port, and a certificate with its key where TLS is wanted."""

    bind: str
    port: int
    certificate: Path | None = None
    key: Path | None = None

    @classmethod
    def from_environment(cls) -> Self:
        """Read TAWNY_BIND, TAWNY_PORT, TAWNY_TLS_CERT and TAWNY_TLS_KEY.

        Raises
        ------
        WrongSetting
            One of them cannot be used.
        """
        port = os.environ.get("TAWNY_PORT") or "8000"
        if not port.isdecimal() or int(port) > HIGHEST_PORT:
            raise WrongSetting(f"TAWNY_PORT is {port!r}: a number from 0 (any free port) to 65535")
        files = [
            _readable(name) if os.environ.get(name) else None
            for name in ("TAWNY_TLS_CERT", "TAWNY_TLS_KEY")
        ]
        if (files[0] is None) != (files[1] is None):
            raise WrongSetting("TAWNY_TLS_CERT and TAWNY_TLS_KEY are needed both, or neither")
        bind = os.environ.get("TAWNY_BIND") or "127.0.0.1"
        return cls(bind=bind, port=int(port), certificate=files[0], key=files[1])

    @property
    def host(self) -> str:
        """An address at which this machine reaches the server."""
        return WILDCARDS.get(self.bind, self.bind)

    @property
    def url(self) -> str:
        """The server's address for a client on this machine."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.certificate else 'http'}://{host}:{self.port}"

    def claimed(self) -> Self:
        """Check that the port is to be had; port 0 becomes a free one.

        Raises
        ------
        PortTaken
            It is not.
        """
        family = socket.AF_INET6 if ":" in self.bind else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.bind, self.port))
                probe.listen(1)
            except OSError as failure:
                why = (
                    "is in use by another program"
                    if failure.errno == errno.EADDRINUSE
                    else f"cannot be had ({failure.strerror})"
                )
                raise PortTaken(
                    f"{self.bind}:{self.port} {why}. Choose another port with TAWNY_PORT,"
                    f" for example: TAWNY_PORT={8080 if self.port != 8080 else 8001} make run"
                ) from None
            port = int(probe.getsockname()[1])
        return type(self)(bind=self.bind, port=port, certificate=self.certificate, key=self.key)


def _readable(name: str) -> Path:
    path = Path(os.environ[name]).expanduser().resolve()
    if not os.access(path, os.R_OK):
        raise WrongSetting(f"{name} names {path}, which cannot be read")
    return path
