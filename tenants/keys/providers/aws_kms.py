"""AWS KMS: symmetric keys in a row, the newest last; version n is the n-th configured.

KMS's own yearly rotation changes nothing that is seen from here and cannot be undone for shredding,
so a rotation of ours goes from one key to another with ReEncrypt. The encryption context holds a
hash of the row's context: it stands in clear in CloudTrail, and names nobody.

Source: the AWS KMS API reference (Encrypt, Decrypt, ReEncrypt, DescribeKey, ScheduleKeyDeletion).
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from crypto.digests import sha256
from crypto.sigv4 import Credentials, signed_headers
from tenants.errors import KeyUnavailable
from tenants.keys.files import read_private_file
from tenants.keys.providers.calls import Caller
from tenants.keys.providers.wrapping import AWS_KMS, Wrapped, label

WAITING_DAYS = 7
"""Days that KMS waits before it deletes a key: its least."""
_REFUSALS = {400: ("InvalidCiphertextException", "IncorrectKeyException")}


class AwsKmsProvider:
    """Keys of one account and region; the credentials' file holds two or three lines."""

    name = AWS_KMS
    key_id = "kms"

    def __init__(
        self,
        *,
        region: str,
        keys: Sequence[str],
        credentials_file: str,
        address: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._region = region
        self._keys = tuple(keys)
        self._credentials_file = credentials_file
        self._host = urlsplit(address).netloc
        self._clock = clock
        self._caller = Caller(address)

    def versions(self) -> Sequence[int]:
        """Return the numbers of the configured keys that are enabled."""
        return [
            number
            for number in range(1, len(self._keys) + 1)
            if self._ask("DescribeKey", KeyId=self._arn(number))["KeyMetadata"]["KeyState"]
            == "Enabled"
        ]

    def current_version(self) -> int:
        """Return the number of the last configured key."""
        return len(self._keys)

    def add_version(self) -> int:
        """Refuse: a key of KMS is made by whoever rules the account, then configured here."""
        raise KeyUnavailable("make a key in KMS and add it behind the others in TAWNY_KMS_KEYS")

    def wrap(self, secret: bytes, context: bytes, *, version: int) -> Wrapped:
        """Encrypt under the version's key."""
        said = self._ask(
            "Encrypt", KeyId=self._arn(version), Plaintext=_text(secret),
            EncryptionContext=_named(context),
        )  # fmt: skip
        return self._wrapped(said, version)

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """Decrypt under the key that the version stands for, whatever the ciphertext says."""
        said = self._ask(
            "Decrypt", KeyId=self._arn(wrapped.version), CiphertextBlob=_text(wrapped.blob),
            EncryptionContext=_named(context),
        )  # fmt: skip
        return _octets(said, "Plaintext")

    def rewrap(self, wrapped: Wrapped, context: bytes, *, version: int) -> Wrapped:
        """Have KMS encrypt anew; the plaintext does not leave it."""
        said = self._ask(
            "ReEncrypt",
            CiphertextBlob=_text(wrapped.blob),
            SourceKeyId=self._arn(wrapped.version),
            SourceEncryptionContext=_named(context),
            DestinationKeyId=self._arn(version),
            DestinationEncryptionContext=_named(context),
        )
        return self._wrapped(said, version)

    def check_value(self, version: int) -> bytes:
        """Commit to the key's ARN: KMS shows nothing of the key itself."""
        said = self._ask("DescribeKey", KeyId=self._arn(version))
        return sha256(label(self.name, self.key_id, version) + said["KeyMetadata"]["Arn"].encode())[
            :16
        ]

    def destroy(self, version: int) -> None:
        """Schedule the key's deletion; until then an owner of the account may cancel it."""
        self._ask("ScheduleKeyDeletion", KeyId=self._arn(version), PendingWindowInDays=WAITING_DAYS)

    def _arn(self, version: int) -> str:
        if not 1 <= version <= len(self._keys):
            raise KeyUnavailable(f"key {version} of KMS is not configured")
        return self._keys[version - 1]

    def _wrapped(self, said: dict[str, Any], version: int) -> Wrapped:
        blob = _octets(said, "CiphertextBlob")
        return Wrapped(provider=self.name, key_id=self.key_id, version=version, blob=blob)

    def _ask(self, action: str, **members: Any) -> dict[str, Any]:
        content = json.dumps(members).encode()
        headers = signed_headers(
            self._credentials(),
            method="POST",
            path="/",
            headers={
                "content-type": "application/x-amz-json-1.1",
                "host": self._host,
                "x-amz-target": f"TrentService.{action}",
            },
            body=content,
            region=self._region,
            service="kms",
            now=self._clock(),
        )
        return self._caller.ask("POST", "/", headers=headers, content=content, refusals=_REFUSALS)

    def _credentials(self) -> Credentials:
        lines = read_private_file(self._credentials_file).split()
        if len(lines) not in {2, 3}:
            raise KeyUnavailable("the file of KMS's credentials has two or three lines")
        return Credentials(access=lines[0], secret=lines[1], session="".join(lines[2:]))


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _named(context: bytes) -> dict[str, str]:
    return {"tawny": sha256(context).hex()}


def _octets(said: dict[str, Any], member: str) -> bytes:
    try:
        return base64.b64decode(said[member], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise KeyUnavailable(f"KMS's answer holds no {member}") from None
