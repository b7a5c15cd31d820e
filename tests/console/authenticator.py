"""A passkey in a few lines: it makes credentials and signs challenges as a device does."""

import base64
import json
from dataclasses import dataclass, field, replace
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from console.models import Passkey
from crypto.digests import sha256
from crypto.random import random_bytes
from tests.console.people import Person

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A passkey as its owner has it, and as the console does."""

    authenticator: "Authenticator"
    passkey: Passkey


@dataclass(slots=True, kw_only=True)
class Authenticator:
    """One credential of one site, and what a page claims to be: ``origin``, ``rp_id``."""

    rp_id: str
    origin: str
    verifies: bool = True
    uses: int = 0
    counts: bool = True
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential_id: bytes = field(default_factory=lambda: random_bytes(32))

    @classmethod
    def at(cls, rp_id: str) -> "Authenticator":
        return cls(rp_id=rp_id, origin=f"http://{rp_id}:8000")

    def but(self, **changed: Any) -> "Authenticator":
        return replace(self, **changed)

    # -- what it says

    def made(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer the options of a registration."""
        numbers = self.key.public_key().public_numbers()
        cose = {
            1: 2, 3: -7, -1: 1,
            -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big"),
        }  # fmt: skip
        attested = (
            bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id
            + cbor2.dumps(cose)
        )  # fmt: skip
        data = self._data(ATTESTED) + attested
        sent = {"fmt": "none", "attStmt": {}, "authData": data}
        return self._credential(
            {
                "clientDataJSON": b64(self._client("webauthn.create", options)),
                "attestationObject": b64(cbor2.dumps(sent)),
                "transports": ["internal"],
            }
        )

    def signed(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer the options of an authentication."""
        self.uses += self.counts
        data, client = self._data(0), self._client("webauthn.get", options)
        signature = self.key.sign(data + sha256(client), ec.ECDSA(SHA256()))
        return self._credential(
            {
                "clientDataJSON": b64(client),
                "authenticatorData": b64(data),
                "signature": b64(signature),
            }
        )

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps({**said, "crossOrigin": False}).encode()

    def _data(self, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return sha256(self.rp_id.encode()) + bytes([flags]) + self.uses.to_bytes(4, "big")

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        shown = b64(self.credential_id)
        return {
            "id": shown, "rawId": shown, "type": "public-key", "response": response,
            "clientExtensionResults": {"credProps": {"rk": True}},
        }  # fmt: skip

    # -- what a page does with it

    def answers(self, person: Person, where: str, *, following: str = "") -> Any:
        """Do what the package's script does at `where`: ask, sign, send."""
        options = person.browser.post(f"{where}begin/")
        if options.status_code != 200:
            return options
        query = f"?next={following}" if following else ""
        return send(person, f"{where}complete/{query}", self.signed(options.json()))

    def adds(self, person: Person, *, name: str = "laptop") -> Any:
        """Add itself to a signed-in person, as the page and its script do."""
        page = person.browser.post("/console/account/passkeys/new/", {"name": name})
        if page.status_code != 200:
            return page
        options = person.browser.post("/console/account/passkeys/new/begin/")
        if options.status_code != 200:
            return options
        path = "/console/account/passkeys/new/complete/"
        return send(person, path, self.made(options.json()))

    def enrolled(self, person: Person, *, name: str = "laptop") -> Enrolled:
        """Add itself; the person is signed in, and has proved it a moment ago."""
        added = self.adds(person, name=name)
        assert added.status_code == 200, added.content
        return Enrolled(authenticator=self, passkey=Passkey.objects.get(pk=added.json()["id"]))


def send(person: Person, path: str, sent: object) -> Any:
    return person.browser.post(path, json.dumps(sent), content_type="application/json")


def laptop() -> Authenticator:
    """Return a passkey that nobody has enrolled, on the page where the console is."""
    return Authenticator.at("localhost")
