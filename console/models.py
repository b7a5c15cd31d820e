"""Staff, their second factor, and how often a sign-in may be tried."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django_otp.models import (  # type: ignore[import-untyped] # it ships no types
    Device,
    DeviceManager,
    ThrottlingMixin,
    VerifyNotAllowed,
)

from crypto import mac, otp
from crypto.random import random_bytes
from tenants import keys

SEED_PURPOSE = "totp_seed"
USERNAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,62}$"
"""Lower case only: two accounts never differ in case alone."""

LONGEST_WAIT = timedelta(minutes=30)
"""The longest pause after wrong codes. Somebody who knows the password has at most 11 + 47 tries a
day of a million codes (6e-5), and whom they keep out is out for half an hour, not for days."""


class Role(models.TextChoices):
    """What a person on the console may do; which page asks for which is said at the page."""

    OWNER = "owner"
    OPERATOR = "operator"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    SEALED = "sealed"  # an account in an envelope, which is a second person in an emergency


class Theme(models.TextChoices):
    """How a person wants the console painted; nothing chosen is as the browser prefers."""

    SYSTEM = ""
    LIGHT = "light"
    DARK = "dark"


class Staff(AbstractBaseUser):  # type: ignore[django-manager-missing] # of the untyped device
    """A person who may sign in to the console. Rows are never deleted: the log names them.

    ``enrolled_at`` is when they first had a confirmed authenticator, None for somebody invited;
    ``recovered_at`` when a recovery code last opened a session, None once new codes were made.
    ``vouches_from`` is from when an owner counts as a second person, None: since ever.
    ``passkeys_changed_at`` is when a passkey last came or went, None once they have said they know.
    """

    id = models.UUIDField(primary_key=True)
    username = models.CharField(max_length=63, unique=True)
    role = models.CharField(max_length=16, choices=Role)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    must_replace_mfa = models.BooleanField(default=False)
    session_epoch = models.PositiveIntegerField(default=0)
    enrolled_at = models.DateTimeField(null=True)
    recovered_at = models.DateTimeField(null=True)
    vouches_from = models.DateTimeField(null=True)
    passkeys_changed_at = models.DateTimeField(null=True)
    theme = models.CharField(max_length=5, choices=Theme, default=Theme.SYSTEM, blank=True)

    objects = BaseUserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["role"]

    class Meta:
        db_table = "staff"
        ordering = ("username",)
        constraints = [
            models.CheckConstraint(
                name="staff_role_known", condition=models.Q(role__in=Role.values)
            ),
            models.CheckConstraint(
                name="staff_username_fit",
                condition=models.Q(username__regex=USERNAME_PATTERN),
            ),
            models.CheckConstraint(
                name="staff_theme_known", condition=models.Q(theme__in=Theme.values)
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what a session must carry: another password, role or epoch ends it."""
        return salted_hmac(
            "console.models.Staff.session",
            f"{self.password}|{self.role}|{self.session_epoch}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()


def device_id() -> int:
    """Return a random 63-bit id: a seed is sealed to it before it is stored.

    An integer, because django-otp reads device ids as such.
    """
    return int.from_bytes(random_bytes(8), "big") >> 1


class TOTPDevice(ThrottlingMixin, Device):  # type: ignore[misc] # django-otp ships no types
    """An authenticator app. Its seed is sealed to this row and its owner.

    A code counts in its own thirty seconds only (ASVS 6.5.5) and once (6.5.1).
    """

    id: "models.BigIntegerField[int, int]" = models.BigIntegerField(primary_key=True)
    sealed_seed: "models.BinaryField[bytes, bytes]" = models.BinaryField()
    last_step: "models.BigIntegerField[int, int]" = models.BigIntegerField(default=-1)
    created_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField()

    objects: "ClassVar[models.Manager[TOTPDevice]]" = DeviceManager()

    class Meta:
        db_table = "staff_totp"
        constraints = [
            models.UniqueConstraint(
                fields=("user",), name="staff_totp_one", condition=models.Q(confirmed=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"

    def seal(self, seed: bytes) -> None:
        """Keep a seed, sealed under the deployment's key to this owner and device."""
        self.sealed_seed = keys.system_seal(SEED_PURPOSE, seed, self.user_id, self.id)

    def seed(self) -> bytes:
        """Return the seed; raises ``crypto.errors.CryptoError`` for another row's."""
        return keys.system_unseal(SEED_PURPOSE, bytes(self.sealed_seed), self.user_id, self.id)

    def waits_until(self) -> datetime | None:
        """Return until when no code is looked at: 1, 2, 4, ... s after each failure in a row."""
        if not self.throttling_failure_count or self.throttling_failure_timestamp is None:
            return None
        doublings = min(self.throttling_failure_count - 1, 11)  # 2^11 s are past LONGEST_WAIT
        pause = min(timedelta(seconds=self.get_throttle_factor() * 2**doublings), LONGEST_WAIT)
        until: datetime = self.throttling_failure_timestamp + pause
        return until

    def accept(self, code: str, *, now: datetime) -> bool:
        """Say whether `code` is this period's and unused, and remember that it was tried.

        The caller holds the row's lock (`locked`), or two requests could use one code.
        """
        until = self.waits_until()
        if until is not None and now < until:
            return False
        step = otp.step(now)
        right = mac.equal(code.encode(), otp.totp(self.seed(), at=now).encode())
        fresh = step > self.last_step
        if right and fresh:
            self.last_step = step
            self.throttling_failure_timestamp = None
            self.throttling_failure_count = 0
        else:
            self.throttling_failure_timestamp = now
            self.throttling_failure_count += 1
        self.save(
            update_fields=["last_step", "throttling_failure_timestamp", "throttling_failure_count"]
        )
        return right and fresh

    @classmethod
    def locked(cls, **where: Any) -> "TOTPDevice | None":
        """Return the one device that `where` names, locked until the transaction ends."""
        device: TOTPDevice | None = cls.objects.select_for_update().filter(**where).first()
        return device

    # -- what django-otp asks of a device

    def get_throttle_factor(self) -> int:
        """Return the seconds of the first pause."""
        return 1

    def verify_is_allowed(self) -> tuple[bool, dict[str, Any] | None]:
        """Say whether a code would be looked at now."""
        until = self.waits_until()
        if until is None or timezone.now() >= until:
            return True, None
        return False, {
            "reason": VerifyNotAllowed.N_FAILED_ATTEMPTS,
            "failure_count": self.throttling_failure_count,
            "locked_until": until,
        }

    def verify_token(self, token: str) -> bool:
        """Verify a code on the row as it is now, whatever was loaded before, and under its lock."""
        with transaction.atomic():
            device = type(self).locked(pk=self.pk)
            return device is not None and device.accept(str(token), now=timezone.now())


class RecoverySheet(Device):  # type: ignore[misc] # django-otp ships no types
    """Ten recovery codes, as the device that proved a session which one of them opened."""

    id: "models.BigIntegerField[int, int]" = models.BigIntegerField(primary_key=True)
    created_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField()

    objects: "ClassVar[models.Manager[RecoverySheet]]" = DeviceManager()

    class Meta:
        db_table = "staff_recovery_sheet"
        constraints = [
            models.UniqueConstraint(fields=("user",), name="staff_recovery_sheet_one"),
        ]

    def __str__(self) -> str:
        return f"recovery codes of {self.user_id}"

    def verify_token(self, token: str) -> bool:  # noqa: ARG002 -- django-otp's signature
        """Refuse: a recovery code is used by `console.recovery` alone, which counts and records."""
        return False


class RecoveryCode(models.Model):
    """A code that opens one session when the authenticator is lost.

    ``selector`` finds the row without hashing ten times; it is no part of the secret.
    """

    id = models.UUIDField(primary_key=True)
    sheet = models.ForeignKey(RecoverySheet, on_delete=models.CASCADE, related_name="codes")
    selector = models.CharField(max_length=2)
    hash = models.CharField(max_length=128)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "staff_recovery_code"
        constraints = [
            models.UniqueConstraint(
                fields=("sheet", "selector"), name="staff_recovery_code_selector"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.selector}-…"


class Invite(models.Model):
    """A link by which an invited person sets a password and enrols; one a person at most.

    Kept is the keyed hash of its token.
    """

    staff = models.OneToOneField(Staff, on_delete=models.CASCADE, primary_key=True)
    mac = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "staff_invite"

    def __str__(self) -> str:
        return f"invitation of {self.staff_id}"


class SignIn(models.Model):
    """A session as its owner sees it: since when, from where, by which device.

    It holds no session key: a session names its row, and without a live row it is over.
    """

    id = models.UUIDField(primary_key=True)
    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="sign_ins")
    device = models.CharField(max_length=64)
    network = models.CharField(max_length=64)
    browser = models.CharField(max_length=64)
    begun_at = models.DateTimeField()
    used_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "staff_sign_in"
        indexes = [models.Index(fields=("staff", "begun_at"), name="staff_sign_in_recent")]

    def __str__(self) -> str:
        return f"{self.staff_id} since {self.begun_at:%Y-%m-%dT%H:%MZ}"


class LoginWindow(models.Model):
    """Sign-ins tried by one name from one network, or by one network, in one span of time.

    The tag is a keyed hash: the table tells nobody who was tried, or from where.
    """

    pk = models.CompositePrimaryKey("tag", "seconds")
    tag = models.BinaryField(max_length=16)
    seconds = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    attempts = models.PositiveIntegerField()

    class Meta:
        db_table = "staff_login_window"
        indexes = [models.Index(fields=("started_at",), name="staff_login_window_age")]

    def __str__(self) -> str:
        return f"{self.attempts} in {self.seconds} s"


class Notice(models.Model):
    """An alarm that everybody on the console sees until they have acknowledged it.

    It names accounts and no tenant: some who see it see no tenants.
    """

    id = models.UUIDField(primary_key=True)
    words = models.CharField(max_length=300)
    raised_at = models.DateTimeField()

    class Meta:
        db_table = "staff_notice"
        indexes = [models.Index(fields=("raised_at",), name="staff_notice_recent")]

    def __str__(self) -> str:
        return self.words


class NoticeSeen(models.Model):
    """That somebody acknowledged an alarm."""

    pk = models.CompositePrimaryKey("notice_id", "staff_id")
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="seen")
    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        db_table = "staff_notice_seen"

    def __str__(self) -> str:
        return f"{self.staff_id} at {self.at:%Y-%m-%dT%H:%MZ}"


# The package of passkeys asks for `Staff` as it is imported.
from console.passkey_rows import (  # noqa: E402 -- see above
    Passkey as Passkey,  # noqa: PLC0414 -- a model of this app, exported
    PasskeyChallenge as PasskeyChallenge,  # noqa: PLC0414 -- as above
)
