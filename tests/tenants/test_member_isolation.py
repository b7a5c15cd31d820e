"""A person is found across tenants by an address alone, and nothing else of anybody shows."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from audit.actors import Actor
from tenants import members
from tenants.actions import create_tenant, invite, register
from tenants.links import Role
from tenants.models import Member
from tenants.scope import tenant_scope
from tests.tenants.doors import mailed, post

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])
SHELL = Actor(kind="shell", id="test")
ANN, BOB = "ann@example.org", "bob@example.org"


@pytest.fixture
def two(tenant: tuple[UUID, str], now: datetime) -> tuple[UUID, UUID]:
    """Two tenants: Ann is proven in both, Bob was named in the second and never answered."""
    second = create_tenant(name="second.example", actor=SHELL, reason="test", now=now).tenant.id
    for each in (tenant[0], second):
        _name(each, ANN, now)
    for link in mailed(now):
        post(link, b"")
    _name(second, BOB, now)
    return tenant[0], second


@pytest.fixture
def now() -> datetime:
    """A moment at which links that were just mailed still live by the views' own clock."""
    return datetime.now(UTC)


def _name(tenant: UUID, email: str, now: datetime) -> None:
    details = members.Details(name="X", email=email)
    invite(tenant=tenant, details=details, role=Role.OWNER, actor=SHELL, reason="test", now=now)


def test_the_tenants_of_a_proven_address_are_found(two: tuple[UUID, UUID]) -> None:
    assert set(members.tenants_of(members.mail_tag(ANN))) == set(two)
    assert members.tenants_of(members.mail_tag(BOB)) == []
    assert members.tenants_of(members.mail_tag("nobody@example.org")) == []


@pytest.mark.usefixtures("two")
def test_without_a_tag_or_a_scope_nobody_shows() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM member")
        assert cursor.fetchone()[0] == 0
    members.tenants_of(members.mail_tag(ANN))
    with connection.cursor() as cursor:  # nothing of the question stays on the connection
        cursor.execute("SELECT count(*) FROM member")
        assert cursor.fetchone()[0] == 0


def test_a_tag_shows_its_own_rows_and_changes_none(two: tuple[UUID, UUID]) -> None:
    tag = members.mail_tag(ANN).hex()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.mail_tag', %s, true)", [tag])
        cursor.execute("SELECT count(*) FROM member")
        assert cursor.fetchone()[0] == 2
        cursor.execute("UPDATE member SET role = 'member'")
        assert cursor.rowcount == 0
    with tenant_scope(two[1]):
        assert Member.objects.count() == 2


def test_the_same_person_looks_different_in_each_tenant_until_proven(
    two: tuple[UUID, UUID],
) -> None:
    first, second = (members.mail_index(tenant, ANN) for tenant in two)
    assert first != second
    with tenant_scope(two[1]):
        bob = Member.objects.get(mail_index=members.mail_index(two[1], BOB))
    assert bob.mail_tag is None


def test_a_tag_needs_a_proof(two: tuple[UUID, UUID]) -> None:
    with pytest.raises(DatabaseError, match="member_tag_is_proven"), tenant_scope(two[1]):
        Member.objects.filter(verified_at=None).update(mail_tag=members.mail_tag(BOB))


def test_a_person_is_named_once_in_a_tenant(two: tuple[UUID, UUID], now: datetime) -> None:
    details = members.Details(name="Again", email=BOB)
    register(tenant=two[1], details=details, role=Role.MEMBER, actor=SHELL, now=now)
    with tenant_scope(two[1]):
        assert Member.objects.count() == 2
