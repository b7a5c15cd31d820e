"""The certificate of a deleted tenant: that its keys were destroyed, provable without us.

A document holds the certificates of the keys database and the audit entry in which the same digests
stand, with its inclusion proof, the checkpoint that the proof leads to, and the log's public key.
`fault` is pure: it checks such a document with nothing but the key, which whoever checks should
have from elsewhere. What it proves: that the log, at the checkpoint's size, says that these keys of
this tenant were destroyed by then, and that nobody has changed that since without contradicting a
checkpoint kept elsewhere. What it cannot prove is that no copy of a key was ever made.
"""

import base64
from typing import Any
from uuid import UUID

import msgspec

from audit import feed
from audit.checkpoints import opened
from audit.errors import AuditError
from audit.events import EventType
from audit.feed import PAGE_LIMIT, Shown
from audit.leaves import read_leaf
from crypto.errors import CryptoError
from crypto.merkle import includes, leaf_hash
from crypto.signatures import VerifyingKey
from tenants.errors import UnfitTerms
from tenants.exports.own import log_key
from tenants.models import KeyCertificate
from tenants.scope import tenant_scope

FORMAT = 1
EVENT = EventType.TENANT_KEYS_DESTROYED


class Destroyed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key: ``digest`` is SHA-256 over its tenant, its id and its check value."""

    purpose: str
    digest: str
    destroyed_at: str
    actor: str
    reason: str


class Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The entry's place, its bytes, and the hashes from it up to the checkpoint's root."""

    index: int
    leaf: str
    proof: list[str]
    checkpoint: str


class Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `tenant certificate` prints."""

    format: int
    tenant: str
    origin: str
    vkey: str
    keys: list[Destroyed]
    audit: Proof


def certificate(tenant: UUID, *, origin: str) -> Document:
    """Return a deleted tenant's certificate.

    Raises `UnfitTerms` where its keys stand, or where the entry is not under a checkpoint yet.
    """
    with tenant_scope(tenant, using="keys"):
        rows = list(KeyCertificate.objects.order_by("purpose", "id"))
    if not rows:
        raise UnfitTerms(f"no key of tenant {tenant} was destroyed")
    entry = _entry(tenant)
    if entry is None or entry[0].proof is None:
        raise UnfitTerms("no checkpoint covers the deletion yet: they are signed every minute")
    shown, checkpoint = entry
    return Document(
        format=FORMAT,
        tenant=str(tenant),
        origin=origin,
        vkey=log_key(),
        keys=[
            Destroyed(
                purpose=row.purpose,
                digest=bytes(row.digest).hex(),
                destroyed_at=f"{row.destroyed_at:%Y-%m-%dT%H:%M:%S.%fZ}",
                actor=row.actor,
                reason=row.reason,
            )
            for row in rows
        ],
        audit=Proof(
            index=shown.index,
            leaf=base64.b64encode(shown.leaf).decode(),
            proof=[base64.b64encode(each).decode() for each in shown.proof or ()],
            checkpoint=checkpoint,
        ),
    )


def _entry(tenant: UUID) -> tuple[Shown, str] | None:
    """Return the last entry of the keys' destruction, and the checkpoint of its proof."""
    place, found, more = 0, None, True
    with tenant_scope(tenant):
        while more:
            page = feed.page(tenant, place=place, limit=PAGE_LIMIT, events={EVENT}, proofs=True)
            place, more = page.follow, page.more
            if page.entries:
                found = page.entries[-1], page.checkpoint
    return found


def read(text: bytes) -> Document:
    """Read a document; raises `UnfitTerms` where it is none."""
    try:
        return msgspec.json.decode(text, type=Document)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise UnfitTerms(f"this is no certificate: {error}") from None


def fault(document: Document, *, vkey: str = "") -> str | None:
    """Say what is wrong with a certificate, ``None`` where it is whole. Opens no connection.

    ``vkey`` is the log's public key as it was had elsewhere; without one the document's own is
    taken, which shows damage and no forgery.
    """
    try:
        key = VerifyingKey.decode(vkey or document.vkey)
        head = opened(document.audit.checkpoint, key=key, origin=document.origin)
        leaf = base64.b64decode(document.audit.leaf, validate=True)
        proof = [base64.b64decode(each, validate=True) for each in document.audit.proof]
        content = read_leaf(leaf)
    except (CryptoError, AuditError, ValueError) as error:
        return f"it cannot be read: {type(error).__name__}: {error}"
    if not includes(
        leaf=leaf_hash(leaf), index=document.audit.index, size=head.size, proof=proof,
        root=head.root,
    ):  # fmt: skip
        return "the checkpoint's tree does not hold the entry"
    if content.event != EVENT.value or content.tenant != document.tenant:
        return "the entry is of another event or another tenant"
    said_by = f"{content.actor.kind}:{content.actor.id}"
    for each in document.keys:
        if each.destroyed_at > content.time:
            return "a key is said to be destroyed after the entry that says so"
        same = each.destroyed_at == content.time  # else the deletion was interrupted and resumed
        if same and (each.actor, each.reason) != (said_by, content.reason):
            return "the entry names another actor or reason than the certificates"
    return _unsaid(document, content.detail)


def _unsaid(document: Document, detail: dict[str, Any]) -> str | None:
    """Hold the certificates against what the entry says, which names one digest a purpose."""
    digests = {f"digest_{each.purpose}": set[str]() for each in document.keys}
    for each in document.keys:
        digests[f"digest_{each.purpose}"].add(each.digest)
    said = {name: value for name, value in detail.items() if name.startswith("digest_")}
    if said.keys() != digests.keys():
        return "the entry names other keys than the certificates"
    for name, value in said.items():
        if value not in digests[name]:
            return f"the {name.removeprefix('digest_')} key's digest is not the entry's"
    return None
