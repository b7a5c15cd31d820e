"""What can go wrong between a tenant and the product.

TenantError
├── OutsideScope        a tenant's rows were asked for with no scope open
├── ScopeConflict       a second tenant's scope was opened inside the first's
├── KeyUnavailable      a key is missing, unreadable or away: it may come back
│   └── KeyDestroyed    a key was destroyed, or is not this tenant's: it will not
├── NoSecret            no secret of that name is stored
├── LostLease           the work was claimed by another worker meanwhile
├── UnfitTerms          a key, a member or a rotation was asked for on terms that are not given
│   ├── Held            the tenant is under a legal hold: nothing of it may end
│   └── NoConsent       the tenant has not said that its series may be used for research
├── NoGrant             no live grant opens a tenant's rows to a member of staff
├── ReadOnlyScope       a write was tried where a grant lets staff read
├── Unrecorded          what must be audited could not be, so it was not done
└── Refused             a request that is answered with an error
    ├── Unauthenticated 401: no key, or one that nobody has
    ├── Forbidden       403: a revoked or expired key or tenant, a scope or network that it lacks
    ├── BadBody         400, 413 or 415: a body that is not the JSON object that it should be
    ├── UnfitKey        400: an Idempotency-Key that is none
    ├── KeyReused       422: an Idempotency-Key that came with another body before
    ├── UnderWay        409: the first request of an Idempotency-Key is still being worked on
    ├── Crowded         503: too many large bodies are being read; says when to come again
    └── Limited         429, or 503 where events are sent: too much of it; says when to come again
"""

from collections.abc import Mapping


class TenantError(Exception):
    """A tenant's boundary or custody was not in order."""

    code = "tenant"


class OutsideScope(TenantError):  # noqa: N818 -- reads as a fact
    """A tenant's rows were asked for with no scope open."""

    code = "outside_scope"


class ScopeConflict(TenantError):  # noqa: N818 -- reads as a fact
    """A second tenant's scope was opened inside the first's."""

    code = "scope_conflict"


class KeyUnavailable(TenantError):  # noqa: N818 -- reads as a fact
    """A key is missing, unreadable or away; what needs it waits and is tried again."""

    code = "key_unavailable"


class KeyDestroyed(KeyUnavailable):
    """A key was destroyed, or is not this tenant's: waiting will not help."""

    code = "key_destroyed"


class NoSecret(TenantError):  # noqa: N818 -- reads as a fact
    """No secret of that name, or version of it, is stored."""

    code = "no_secret"


class LostLease(TenantError):  # noqa: N818 -- reads as a fact
    """The work was claimed by another worker meanwhile, so this one's effects must not be."""

    code = "lost_lease"


class UnfitTerms(TenantError):  # noqa: N818 -- reads as a fact
    """A key, member or rotation was asked for on terms that are not given; the text says why."""

    code = "unfit_terms"


class Held(UnfitTerms):
    """The tenant is under a legal hold: neither its rows nor its keys may end."""

    code = "held"


class NoConsent(UnfitTerms):
    """The tenant has not said that its series may be used for research, or says so no more."""

    code = "no_consent"


class NoGrant(TenantError):  # noqa: N818 -- reads as a fact
    """No live grant opens a tenant's rows to a member of staff; the text may be shown to them."""

    code = "no_grant"


class ReadOnlyScope(TenantError):  # noqa: N818 -- reads as a fact
    """A tenant's row was to be written where a grant lets staff read."""

    code = "read_only_scope"


class Unrecorded(TenantError):  # noqa: N818 -- reads as a fact
    """What must be in the audit log could not be written there, so it was not done."""

    code = "unrecorded"


class Refused(TenantError):  # noqa: N818 -- reads as a fact
    """A request that is answered with an error; `message` may be shown to whoever sent it."""

    code = "refused"
    status = 400
    headers: Mapping[str, str] = {}

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unauthenticated(Refused):
    """No key was given, or one that nobody has."""

    code = "unauthenticated"
    status = 401


class Forbidden(Refused):
    """The key is revoked, expired or lacks the scope, or its tenant is suspended or expired.

    The message holds the word "expired" where that is why: a client tells its user so by it.
    """

    code = "forbidden"
    status = 403


class BadBody(Refused):
    """A body that is not the JSON object that it should be."""

    code = "unreadable"

    def __init__(self, message: str = "Failed to parse request body", *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class UnfitKey(Refused):
    """An Idempotency-Key that is none."""

    code = "unfit_idempotency_key"


class KeyReused(Refused):
    """An Idempotency-Key that came with another body before."""

    code = "idempotency_key_reused"
    status = 422


class UnderWay(Refused):
    """The first request of an Idempotency-Key is still being worked on."""

    code = "under_way"
    status = 409
    headers: Mapping[str, str] = {"Retry-After": "1"}


class Crowded(Refused):
    """Too many large bodies are being read."""

    code = "crowded"
    status = 503
    headers: Mapping[str, str] = {"Retry-After": "1"}

    def __init__(self) -> None:
        super().__init__("Other large bodies are being read; send this one again in a moment.")


class Limited(Refused):
    """Too many requests, octets or events; `headers` say how many are granted, and when again.

    `wait` is the same time unrounded, in seconds.
    """

    code = "limited"

    def __init__(
        self,
        message: str,
        *,
        status: int,
        retry_after: int,
        headers: Mapping[str, str],
        wait: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.wait = retry_after if wait is None else wait
        self.headers = {**headers, "Retry-After": str(retry_after)}

    def again(self) -> "Limited":
        """Return one like it, to be raised for another request."""
        return Limited(
            self.message,
            status=self.status,
            retry_after=self.retry_after,
            headers=self.headers,
            wait=self.wait,
        )
