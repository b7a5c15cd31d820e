"""One entry of the log, and the proof that the newest signed checkpoint holds it, checked here.

The server checks its own log with its own key, which is worth what the server is worth: the page
says so and names what an outsider verifies with (docs/audit.md).
"""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from django.conf import settings

from audit import log
from audit.checkpoints import TreeHead, opened, public_key_path, read_public_key
from audit.errors import AuditError
from audit.models import Checkpoint, Entry
from audit.nodes import Prover
from audit.scope import all_tenants_audit, bulk_cursor
from crypto.errors import CryptoError
from crypto.merkle import includes, leaf_hash


class Standing(StrEnum):
    """What the check of an entry came to."""

    PROVEN = "proven"
    UNSIGNED = "unsigned"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An entry with the proof that was checked for it.

    `covered` is the first checkpoint that holds it; `size` and `root` are those of the newest one,
    against which the proof was checked; `key` is the name of the key that signed it, "" where its
    public half is not on this machine and the signature was therefore not looked at.
    """

    entry: Entry
    leaf: str
    digest: str
    standing: Standing
    words: str
    covered: Checkpoint | None
    size: int
    signed_at: datetime | None
    root: str
    key: str
    proof: list[str]


def checked(index: int) -> Checked | None:
    """Read an entry and check its inclusion now; ``None`` where the log has no such entry."""
    with all_tenants_audit("reader", using="default"), bulk_cursor(using="default") as cursor:
        entry = Entry.objects.filter(idx=index).first()
        if entry is None:
            return None
        signed = log.newest_checkpoint(cursor)
        size = signed.range.size
        proof = Prover(cursor, signed.range).proof(index) if index < size else []
    covered = Checkpoint.objects.filter(size__gt=index).order_by("size").first()
    leaf = bytes(entry.leaf)
    standing, words, key, root = Standing.UNSIGNED, "Sequenced, not yet signed.", "", b""
    if index < size:
        root, key, fault = _signed_root(signed.note, size)
        holds = includes(leaf=leaf_hash(leaf), index=index, size=size, proof=proof, root=root)
        if fault or not holds:
            standing, words = Standing.BROKEN, fault or "The proof does not lead to the root."
        else:
            standing, words = Standing.PROVEN, f"In the checkpoint of {size} entries."
    return Checked(
        entry=entry,
        leaf=json.dumps(json.loads(leaf), indent=2, ensure_ascii=False),
        digest=leaf_hash(leaf).hex(),
        standing=standing,
        words=words,
        covered=covered,
        size=size,
        signed_at=signed.signed_at,
        root=base64.b64encode(root).decode(),
        key=key,
        proof=[base64.b64encode(each).decode() for each in proof],
    )


def _signed_root(note: str, size: int) -> tuple[bytes, str, str]:
    """Return the root that a checkpoint signs, the key's name, and what is wrong with it, if any.

    Without a public key here the note is read, and nobody's signature is claimed for it.
    """
    path = public_key_path(Path(settings.CHECKPOINT_FILE)) if settings.CHECKPOINT_FILE else None
    try:
        if path is None or not path.exists():
            head, name = TreeHead.parse(note.partition("\n\n")[0] + "\n"), ""
        else:
            key = read_public_key(path, name=settings.AUDIT_ORIGIN)
            head, name = opened(note, key=key, origin=settings.AUDIT_ORIGIN), key.name
    except (AuditError, CryptoError) as error:
        return b"", "", f"The checkpoint's signature does not hold: {error}."
    if head.size != size:
        return b"", name, "The checkpoint says another size than its row."
    return head.root, name, ""
