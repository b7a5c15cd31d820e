"""What the service says of the key and its account."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from tawny import answers
from tawny.answers import Message, Status
from tawny.asking import complaint
from tawny.checkup.network import DAY, OK
from tawny.checkup.values import Check, Heard, Lost, State
from tawny.exits import Exit

LACKS = "scope"  # the word by which the service tells a key that lacks one from a revoked one
EXPIRY_DAYS = 14  # to have a new key made, and to put it where the old one is
MEANING = {
    "ingest:write": "send events",
    "alerts:read": "read alerts",
    "wisdom:read": "look up",
    "account:read": "read the account",
}


def known(heard: Heard | Lost) -> tuple[Check, Status | None]:
    """Judge whether the service takes the key; give the account's status where it does."""
    name = "key known"
    if isinstance(heard, Lost):
        return Check(name=name, state=State.FAILED, said=heard.said, todo=heard.todo), None
    if heard.status == OK:
        try:
            status = answers.status(heard.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            said, todo = f"an answer that is not this API's: {error}", "check TAWNY_URL"
            return Check(name=name, state=State.FAILED, said=said, todo=todo), None
        label = f", {status.key.label}" if status.key and status.key.label else ""
        return Check(name=name, said=f"yes{label}"), status
    return _refused(name, heard), None


def _refused(name: str, heard: Heard) -> Check:
    said = f"{heard.status}: {complaint(heard.body)[0]}"
    match heard.status:
        case 401:
            todo, code = "use a key of this service, or have a new one made", Exit.KEY
        case 403 if LACKS in said:
            return Check(
                name=name,
                state=State.WARNING,
                said=said,
                todo="it may do other things; a key with account:read can be examined further",
            )
        case 403:
            todo, code = "have a new key made, or ask who runs the service", Exit.KEY
        case 429 | 503:
            todo, code = "wait, then try again", Exit.BUSY
        case _:
            todo, code = "look at the service's logs", Exit.FAILED
    return Check(name=name, state=State.FAILED, said=said, todo=todo, exit=code)


def standing(status: Status, *, now: float) -> Iterator[Check]:
    """Judge scopes, expiry, and what else the service has to say."""
    yield scopes(status)
    yield expiry(status, now=now)
    yield account(status)
    yield messages(status.messages)


def scopes(status: Status) -> Check:
    """Tell what the key may do of what this client does."""
    held = status.key.scopes if status.key else None
    if held is None:
        return Check(name="scopes", state=State.SKIPPED, said="the service does not tell")
    may = [what for scope, what in MEANING.items() if scope in held]
    lacks = [f"{what} ({scope})" for scope, what in MEANING.items() if scope not in held]
    said = "; ".join(
        part
        for part in (
            may and f"may {', '.join(may)}",
            lacks and f"may not {', '.join(lacks)}",
        )
        if part
    )
    if may and may != [MEANING["account:read"]]:
        return Check(name="scopes", said=said)
    todo = "have a key made with the scopes that you need"
    return Check(name="scopes", state=State.WARNING, said=said, todo=todo)


def expiry(status: Status, *, now: float) -> Check:
    """Judge how long the key is good for."""
    renew = "have a new key made; two may be valid at once"
    end = moment((status.key and status.key.expires_at) or status.expiration_date)
    if status.expired or (end is not None and end <= now):
        said = "the key or its account has expired"
        return Check(name="expiry", state=State.FAILED, said=said, todo=renew, exit=Exit.KEY)
    if end is None:
        return Check(name="expiry", said="none")
    days = int((end - now) // DAY)
    if days < EXPIRY_DAYS:
        said = f"in {days} days"
        return Check(name="expiry", state=State.WARNING, said=said, todo=renew)
    return Check(name="expiry", said=f"in {days:,} days")


def account(status: Status) -> Check:
    """Tell what the account holds."""
    parts = [f"{status.endpoints_seen_today:,} endpoints seen today"]
    kept = [f"{count:,} {kind}" for kind, count in sorted(status.events_kept.items()) if count]
    if kept:
        parts.append(f"events kept: {', '.join(kept)}")
    if status.registered:
        return Check(name="account", said="; ".join(parts))
    parts.insert(0, "not registered yet")
    return Check(
        name="account",
        state=State.WARNING,
        said="; ".join(parts),
        todo="register it, and follow the link in the mail, to keep it",
    )


def messages(notices: list[Message]) -> Check:
    """Pass on what the service wants to be known."""
    if not notices:
        return Check(name="messages", said="none")
    worst = max(notice.level for notice in notices)
    state = State.OK if worst < 2 else State.WARNING if worst == 2 else State.FAILED
    return Check(name="messages", state=state, said="; ".join(notice.body for notice in notices))


def moment(text: str | None) -> float | None:
    """Read RFC 3339 as seconds of the epoch; None for anything else, and where there is no offset.

    Digits after the sixth of a second are cut: some services write nanoseconds.
    """
    if not text:
        return None
    try:
        read = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None
    return read.timestamp() if read.tzinfo else None
