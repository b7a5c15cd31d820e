"""``manage.py research``: de-identified series of a tenant that allows it."""

import json
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from analytics.actions.research import export_research
from analytics.series.disguise import Public
from audit.actors import shell
from tenants.errors import UnfitTerms
from tenants.models import Tenant


class Command(BaseCommand):
    """Write a tenant's series for research: what happened, and not to whom."""

    help = "Series for research. Only of a tenant that allows it (PUT /v1/account/research)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommand."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        export = deeds.add_parser("export", help="write a tenant's de-identified series")
        export.add_argument("tenant", help="a tenant's id or name")
        export.add_argument("dir", type=Path, help="a new folder")
        export.add_argument("--reason", required=True, help="for the audit log")
        export.add_argument(
            "--public",
            type=Path,
            help="a list of registered domains and networks that keep their names, one a line;"
            " without it none does",
        )
        export.add_argument("--json", action="store_true", help="answer in JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the subcommand."""
        try:
            lines = options["public"].read_text("utf-8").splitlines() if options["public"] else []
            public = Public.parse(lines)
        except (OSError, ValueError) as error:
            raise CommandError(f"the list of public destinations: {error}") from None
        try:
            done = export_research(
                tenant=_tenant(options["tenant"]),
                folder=options["dir"],
                public=public,
                actor=shell(),
                reason=options["reason"],
                now=timezone.now(),
                progress=lambda kind, lines: sys.stderr.write(f"{kind}: {lines:,}\n"),
            )
        except UnfitTerms as refusal:
            raise CommandError(str(refusal)) from None
        if options["json"]:
            said = {"export": str(done.export), "dir": str(options["dir"]), "lines": done.lines}
            self.stdout.write(json.dumps(said))
            return
        for kind, count in done.lines.items():
            self.stdout.write(f"{kind}: {count:,}")


def _tenant(given: str) -> UUID:
    try:
        row = Tenant.objects.filter(id=UUID(given)).first()
    except ValueError:
        row = Tenant.objects.filter(name=given).first()
    if row is None:
        raise CommandError(f"there is no tenant {given!r}")
    return row.id
