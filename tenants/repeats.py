"""A request that may come again: ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header).

Whoever sends the header with a request that changes something gets one effect and one answer for
it, however often it comes, for a day. The row that says so is written in the transaction of the
effect: there is neither without the other. A parallel twin waits for that transaction and is then
told its answer. Without the header nothing here is asked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection
from psycopg.errors import LockNotAvailable

from crypto import envelope, mac
from tenants import keys
from tenants.errors import KeyReused, UnderWay, UnfitKey
from tenants.models import AnsweredRequest
from tenants.scope import current_tenant

HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
"""How long an answer is kept: an outage over a night. Published in the API's document."""
FORM = r'^("[ !#-\[\]-~]{1,255}"|[!#-\[\]-~]{1,255})$'
"""A text of RFC 9651 without escapes, or the same without its quotes, as many clients send it."""

_CLAIM = """
INSERT INTO answered_request AS held (tenant_id, tag, digest, answer, answered_at)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (tenant_id, tag) DO UPDATE SET digest = excluded.digest, answer = excluded.answer,
    answered_at = excluded.answered_at
 WHERE held.answered_at <= %s
RETURNING true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a request says it is, and the answer that it gets if it is the first.

    `door` is where it came in: one key may be used once at each. `digest` is of its body.
    """

    door: str
    key: str = field(repr=False)
    digest: bytes = field(repr=False)
    answer: bytes = field(repr=False)


def key_of(meta: Mapping[str, Any]) -> str | None:
    """Return the Idempotency-Key of a request, None where it has none; raises `UnfitKey`."""
    text = meta.get("HTTP_IDEMPOTENCY_KEY")
    if text is None:
        return None
    bare: str = text.strip(" \t")
    if re.fullmatch(FORM, bare) is None:
        raise UnfitKey(f"{HEADER} is a text of 1 to 255 printable ASCII characters, in quotes.")
    return bare.strip('"')


def earlier(claim: Claim, *, now: datetime) -> bytes | None:
    """Return what was answered to an earlier request like this; None where this is the first.

    Inside the scope and transaction of the effect, before it. The row that a first request leaves
    commits with it. Raises `KeyReused` for another body under the same key, and `UnderWay` where an
    earlier request holds its transaction longer than locks are waited for.
    """
    tenant = current_tenant()
    tag = keys.blind_index(
        tenant, "idempotency-key", envelope.context(claim.door, claim.key), length=16
    )
    digest = keys.blind_index(tenant, "request-body", claim.digest, length=32)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_CLAIM, [tenant, tag, digest, claim.answer, now, now - KEPT])
            if cursor.fetchone():
                return None
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        raise UnderWay("An earlier request with this key is still being worked on.") from None
    row = AnsweredRequest.objects.get(tag=tag)
    if not mac.equal(bytes(row.digest), digest):
        raise KeyReused(f"This {HEADER} came with another body before; make a new one.")
    return bytes(row.answer)


def forget(*, now: datetime) -> int:
    """Drop what means nothing any more of the open scope's tenant; return how many answers."""
    count: int = AnsweredRequest.objects.filter(answered_at__lte=now - KEPT).delete()[0]
    return count
