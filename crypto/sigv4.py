"""AWS Signature Version 4 over a request's headers: HMAC-SHA-256 in a chain of four.

Pure: the caller sends the request and has read the credentials. Only what a JSON service of AWS
needs is here: one path, no query string, a body whose hash is signed.

Source: AWS Identity and Access Management, "Create a signed AWS API request"; the test suite that
AWS publishes for it is in the tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from crypto.digests import sha256
from crypto.mac import tag

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credentials:
    """An access key of AWS; `session` is the token of a temporary one, or empty."""

    access: str
    secret: str
    session: str = ""

    def __repr__(self) -> str:
        return f"Credentials(access={self.access!r})"


def signed_headers(
    credentials: Credentials,
    *,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    region: str,
    service: str,
    now: datetime,
) -> dict[str, str]:
    """Return `headers` (lower-case names, ``host`` among them) with date and authorization.

    Every header given is signed. `now` is timezone-aware; AWS accepts five minutes of difference.
    """
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    sent = {**headers, "x-amz-date": moment}
    if credentials.session:
        sent["x-amz-security-token"] = credentials.session
    names = ";".join(sorted(sent))
    lines = "".join(f"{name}:{' '.join(sent[name].split())}\n" for name in sorted(sent))
    canonical = "\n".join((method, path, "", lines, names, sha256(body).hex()))
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    statement = "\n".join((ALGORITHM, moment, scope, sha256(canonical.encode()).hex()))
    key = f"AWS4{credentials.secret}".encode()
    for part in (moment[:8], region, service, "aws4_request"):
        key = tag(key, part.encode())
    signature = tag(key, statement.encode()).hex()
    sent["authorization"] = (
        f"{ALGORITHM} Credential={credentials.access}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return sent
