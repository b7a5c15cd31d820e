"""How a minute's count becomes an entry.

Closing a minute stages its count in the database where it was counted, in one transaction with the
mark that it was; from there it takes the same way into the log as any other deed. What is counted
afterwards (a transaction that began in the minute and committed late) comes out as a further entry
with the difference, so that the entries of a minute add up to its row.
"""

import json
from datetime import datetime, timedelta

from django.db import connections

from audit.leaves import SCHEMA
from audit.record import NO_TENANT
from audit.scope import all_tenants_audit
from crypto.ids import uuid7

GRACE = timedelta(seconds=60)
"""A minute is closed once it began longer ago than this, that is once it is over."""

CLOSE_AT_ONCE = 5000
"""Rows of one transaction: about a second, within which the keys concerned cannot count."""

_DUE = """
SELECT tenant, actor_kind, actor_id, event, minute, calls, items, emitted_calls, emitted_items
FROM audit_tally
WHERE (calls > emitted_calls OR items > emitted_items) AND minute < %s
ORDER BY minute LIMIT %s
FOR UPDATE SKIP LOCKED
"""
_MARK = """
UPDATE audit_tally AS minute_row
SET emitted_calls = due.calls, emitted_items = due.items
FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[],
            %s::bigint[]) AS due (tenant, actor_kind, actor_id, event, minute, calls, items)
WHERE minute_row.tenant = due.tenant AND minute_row.actor_kind = due.actor_kind
  AND minute_row.actor_id = due.actor_id AND minute_row.event = due.event
  AND minute_row.minute = due.minute
"""
_STAGE = """
INSERT INTO audit_stage (id, tenant, event, actor_kind, actor_id, resource, outcome, reason,
                         request_id, detail, occurred_at, schema)
SELECT id, nullif(tenant, %s), event, actor_kind, actor_id, '', 'success', '', '',
       detail::jsonb, minute, %s
FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],
            %s::text[]) AS due (id, tenant, actor_kind, actor_id, event, minute, detail)
"""


def close_minutes(*, using: str, now: datetime) -> int:
    """Stage what was counted in minutes that are over; return how many entries that makes.

    A row that an unfinished transaction holds is left for the next call.
    """
    with all_tenants_audit("sequencer", using=using), connections[using].cursor() as cursor:
        cursor.execute(_DUE, [now - GRACE, CLOSE_AT_ONCE])
        due = cursor.fetchall()
        if not due:
            return 0
        tenants, kinds, ids, events, minutes, calls, items, calls_out, items_out = (
            list(column) for column in zip(*due, strict=True)
        )
        cursor.execute(_MARK, [tenants, kinds, ids, events, minutes, calls, items])
        details = [
            json.dumps({"calls": calls[n] - calls_out[n], "items": items[n] - items_out[n]})
            for n in range(len(due))
        ]
        entries = [uuid7(now) for _ in due]
        cursor.execute(
            _STAGE, [NO_TENANT, SCHEMA, entries, tenants, kinds, ids, events, minutes, details]
        )
    return len(due)
