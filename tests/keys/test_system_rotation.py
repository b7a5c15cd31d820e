"""The deployment's own secret is rotated while it serves, and goes on where it was killed."""

import ast
import itertools
import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings as deployment
from django.core.management import call_command
from django.db import connections

from audit.actors import Actor
from config.embedded.state import REPOSITORY
from console.actions import create_staff
from console.models import Role, TOTPDevice
from crypto import envelope
from tenants import keys, letters
from tenants.actions import rotation, system_rotation
from tenants.errors import UnfitTerms
from tenants.keys import resealing, secrets, system
from tenants.keys.keyring import Name
from tenants.models import Letter, SystemKey, SystemState

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])

ACTOR = Actor(kind="shell", id="test")


class Killed(BaseException):
    """As sudden as a kill: nothing that handles exceptions handles it."""


@pytest.fixture(autouse=True)
def root(settings: Any, tmp_path: Path) -> Path:
    """A root key of the test's own, so that no other test's is rotated."""
    path = tmp_path / "root"
    path.write_text(Path(deployment.ROOT_KEY_FILE).read_text())
    path.chmod(0o400)
    settings.ROOT_KEY_FILE = str(path)
    keys.forget()
    return path


def rotate(now: datetime, **options: Any) -> system_rotation.SystemRotated:
    return system_rotation.rotate_system(
        actor=ACTOR, reason="test", now=now, sleep=lambda _: None, **options
    )


def fill(now: datetime) -> None:
    """Seal something in every registered table."""
    create_staff(username="owner", role=Role.OWNER, actor=ACTOR, reason="test", now=now)
    for _ in range(resealing.BATCH + 5):
        letters.post(letters.Reset(mailbox="a@example.com"), now=now)
    secrets.put("feeds/one", b"value", actor=ACTOR, now=now)


def all_open() -> bool:
    for row in Letter.objects.all():
        assert keys.system_unseal(letters.SYSTEM_KEY, bytes(row.sealed), row.id)
    for device in TOTPDevice.objects.all():
        assert len(device.seed()) >= 20
    return secrets.get("feeds/one") == b"value"


def ids() -> set[UUID]:
    """The keys under which the registered tables are sealed."""
    sealed = [bytes(row.sealed) for row in Letter.objects.all()]
    sealed += [bytes(row.sealed_seed) for row in TOTPDevice.objects.all()]
    return {envelope.key_id(each) for each in sealed}


def test_what_is_sealed_is_sealed_anew_and_tags_stay(now: datetime) -> None:
    fill(now)
    tag, before = keys.system_key("member_mail"), ids()
    cached = keys.system_seal("wisdom-cache", b"report", b"name")
    done = rotate(now)
    assert (done.version, done.left, done.resumed) == (2, 0, False)
    assert done.resealed == resealing.BATCH + 5 + 1 + 1
    assert not ids() & before
    assert all_open()
    assert system_rotation.sealed_left() == {"letter": 0, "named_secret": 0, "staff_totp": 0}
    assert keys.system_key("member_mail") == tag
    assert keys.system_unseal("wisdom-cache", cached, b"name") == b"report"
    assert rotate(now).version == 3
    assert all_open()


def test_a_rotation_of_the_root_wraps_every_version_anew(now: datetime, root: Path) -> None:
    fill(now)
    rotate(now)
    done = rotation.rotate(actor=ACTOR, reason="test", now=now, sleep=lambda _: None)
    assert done.rewrapped == 2
    old = Name("file", "root", 1)
    rotation.retire(name=old, actor=ACTOR, reason="test", now=now + timedelta(minutes=2))
    assert not root.exists()
    assert all_open()
    assert rotate(now).version == 3


def test_a_process_that_has_not_reported_holds_the_rotation_up(now: datetime) -> None:
    fill(now)
    with connections["keys"].cursor() as cursor:
        cursor.execute("INSERT INTO keyring_reader VALUES ('elsewhere:1', '[]', clock_timestamp())")
    with pytest.raises(UnfitTerms, match="elsewhere:1"):
        rotate(now, wait=2)
    assert SystemKey.objects.using("keys").get(version=2).state == SystemState.DECRYPT
    before = ids()
    letters.post(letters.Reset(mailbox="b@example.com"), now=now)
    assert ids() == before
    with connections["keys"].cursor() as cursor:
        cursor.execute(
            "UPDATE keyring_reader SET versions = %s WHERE process = 'elsewhere:1'",
            [json.dumps(["deployment:system:2"])],
        )
    assert rotate(now).resumed
    assert all_open()


def test_a_process_that_still_believes_in_the_older_version_loses_nothing(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(now)
    stale = system._known()
    rotate(now)
    with monkeypatch.context() as patch:
        patch.setattr(system._cache, "known", stale)
        late = keys.system_seal("totp_seed", b"seed", 1)
        newer = Letter.objects.all()[0]
        assert keys.system_unseal(letters.SYSTEM_KEY, bytes(newer.sealed), newer.id)
    keys.forget()
    assert keys.system_unseal("totp_seed", late, 1) == b"seed"


def test_a_row_that_nobody_can_open_is_counted_and_not_touched(now: datetime) -> None:
    fill(now)
    sealed = keys.system_seal(letters.SYSTEM_KEY, b"x", uuid4())
    row = Letter.objects.first()
    assert row is not None
    Letter.objects.filter(id=row.id).update(sealed=sealed)
    done = rotate(now)
    assert done.left == 1
    assert bytes(Letter.objects.get(id=row.id).sealed) == sealed
    again = rotate(now)
    assert (again.version, again.resumed, again.left) == (3, False, 1)


STEPS = ["await_readers", "_promote", "_reseal_all", "record"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_rotation_killed_at_any_step_goes_on_with_nothing_lost(
    now: datetime, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    fill(now)
    ended = threading.Event()
    failed: list[BaseException] = []

    def serve() -> None:
        try:
            while not ended.is_set():
                assert all_open()
        except BaseException as error:  # noqa: BLE001 -- told to the test
            failed.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=serve)
    thread.start()
    real: Callable[..., Any] = getattr(system_rotation, step)
    calls = itertools.count()

    def killed(*arguments: Any, **options: Any) -> Any:
        fatal = next(calls) == (1 if step in {"_reseal_all", "record"} else 0)
        if fatal and when == "before":
            raise Killed
        said = real(*arguments, **options)
        if fatal:
            raise Killed
        return said

    try:
        monkeypatch.setattr(system_rotation, step, killed)
        with pytest.raises(Killed):
            rotate(now)
        monkeypatch.setattr(system_rotation, step, real)
        done = rotate(now)
    finally:
        ended.set()
        thread.join(20)
    assert failed == []
    assert (done.version, done.left) == (2, 0)
    assert len(ids()) == 2
    assert all_open()


def test_the_command_rotates(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(now)
    monkeypatch.setattr(system_rotation, "LOOKED_SECONDS", -1.0)
    out = StringIO()
    call_command("keys", "rotate-system", "--json", stdout=out, stderr=StringIO())
    said = json.loads(out.getvalue().splitlines()[-1])
    assert (said["version"], said["left"]) == (2, 0)


def test_every_purpose_that_is_sealed_is_registered_or_expires() -> None:
    purposes = {each.purpose for each in resealing.registered()} | resealing.EXPIRING
    assert purposes == {"letter", "named-secret", "totp_seed", "mail_link", "wisdom-cache"}
    found = set()
    for package in ("config", "console", "analytics", "wisdom", "feeds", "tenants"):
        for path in (REPOSITORY / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and "system_seal" in ast.unparse(node.func):
                    found.add(f"{path.parent.name}/{path.name}:{ast.unparse(node.args[0])}")
    assert found == {
        "console/models.py:SEED_PURPOSE", "tenants/letters.py:SYSTEM_KEY",
        "tenants/links.py:SYSTEM_KEY", "actions/reports.py:PURPOSE", "keys/secrets.py:PURPOSE",
        "keys/resealing.py:sealed.purpose",
    }  # fmt: skip
