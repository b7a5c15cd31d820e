"""``manage.py isolation lint``: whether the schema, as it stands, keeps tenants apart."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from tenants import catalogue
from tenants.scope import STAFF


class Command(BaseCommand):
    """Hold every database's catalogue against the rules; exit 1 where one is broken."""

    help = (
        "lint: read each database's catalogue and name what would let one tenant's rows reach "
        "another. Exit status 0: nothing; 1: findings. With --json the last line of stdout is one "
        "JSON value."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommand."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        lint = deeds.add_parser("lint", help="hold the catalogue against the rules")
        lint.add_argument("--json", action="store_true", help="findings as one JSON value")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run it."""
        found = {alias: catalogue.lint(alias) for alias in connections if alias != STAFF}
        if options["json"]:
            answer = {
                alias: [
                    {"object": each.object, "rule": each.rule.value, "text": each.text}
                    for each in findings
                ]
                for alias, findings in found.items()
            }
            self.stdout.write(json.dumps(answer))
        else:
            for alias, findings in found.items():
                for each in findings:
                    self.stdout.write(f"{alias}: {each}")
                self.stdout.write(f"{alias}: {len(findings)} findings")
        if any(found.values()):
            sys.exit(1)
