"""The two ceremonies of a passkey: it is made, it answers a challenge. The package does the sums.

A challenge is 512 random bits in the session that asked for it, with a row that whoever takes the
answer deletes first: of two that send one answer at once, one is looked at. It lives five minutes,
for one purpose, and a newer one of its session ends it.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django_otp_webauthn.exceptions import OTPWebAuthnApiError
from django_otp_webauthn.helpers import WebAuthnHelper
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from console.models import Passkey, PasskeyChallenge, Staff, device_id
from crypto.ids import uuid7

LIFE = timedelta(minutes=5)
"""How long a challenge waits: as long as the browser is told to wait for the person."""
ANSWER_LIMIT = 1 << 16
"""Bytes of an answer that are read: one without attestation has some hundreds."""
WAITING = "staff_passkey_challenge"
"""Session entry: the challenge that waits."""
UNFIT = (WebAuthnException, OTPWebAuthnApiError, ValueError)
"""What the package and its library raise for an answer that is not right; the last is a text that
is no base 64."""


class Purpose(StrEnum):
    """What a challenge is for; an answer counts for that alone."""

    SIGN_IN = "sign_in"
    STEP_UP = "step_up"
    ADD = "add"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a browser sent, and the state of the challenge that it answers."""

    state: dict[str, Any]
    sent: dict[str, Any]

    def __repr__(self) -> str:
        return "Answer()"


class Ceremony(WebAuthnHelper):  # type: ignore[misc] # the package ships no types
    """The package's ceremonies as we hold them.

    The person is verified each time; a passkey can be found without a list of a person's passkeys,
    so that a sign-in tells nobody who has one; nothing is kept of the authenticator's attestation.
    """

    def __init__(self, request: HttpRequest, *, name: str = "") -> None:
        super().__init__(request)
        self.name = name

    def get_user_entity(self, user: Staff) -> PublicKeyCredentialUserEntity:
        """Name a person to the authenticator: by an id that tells it nothing else."""
        return PublicKeyCredentialUserEntity(
            id=user.id.bytes, name=user.username, display_name=user.username
        )

    def get_generate_registration_options_kwargs(self, *, user: Staff) -> dict[str, Any]:
        """Ask for a passkey that verifies its owner and can be found by the site's name."""
        options: dict[str, Any] = super().get_generate_registration_options_kwargs(user=user)
        options["authenticator_selection"] = AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options

    def create_credential(self, *args: Any, **kwargs: Any) -> Passkey:
        """Make the row of a passkey, not saved yet."""
        passkey: Passkey = super().create_credential(*args, **kwargs)
        passkey.id, passkey.name = device_id(), self.name
        return passkey

    def _check_discoverable(self, original_data: dict[str, Any]) -> bool | None:
        """Return what the browser says of it; nothing depends on it, and it may say anything."""
        said: Any = original_data
        for key in ("clientExtensionResults", "credProps", "rk"):
            said = said.get(key) if isinstance(said, dict) else None
        return said if isinstance(said, bool) else None

    def create_attestation(self, *_args: Any, **_kwargs: Any) -> None:
        """Keep nothing: none was asked for."""


def is_offered(request: HttpRequest) -> bool:
    """Say whether a browser can use passkeys where it is: under a name, over TLS or localhost."""
    here = f"{request.scheme}://{request.get_host()}"
    return here in settings.OTP_WEBAUTHN_ALLOWED_ORIGINS


def challenge(
    request: HttpRequest, *, purpose: Purpose, staff: Staff | None, now: datetime
) -> dict[str, Any]:
    """Return what a browser needs for a ceremony, and keep its challenge in the session.

    `staff` is who is signed in; a sign-in has nobody, and so no list of passkeys either.
    """
    _drop(request.session.pop(WAITING, None))
    ceremony = Ceremony(request)
    if purpose is Purpose.ADD:
        options, state = ceremony.register_begin(user=staff)
    else:
        options, state = ceremony.authenticate_begin(user=staff, require_user_verification=True)
    row = PasskeyChallenge.objects.create(id=uuid7(now), expires_at=now + LIFE)
    request.session[WAITING] = {**state, "id": str(row.id), "purpose": str(purpose)}
    assert isinstance(options, dict)
    return options


def answer(request: HttpRequest, *, purpose: Purpose, now: datetime) -> Answer | None:
    """Take the answer to the session's challenge; ``None`` where none waits for it, or any more.

    The challenge is used up whatever the answer is worth. Not in a transaction that may roll back.
    """
    state = request.session.pop(WAITING, None)
    live = _drop(state, now=now)
    if not live or not state["require_user_verification"] or state["purpose"] != purpose:
        return None
    sent = _sent(request)
    return None if sent is None else Answer(state=state, sent=sent)


def prune(*, now: datetime) -> None:
    """Drop challenges that nobody answered."""
    PasskeyChallenge.objects.filter(expires_at__lte=now).delete()


def _drop(state: dict[str, Any] | None, *, now: datetime | None = None) -> bool:
    """Use a challenge up; say whether it was there, and not over at `now`."""
    if state is None:
        return False
    rows = PasskeyChallenge.objects.filter(pk=UUID(state["id"]))
    if now is not None:
        rows = rows.filter(expires_at__gt=now)
    return rows.delete()[0] == 1


def _sent(request: HttpRequest) -> dict[str, Any] | None:
    if len(request.body) > ANSWER_LIMIT:
        return None
    try:
        sent = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return sent if isinstance(sent, dict) else None
