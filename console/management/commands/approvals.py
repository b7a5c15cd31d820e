"""``manage.py approvals``: what takes two people, from the machine's own shell.

The shell may ask and cancel. It approves nothing by itself: whoever holds it could have asked, and
so would be both people. An owner may approve in it who proves password and code.
"""

import getpass
import json
import os
import sys
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit.actors import Actor, shell
from console import proving, second
from console.models import Staff
from tenants import approvals
from tenants.approvals import Pending
from tenants.errors import UnfitTerms
from tenants.models.approvals import OPEN

MOST = 200
"""Deeds that ``list --all`` prints, the newest first."""


class Command(BaseCommand):
    """List, show, approve and cancel what waits; ask for a reset of second factors."""

    help = "What takes two people. With --json the last line of stdout is one JSON value."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        deeds = parser.add_subparsers(dest="deed", required=True)
        listing = deeds.add_parser("list", help="list what waits")
        listing.add_argument("--all", action="store_true", help="and what is over")
        show = deeds.add_parser("show", help="show one deed")
        approve = deeds.add_parser("approve", help="stand behind a deed, as an owner")
        approve.add_argument(
            "--as", dest="username", required=True,
            help="the owner; password and code are asked for, or are two lines of stdin",
        )  # fmt: skip
        cancel = deeds.add_parser("cancel", help="stop a deed that waits")
        for each in (show, approve, cancel):
            each.add_argument("pending", type=UUID, help="its id, as list shows it")
        reset = deeds.add_parser("mfa-reset", help="ask that somebody's second factors end")
        reset.add_argument("username")
        link = deeds.add_parser("link", help="print the enrolment link of somebody who was reset")
        link.add_argument("username")
        for each in (cancel, reset, link):
            each.add_argument("--reason", required=True, help="for the audit log")
        run = deeds.add_parser("carry-out", help="do what is due, where no worker runs")
        for each in (listing, show, approve, cancel, reset, link, run):
            each.add_argument("--json", action="store_true", help="answer in JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the subcommand and print what it says."""
        try:
            said = getattr(self, f"_{options['deed'].replace('-', '_')}")(options)
        except UnfitTerms as refusal:
            raise CommandError(str(refusal)) from None
        if options["json"]:
            self.stdout.write(json.dumps(said, default=str))
            return
        for row in said if isinstance(said, list) else [said]:
            for name, value in row.items():
                self.stdout.write(f"{name:13} {value}")
            self.stdout.write("")

    def _list(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        rows = Pending.objects.all() if options["all"] else Pending.objects.filter(state__in=OPEN)
        return [in_words(row) for row in rows[:MOST]]

    def _show(self, options: dict[str, Any]) -> dict[str, Any]:
        row = Pending.objects.filter(pk=options["pending"]).first()
        if row is None:
            raise CommandError("nothing of that id was asked for")
        return in_words(row)

    def _approve(self, options: dict[str, Any]) -> dict[str, Any]:
        now = timezone.now()
        actor = proven(options["username"], now=now)
        return in_words(approvals.approve(pending=options["pending"], actor=actor, now=now))

    def _cancel(self, options: dict[str, Any]) -> dict[str, Any]:
        row = approvals.cancel(
            pending=options["pending"], actor=shell(), reason=options["reason"], now=timezone.now()
        )
        return in_words(row)

    def _mfa_reset(self, options: dict[str, Any]) -> dict[str, Any]:
        person = _named(options["username"])
        row = second.ask_mfa_reset(
            person=person, actor=shell(), reason=options["reason"], now=timezone.now()
        )
        return in_words(row)

    def _link(self, options: dict[str, Any]) -> dict[str, Any]:
        made = second.new_link(
            person=_named(options["username"]), actor=shell(), reason=options["reason"],
            now=timezone.now(),
        )  # fmt: skip
        return {"username": made.staff.username, "link": made.link, "until": made.expires_at}

    def _carry_out(self, _options: dict[str, Any]) -> dict[str, Any]:
        return {"ended": approvals.carry_out_due(now=timezone.now())}


def proven(username: str, *, now: datetime) -> Actor:
    """Return the person who types password and code; raises `CommandError` for nobody."""
    password, code = _typed()
    staff = proving.prove(username=username, password=password, code=code, now=now)
    if not isinstance(staff, Staff):
        raise CommandError("name, password or code is not right, or was tried too often")
    return Actor(kind="staff", id=str(staff.id))


def in_words(row: Pending) -> dict[str, Any]:
    """Return a deed as the commands print it."""
    called = second.names([row.asked_by, row.approved_by, row.ended_by])
    said = {
        "approval": row.id,
        "what": approvals.kind_named(row.kind).words(row),
        "state": row.state,
        "asked_by": called[row.asked_by],
        "asked_at": row.asked_at,
        "reason": row.reason,
    }
    if row.state == "pending":
        said["takes_effect"] = row.effective_at or "when another owner approves"
        said["ends"] = row.expires_at
        said["to_cancel"] = f"manage.py approvals cancel {row.id} --reason WHY"
    if row.approved_by:
        said["approved_by"] = called[row.approved_by]
    if row.ended_at is not None:
        said |= {"ended_by": called[row.ended_by], "ended_at": row.ended_at}
        said |= {"why": row.ended_why, "outcome": row.outcome}
    return said


def _named(username: str) -> UUID:
    staff = Staff.objects.filter(username=username, is_active=True).first()
    if staff is None:
        raise CommandError(f"no active staff account is named {username}")
    return staff.id


def _typed() -> tuple[str, str]:
    """Read password and code, from a terminal unseen, else as two lines."""
    if sys.stdin.isatty():
        return getpass.getpass("Password: "), getpass.getpass("Code: ")
    return sys.stdin.readline().rstrip(os.linesep), sys.stdin.readline().rstrip(os.linesep)
