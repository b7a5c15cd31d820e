"""What a first start makes where Wisdom is on the same machine."""

from datetime import datetime
from pathlib import Path

from django.conf import settings

from audit.actors import Actor
from config.first_start import REASON, write_once
from feeds.actions import seed_feeds
from wisdom.actions import create_engine


def make_wisdom_accounts(*, actor: Actor, now: datetime) -> None:
    """Make the engine's credential and the default feeds, where they are missing."""
    if not Path(settings.WISDOM_KEY_FILE).exists():
        name = f"embedded {now:%Y-%m-%d %H:%M:%S}"
        _, wisdom_key = create_engine(name=name, actor=actor, reason=REASON, now=now)
        write_once(Path(settings.WISDOM_KEY_FILE), wisdom_key.encode())
    seed_feeds(actor=actor, now=now)
