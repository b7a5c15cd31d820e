"""Exporting a tenant: recorded before anything is read, then read in one snapshot.

What is promised: every row comes from one snapshot of the main database (REPEATABLE READ), so that
tables agree with each other; a request that was accepted and had not taken effect by then is not in
it, and is counted (``requestsWaiting``). Rows of other databases are not exported.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from django.db import connection, transaction

from audit.actors import Actor
from audit.events import EventType
from audit.record import record
from crypto.ids import uuid7
from crypto.stream import Passphrase, Recipient, Sealer
from tenants.errors import UnfitTerms
from tenants.exports import registry
from tenants.exports.archive import Archive, Progress
from tenants.models import Tenant, TenantState
from tenants.scope import tenant_scope

PROMISE = (
    "one snapshot of the main database: tables agree with each other; requests that had not taken"
    " effect are counted in account as requestsWaiting"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an archive holds: lines by section; ``digest`` is SHA-256 of the sealed file."""

    export: UUID
    lines: dict[str, int]
    digest: str


def export_tenant(
    *,
    tenant: UUID,
    out: BinaryIO,
    to: Passphrase | Recipient,
    actor: Actor,
    reason: str,
    now: datetime,
    progress: Progress,
) -> Exported:
    """Write everything of a tenant's into `out`, sealed to `to`.

    Fails closed: the audit row is committed before the first row is read, so where none can be
    written nothing is. A file of an export that raised does not open. Raises `UnfitTerms` for a
    tenant that is not, or whose keys are destroyed.
    """
    export = uuid7(now)
    kind = "passphrase" if isinstance(to, Passphrase) else str(to)
    with transaction.atomic():
        row = Tenant.objects.exclude(state=TenantState.DELETED).filter(id=tenant).first()
        if row is None:
            raise UnfitTerms(f"there is no tenant {tenant}, or it is deleted")
        record(
            event=EventType.TENANT_EXPORTED, actor=actor, now=now, tenant=tenant, reason=reason,
            resource=f"export:{export}", detail={"recipient": kind},
        )  # fmt: skip
    sealer = Sealer(out.write, to)
    archive = Archive(sealer=sealer, made_at=now, progress=progress)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with tenant_scope(tenant):
            for section in registry.sections():
                archive.section(section.name, section.lines(tenant))
    archive.finish(
        {
            "tenant": tenant,
            "name": row.name,
            "export": export,
            "madeAt": now,
            "promise": PROMISE,
            "leftOut": registry.left_out(),
        }
    )
    digest = sealer.digest.hex()
    with transaction.atomic():
        record(
            event=EventType.TENANT_EXPORT_SEALED, actor=actor, now=now, tenant=tenant,
            resource=f"export:{export}",
            detail={"sha256": digest, "lines": sum(archive.lines.values())},
        )  # fmt: skip
    return Exported(export=export, lines=archive.lines, digest=digest)
