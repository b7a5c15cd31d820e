"""How often a sign-in may be tried: by name and network together, by network, and by device.

Never by name alone, or a stranger could lock a person out from anywhere. The figures are those of
PyPI's second factor (5 in five minutes, 20 an hour, 50 a day; a network 10 and 50). An attempt is
counted before it is looked at, in one statement, so that parallel ones cannot slip through.

A second factor is counted by device, wherever it is tried: only somebody who has the password, or
the session, comes so far. A success takes its own try back and no other: whoever guesses beside the
owner gains nothing from the owner's success.
"""

from datetime import datetime

from tenants import addresses
from tenants.attempts import Ledger, Refusal, Window

PER_NAME = (
    Window(attempts=5, seconds=300),
    Window(attempts=20, seconds=3600),
    Window(attempts=50, seconds=86_400),
)
PER_NETWORK = (Window(attempts=10, seconds=300), Window(attempts=50, seconds=3600))
PER_DEVICE = (*PER_NAME[:2], Window(attempts=49, seconds=86_400))
"""A span begins with its first try, so that 24 hours may touch two of them: at most 98 guesses of
10^6 codes in any 24 hours, and 1 - (1 - 1e-6)^98 = 9.8e-5 that one of them hits (MFA-3: 1e-4)."""
V6_PREFIX = 48
"""What one office usually has: wider than a subscriber's, because a password is at stake."""
PRUNED_AT_ONCE = 1_000
"""Old rows that one success drops."""

SIGN_INS = Ledger(table="staff_login_window", key="login_window")


def network_of(address: str) -> str:
    """Return the network that an address is counted under, ``unknown`` for what is no address."""
    return addresses.network_of(address, v6_prefix=V6_PREFIX)


def name_tag(username: str) -> bytes:
    """Return the keyed hash under which a user name that nobody has is logged and counted."""
    return SIGN_INS.tag("name", username)


def count_attempt(*, username: str, network: str, now: datetime) -> Refusal | None:
    """Count an attempt; return the refusal if it is one too many.

    The network comes first: one that is refused leaves no trace of the names it tries.
    """
    return SIGN_INS.count("network", network, windows=PER_NETWORK, now=now) or SIGN_INS.count(
        "both", username, network, windows=PER_NAME, now=now
    )


def forget_attempts(*, username: str, network: str, now: datetime) -> None:
    """Take a success out of the counts, and drop what no span reaches any more."""
    SIGN_INS.take_back("network", network)
    SIGN_INS.forget("both", username, network)
    SIGN_INS.prune(now=now, most=PRUNED_AT_ONCE)


def count_factor(kind: str, device: object, *, now: datetime) -> Refusal | None:
    """Count a try of a second factor; return the refusal if it is one too many."""
    return SIGN_INS.count("factor", kind, str(device), windows=PER_DEVICE, now=now)


def forget_factor(kind: str, device: object, *, now: datetime) -> None:
    """Take a successful try of a second factor out of its counts."""
    SIGN_INS.take_back("factor", kind, str(device))
    SIGN_INS.prune(now=now, most=PRUNED_AT_ONCE)
