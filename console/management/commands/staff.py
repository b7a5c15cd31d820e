"""``manage.py staff``: the people of the console, from the machine's own shell."""

import json
import sys
from typing import Any

import segno
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.actors import shell
from console.actions import NewStaff, create_staff, disable_staff
from console.apps import ConsoleConfig
from console.errors import ConsoleError
from console.invites import invite
from console.models import Role, Staff


class Command(BaseCommand):
    """Create, list and disable staff accounts."""

    help = "Create, list and disable staff. With --json the last line of stdout is one JSON value."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        create = deeds.add_parser("create", help="make an account with password and authenticator")
        create.add_argument("username", help="lower case letters, digits, dot, dash, underscore")
        create.add_argument("--role", choices=Role.values, default=Role.OWNER)
        create.add_argument("--reason", default="created from the shell", help="for the audit log")
        create.add_argument("--json", action="store_true", help="answer in JSON")
        create.add_argument(
            "--invite", action="store_true", help="print a link by which the person enrols alone"
        )
        listing = deeds.add_parser("list", help="list accounts")
        listing.add_argument("--json", action="store_true", help="answer in JSON")
        disable = deeds.add_parser("disable", help="end an account's access and its sessions")
        disable.add_argument("username")
        disable.add_argument(
            "--reason", default="disabled from the shell", help="for the audit log"
        )
        disable.add_argument("--json", action="store_true", help="answer in JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the subcommand."""
        try:
            {"create": self._create, "list": self._list, "disable": self._disable}[options["deed"]](
                options
            )
        except ConsoleError as refusal:
            raise CommandError(str(refusal)) from None

    def _create(self, options: dict[str, Any]) -> None:
        if options["invite"]:
            self._invite(options)
            return
        config = apps.get_app_config("console")
        assert isinstance(config, ConsoleConfig)
        new = create_staff(
            username=options["username"],
            role=Role(options["role"]),
            actor=shell(),
            reason=options["reason"],
            now=timezone.now(),
            must_replace_mfa=config.replaces_shell_mfa,
        )
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "username": new.staff.username,
                        "password": new.password,
                        "totp_secret": new.totp_secret,
                    }
                )
            )
            return
        self._show(new)

    def _invite(self, options: dict[str, Any]) -> None:
        made = invite(
            username=options["username"],
            role=Role(options["role"]),
            actor=shell(),
            reason=options["reason"],
            now=timezone.now(),
        )
        ends = made.expires_at.isoformat(timespec="seconds")
        if options["json"]:
            told = {"username": made.staff.username, "invite": made.link, "expires_at": ends}
            self.stdout.write(json.dumps(told))
            return
        self.stdout.write(f"user name   {made.staff.username}   ({made.staff.role})")
        self.stdout.write(f"invitation  {made.link}   (shown this once, works once)")
        self.stdout.write(f"until       {ends}")

    def _show(self, new: NewStaff) -> None:
        self.stdout.write(f"user name      {new.staff.username}   ({new.staff.role})")
        self.stdout.write(f"password       {new.password}   (shown this once)")
        self.stdout.write(f"authenticator  {new.totp_secret}   (shown this once)")
        if sys.stdout.isatty():
            segno.make(new.otpauth_uri, error="m").terminal(out=sys.stdout, compact=True)
        if new.staff.must_replace_mfa:
            self.stdout.write("The authenticator must be replaced at the first sign-in.")

    def _list(self, options: dict[str, Any]) -> None:
        everybody = list(Staff.objects.all())
        if options["json"]:
            rows = [
                {"username": one.username, "role": one.role, "active": one.is_active}
                for one in everybody
            ]
            self.stdout.write(json.dumps(rows))
            return
        for one in everybody:
            state = "active" if one.is_active else "disabled"
            self.stdout.write(f"{one.username:24}  {one.role:9}  {state}")

    def _disable(self, options: dict[str, Any]) -> None:
        staff = disable_staff(
            username=options["username"],
            actor=shell(),
            reason=options["reason"],
            now=timezone.now(),
        )
        if options["json"]:
            self.stdout.write(json.dumps({"username": staff.username, "active": False}))
            return
        self.stdout.write(f"{staff.username} is disabled; every session of theirs is over")
