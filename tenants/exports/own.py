"""The sections that this floor has: account, people, keys, settings, use, and the tenant's audit.

The audit log's entries come through the log's own door for tenants (`audit.feed`).
"""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings

from audit import feed
from audit.checkpoints import public_key_path, read_public_key
from audit.feed import PAGE_LIMIT, Shown
from tenants import members, terms
from tenants.exports.registry import Section, leave_out, register
from tenants.models import (
    KeyIndex,
    LegalHold,
    Member,
    ResearchConsent,
    Tenant,
    UsageDay,
    Work,
)

Rows = Iterator[Mapping[str, Any]]


def account(tenant: UUID) -> Rows:
    """Yield the account and its terms, one line."""
    row = Tenant.objects.get(id=tenant)
    own = terms.of_tenant(tenant)
    yield {
        "id": row.id, "name": row.name, "plan": row.plan, "state": row.state,
        "createdAt": row.created_at, "expiresAt": row.expires_at,
        "registeredAt": row.registered_at,
        "retention": {"seriesDays": own.series_days, "alertsDays": own.alerts_days},
        "requestsWaiting": Work.objects.filter(
            tenant_id=tenant, queue="ingest", state__in=Work.UNFINISHED
        ).count(),
    }  # fmt: skip


def people(tenant: UUID) -> Rows:
    """Yield the members, opened: they are the tenant's own people."""
    del tenant
    for row in Member.objects.order_by("created_at", "id").iterator(chunk_size=200):
        yield {
            "id": row.id, "role": row.role, "createdAt": row.created_at,
            "verifiedAt": row.verified_at, "details": msgspec.to_builtins(members.unseal(row)),
        }  # fmt: skip


def api_keys(tenant: UUID) -> Rows:
    """Yield the API keys; what is kept of a secret opens nothing, and stays here all the same."""
    for row in KeyIndex.objects.filter(tenant_id=tenant).order_by("created_at", "id").iterator():
        yield {
            "id": row.id, "label": row.label, "scopes": row.scopes, "networks": row.networks,
            "createdAt": row.created_at, "expiresAt": row.expires_at,
            "revokedAt": row.revoked_at, "lastUsedAt": row.last_used_at,
        }  # fmt: skip


def usage(tenant: UUID) -> Rows:
    """Yield what was sent, by day."""
    del tenant
    for row in UsageDay.objects.order_by("day").iterator():
        yield {
            "day": row.day, "events": row.events, "requests": row.requests, "octets": row.octets,
        }  # fmt: skip


def consents(tenant: UUID) -> Rows:
    """Yield every consent to research that was given, and its end."""
    del tenant
    for row in ResearchConsent.objects.order_by("given_at", "id").iterator():
        yield {
            "id": row.id, "givenAt": row.given_at, "givenBy": row.given_by,
            "withdrawnAt": row.withdrawn_at, "withdrawnBy": row.withdrawn_by,
        }  # fmt: skip


def legal_holds(tenant: UUID) -> Rows:
    """Yield legal holds; the tenant reads of them in its audit entries too."""
    del tenant
    for row in LegalHold.objects.order_by("placed_at", "id").iterator():
        yield {
            "id": row.id, "reason": row.reason, "ticket": row.ticket,
            "placedAt": row.placed_at, "releasedAt": row.released_at,
        }  # fmt: skip


def audit_entries(tenant: UUID) -> Rows:
    """Yield the tenant's audit entries, with proofs as far as the newest checkpoint goes."""
    place = 0
    for proofs in (True, False):
        more = True
        while more:
            page = feed.page(tenant, place=place, limit=PAGE_LIMIT, proofs=proofs)
            place, more = page.follow, page.more
            yield from map(_entry, page.entries)


def _entry(entry: Shown) -> dict[str, Any]:
    proof = entry.proof
    return {
        "index": entry.index,
        "leaf": base64.b64encode(entry.leaf).decode(),
        "proof": None if proof is None else [base64.b64encode(each).decode() for each in proof],
        "content": msgspec.to_builtins(entry.content),
    }


def checkpoint(tenant: UUID) -> Rows:
    """Yield the checkpoint that the proofs lead to, and the key that signed it."""
    note = feed.page(tenant, place=0, limit=1).checkpoint
    if note:
        yield {"note": note, "vkey": log_key()}


def log_key() -> str:
    """Return the line of the log's public key, "" where this process cannot read it."""
    path = public_key_path(Path(settings.CHECKPOINT_FILE))
    try:
        return read_public_key(path, name=settings.AUDIT_ORIGIN).encode()
    except OSError:
        return ""


def fill() -> None:
    """Register this floor's sections, and what of it is left out."""
    for name, tables, lines in (
        ("account", ("retention_terms",), account),
        ("members", ("member",), people),
        ("keys", (), api_keys),
        ("usage", ("usage_day",), usage),
        ("research", ("research_consent",), consents),
        ("holds", ("legal_hold",), legal_holds),
        ("audit/entries", (), audit_entries),
        ("audit/checkpoint", (), checkpoint),
    ):
        register(Section(name=name, tables=tables, lines=lines))
    leave_out("tenant_key", "keys: what they seal is exported opened")
    leave_out("data_key", "keys: what they seal is exported opened")
    leave_out("key_certificate", "only a deleted tenant has one: `tenant certificate` prints it")
    leave_out("access_grant", "who of the staff was let in, and why: the audit entries say it")
    leave_out("answered_request", "answers to requests that may come again; kept for hours")
    leave_out("retention_run", "when rows were last deleted: the audit entries say it")
