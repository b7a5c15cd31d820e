import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connections, transaction

from audit import actors
from audit.actors import ANONYMOUS, Actor
from audit.errors import Unrecordable
from audit.events import EventType, Outcome
from audit.models import Entry, Staged, Tally
from audit.record import excerpt, record, tally
from audit.scope import all_tenants_audit
from audit.sequencer import Sequencer

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "wisdom"])

Deed = Callable[..., UUID]
Start = Callable[[], Sequencer]
AsOwner = Callable[..., Any]
InScope = Callable[..., Any]

KEY = Actor(kind="key", id="k1")
HOSTILE = [
    "line\r\nline",
    "\x1b[2J\x1b[31mred",
    "\u202egnp.exe",
    '"},{"event":"forged',
    "\\u0000 \\",
    "\x00\x01\x7f\x85\u2028",
    "\ud800 alone",
    "x" * 1024,
]


def staged(**where: Any) -> list[Staged]:
    with all_tenants_audit("reader", using="default"):
        return list(Staged.objects.filter(**where).order_by("id"))


def test_a_deed_is_one_statement(now: datetime, django_assert_num_queries: Any) -> None:
    tenant = uuid4()
    with django_assert_num_queries(1):
        entry = record(
            event=EventType.KEY_CREATED,
            actor=KEY,
            now=now,
            tenant=tenant,
            resource="key/k2",
            reason="rotation",
            request_id="r1",
            detail={"scopes": "events", "days": 90},
        )
    (row,) = staged(id=entry)
    assert (row.tenant, row.event, row.actor_kind, row.actor_id) == (
        tenant,
        "key.created",
        "key",
        "k1",
    )
    assert (row.resource, row.reason, row.request_id) == ("key/k2", "rotation", "r1")
    assert row.outcome == Outcome.SUCCESS
    assert row.detail == {"scopes": "events", "days": 90}
    assert row.occurred_at == now
    assert row.xid > 0


def test_a_deed_that_is_rolled_back_leaves_no_entry(now: datetime) -> None:
    with transaction.atomic():
        record(event=EventType.KEY_CREATED, actor=KEY, now=now)
        transaction.set_rollback(True)
    assert staged() == []


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_stranger_wrote_is_recorded_as_text(text: str, now: datetime) -> None:
    entry = record(
        event=EventType.AUTH_DENIED,
        actor=Actor(kind="anonymous", id=text[:128]),
        now=now,
        reason=text,
        outcome=Outcome.DENIED,
        detail={"user": text},
    )
    (row,) = staged(id=entry)
    expected = text.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert row.reason == row.detail["user"] == expected


def test_a_megabyte_is_refused_by_name_and_its_excerpt_is_not(now: datetime) -> None:
    with pytest.raises(Unrecordable, match="reason has 1048576 characters; the limit is 1024"):
        record(event=EventType.AUTH_DENIED, actor=ANONYMOUS, now=now, reason="x" * 2**20)
    record(event=EventType.AUTH_DENIED, actor=ANONYMOUS, now=now, reason=excerpt("x" * 2**20))
    assert len(staged()[0].reason) == 1024


@pytest.mark.parametrize(
    "detail",
    [
        {"a": 1.5},
        {"a": True},
        {"a": None},
        {"a": b"bytes"},
        {"a": ["list"]},
        {"a": 2**53},
        {"a": "x" * 1025},
        {"Not a key": 1},
        {"a" * 49: 1},
        {f"key_{n}": "x" * 1000 for n in range(9)},
    ],
)
def test_details_of_another_type_or_size_are_refused(detail: Any, now: datetime) -> None:
    with pytest.raises(Unrecordable):
        record(event=EventType.KEY_CREATED, actor=KEY, now=now, detail=detail)
    assert staged() == []


@pytest.mark.parametrize("field", ["resource", "reason", "request_id"])
def test_every_text_has_a_limit_that_is_named(field: str, now: datetime) -> None:
    text: dict[str, Any] = {field: "x" * 1025}
    with pytest.raises(Unrecordable, match=f"{field} has .* the limit is"):
        record(event=EventType.KEY_CREATED, actor=KEY, now=now, **text)


def test_an_actor_of_no_kind_or_with_a_long_name_is_refused() -> None:
    with pytest.raises(Unrecordable):
        Actor(kind="robot", id="1")  # type: ignore[arg-type]  # what is refused
    with pytest.raises(Unrecordable):
        Actor(kind="staff", id="x" * 129)
    assert actors.shell().kind == "shell"
    assert actors.system("sequencer") == Actor(kind="system", id="sequencer")


def test_an_event_of_the_other_way_is_refused(now: datetime) -> None:
    with pytest.raises(Unrecordable, match="use tally"):
        record(event=EventType.EVENTS_ACCEPTED, actor=KEY, now=now)
    with pytest.raises(Unrecordable, match="use record"):
        tally(event=EventType.KEY_CREATED, actor=KEY, tenant=None, now=now)
    with pytest.raises(Unrecordable, match="only grows"):
        tally(event=EventType.EVENTS_ACCEPTED, actor=KEY, tenant=None, now=now, items=-1)


def test_every_event_has_a_label_and_a_name_in_two_parts() -> None:
    for event in EventType:
        assert event.label
        assert len(event.value.split(".")) == 2
    assert json.dumps(EventType.KEY_CREATED) == '"key.created"'


def test_a_minute_s_calls_are_one_row_and_one_statement_each(
    now: datetime, in_scope: InScope, django_assert_num_queries: Any
) -> None:
    tenant = uuid4()
    with in_scope(tenant):
        with django_assert_num_queries(2):
            tally(event=EventType.EVENTS_ACCEPTED, actor=KEY, tenant=tenant, now=now, items=10)
            tally(
                event=EventType.EVENTS_ACCEPTED,
                actor=KEY,
                tenant=tenant,
                now=now.replace(second=59),
                calls=2,
                items=5,
            )
        (row,) = Tally.objects.all()
    assert (row.minute, row.calls, row.items, row.emitted_calls) == (now, 3, 15, 0)


def test_counts_without_a_tenant_add_up_too(now: datetime) -> None:
    for _ in range(2):
        tally(event=EventType.WISDOM_ASKED, actor=KEY, tenant=None, now=now, using="wisdom")
    (row,) = Tally.objects.using("wisdom").all()
    assert row.calls == 2


def test_inside_a_scope_only_its_own_tenant_can_be_written(
    now: datetime, in_scope: InScope
) -> None:
    mine, other = uuid4(), uuid4()
    with in_scope(mine):
        record(event=EventType.KEY_CREATED, actor=KEY, now=now, tenant=mine)
        record(event=EventType.KEY_CREATED, actor=KEY, now=now)
    with pytest.raises(DatabaseError, match="row-level security"), in_scope(mine):
        record(event=EventType.KEY_CREATED, actor=KEY, now=now, tenant=other)
    with pytest.raises(DatabaseError, match="row-level security"), in_scope(mine):
        tally(event=EventType.EVENTS_ACCEPTED, actor=KEY, tenant=other, now=now)
    assert {row.tenant for row in staged()} == {mine, None}


def test_outside_every_scope_a_tenant_s_deed_is_written_and_not_read(now: datetime) -> None:
    record(event=EventType.TENANT_CREATED, actor=KEY, now=now, tenant=uuid4())
    assert not Staged.objects.exists()
    assert len(staged()) == 1


def test_a_tenant_reads_its_own_entries_and_no_neighbour_s(
    deed: Deed, start: Start, in_scope: InScope
) -> None:
    mine, other = uuid4(), uuid4()
    deed(tenant=mine)
    deed(tenant=other)
    deed()
    start().step()
    assert not Entry.objects.exists()
    with in_scope(mine):
        assert [entry.tenant for entry in Entry.objects.all()] == [mine]
        assert [entry.tenant for entry in Staged.objects.all()] == [mine]


def test_the_door_past_the_policies_closes_behind_itself(deed: Deed) -> None:
    deed(tenant=uuid4())
    with transaction.atomic():
        with all_tenants_audit("reader", using="default"):
            assert Staged.objects.count() == 1
        assert Staged.objects.count() == 0
        with pytest.raises(ZeroDivisionError), all_tenants_audit("reader", using="default"):
            _ = 1 / 0
        assert Staged.objects.count() == 0


def test_a_reader_cannot_append(now: datetime) -> None:
    with (
        pytest.raises(DatabaseError, match="row-level security"),
        all_tenants_audit("reader", using="default"),
        connections["default"].cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO audit_log VALUES (0, '', sha256(''), %s, NULL, '', %s)",
            [uuid4(), now],
        )


@pytest.mark.parametrize("table", ["stage", "taken", "log", "checkpoint", "tally"])
@pytest.mark.parametrize("database", ["default", "wisdom"])
def test_the_application_s_role_cannot_change_or_delete(table: str, database: str) -> None:
    with connections[database].cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(relname || ' ' || privilege, ', ')"
            " FROM pg_class, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS privilege"
            " WHERE relname LIKE %s AND relkind IN ('r', 'p')"
            " AND has_table_privilege(oid, privilege)",
            [f"audit_{table}%"],
        )
        assert cursor.fetchone() == (None,)
        cursor.execute("SELECT has_column_privilege('audit_stage', 'xid', 'INSERT')")
        assert cursor.fetchone() == (False,)


def test_a_partition_that_is_asked_directly_shows_nothing() -> None:
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        connections["default"].cursor() as cursor,
    ):
        cursor.execute("SELECT count(*) FROM audit_stage_default")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_stage SET reason = ''",
        "DELETE FROM audit_stage",
        "TRUNCATE audit_stage",
        "TRUNCATE audit_stage_default",
        "TRUNCATE audit_log",
        "TRUNCATE audit_checkpoint",
        "DELETE FROM audit_tally",
        "UPDATE audit_tally SET calls = 0",
    ],
)
def test_the_triggers_refuse_even_a_superuser_who_forgets_himself(
    statement: str, deed: Deed, now: datetime, as_owner: AsOwner
) -> None:
    deed()
    tally(event=EventType.WISDOM_ASKED, actor=KEY, tenant=None, now=now)
    with as_owner() as session, pytest.raises(Exception, match=r"append-only|only grows"):
        session.execute(statement)
