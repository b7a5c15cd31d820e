"""The deeds on tenants and root keys that take two people: what is asked, checked and done.

Each is done again after a worker died, and then does what is left.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.actors import Actor
from tenants import approvals, certificates
from tenants.actions import rotation
from tenants.actions.deletion import delete_tenant
from tenants.approvals import Pending, Subject
from tenants.errors import UnfitTerms
from tenants.holds import refuse_held
from tenants.keys.keyring import Name
from tenants.keys.providers import configured
from tenants.models import RootState, RootVersion, Tenant, TenantState

DELETION = "tenant_deletion"
RETIREMENT = "key_retirement"


def ask_deletion(*, tenant: UUID, actor: Actor, reason: str, now: datetime) -> Pending:
    """Ask for a tenant's end; raises `UnfitTerms` for one that is not there."""
    return approvals.ask(kind=DELETION, subject=str(tenant), actor=actor, reason=reason, now=now)


def ask_retirement(*, version: str, actor: Actor, reason: str, now: datetime) -> Pending:
    """Ask for the destruction of a root key's version; raises `UnfitTerms` as `rotation.retire`."""
    rotation.refuse_retirement(name_of(version), now=now)
    return approvals.ask(kind=RETIREMENT, subject=version, actor=actor, reason=reason, now=now)


def asked(pending: Pending) -> dict[str, Any]:
    """Return what a command says of what it asked for: when it happens, how it is stopped."""
    return {
        "approval": pending.id,
        "takes_effect": pending.effective_at or "when another owner approves",
        "ends": pending.expires_at,
        "to_cancel": f"manage.py approvals cancel {pending.id} --reason WHY",
    }


def register() -> None:
    """Make both kinds known."""
    approvals.register(
        DELETION, _delete, _deletion_in_words, check=_check_tenant, subject=Subject.TENANT
    )
    approvals.register(RETIREMENT, _retire, _retirement_in_words)


def name_of(version: str) -> Name:
    """Read ``provider:key:number``; raises `UnfitTerms` for anything else."""
    provider, _, rest = version.partition(":")
    key, _, number = rest.rpartition(":")
    if not (provider and key and number.isascii() and number.isdecimal() and len(number) < 10):
        raise UnfitTerms("a version is provider:key:number, as keys status shows it")
    return Name(provider, key, int(number))


def _check_tenant(subject: str, _parameters: Mapping[str, str]) -> None:
    if not Tenant.objects.filter(id=UUID(subject)).exists():
        raise UnfitTerms(f"there is no tenant {subject}")
    refuse_held(UUID(subject))


def _delete(pending: Pending, now: datetime) -> Mapping[str, str | int]:
    gone = delete_tenant(
        tenant=UUID(pending.subject), actor=pending.asker, reason=pending.why, now=now
    )
    digests = certificates.named((each.purpose, each.digest.hex()) for each in gone.certificates)
    return {**digests, "rows": sum(gone.rows.values())}


def _deletion_in_words(pending: Pending) -> str:
    row = Tenant.objects.filter(id=UUID(pending.subject)).first()
    if row is None or row.state == TenantState.DELETED:
        return f"Delete the tenant {pending.subject}"
    return f"Delete the tenant {row.name}"


def _retire(pending: Pending, now: datetime) -> Mapping[str, str | int]:
    name = name_of(pending.subject)
    retired = RootVersion.objects.using("keys").filter(
        provider=name.provider, key_id=name.key_id, version=name.version, state=RootState.RETIRED
    )
    if retired.exists():  # marked by a worker that died before, or just after, it destroyed the key
        configured()[name.provider].destroy(name.version)
    else:
        rotation.retire(name=name, actor=pending.asker, reason=pending.why, now=now)
    return {"version": str(name)}


def _retirement_in_words(pending: Pending) -> str:
    return f"Destroy the version {pending.subject} of the root key"
