"""``manage.py drain``: wait until everything accepted has taken effect and every alert shows."""

import json
import sys
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError, connection
from django.utils import timezone

from analytics.actions.draining import Backlog, drain_step

POLL_SECONDS = 0.2
NOTHING_RUNS, DEAD_WORK, TIMED_OUT = 3, 1, 124


class Command(BaseCommand):
    """Wait for the backlog to empty."""

    help = (
        "Wait until no work is pending or leased, every window is evaluated and every alert can be "
        "followed. Exit 0: so it is; 1: some work is dead; 3: nothing runs; 124: time-out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--timeout", type=float, default=600, help="seconds to wait (600)")
        parser.add_argument("--json", action="store_true", help="end with one line of JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Wait, telling each change on stderr."""
        started = time.monotonic()
        try:
            connection.ensure_connection()
        except DatabaseError:
            self.stderr.write("Nothing runs here: start it with `make run`.")
            sys.exit(NOTHING_RUNS)
        left = self._wait(started + options["timeout"])
        seconds = round(time.monotonic() - started, 2)
        if options["json"]:
            self.stdout.write(json.dumps({"seconds": seconds, **asdict(left)}))
        if not left.is_empty:
            self.stderr.write(f"still waiting after {seconds} s: {left.waiting}")
            sys.exit(TIMED_OUT)
        if left.dead:
            self.stderr.write(f"drained in {seconds} s, but some work gave up: {left.dead}")
            sys.exit(DEAD_WORK)
        owed = f"; {left.owed} days wait for Wisdom's answer" if left.owed else ""
        self.stderr.write(f"drained in {seconds} s{owed}")

    def _wait(self, deadline: float) -> Backlog:
        told = None
        while True:
            left = drain_step(now=timezone.now())
            if left.waiting != told and not left.is_empty:
                told = left.waiting
                self.stderr.write(f"waiting: {told}")
            if left.is_empty or time.monotonic() > deadline:
                return left
            time.sleep(POLL_SECONDS)
