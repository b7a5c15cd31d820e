"""The one way out to the world: ``fetch`` under an address policy."""

from egress.errors import (
    BrokenAnswer,
    ConnectFailed,
    EgressError,
    RedirectRefused,
    TargetRefused,
    TimedOut,
    TlsFailed,
    TooLarge,
    Unresolvable,
    UrlRefused,
)
from egress.fetch import Fetched, Limits, fetch
from egress.policy import Allow, Policy, is_public

__all__ = [
    "Allow",
    "BrokenAnswer",
    "ConnectFailed",
    "EgressError",
    "Fetched",
    "Limits",
    "Policy",
    "RedirectRefused",
    "TargetRefused",
    "TimedOut",
    "TlsFailed",
    "TooLarge",
    "Unresolvable",
    "UrlRefused",
    "fetch",
    "is_public",
]
