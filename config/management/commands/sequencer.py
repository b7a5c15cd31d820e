"""``manage.py sequencer``: the one process that orders audit rows and alerts, and signs."""

import contextlib
import os
import signal
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections
from django.utils import timezone

from analytics.actions.sequencing import sequence_alerts
from audit.actors import Actor
from audit.errors import AnotherSequencer
from audit.events import EventType
from audit.places import Places
from audit.record import record
from audit.sequencer import Sequencer
from config.in_force import record_settings
from config.places import places_of
from config.start import refuse_wrong_roles
from crypto import signatures

IDLE_SECONDS = 0.25
"""Seconds between steps when nothing waits: an alert shows half a second after its commit."""

ACTOR = Actor(kind="system", id="sequencer")

LAST_WORD_SECONDS = 10.0
"""What a place for checkpoints may still take when everything else is done."""


class Command(BaseCommand):
    """Sequence until stopped."""

    help = "Order audit rows and alerts, and sign checkpoints, until SIGTERM. One per deployment."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--once", action="store_true", help="take what waits, sign, and end")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run until stopped."""
        refuse_wrong_roles()
        stop = threading.Event()
        if not options["once"]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        places = Places(places_of(settings.CHECKPOINT_PLACES, environ=os.environ))
        key = Path(settings.CHECKPOINT_KEY_FILE).read_bytes()
        sequencer = Sequencer(
            signer=signatures.decode_private(key, name=settings.AUDIT_ORIGIN),
            origin=settings.AUDIT_ORIGIN,
            checkpoint_path=Path(settings.CHECKPOINT_FILE),
            now=timezone.now,
            sources=[alias for alias in ("default", "wisdom") if alias in connections],
            places=places,
        )
        record(
            event=EventType.SEQUENCER_STARTED,
            actor=ACTOR,
            now=timezone.now(),
        )
        record_settings(actor=ACTOR, now=timezone.now())
        while not stop.is_set():
            try:
                more = sequencer.step(flush=options["once"]).more
            except AnotherSequencer:
                more = False  # it has the lock for a step; ours is the next
            placed = sequence_alerts(now=timezone.now())
            if not more and not placed:
                if options["once"]:
                    break
                stop.wait(IDLE_SECONDS)
        if stop.is_set():  # its own last word, so that the log says when nobody sequenced
            record(event=EventType.SEQUENCER_STOPPED, actor=ACTOR, now=timezone.now())
            with contextlib.suppress(AnotherSequencer):
                sequencer.step(flush=True)
        places.wait(LAST_WORD_SECONDS)
