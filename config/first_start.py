"""What a deployment on one machine needs before it can serve: keys, a tenant, an owner.

Each piece is made where it is missing and left alone where it is not, so that a start that was
interrupted goes on at the next one.
"""

import os
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils.module_loading import import_string

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from config.settings import signing
from console.actions import create_staff
from console.models import Role, Staff
from crypto import signatures
from crypto.random import random_bytes
from tenants.actions import create_tenant
from tenants.keys import peppers
from tenants.keys.root import read_key_file, root_file
from tenants.models import Tenant

SYSTEM = Actor(kind="system", id="first-start")
REASON = "first start"
OWNER = "owner"
TENANT = "first tenant"


def make_key_files() -> None:
    """Make the root key and the checkpoint key where they are missing."""
    home = Path(settings.CHECKPOINT_FILE).parent
    write_once(home / "origin", f"tawny.example/embedded/{random_bytes(8).hex()}".encode())
    origin = (home / "origin").read_text("ascii").strip()
    keys = Path(settings.ROOT_KEY_FILE).parent
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    # a first root key that was retired stays away: its later version is what root_file() names
    write_once(Path(root_file()), random_bytes(32).hex().encode())
    write_once(
        Path(settings.CHECKPOINT_KEY_FILE),
        signatures.encode_private(signatures.generate(origin)),
    )


def write_once(path: Path, content: bytes) -> None:
    """Write a file of mode 0400 whole or not at all; keep one that is there."""
    if path.exists():
        return
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)  # the name too must outlive a power cut: rows are
    try:  # sealed under the key from the next moment on
        os.fsync(folder)
    finally:
        os.close(folder)


def keep_peppers(*, now: datetime) -> None:
    """Make the first pepper, or take an older home's out of its files, which go when it is kept."""
    peppers.adopt(actor=SYSTEM, now=now)
    peppers.primary_pepper()
    for version, path in settings.PEPPERS.items():
        file = Path(path)
        if file.exists() and peppers.pepper(version) == read_key_file(path):
            file.unlink()


def keep_signing_key() -> None:
    """Make Django's signing key, or take an older home's out of its file, which then goes."""
    file = Path(settings.SECRET_KEY_FILE)
    kept = signing.key(str(file))
    if file.exists() and file.read_text("ascii").strip() == kept:
        file.unlink()


def make_first_accounts(*, now: datetime) -> dict[str, str]:
    """Make a tenant and a staff owner, and what the deployment's own steps make.

    Returns what is shown once: only of what was made now.
    """
    shown: dict[str, str] = {}
    if not Tenant.objects.exists():
        new = create_tenant(name=TENANT, actor=SYSTEM, reason=REASON, now=now)
        shown |= {"tenant": str(new.tenant.id), "api_key": new.api_key}
    if not Staff.objects.exists():
        staff = create_staff(username=OWNER, role=Role.OWNER, actor=SYSTEM, reason=REASON, now=now)
        shown |= {
            "console_username": OWNER,
            "console_password": staff.password,
            "totp_secret": staff.totp_secret,
            "otpauth_uri": staff.otpauth_uri,
        }
    for step in settings.FIRST_START_STEPS:
        import_string(step)(actor=SYSTEM, now=now)
    if shown:
        record(event=EventType.SYSTEM_FIRST_START, actor=SYSTEM, now=now, reason=REASON)
    return shown
