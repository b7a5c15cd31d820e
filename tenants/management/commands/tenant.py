"""``manage.py tenant``: customers from the machine's own shell."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError
from django.utils import timezone

from audit.actors import Actor
from tenants.actions import create_tenant
from tenants.models import Tenant


class Command(BaseCommand):
    """Create and list tenants."""

    help = "Create and list tenants. With --json the last line of stdout is one JSON value."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        create = deeds.add_parser("create", help="make a tenant and its first API key")
        create.add_argument("name", help="the tenant's name, unique, up to 200 characters")
        create.add_argument("--reason", default="created from the shell", help="for the audit log")
        create.add_argument("--json", action="store_true", help="answer in JSON")
        listing = deeds.add_parser("list", help="list tenants")
        listing.add_argument("--json", action="store_true", help="answer in JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the subcommand."""
        if options["deed"] == "create":
            self._create(options["name"], options["reason"], as_json=options["json"])
        else:
            self._list(as_json=options["json"])

    def _create(self, name: str, reason: str, *, as_json: bool) -> None:
        if not 0 < len(name.strip()) <= 200:
            raise CommandError("a tenant's name has 1 to 200 characters")
        try:
            new = create_tenant(
                name=name.strip(),
                actor=Actor(kind="shell", id="manage.py"),
                reason=reason,
                now=timezone.now(),
            )
        except IntegrityError:
            raise CommandError(f"a tenant named {name!r} exists already") from None
        if as_json:
            self.stdout.write(json.dumps({"tenant": str(new.tenant.id), "api_key": new.api_key}))
            return
        self.stdout.write(f"tenant   {new.tenant.id}  {new.tenant.name}")
        self.stdout.write(f"API key  {new.api_key}   (shown this once)")

    def _list(self, *, as_json: bool) -> None:
        tenants = list(Tenant.objects.all())
        if as_json:
            rows = [{"tenant": str(t.id), "name": t.name, "state": t.state} for t in tenants]
            self.stdout.write(json.dumps(rows))
            return
        for tenant in tenants:
            self.stdout.write(f"{tenant.id}  {tenant.state:9}  {tenant.name}")
