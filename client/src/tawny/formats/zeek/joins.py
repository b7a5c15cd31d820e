"""What the rows of one Zeek log lend to those of another.

``x509`` lends a certificate's fields to the ``ssl`` row whose chain begins with it, by fingerprint
or, in logs before Zeek 5, by file id; ``ssl`` lends the server's name and the client's JA3 to the
``conn`` row of the same uid. A row can only be lent what was read before it: see ``reading_order``.
"""

from datetime import datetime
from typing import TypeAlias

import msgspec

from tawny.formats.recent import Recent

SESSIONS_KEPT = 1 << 17  # some 30 MB; an hour's handshakes of a busy sensor
CERTIFICATES_KEPT = 1 << 14  # some 10 MB; ten times what zed's 21 minutes of scanning have

CERTIFICATE_SECONDS = 86_400
"""Zeek logs a certificate again a day after it did so last (``relog_known_certificates_after``)."""


class Certificate(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The fields of an ``x509`` row that a ``tls`` event has; times are RFC 3339."""

    fingerprint: str | None
    subject: str | None
    issuer: str | None
    valid_from: str | None
    valid_to: str | None


class Session(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What an ``ssl`` row says of its connection."""

    host: str | None
    ja3: str | None


_State: TypeAlias = tuple[list[tuple[str, int, Session]], list[tuple[str, int, Certificate]]]


class Joins:
    """The certificates and sessions read lately by the parsers of one run, which share it."""

    __slots__ = ("_certificates", "_sessions", "certificate", "session")

    def __init__(
        self, *, sessions: int = SESSIONS_KEPT, certificates: int = CERTIFICATES_KEPT
    ) -> None:
        self._sessions: Recent[str, Session] = Recent(kept=sessions)
        self._certificates: Recent[str, Certificate] = Recent(
            kept=certificates, seconds=CERTIFICATE_SECONDS
        )
        self.session = self._sessions.get
        self.certificate = self._certificates.get

    def __len__(self) -> int:
        return len(self._sessions) + len(self._certificates)

    def add_session(self, uid: str, *, host: str | None, ja3: str | None) -> None:
        """Keep what a handshake says of the connection ``uid``."""
        if host or ja3:
            self._sessions.put(uid, Session(host, ja3))

    def add_certificate(self, key: str, certificate: Certificate, *, ts: str) -> None:
        """Keep a certificate under its fingerprint or file id, seen at ``ts`` (RFC 3339)."""
        at = int(datetime.fromisoformat(f"{ts[:19]}+00:00").timestamp())
        self._certificates.put(key, certificate, at=at)

    def state(self) -> bytes:
        """Give everything kept, so that a run that goes on another day joins the same rows."""
        return msgspec.msgpack.encode((self._sessions.state(), self._certificates.state()))

    def restore(self, state: bytes) -> None:
        """Take up what ``state`` gave; ``msgspec.DecodeError`` where it is nothing of the kind."""
        sessions, certificates = msgspec.msgpack.decode(state, type=_State)
        self._sessions.restore(sessions)
        self._certificates.restore(certificates)
