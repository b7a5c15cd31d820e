"""The certificate of a deleted tenant: that its keys were destroyed, provable without us.

A document holds the certificates of the keys database and the audit entry in which the same digests
stand, with its inclusion proof, the checkpoint that the proof leads to, and the log's public key.
`fault` is pure: it checks such a document with nothing but the key, which whoever checks should
have from elsewhere. What it proves: that the log, at the checkpoint's size, says that these keys of
this tenant and no others were destroyed by then, when, by whom and why, and that nobody has changed
that since without contradicting a checkpoint kept elsewhere. What it cannot prove is that no copy
of a key was ever made.
"""

import base64
from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from audit import feed
from audit.checkpoints import opened
from audit.errors import AuditError
from audit.events import EventType
from audit.feed import PAGE_LIMIT, Shown
from audit.leaves import Leaf, read_leaf
from crypto import envelope
from crypto.digests import sha256
from crypto.errors import CryptoError
from crypto.merkle import includes, leaf_hash
from crypto.signatures import VerifyingKey
from tenants.errors import UnfitTerms
from tenants.exports.own import log_key
from tenants.models import KeyCertificate
from tenants.scope import tenant_scope

FORMAT = 1
EVENT = EventType.TENANT_KEYS_DESTROYED
ACTOR_LIMIT = 200
"""Characters of "kind:id", as the column has them."""


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
        keys=[destroyed(row) for row in rows],
        audit=Proof(
            index=shown.index,
            leaf=base64.b64encode(shown.leaf).decode(),
            proof=[base64.b64encode(each).decode() for each in shown.proof or ()],
            checkpoint=checkpoint,
        ),
    )


def destroyed(row: KeyCertificate) -> Destroyed:
    """Return a certificate of the keys database as a document has it."""
    return Destroyed(
        purpose=row.purpose,
        digest=bytes(row.digest).hex(),
        destroyed_at=f"{row.destroyed_at:%Y-%m-%dT%H:%M:%S.%fZ}",
        actor=row.actor,
        reason=row.reason,
    )


def said(keys: Sequence[Destroyed]) -> dict[str, str]:
    """Return what the log's entry says of certificates, in its detail.

    A digest each, numbered within a purpose from the second on, and ``stated``: SHA-256 over
    everything that the certificates say, which proves times, actors and reasons as well.
    """
    fields = sorted(msgspec.structs.astuple(each) for each in keys)
    stated = sha256(envelope.context(*(text for row in fields for text in row))).hex()
    return {"stated": stated, **named((each.purpose, each.digest) for each in keys)}


def named(digests: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return digests, which come with their purposes, under a name each."""
    told: Counter[str] = Counter()
    names: dict[str, str] = {}
    for purpose, digest in sorted(digests):
        told[purpose] += 1
        number = "" if told[purpose] == 1 else f"_{told[purpose]}"
        names[f"digest_{purpose}{number}"] = digest
    return names


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
    if any(each.destroyed_at > content.time for each in document.keys):
        return "a key is said to be destroyed after the entry that says so"
    return _unsaid(document.keys, content)


def _unsaid(keys: Sequence[Destroyed], content: Leaf) -> str | None:
    """Hold the certificates against what the entry says: these keys, each once, and no other."""
    due, has = said(keys), dict(content.detail)
    stated = due.pop("stated"), has.pop("stated", None)
    if due.keys() != has.keys():
        return "the entry names other keys than the certificates"
    if due != has:
        return "a key's digest is not the entry's"
    if stated[1] is None:  # of before it was stated: only what the entry itself has is proven
        own = (
            content.time, f"{content.actor.kind}:{content.actor.id}"[:ACTOR_LIMIT], content.reason
        )  # fmt: skip
        if all((each.destroyed_at, each.actor, each.reason) == own for each in keys):
            return None
    elif stated[0] == stated[1]:
        return None
    return "the entry does not state these times, actors and reasons"
