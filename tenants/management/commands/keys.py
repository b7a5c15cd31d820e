"""``manage.py keys``: the root key's versions, and what is sealed with what."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.actors import shell
from crypto.errors import CryptoError
from tenants.actions import rotation
from tenants.actions.approved import ask_retirement, asked
from tenants.errors import KeyUnavailable, UnfitTerms
from tenants.keys.inventory import inventory


class Command(BaseCommand):
    """Rotate the root key, say what is wrapped by which version, retire one, list primitives."""

    help = "The root key. With --json the last line of stdout is one JSON value."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        rotate = deeds.add_parser("rotate", help="add a version, make it primary, rewrap all keys")
        rotate.add_argument(
            "--wait", type=float, default=300.0, help="seconds to wait for every process's report"
        )
        retire = deeds.add_parser("retire", help="ask for the end of a version that wraps nothing")
        retire.add_argument("version", help="provider:key:version, as status shows it")
        for each in (
            rotate,
            retire,
            deeds.add_parser("status", help="how many keys are wrapped by which version"),
            deeds.add_parser("inventory", help="every use of a cryptographic primitive"),
        ):
            each.add_argument("--reason", default="from the shell", help="for the audit log")
            each.add_argument("--json", action="store_true", help="answer in JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the subcommand."""
        try:
            said = getattr(self, f"_{options['deed']}")(options)
        except (UnfitTerms, KeyUnavailable, CryptoError) as refusal:
            raise CommandError(str(refusal)) from None
        if options["json"]:
            self.stdout.write(json.dumps(said, default=str))
            return
        for row in said if isinstance(said, list) else [said]:
            self.stdout.write("  ".join(f"{name}: {value}" for name, value in row.items()))

    def _rotate(self, options: dict[str, Any]) -> dict[str, Any]:
        done = rotation.rotate(
            actor=shell(),
            reason=options["reason"],
            now=timezone.now(),
            wait=options["wait"],
            progress=lambda step, done, total: self.stderr.write(f"{step} {done}/{total}"),
        )
        return {
            "version": str(done.version),
            "rewrapped": done.rewrapped,
            "resumed": done.resumed,
        }

    def _status(self, _options: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {"version": str(each.name), "state": each.state, "keys": each.keys}
            for each in rotation.status()
        ]

    def _retire(self, options: dict[str, Any]) -> dict[str, Any]:
        pending = ask_retirement(
            version=options["version"],
            actor=shell(),
            reason=options["reason"],
            now=timezone.now(),
        )
        return {"version": options["version"], **asked(pending)}

    def _inventory(self, _options: dict[str, Any]) -> list[dict[str, Any]]:
        return inventory()
