"""Passkeys and the challenges that wait for one: rows of `console.models`, which imports them.

They stand apart because the package asks for the model of staff as it is imported.
"""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django_otp_webauthn.models import (
    AbstractWebAuthnCredential,
    WebAuthnCredentialManager,
)


class Passkey(AbstractWebAuthnCredential):  # type: ignore[misc] # the package ships no types
    """A passkey: the public half of a key that a person's device keeps. Nothing here is secret.

    It was made with the person verified (PIN, finger, face), and is used only so.
    """

    id: "models.BigIntegerField[int, int]" = models.BigIntegerField(primary_key=True)

    objects: "ClassVar[models.Manager[Passkey]]" = WebAuthnCredentialManager()

    class Meta:
        db_table = "staff_passkey"

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"

    @classmethod
    def get_by_credential_id(cls, credential_id: bytes) -> "Passkey":
        """Return a passkey in use, locked, so that its counter is compared and set in one step.

        Raises ``Passkey.DoesNotExist``. In the caller's transaction.
        """
        digest = cls.get_credential_id_sha256(credential_id)
        rows = cls.objects.select_for_update(of=("self",))
        return rows.get(credential_id_sha256=digest, confirmed=True, user__is_active=True)

    def verify_token(self, _token: str) -> bool:
        """Refuse: a passkey signs a challenge, and knows no code."""
        return False


class PasskeyChallenge(models.Model):
    """A challenge that waits for its answer. Whoever deletes the row may look at one answer.

    The challenge itself is in the session that asked for it.
    """

    id = models.UUIDField(primary_key=True)
    expires_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField()

    class Meta:
        db_table = "staff_passkey_challenge"
        indexes = [models.Index(fields=("expires_at",), name="staff_passkey_challenge_age")]

    def __str__(self) -> str:
        return f"a challenge until {self.expires_at:%Y-%m-%dT%H:%MZ}"


def is_passkey(device: Any) -> bool:
    """Say whether a second factor is one that no look-alike site can pass on."""
    return isinstance(device, Passkey)
