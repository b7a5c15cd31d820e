"""``manage.py keys``: the root key's versions, the deployment's own secret, and named secrets."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.actors import shell
from crypto.errors import CryptoError
from tenants.actions import rotation, system_rotation
from tenants.actions.approved import ask_retirement, asked
from tenants.errors import KeyUnavailable, NoSecret, UnfitTerms
from tenants.keys import peppers, secrets
from tenants.keys.inventory import inventory

SECRETS = {
    "put": "store a secret's next version, from standard input or --file",
    "list": "every name with its versions; never a value",
    "remove": "delete a secret, or one --version of it",
    "adopt-peppers": "store the peppers that lie in files, which may then be taken away",
}


class Command(BaseCommand):
    """Rotate keys, say what is under which version, keep named secrets, list primitives."""

    help = "Keys and secrets. With --json the last line of stdout is one JSON value."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        rotate = deeds.add_parser("rotate", help="add a version, make it primary, rewrap all keys")
        system = deeds.add_parser(
            "rotate-system", help="seal what is the deployment's under a newer secret"
        )
        for each in (rotate, system):
            each.add_argument(
                "--wait", type=float, default=300.0,
                help="seconds to wait for every process's report",
            )  # fmt: skip
        retire = deeds.add_parser("retire", help="ask for the end of a version that wraps nothing")
        retire.add_argument("version", help="provider:key:version, as status shows it")
        secret = deeds.add_parser("secret", help="named secrets of the deployment's")
        kept = secret.add_subparsers(dest="kept", required=True)
        for each in (
            rotate,
            system,
            retire,
            deeds.add_parser("rotate-pepper", help="make a newer pepper for API keys"),
            deeds.add_parser("status", help="how many keys are wrapped by which version"),
            deeds.add_parser("inventory", help="every use of a cryptographic primitive"),
            *(_of_secrets(kept.add_parser(name, help=said)) for name, said in SECRETS.items()),
        ):
            each.add_argument("--reason", default="from the shell", help="for the audit log")
            each.add_argument("--json", action="store_true", help="answer in JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the subcommand."""
        deed = options.get("kept") or options["deed"]
        try:
            said = getattr(self, f"_{deed.replace('-', '_')}")(options)
        except (UnfitTerms, NoSecret, KeyUnavailable, CryptoError) as refusal:
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
            progress=self._progress,
        )
        return {
            "version": str(done.version),
            "rewrapped": done.rewrapped,
            "resumed": done.resumed,
        }

    def _rotate_system(self, options: dict[str, Any]) -> dict[str, Any]:
        done = system_rotation.rotate_system(
            actor=shell(),
            reason=options["reason"],
            now=timezone.now(),
            wait=options["wait"],
            progress=self._progress,
        )
        return {
            "version": done.version,
            "resealed": done.resealed,
            "left": done.left,
            "resumed": done.resumed,
        }

    def _rotate_pepper(self, options: dict[str, Any]) -> dict[str, Any]:
        made = peppers.rotate(actor=shell(), reason=options["reason"], now=timezone.now())
        return {"pepper": made}

    def _progress(self, step: str, done: int, total: int) -> None:
        self.stderr.write(f"{step} {done}/{total}")

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

    def _put(self, options: dict[str, Any]) -> dict[str, Any]:
        name = options["name"]
        if name == peppers.NAME:
            raise CommandError("a pepper is made by keys rotate-pepper")
        version = secrets.put(
            name, _value(options["file"]), actor=shell(), reason=options["reason"],
            now=timezone.now(),
        )  # fmt: skip
        return {"name": name, "version": version}

    def _list(self, _options: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"name": each, "versions": secrets.versions(each)} for each in secrets.names()]

    def _remove(self, options: dict[str, Any]) -> dict[str, Any]:
        name, version = options["name"], options["version_number"]
        about: dict[str, Any] = {
            "actor": shell(), "reason": options["reason"], "now": timezone.now(),
        }  # fmt: skip
        if name == peppers.NAME:
            if version is None:
                raise CommandError("an older pepper goes by its --version")
            peppers.retire(version, **about)
            return {"name": name, "removed": 1}
        gone = secrets.remove(name, version=version, **about)
        if not gone:
            raise CommandError("there is no such secret")
        return {"name": name, "removed": gone}

    def _adopt_peppers(self, _options: dict[str, Any]) -> dict[str, Any]:
        return {"adopted": peppers.adopt(actor=shell(), now=timezone.now())}


def _of_secrets(parser: CommandParser) -> CommandParser:
    """Give a subcommand of ``keys secret`` the arguments that are its own."""
    name = parser.prog.rpartition(" ")[2]
    if name in {"put", "remove"}:
        parser.add_argument("name", help="such as feeds/NAME or providers/NAME")
    if name == "put":
        parser.add_argument("--file", help="read the value from here; else from standard input")
    if name == "remove":
        parser.add_argument("--version", dest="version_number", type=int, help="only this one")
    return parser


def _value(file: str | None) -> bytes:
    """Read a value; the line end that an editor or echo leaves is not part of it."""
    try:
        read = Path(file).read_bytes() if file else sys.stdin.buffer.read()
    except OSError as error:
        raise CommandError(f"the value cannot be read: {error.strerror}") from None
    return read.removesuffix(b"\n").removesuffix(b"\r")
