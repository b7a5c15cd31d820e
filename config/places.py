"""Places for checkpoints that are reached through `egress`: an HTTP door, a locked object store.

``https://HOST/PATH`` gets each note by POST; ``put+https://...`` by PUT to one address, the newest
replacing the last. ``s3+https://HOST/BUCKET/PREFIX`` puts each note under a name of its own, signed
by Signature Version 4 and locked (Object Lock, compliance) so that nobody can take it away again.
A host that is not public, or plain HTTP, is opened by a rule of the operator's alone
(``TAWNY_CHECKPOINT_ALLOW``), as for feeds. A token is one door's, over HTTPS, so that no witness
learns another's.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

from audit import places
from audit.checkpoints import TreeHead
from audit.errors import AheadOfUs, NotTaken, UnknownPlace
from audit.places import Place, refuse_secrets, shown
from crypto.digests import sha256
from crypto.sigv4 import Credentials, signed_headers
from egress import Allow, EgressError, Limits, Policy, UrlRefused
from egress.fetch import send
from egress.policy import target_of

LIMITS = Limits(connect=5.0, read=10.0, total=30.0, body=64 << 10, inflated=64 << 10)
"""A note has 200 octets; an answer that is larger than 64 KiB is no store's."""
TAKEN = frozenset({200, 201, 202, 204})
CONFLICT = frozenset({409, 412})
"""What a store says that holds that name already: for a note that never changes, that is well."""
LOCKED_FOR = timedelta(days=731)
"""How long an object cannot be taken away: as long as entries are kept at the least."""
REGION = "us-east-1"
"""Of a store that knows no regions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPlace:
    """A door that takes a note as ``text/plain``; `secret` is a file with a bearer token, or none.

    A door may refuse an older note with 409: then the database is behind it.
    """

    name: str
    url: str
    method: Literal["POST", "PUT"]
    policy: Policy
    secret: Path | None = None

    def keep(self, note: str, *, now: datetime) -> None:  # noqa: ARG002 -- see Place
        """Send the note."""
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        if self.secret is not None:
            headers["Authorization"] = f"Bearer {self.secret.read_text('ascii').strip()}"
        status = _sent(self.method, self.url, note.encode(), headers, self.policy)
        if status in CONFLICT:
            raise AheadOfUs(f"{self.name} refused it as older than what it has")
        if status not in TAKEN:
            raise NotTaken(f"{self.name} answered {status}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPlace:
    """A bucket with Object Lock: each note is an object of its own, named by size and digest."""

    name: str
    url: str
    policy: Policy
    credentials: Path
    region: str = REGION
    locked_for: timedelta = LOCKED_FOR

    def keep(self, note: str, *, now: datetime) -> None:
        """Put the note as an object that cannot be changed until its lock ends."""
        body = note.encode()
        size = TreeHead.parse(note).size
        url = f"{self.url}/{size:020}-{sha256(body).hex()[:16]}"
        target = target_of(url)
        until = (now + self.locked_for).astimezone(UTC)
        headers = {
            "host": target.authority,
            "content-type": "text/plain; charset=utf-8",
            "x-amz-content-sha256": sha256(body).hex(),
            "x-amz-checksum-sha256": base64.b64encode(sha256(body)).decode(),
            "x-amz-object-lock-mode": "COMPLIANCE",
            "x-amz-object-lock-retain-until-date": f"{until:%Y-%m-%dT%H:%M:%SZ}",
            "if-none-match": "*",
        }
        signed = signed_headers(
            _credentials(self.credentials), method="PUT", path=target.path, headers=headers,
            body=body, region=self.region, service="s3", now=now,
        )  # fmt: skip
        signed.pop("host")
        status = _sent("PUT", url, body, signed, self.policy)
        if status not in TAKEN | CONFLICT:  # 412: this very object is there already
            raise NotTaken(f"{self.name} answered {status}")


def _sent(
    method: Literal["POST", "PUT"],
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    policy: Policy,
) -> int:
    try:
        return send(
            url, method=method, body=body, headers=headers, policy=policy, limits=LIMITS
        ).status
    except EgressError as error:
        raise NotTaken(error.code) from error  # its text may quote the URL


def _credentials(file: Path) -> Credentials:
    """Read an access key and its secret, a line each; a session's token may be the third."""
    lines = file.read_text("ascii").split()
    if len(lines) not in {2, 3}:
        raise NotTaken("its file holds an access key and its secret, a line each")
    return Credentials(access=lines[0], secret=lines[1], session="".join(lines[2:]))


DOORS = frozenset({"http", "https", "put+http", "put+https"})
STORES = frozenset({"s3+http", "s3+https"})


def places_of(texts: Sequence[str], *, environ: Mapping[str, str]) -> list[Place]:
    """Return the places that an operator named, or raise `UnknownPlace`.

    ``TAWNY_CHECKPOINT_ALLOW`` opens hosts or networks (``http://10.0.0.0/8:8080``, commas between).
    ``TAWNY_CHECKPOINT_TOKEN_FILE`` names a file with a door's token: ``HOST=FILE`` or
    ``HOST:PORT=FILE``, commas between, or a file alone where there is one door.
    ``TAWNY_CHECKPOINT_S3_FILE`` holds a store's access key and secret,
    ``TAWNY_CHECKPOINT_S3_REGION`` its region.
    """
    tokens = _tokens(texts, environ.get("TAWNY_CHECKPOINT_TOKEN_FILE", ""))
    return [_place_of(each, environ=environ, secret=tokens.get(each)) for each in texts]


def _tokens(texts: Sequence[str], said: str) -> dict[str, Path]:
    """Return the token's file of each door that has one; refuse what two doors would share."""
    doors = [each for each in texts if each.partition(":")[0] in DOORS]
    for each in doors:
        refuse_secrets(each)
    tokens: dict[str, Path] = {}
    for part in filter(None, (each.strip() for each in said.split(","))):
        host, _, file = ("", "", part) if part.startswith("/") else part.rpartition("=")
        meant = [each for each in doors if not host or _is_at(each, host)]
        if len(meant) != 1 or (not host and "," in said):
            raise UnknownPlace(
                f"TAWNY_CHECKPOINT_TOKEN_FILE: {len(meant)} places would have the token of"
                f" {host or 'no host'}; each has one of its own, HOST=FILE"
            )
        (door,) = meant
        if not door.partition(":")[0].endswith("https"):
            raise UnknownPlace(f"{shown(door)}: a token goes over HTTPS alone")
        if door in tokens or Path(file) in tokens.values():
            raise UnknownPlace(f"{shown(door)}: a token is one place's, and a place has one")
        tokens[door] = Path(file)
    return tokens


def _is_at(text: str, host: str) -> bool:
    place = urlsplit(text)
    return host.lower() in {place.hostname, place.netloc.lower()}


def _place_of(text: str, *, environ: Mapping[str, str], secret: Path | None) -> Place:
    scheme = text.partition(":")[0]
    if scheme not in DOORS | STORES:
        return places.place_of(text)
    name = shown(text)
    refuse_secrets(text)
    kind, _, rest = scheme.rpartition("+")
    url = f"{rest}:{text.partition(':')[2]}"
    policy = Policy(allow=tuple(allowed(environ.get("TAWNY_CHECKPOINT_ALLOW", ""))))
    try:
        policy.check_target(target_of(url))
    except UrlRefused as error:
        raise UnknownPlace(f"{name}: {error}") from error
    if kind == "s3":
        file = environ.get("TAWNY_CHECKPOINT_S3_FILE", "")
        path = quote(urlsplit(url).path.rstrip("/"), safe="/-_.~")
        if not file or path.count("/") < 1:
            raise UnknownPlace(f"{name}: a bucket, and TAWNY_CHECKPOINT_S3_FILE with its keys")
        return ObjectPlace(
            name=name, url=url.rstrip("/"), policy=policy, credentials=Path(file),
            region=environ.get("TAWNY_CHECKPOINT_S3_REGION", REGION),
        )  # fmt: skip
    return HttpPlace(
        name=name, url=url, method="PUT" if kind else "POST", policy=policy, secret=secret
    )


def allowed(text: str) -> list[Allow]:
    """Read the operator's rules: ``SCHEME://HOST:PORT`` or ``SCHEME://NETWORK:PORT``."""
    rules = []
    for each in filter(None, (part.strip() for part in text.split(","))):
        scheme, _, rest = each.partition("://")
        host, _, port = rest.rpartition(":")
        if scheme not in {"http", "https"} or not host or not port.isdecimal():
            raise UnknownPlace(f"{each!r} is no rule: SCHEME://HOST:PORT or SCHEME://NETWORK:PORT")
        make = Allow.of_network if "/" in host else Allow.of_host
        try:
            rules.append(
                make(
                    host.strip("[]"), scheme="http" if scheme == "http" else "https", port=int(port)
                )
            )
        except ValueError as error:
            raise UnknownPlace(f"{each!r} is no rule: {error}") from error
    return rules
