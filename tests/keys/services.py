"""Key services on loopback that answer like the real ones for the calls that are made of them."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from crypto import envelope, kdf
from crypto.errors import CryptoError
from crypto.random import random_bytes


def key_of(secret: bytes, info: bytes) -> envelope.DataKey:
    return envelope.DataKey(id=UUID(int=1), secret=kdf.hkdf(secret, info=info))


class Service:
    """What both have: a server that can be away, and the requests that it saw."""

    def __init__(self) -> None:
        self.away = False
        self.seen: list[tuple[str, dict[str, Any]]] = []

    def answer(self, method: str, path: str, headers: Any, sent: dict[str, Any]) -> tuple[int, Any]:
        raise NotImplementedError

    @contextmanager
    def served(self) -> Iterator[str]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def _reply(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                sent = json.loads(self.rfile.read(length) or b"{}")
                service.seen.append((self.path, sent))
                status, said = (
                    (503, {"errors": ["away"]})
                    if service.away
                    else service.answer(self.command, self.path, self.headers, sent)
                )
                content = b"" if said is None else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _reply  # noqa: N815 -- the standard library's names

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(5)
            server.server_close()


class Vault(Service):
    """Transit with one derived key."""

    TOKEN = "s.token"

    def __init__(self, *, derived: bool = True) -> None:
        super().__init__()
        self.versions = {1: random_bytes(32)}
        self.least = 1
        self.derived = derived

    def answer(self, method: str, path: str, headers: Any, sent: dict[str, Any]) -> tuple[int, Any]:
        if headers.get("X-Vault-Token") != self.TOKEN:
            return 403, {"errors": ["permission denied"]}
        verb = path.removeprefix("/v1/transit/")
        try:
            return self._answer(method, verb, sent)
        except CryptoError:
            return 400, {"errors": ["cipher: message authentication failed"]}

    def _answer(  # noqa: PLR0911 -- an answer for each call
        self, method: str, verb: str, sent: dict[str, Any]
    ) -> tuple[int, Any]:
        context = base64.b64decode(sent.get("context", "")) if self.derived else b""
        if verb == "keys/root" and method == "GET":
            keys = {str(number): 1_700_000_000 + number for number in self.versions}
            return 200, {"data": {
                "latest_version": max(self.versions), "min_decryption_version": self.least,
                "derived": self.derived, "keys": keys,
            }}  # fmt: skip
        if verb == "keys/root/rotate":
            self.versions[max(self.versions) + 1] = random_bytes(32)
            return 204, None
        if verb == "keys/root/config":
            self.least = sent["min_decryption_version"]
            return 204, None
        if verb == "keys/root/trim":
            least = sent["min_available_version"]
            self.versions = {each: key for each, key in self.versions.items() if each >= least}
            return 204, None
        if verb == "encrypt/root":
            return self._sealed(base64.b64decode(sent["plaintext"]), context, sent)
        _, version, blob = sent["ciphertext"].split(":")
        number = int(version[1:])
        if number < self.least or number not in self.versions:
            return 400, {"errors": ["ciphertext or signature version is disallowed by policy"]}
        key = key_of(self.versions[number], context)
        plain = envelope.unseal(key=lambda _: key, sealed=base64.b64decode(blob), context=b"")
        if verb == "decrypt/root":
            return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}
        return self._sealed(plain, context, sent)

    def _sealed(self, plain: bytes, context: bytes, sent: dict[str, Any]) -> tuple[int, Any]:
        number = sent.get("key_version") or max(self.versions)
        key = key_of(self.versions[number], context)
        blob = base64.b64encode(envelope.seal(key=key, plaintext=plain, context=b"")).decode()
        return 200, {"data": {"ciphertext": f"vault:v{number}:{blob}", "key_version": number}}


class Kms(Service):
    """The keys of one account."""

    def __init__(self, *arns: str) -> None:
        super().__init__()
        self.keys = {arn: random_bytes(32) for arn in arns}
        self.pending: set[str] = set()

    def answer(self, method: str, path: str, headers: Any, sent: dict[str, Any]) -> tuple[int, Any]:
        signed = headers.get("Authorization", "")
        if (method, path) != ("POST", "/") or "AKIDEXAMPLE/" not in signed:
            return 400, {"__type": "UnrecognizedClientException"}
        action = headers["X-Amz-Target"].removeprefix("TrentService.")
        try:
            said: tuple[int, Any] = getattr(self, f"_{action.lower()}")(sent)
        except CryptoError:
            return 400, {"__type": "InvalidCiphertextException"}
        return said

    def _key(self, arn: str, context: dict[str, str]) -> envelope.DataKey:
        return key_of(self.keys[arn], json.dumps(context, sort_keys=True).encode())

    def _sealed(self, arn: str, plain: bytes, context: dict[str, str]) -> tuple[int, Any]:
        if arn in self.pending:
            return 400, {"__type": "KMSInvalidStateException"}
        blob = envelope.seal(key=self._key(arn, context), plaintext=plain, context=b"")
        return 200, {"KeyId": arn, "CiphertextBlob": base64.b64encode(blob).decode()}

    def _opened(self, arn: str, blob: str, context: dict[str, str]) -> bytes:
        key = self._key(arn, context)
        return envelope.unseal(key=lambda _: key, sealed=base64.b64decode(blob), context=b"")

    def _encrypt(self, sent: dict[str, Any]) -> tuple[int, Any]:
        plain = base64.b64decode(sent["Plaintext"])
        return self._sealed(sent["KeyId"], plain, sent["EncryptionContext"])

    def _decrypt(self, sent: dict[str, Any]) -> tuple[int, Any]:
        if sent["KeyId"] in self.pending:
            return 400, {"__type": "KMSInvalidStateException"}
        plain = self._opened(sent["KeyId"], sent["CiphertextBlob"], sent["EncryptionContext"])
        return 200, {"KeyId": sent["KeyId"], "Plaintext": base64.b64encode(plain).decode()}

    def _reencrypt(self, sent: dict[str, Any]) -> tuple[int, Any]:
        plain = self._opened(
            sent["SourceKeyId"], sent["CiphertextBlob"], sent["SourceEncryptionContext"]
        )
        context = sent["DestinationEncryptionContext"]
        return self._sealed(sent["DestinationKeyId"], plain, context)

    def _describekey(self, sent: dict[str, Any]) -> tuple[int, Any]:
        state = "PendingDeletion" if sent["KeyId"] in self.pending else "Enabled"
        return 200, {"KeyMetadata": {"Arn": sent["KeyId"], "KeyState": state}}

    def _schedulekeydeletion(self, sent: dict[str, Any]) -> tuple[int, Any]:
        self.pending.add(sent["KeyId"])
        return 200, {"KeyId": sent["KeyId"], "KeyState": "PendingDeletion"}
