"""Deeds on feeds: each is one transaction on ``wisdom`` with its audit row inside."""

from feeds.actions.configuring import (
    accept_held,
    add_feed,
    allow_private,
    ask_refresh,
    seed_feeds,
    set_feed,
)
from feeds.actions.refreshing import JUMP, Refreshed, refresh_feed

__all__ = [
    "JUMP",
    "Refreshed",
    "accept_held",
    "add_feed",
    "allow_private",
    "ask_refresh",
    "refresh_feed",
    "seed_feeds",
    "set_feed",
]
