"""From a feed's place to a screened list, before anything is stored."""

import stat
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from crypto.digests import sha256
from egress import Limits, fetch
from egress.fetch import Resolver, system_addresses
from feeds import guards
from feeds.errors import ListRefused
from feeds.indicators import Parsed, relabelled
from feeds.models import Feed

LIMITS = Limits(body=guards.MAX_BODY, inflated=guards.MAX_INFLATED)
_UNCHANGED = 304
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What came: the octets, their digest, and the validators to send the next time."""

    octets: bytes
    digest: bytes
    etag: str = ""
    last_modified: str = ""


def obtain(feed: Feed, *, resolve: Resolver = system_addresses) -> Body | None:
    """Fetch or read a feed's body; None when it has not changed or a local file does not exist.

    Raises
    ------
    EgressError
        When an address cannot be fetched.
    ListRefused
        For another status than 200, and for a file that cannot be read.

    """
    return _read(feed) if feed.is_local else _fetch(feed, resolve)


def understand(feed: Feed, octets: bytes) -> Parsed:
    """Read a body as its source does, under the guards that need no history.

    Raises
    ------
    ListRefused
        When it is a web page, too large, or not the format.

    """
    guards.check_body(octets)
    try:
        parsed = guards.screen(feed.module.parse(octets))
    except RecursionError as error:  # JSON nested without end: no list is
        raise ListRefused("not_the_format", "a body nested too deeply") from error
    options = feed.settings
    usual = feed.module.FLAG
    return relabelled(parsed, flag=options.flag, family=options.family, usual=usual)


def local_path(feed: Feed) -> Path:
    """Where a local list lies; a relative path counts from the deployment's folder of feeds."""
    return Path(settings.FEEDS_DIR) / feed.path


def _read(feed: Feed) -> Body | None:
    path = local_path(feed)
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ListRefused("unreadable", f"{path.name} is not a file")
        if found.st_size > guards.MAX_BODY:
            raise ListRefused("too_large", f"{found.st_size} octets in {path.name}")
        octets = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ListRefused("unreadable", f"{path.name}: {error.strerror}") from error
    return Body(octets=octets, digest=sha256(octets))


def _fetch(feed: Feed, resolve: Resolver) -> Body | None:
    got = fetch(
        feed.url,
        policy=feed.policy,
        limits=LIMITS,
        etag=feed.etag,
        last_modified=feed.last_modified,
        resolve=resolve,
    )
    if got.status == _UNCHANGED and (feed.etag or feed.last_modified):
        return None
    if got.status != _OK:
        raise ListRefused(f"status_{got.status}", f"status {got.status} in the place of the list")
    return Body(
        octets=got.body,
        digest=sha256(got.body),
        etag=got.headers.get("etag", "")[:256],
        last_modified=got.headers.get("last-modified", "")[:64],
    )
