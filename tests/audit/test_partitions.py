from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from audit.sequencer import Sequencer

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "wisdom"])

Deed = Callable[..., UUID]
Start = Callable[[], Sequencer]
AsOwner = Callable[..., Any]


def test_the_coming_days_have_partitions_and_the_rest_has_the_default(
    deed: Deed, start: Start, clock: Any, as_owner: AsOwner
) -> None:
    clock.time = clock.time.replace(year=2031)
    start().step()
    deed()
    clock.move(days=30)
    deed()
    with as_owner() as session:
        found = session.execute(
            "SELECT tableoid::regclass::text FROM audit_stage ORDER BY id"
        ).fetchall()
        unforced = session.execute(
            "SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'"
            " AND relname ~ '^audit_(stage|tally|log)'"
            " AND NOT (relrowsecurity AND relforcerowsecurity)"
        ).fetchone()
    assert found == [("audit_stage_20310501",), ("audit_stage_default",)]
    assert unforced == (0,)


def test_a_day_that_began_in_the_default_partition_stays_there(
    deed: Deed, start: Start, clock: Any
) -> None:
    clock.time = clock.time.replace(year=2032)
    deed()
    one = start()
    assert one.step().rows == 1
    clock.move(days=1)
    deed()
    assert one.step().rows == 1


def test_partitions_wait_for_a_table_that_somebody_holds(
    deed: Deed, start: Start, clock: Any, as_owner: AsOwner
) -> None:
    clock.time = clock.time.replace(year=2033)
    deed()
    one = start()
    with as_owner() as session, session.transaction():
        session.execute("LOCK TABLE audit_stage IN SHARE UPDATE EXCLUSIVE MODE")
        assert one.step().rows == 1
    clock.move(seconds=61)
    one.step()
    with as_owner() as session:
        made = session.execute("SELECT to_regclass('audit_stage_20330502') IS NOT NULL").fetchone()
    assert made == (True,)
