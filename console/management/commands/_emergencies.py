"""``manage.py break-glass``: emergency access, from the machine's own shell."""

import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.actors import shell
from console.management.commands.approvals import in_words, proven
from console.models import Staff
from console.second import names
from tenants import break_glass
from tenants.errors import UnfitTerms
from tenants.models import BreakGlass, Tenant


class Command(BaseCommand):
    """Ask for emergency access, end it, list it, and keep its review."""

    help = "Emergency access. With --json the last line of stdout is one JSON value."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        ask = deeds.add_parser("open", help="ask for access; a second person must approve")
        ask.add_argument("tenant", help="a tenant's id or name")
        ask.add_argument("--staff", required=True, help="who gets it")
        ask.add_argument("--ticket", required=True, help="where the emergency is written down")
        ask.add_argument("--minutes", type=int, default=break_glass.MOST_MINUTES)
        close = deeds.add_parser("close", help="end an access before its time")
        review = deeds.add_parser("review", help="keep what a review found")
        listing = deeds.add_parser("list", help="what is open, or owes its review")
        review.add_argument(
            "--as", dest="username", required=True,
            help="who reviewed it; password and code are asked for, or are two lines of stdin",
        )  # fmt: skip
        for each in (close, review):
            each.add_argument("emergency", type=UUID, help="its id, as list shows it")
        for each in (ask, close, review):
            each.add_argument("--reason", required=True, help="for the audit log")
        for each in (ask, close, review, listing):
            each.add_argument("--json", action="store_true", help="answer in JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the subcommand and print what it says."""
        try:
            said = getattr(self, f"_{options['deed']}")(options)
        except UnfitTerms as refusal:
            raise CommandError(str(refusal)) from None
        if options["json"]:
            self.stdout.write(json.dumps(said, default=str))
            return
        for row in said if isinstance(said, list) else [said]:
            for name, value in row.items():
                self.stdout.write(f"{name:13} {value}")
            self.stdout.write("")

    def _open(self, options: dict[str, Any]) -> Any:
        staff = Staff.objects.filter(username=options["staff"], is_active=True).first()
        if staff is None:
            raise CommandError(f"no active staff account is named {options['staff']}")
        return in_words(
            break_glass.ask(
                tenant=_tenant(options["tenant"]), staff=staff.id, minutes=options["minutes"],
                ticket=options["ticket"], actor=shell(), reason=options["reason"],
                now=timezone.now(),
            )
        )  # fmt: skip

    def _close(self, options: dict[str, Any]) -> Any:
        terms = {"actor": shell(), "reason": options["reason"], "now": timezone.now()}
        return _row(break_glass.close(emergency=options["emergency"], **terms))

    def _review(self, options: dict[str, Any]) -> Any:
        now = timezone.now()
        actor = proven(options["username"], now=now)
        reviewed = break_glass.review(
            emergency=options["emergency"], actor=actor, findings=options["reason"], now=now
        )
        return _row(reviewed)

    def _list(self, _options: dict[str, Any]) -> Any:
        return [_row(row) for row in break_glass.unreviewed()]


def _row(row: BreakGlass) -> dict[str, Any]:
    called = names([str(row.staff), row.asked_by, row.approved_by])
    return {
        "emergency": row.id,
        "staff": called[str(row.staff)],
        "asked_by": called[row.asked_by],
        "approved_by": called[row.approved_by],
        "opened_at": row.opened_at,
        "used_at": row.used_at,
        "ends": row.closed_at or row.expires_at,
        "review_until": None if row.reviewed_at else break_glass.review_due(row),
    }


def _tenant(given: str) -> UUID:
    try:
        found = Tenant.objects.filter(id=UUID(given)).first()
    except ValueError:
        found = Tenant.objects.filter(name=given).first()
    if found is None:
        raise CommandError(f"there is no tenant {given!r}")
    return found.id
