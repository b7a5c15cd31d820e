"""What ``manage.py tenant`` does for a tenant's rights: export, certificate, holds, retention."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from audit.actors import shell
from crypto.errors import CryptoError
from crypto.stream import PASSPHRASE_LENGTH, Passphrase, Recipient
from tenants import certificates, holds, research, terms
from tenants.errors import UnfitTerms
from tenants.exports import export_tenant
from tenants.models import Tenant

Options = dict[str, Any]
Answer = Mapping[str, Any] | list[dict[str, Any]]
Deed = Callable[..., Any]


def add(deeds: Any, deed: Deed, of_tenant: Deed) -> None:
    """Declare the subcommands."""
    export = of_tenant(
        deed(deeds, "export", "write all of a tenant's into a sealed archive", _export)
    )
    export.add_argument("file", type=Path, help="the archive; must not exist")
    export.add_argument("--recipient", help="the public key that `tawny open-export --new` prints")
    export.add_argument("--passphrase-file", type=Path, help="a file whose first line opens it")
    hold = of_tenant(deed(deeds, "hold", "keep everything of a tenant, whoever asks", _hold))
    hold.add_argument("--ticket", default="", help="where the order lies")
    release = of_tenant(deed(deeds, "release", "end a tenant's legal holds", _release))
    release.add_argument("--hold", type=UUID, help="one hold's id; default: all")
    of_tenant(deed(deeds, "holds", "list a tenant's legal holds", _holds))
    kept = of_tenant(deed(deeds, "retention", "show or shorten how long rows are kept", _retention))
    kept.add_argument("--series", type=int, metavar="DAYS")
    kept.add_argument("--alerts", type=int, metavar="DAYS")
    of_tenant(deed(deeds, "consent", "show whether research use is allowed", _consent))
    certificate = of_tenant(
        deed(deeds, "certificate", "print the proof that a tenant's keys are gone", _certificate)
    )
    certificate.add_argument("--out", type=Path, help="write the document there too")
    verify = deed(deeds, "verify-certificate", "check such a proof, offline", _verify)
    verify.add_argument("file", type=Path)
    verify.add_argument("--vkey", default="", help="the log's public key, as you got it elsewhere")


def found(given: str) -> Tenant:
    """Return a tenant by its id or name."""
    try:
        row = Tenant.objects.filter(id=UUID(given)).first()
    except ValueError:
        row = Tenant.objects.filter(name=given).first()
    if row is None:
        raise CommandError(f"there is no tenant {given!r}")
    return row


def _made(options: Options, name: str) -> dict[str, Any]:
    reason = options["reason"]
    if reason == f"{name} from the shell":
        raise CommandError("--reason says why, for the audit log")
    return {"actor": shell(), "reason": reason, "now": timezone.now()}  # noqa: TID251 -- a command's clock


def _export(options: Options) -> Answer:
    to, path = _recipient(options), options["file"]
    tenant, made = found(options["tenant"]), _made(options, "export")
    if path.exists():
        raise CommandError(f"{path} exists already")
    partial = path.with_name(path.name + ".partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        try:
            done = export_tenant(tenant=tenant.id, out=out, to=to, progress=_say, **made)
            out.flush()
            os.fsync(out.fileno())
        except BaseException:
            partial.unlink()
            raise
    partial.rename(path)
    return {
        "tenant": tenant.id, "export": done.export, "file": str(path), "sha256": done.digest,
        "octets": path.stat().st_size, "lines": done.lines,
    }  # fmt: skip


def _recipient(options: Options) -> Passphrase | Recipient:
    if bool(options["recipient"]) == bool(options["passphrase_file"]):
        raise CommandError("name --recipient or --passphrase-file, one of them")
    try:
        if options["recipient"]:
            return Recipient.parse(options["recipient"])
        text = options["passphrase_file"].read_text("utf-8").partition("\n")[0].strip()
    except (CryptoError, OSError, UnicodeDecodeError) as error:
        raise CommandError(str(error)) from None
    if len(text) < PASSPHRASE_LENGTH:
        raise CommandError(f"a passphrase has at least {PASSPHRASE_LENGTH} characters")
    return Passphrase(text=text)


def _say(section: str, lines: int) -> None:
    sys.stderr.write(f"{section}: {lines:,}\n")


def _hold(options: Options) -> Answer:
    tenant = found(options["tenant"])
    made = _made(options, "hold")
    return {"tenant": tenant.id, "hold": holds.place(
        tenant=tenant.id, ticket=options["ticket"], **made
    )}  # fmt: skip


def _release(options: Options) -> Answer:
    tenant = found(options["tenant"])
    gone = holds.release(tenant=tenant.id, hold=options["hold"], **_made(options, "release"))
    return {"tenant": tenant.id, "released": [str(each) for each in gone]}


def _holds(options: Options) -> Answer:
    return [
        {
            "hold": each.id,
            "since": each.placed_at,
            "by": each.placed_by,
            "ticket": each.ticket,
            "reason": each.reason,
        }
        for each in holds.standing(found(options["tenant"]).id)
    ]


def _retention(options: Options) -> Answer:
    tenant = found(options["tenant"])
    before = terms.of_tenant(tenant.id)
    wanted = terms.Terms(
        series_days=options["series"] if options["series"] is not None else before.series_days,
        alerts_days=options["alerts"] if options["alerts"] is not None else before.alerts_days,
    )
    changed = wanted != before and terms.change(
        tenant=tenant.id, terms=wanted, **_made(options, "retention")
    )
    return {
        "tenant": tenant.id,
        "seriesDays": wanted.series_days,
        "alertsDays": wanted.alerts_days,
        "changed": changed,
        "held": holds.is_held(tenant.id),
    }


def _consent(options: Options) -> Answer:
    row = research.consent_of(found(options["tenant"]).id)
    return {"allowed": row is not None, "since": None if row is None else row.given_at}


def _certificate(options: Options) -> Answer:
    tenant = found(options["tenant"])
    document = certificates.certificate(tenant.id, origin=settings.AUDIT_ORIGIN)
    if (wrong := certificates.fault(document)) is not None:
        raise CommandError(f"the certificate does not verify: {wrong}")
    said: dict[str, Any] = msgspec.to_builtins(document)
    if options["out"]:
        options["out"].write_bytes(msgspec.json.format(msgspec.json.encode(said), indent=1))
    return said


def _verify(options: Options) -> Answer:
    document = certificates.read(options["file"].read_bytes())
    if (wrong := certificates.fault(document, vkey=options["vkey"])) is not None:
        raise UnfitTerms(wrong)
    return {
        "ok": True,
        "tenant": document.tenant,
        "keys": len(document.keys),
        "index": document.audit.index,
        "key": "given" if options["vkey"] else "the document's own",
    }
