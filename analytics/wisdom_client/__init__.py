"""The engine's only way to Wisdom: destinations go out, reports come back, nothing else crosses."""

from analytics.wisdom_client.cache import Memory, Shared, Tiers
from analytics.wisdom_client.client import Answer, WisdomClient
from analytics.wisdom_client.local import answered_here

__all__ = ["Answer", "Memory", "Shared", "Tiers", "WisdomClient", "answered_here"]
