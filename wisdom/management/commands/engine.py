"""``manage.py engine``: credentials of Analytics Engines."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError
from django.utils import timezone

from audit.actors import shell
from wisdom.actions import create_engine, revoke_engine
from wisdom.models import Engine

REASON = "from the shell"


class Command(BaseCommand):
    """Create, list and revoke the credentials with which engines ask Wisdom."""

    help = "Create, list and revoke engines' credentials. With --json the last line is JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        create = deeds.add_parser("create", help="make a credential; its key is shown once")
        create.add_argument("name", help="the engine's name, unique, up to 200 characters")
        revoke = deeds.add_parser("revoke", help="stop a credential for good, at once")
        revoke.add_argument("name", help="the engine's name")
        listing = deeds.add_parser("list", help="list engines")
        for deed in (create, revoke, listing):
            deed.add_argument("--json", action="store_true", help="answer in JSON")
        for deed in (create, revoke):
            deed.add_argument("--reason", default=REASON, help="for the audit log")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the subcommand."""
        match options["deed"]:
            case "create":
                answer, line = self._create(options["name"].strip(), options["reason"])
            case "revoke":
                answer, line = self._revoke(options["name"].strip(), options["reason"])
            case _:
                answer, line = self._list()
        self.stdout.write(json.dumps(answer) if options["json"] else line)

    def _create(self, name: str, reason: str) -> tuple[object, str]:
        if not 0 < len(name) <= 200:
            raise CommandError("an engine's name has 1 to 200 characters")
        try:
            engine, key = create_engine(name=name, actor=shell(), reason=reason, now=timezone.now())
        except IntegrityError:
            raise CommandError(f"an engine named {name!r} exists already") from None
        answer = {"engine": str(engine.id), "wisdom_key": key}
        return answer, f"engine      {engine.id}  {name}\nWisdom key  {key}   (shown this once)"

    def _revoke(self, name: str, reason: str) -> tuple[object, str]:
        engine = Engine.objects.filter(name=name).first()
        if engine is None:
            raise CommandError(f"no engine named {name!r}")
        engine = revoke_engine(engine=engine, actor=shell(), reason=reason, now=timezone.now())
        return {"engine": str(engine.id), "revoked": True}, f"{name} is revoked"

    def _list(self) -> tuple[object, str]:
        rows = [
            {
                "engine": str(engine.id),
                "name": engine.name,
                "key_id": engine.key_id,
                "created_at": engine.created_at.isoformat(),
                "revoked": engine.is_revoked,
            }
            for engine in Engine.objects.all()
        ]
        lines = [
            f"{row['engine']}  {'revoked' if row['revoked'] else 'active ':7}  {row['name']}"
            for row in rows
        ]
        return rows, "\n".join(lines) or "no engine yet"
