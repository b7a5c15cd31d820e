"""``manage.py audit verify``, ``list``, ``bundle`` and ``retire``.

All read across tenants, so all leave an entry of their own, by the account of the shell.
``verify`` exits 0 when the log is whole, 1 when it is not, 2 when it could not be checked.
``retire`` runs as the owning role and takes away what is older than the contract keeps.
"""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from audit import actors
from audit.bundle.archives import check_kept_archive
from audit.bundle.making import write_bundle
from audit.checkpoints import TreeHead, public_key_path, read_public_key
from audit.epochs import kept_proofs
from audit.errors import ArchiveRefused, AuditError, NoSuchCheckpoint
from audit.events import EventType, Outcome
from audit.leaves import SCHEMA
from audit.models import Entry
from audit.pack.making import write_pack
from audit.reading import pages, stored_checkpoints
from audit.record import REASON_LIMIT, excerpt, record
from audit.retiring import RETENTION, require_owner, retire
from audit.scope import all_tenants_audit
from audit.verify import UNSIGNED_FOR, Verdict, verify
from crypto.errors import CryptoError
from crypto.signatures import VerifyingKey

UNCHECKED = 2
"""Exit code when the log could not be checked at all."""

LIST_LIMIT = 1000
"""Entries that one list may hold."""


class Command(BaseCommand):
    """Check the audit log, list its newest entries, or write it out for an auditor."""

    help = "Check the audit log against its signed checkpoints, list it, or write it out."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        commands = parser.add_subparsers(dest="deed", required=True)
        check = commands.add_parser("verify", help="hash every entry again and compare")
        check.add_argument("--json", action="store_true", help="print the verdict as JSON")
        check.add_argument(
            "--checkpoint",
            type=Path,
            action="append",
            default=[],
            help="a checkpoint that was kept elsewhere; may be repeated"
            " (without it, the deployment's own file)",
        )
        check.add_argument(
            "--public-key",
            type=Path,
            help="the log's public key, kept elsewhere (without it, the file beside the"
            " deployment's own checkpoint)",
        )
        listing = commands.add_parser("list", help="print the newest entries")
        listing.add_argument("--limit", type=int, default=50, help=f"at most {LIST_LIMIT}")
        listing.add_argument("--before", type=int, help="only entries with an index below this")
        listing.add_argument("--json", action="store_true", help="print one JSON object")

        bundle = commands.add_parser("bundle", help="write entries, checkpoints and a verifier")
        bundle.add_argument("folder", type=Path, help="a new or empty folder")
        bundle.add_argument("--since", type=_time, help="RFC 3339: from the checkpoint before it")
        bundle.add_argument("--until", type=_time, help="RFC 3339: to the checkpoint after it")
        bundle.add_argument("--public-key", type=Path, help="as of verify")
        bundle.add_argument(
            "--checkpoint",
            type=Path,
            action="append",
            default=[],
            help="an old checkpoint that somebody kept, to be proved; may be repeated",
        )
        bundle.add_argument("--json", action="store_true", help="print one JSON object")

        pack = commands.add_parser("pack", help="write a bundle of a period and what it shows")
        pack.add_argument("folder", type=Path, help="a new or empty folder")
        pack.add_argument("--since", type=_time, required=True, help="RFC 3339")
        pack.add_argument("--until", type=_time, required=True, help="RFC 3339")
        pack.add_argument("--public-key", type=Path, help="as of verify")
        pack.add_argument("--json", action="store_true", help="print one JSON object")

        check.add_argument("--archive", type=Path, help="an archive of a retired epoch instead")
        retire = commands.add_parser("retire", help="take away whole epochs that are old enough")
        retire.add_argument("--before", type=_time, help="RFC 3339; 24 months ago without it")
        retire.add_argument("--archive", type=Path, help="where epochs are written to first")
        retire.add_argument("--public-key", type=Path, help="as of verify")
        retire.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, deed: str, **options: Any) -> None:
        """Run the subcommand."""
        if deed == "bundle":
            self._bundle(options)
        elif deed == "pack":
            self._pack(options)
        elif deed == "retire":
            self._retire(options)
        elif deed == "verify" and options["archive"]:
            self._verify_archive(options["archive"], as_json=options["json"])
        elif deed == "verify":
            self._verify(
                outside=options["checkpoint"],
                public_key=options["public_key"],
                as_json=options["json"],
            )
        else:
            self._list(limit=options["limit"], before=options["before"], as_json=options["json"])

    def _verify(self, *, outside: list[Path], public_key: Path | None, as_json: bool) -> None:
        own = Path(settings.CHECKPOINT_FILE)
        files = outside or ([own] if own.exists() else [])
        key, notes = _public_key(public_key), _notes(files)
        with all_tenants_audit("reader", using="default"):
            before, completions = kept_proofs([_size(each) for each in notes], using="default")
            verdict = verify(
                pages=pages(using="default"),
                checkpoints=stored_checkpoints(using="default"),
                key=key,
                origin=settings.AUDIT_ORIGIN,
                outside=notes,
                now=lambda: datetime.now(UTC),
                before=before,
                completions=completions,
            )
        _record_verdict(verdict)
        self.stdout.write(_as_json(verdict) if as_json else _as_text(verdict))
        if not verdict.ok:
            raise SystemExit(1)

    def _verify_archive(self, folder: Path, *, as_json: bool) -> None:
        outcome, reason, said = Outcome.SUCCESS, "", {"ok": True, "folder": str(folder)}
        try:
            start, stop = check_kept_archive(folder)
            said |= {"start": start, "stop": stop}
        except ArchiveRefused as refused:
            outcome, reason = Outcome.FAILURE, excerpt(str(refused), limit=REASON_LIMIT)
            said |= {"ok": False, "finding": reason}
        record(
            event=EventType.AUDIT_ARCHIVE_VERIFIED,
            actor=actors.shell(),
            now=datetime.now(UTC),
            outcome=outcome,
            reason=reason,
        )
        self.stdout.write(json.dumps(said) if as_json else reason or f"{folder}: whole")
        if outcome is Outcome.FAILURE:
            raise SystemExit(1)

    def _bundle(self, options: dict[str, Any]) -> None:
        folder, key = options["folder"], _public_key(options["public_key"])
        kept = [_size(each) for each in _notes(options["checkpoint"])]
        record(event=EventType.AUDIT_EXPORTED, actor=actors.shell(), now=datetime.now(UTC))
        try:
            with all_tenants_audit("reader", using="default"):
                written = write_bundle(
                    folder,
                    key=key,
                    origin=settings.AUDIT_ORIGIN,
                    since=options["since"],
                    until=options["until"],
                    kept=kept,
                )
        except OSError as error:
            raise CommandError(f"no bundle was written: {error}", returncode=UNCHECKED) from error
        record(
            event=EventType.AUDIT_BUNDLED,
            actor=actors.shell(),
            now=datetime.now(UTC),
            detail={"start": int(str(written["start"])), "size": int(str(written["size"]))},
        )
        self.stdout.write(
            json.dumps(written)
            if options["json"]
            else f"{folder}: entries {written['start']} to {written['size']},"
            f" {written['checkpoints']} checkpoints; check it with python3 -I verify.py"
            f"{_left_out(int(str(written['unsigned'])))}"
        )

    def _pack(self, options: dict[str, Any]) -> None:
        now, key = datetime.now(UTC), _public_key(options["public_key"])
        if options["since"] >= options["until"]:
            raise CommandError("--since comes before --until", returncode=UNCHECKED)
        record(event=EventType.AUDIT_EXPORTED, actor=actors.shell(), now=now)
        try:
            with all_tenants_audit("reader", using="default"):
                written = write_pack(
                    options["folder"],
                    key=key,
                    origin=settings.AUDIT_ORIGIN,
                    since=options["since"],
                    until=options["until"],
                    now=now,
                    versions={"leaf_schema": str(SCHEMA), "python": platform.python_version()},
                )
        except OSError as error:
            raise CommandError(f"no pack was written: {error}", returncode=UNCHECKED) from error
        record(
            event=EventType.AUDIT_PACKED,
            actor=actors.shell(),
            now=datetime.now(UTC),
            detail={"start": int(str(written["start"])), "size": int(str(written["size"]))},
        )
        self.stdout.write(
            json.dumps(written)
            if options["json"]
            else f"{options['folder']}: {written['entries']} entries, {written['controls']}"
            " controls; begin with report.html"
        )

    def _retire(self, options: dict[str, Any]) -> None:
        now = datetime.now(UTC)
        before = options["before"] or now - RETENTION
        if before > now - RETENTION:
            raise CommandError(f"entries are kept for {RETENTION.days} days", returncode=UNCHECKED)
        configured = Path(settings.AUDIT_ARCHIVE) if settings.AUDIT_ARCHIVE else None
        try:
            require_owner()
            swept = retire(
                before=before,
                key=_public_key(options["public_key"]),
                origin=settings.AUDIT_ORIGIN,
                archive=options["archive"] or configured,
                actor=actors.shell(),
                now=now,
                sources=[alias for alias in ("default", "wisdom") if alias in connections],
            )
        except (AuditError, OSError) as error:
            raise CommandError(f"nothing further was retired: {error}") from error
        said = msgspec.to_builtins(swept)
        self.stdout.write(
            json.dumps(said)
            if options["json"]
            else f"{len(swept.epochs)} epochs and {len(swept.days)} days of staging retired"
        )

    def _list(self, *, limit: int, before: int | None, as_json: bool) -> None:
        if not 1 <= limit <= LIST_LIMIT:
            raise CommandError(f"--limit is between 1 and {LIST_LIMIT}")
        with all_tenants_audit("reader", using="default"):
            record(
                event=EventType.AUDIT_READ,
                actor=actors.shell(),
                now=datetime.now(UTC),
                detail={"limit": limit},
            )
            entries = list(Entry.objects.newest(limit, before=before))
        shown = [{"idx": each.idx, **msgspec.to_builtins(each.content())} for each in entries]
        if as_json:
            self.stdout.write(json.dumps({"entries": shown}))
            return
        for each in shown:  # JSON in ASCII: no field can move the cursor or reverse the line
            self.stdout.write(json.dumps(each))


def _left_out(unsigned: int) -> str:
    """Say how many of the newest entries a bundle cannot have yet."""
    return f"; {unsigned} newer entries are not signed yet" if unsigned else ""


def _public_key(given: Path | None) -> VerifyingKey:
    path = given or public_key_path(Path(settings.CHECKPOINT_FILE))
    try:
        return read_public_key(path, name=settings.AUDIT_ORIGIN)
    except (OSError, CryptoError) as error:
        raise CommandError(f"no public key: {error}", returncode=UNCHECKED) from error


def _notes(files: list[Path]) -> list[str]:
    try:
        return [each.read_text("utf-8") for each in files]
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"no checkpoint: {error}", returncode=UNCHECKED) from error


def _size(note: str) -> int:
    """Return how many leaves a note speaks of, 0 where it is none: the check itself says so."""
    try:
        return TreeHead.parse(note).size
    except NoSuchCheckpoint:
        return 0


def _time(text: str) -> datetime:
    """Read an RFC 3339 time or a day, in UTC where it names no zone."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _record_verdict(verdict: Verdict) -> None:
    found = "; ".join(each.message for each in verdict.findings)
    record(
        event=EventType.AUDIT_VERIFIED,
        actor=actors.shell(),
        now=datetime.now(UTC),
        outcome=Outcome.SUCCESS if verdict.ok else Outcome.FAILURE,
        reason=excerpt(found, limit=REASON_LIMIT),
        detail={"size": verdict.size, "checkpoints": verdict.checkpoints},
    )


def _as_json(verdict: Verdict) -> str:
    return json.dumps(
        {
            "ok": verdict.ok,
            "size": verdict.size,
            "root": verdict.root.hex(),
            "checkpoints": verdict.checkpoints,
            "unsigned": verdict.unsigned,
            "unsigned_allowed": verdict.allowed,
            "first_bad": verdict.first_bad,
            "findings": [msgspec.to_builtins(each) for each in verdict.findings],
            "clock_back": list(verdict.clock_back),
        }
    )


def _as_text(verdict: Verdict) -> str:
    counts = f"{verdict.size} entries, {verdict.checkpoints} checkpoints"
    lines = [f"{counts}, {verdict.unsigned} entries signed by no checkpoint"]
    if verdict.allowed:
        seconds = int(UNSIGNED_FOR.total_seconds())
        lines.append(f"{verdict.allowed} of them are younger than {seconds} s: allowed, not proved")
    lines += [f"the clock went back at entry {idx}" for idx in verdict.clock_back]
    lines += [
        f"entries {each.first} to {each.last}: {each.message} [{each.fault}]"
        for each in verdict.findings
    ]
    lines.append("whole" if verdict.ok else f"NOT WHOLE: first bad entry {verdict.first_bad}")
    return "\n".join(lines)
