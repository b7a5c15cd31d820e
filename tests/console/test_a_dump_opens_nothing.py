"""Whoever has the staff tables, and nothing else, signs in as nobody (MFA-4).

The hasher is the deployments', at a fraction of its cost. The thief tries everything that the
tables hold, without limit: as password, as code, as seed, as session key, as link.
"""

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from audit.actors import Actor
from console import recovery
from console.invites import invite
from console.models import LoginWindow, Role, Staff, TOTPDevice
from crypto import otp
from tests.console.authenticator import Authenticator
from tests.console.hashing import HASHERS
from tests.console.people import SHELL, Clock, Person
from tests.console.sizes import size

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
PEOPLE = size("people", 5)
Dump = dict[str, list[dict[str, Any]]]


def forms(secret: bytes) -> set[str]:
    """Return how a secret may be written in a text, in small letters."""
    written = {
        secret.hex(),
        base64.b32encode(secret).decode().rstrip("="),
        base64.b64encode(secret).decode().rstrip("="),
        base64.urlsafe_b64encode(secret).decode().rstrip("="),
        secret.decode("latin-1"),
        secret[::-1].hex(),
    }
    return {each.lower() for each in written}


@pytest.fixture
def dumped(as_owner: Callable[..., Any]) -> Callable[[], Dump]:
    """Read every column of every staff table past every right, sessions' among them."""

    def dump() -> Dump:
        with as_owner("default") as session:
            tables = session.execute(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND"
                " (relname ~ '^staff' OR relname ~ '^django_(session|otp)')"
            ).fetchall()
            return {
                table: [
                    row
                    for (row,) in session.execute(
                        f"SELECT to_jsonb(t) FROM {table} t"  # noqa: S608 -- a name of the catalogue
                    )
                ]
                for (table,) in tables
            }

    return dump


@pytest.fixture
def crowd(person: Callable[..., Person], clock: Clock, settings: Any) -> dict[str, bytes]:
    """Make people with all that one can have; return what the database must not give away."""
    settings.PASSWORD_HASHERS = HASHERS
    secrets = dict[str, bytes]()
    for number in range(PEOPLE):
        jo = person(f"jo{number}").sign_in()
        Authenticator.at("localhost").enrolled(jo)
        actor = Actor(kind="staff", id=str(jo.staff.id))
        codes = recovery.make_codes(staff=jo.staff, actor=actor, now=clock.now)
        jo.submit(**{"with": "passkey"}, address=f"198.51.{number}.1")
        jo.browser = Client()
        secrets[f"seed {number}"] = jo.device.seed()
        secrets[f"password {number}"] = jo.new.password.encode()
        for place, code in enumerate(codes):
            secrets[f"code {number}.{place}"] = code[3:].replace("-", "").encode()
        clock.advance(seconds=30)
        jo.sign_in()
        key = jo.browser.cookies[django_settings.SESSION_COOKIE_NAME].value
        secrets[f"session {number}"] = str(key).encode()
    made = invite(username="guest", role=Role.OWNER, actor=SHELL, reason="a test", now=clock.now)
    secrets["invitation"] = made.link.split("/")[-2].encode()
    return secrets


def values(row: object) -> Iterator[str]:
    """Yield every text and number of a row, and the parts of a password's hash."""
    if isinstance(row, dict | list):
        for each in row.values() if isinstance(row, dict) else row:
            yield from values(each)
    elif row is not None:
        text = str(row)
        yield text
        if "$" in text:
            yield from text.split("$")


def raw(text: str) -> Iterator[bytes]:
    """Yield the bytes that a text may stand for."""
    yield text.encode()
    if re.fullmatch(r"\\x(?:[0-9a-f]{2})+", text):
        yield bytes.fromhex(text[2:])


def test_no_seed_code_password_link_or_session_key_is_in_any_column(
    crowd: dict[str, bytes],
    dumped: Callable[[], Dump],
    record_property: Callable[[str, object], None],
) -> None:
    secrets = crowd
    dump = dumped()
    text = str(dump).lower()
    found = [name for name, secret in secrets.items() if any(f in text for f in forms(secret))]
    columns = sum(len(rows[0]) for rows in dump.values() if rows)
    record_property(
        "MFA-4",
        f"{len(secrets)} secrets of {PEOPLE} people in 6 writings: {len(found)} in "
        f"{columns} columns of {len(dump)} tables",
    )
    assert found == []
    kept = [row["hash"] for row in dump["staff_recovery_code"]]
    kept += [row["password"] for row in dump["staff"] if row["password"] != "!"]
    assert len(kept) == 11 * PEOPLE
    assert all(each.startswith("argon2$argon2id$") for each in kept)
    assert {"staff_totp", "staff_passkey", "django_session", "staff_invite"} <= set(dump)
    assert len(dump["django_session"]) >= PEOPLE


@pytest.mark.usefixtures("crowd")
def test_nothing_that_the_tables_hold_signs_anybody_in(
    dumped: Callable[[], Dump],
    clock: Clock,
    record_property: Callable[[str, object], None],
) -> None:
    dump = dumped()
    mine: dict[str, set[str]] = {}
    for table, rows in dump.items():
        for row in rows:
            owner = str(row.get("user_id") or row.get("staff_id") or row.get("id") or table)
            mine.setdefault(owner, set()).update(values(row))
    tried = opened = 0
    for staff in Staff.objects.filter(username__startswith="jo"):
        kept = mine[str(staff.id)]
        codes = {
            otp.totp(seed, at=clock.now)
            for text in kept
            for whole in raw(text)
            for seed in {whole[:20], whole[-20:], whole, whole[28:48]}
        } | {each for each in kept if len(each) <= 32}
        likely = {each for each in kept if 12 <= len(each) <= 200}
        for number, (password, code) in enumerate(attempts(likely, codes)):
            LoginWindow.objects.all().delete()
            TOTPDevice.objects.update(throttling_failure_count=0)
            form = {"username": staff.username, "password": password, "code": code}
            answer = Client().post("/console/login/", form, REMOTE_ADDR=f"198.51.{number % 250}.1")
            assert answer.status_code == 403
            tried += 1
            opened += "Location" in answer
    for text in {text for rows in dump.values() for text in values(rows)}:
        browser = Client()
        browser.cookies[django_settings.SESSION_COOKIE_NAME] = text
        opened += browser.get("/console/account/").status_code == 200
        tried += 1
    for text in values(dump["staff_invite"]):
        for token in (text, *(base64.urlsafe_b64encode(r).decode().rstrip("=") for r in raw(text))):
            if re.fullmatch(r"[\w-]{1,64}", token, re.ASCII):
                opened += Client().get(f"/console/invite/{token}/").status_code == 200
                tried += 1
    record_property(
        "MFA-4", f"{tried} tries with what {PEOPLE} people's tables hold: {opened} opened"
    )
    assert opened == 0


def attempts(passwords: set[str], codes: set[str]) -> Iterator[tuple[str, str]]:
    """Pair each password that the tables suggest with one of the codes that they suggest."""
    ordered = sorted(codes)
    for number, password in enumerate(sorted(passwords)):
        yield password, ordered[number % len(ordered)]


def test_the_real_secrets_would_have_been_found_and_would_have_opened(
    crowd: dict[str, bytes], as_owner: Callable[..., Any], clock: Clock
) -> None:
    """The test of the tests above: a seed written in clear is found, and a real proof opens."""
    secrets = crowd
    with as_owner("default") as session:
        seed = secrets["seed 0"]
        session.execute("UPDATE staff_passkey SET name = %s", [seed.hex()])
        rows = [row for (row,) in session.execute("SELECT to_jsonb(t) FROM staff_passkey t")]
    assert any(form in str(rows).lower() for form in forms(seed))
    clock.advance(minutes=6)
    form = {
        "username": "jo0",
        "password": secrets["password 0"].decode(),
        "code": otp.totp(secrets["seed 0"], at=clock.now),
    }
    assert Client().post("/console/login/", form).status_code == 302
