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


class Staff(AbstractBaseUser):  # type: ignore[django-manager-missing] # of the untyped device
    """A person who may sign in to the console. Rows are never deleted: the log names them."""

    id = models.UUIDField(primary_key=True)
    username = models.CharField(max_length=63, unique=True)
    role = models.CharField(max_length=16, choices=Role)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    must_replace_mfa = models.BooleanField(default=False)
    session_epoch = models.PositiveIntegerField(default=0)

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
