"""What can go wrong between a tenant and the product.

TenantError
├── OutsideScope        a tenant's rows were asked for with no scope open
├── ScopeConflict       a second tenant's scope was opened inside the first's
├── KeyUnavailable      a key is missing, unreadable or destroyed
├── LostLease           the work was claimed by another worker meanwhile
└── Refused             a request that is answered with an error
    ├── Unauthenticated 401: no key, or one that nobody has
    └── Forbidden       403: a revoked key, a suspended tenant, a scope that the key lacks
"""


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
    """A key is missing, unreadable or destroyed."""

    code = "key_unavailable"


class LostLease(TenantError):  # noqa: N818 -- reads as a fact
    """The work was claimed by another worker meanwhile, so this one's effects must not be."""

    code = "lost_lease"


class Refused(TenantError):  # noqa: N818 -- reads as a fact
    """A request that is answered with an error; `message` may be shown to whoever sent it."""

    code = "refused"
    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unauthenticated(Refused):
    """No key was given, or one that nobody has."""

    code = "unauthenticated"
    status = 401


class Forbidden(Refused):
    """The key is revoked or lacks the scope, or its tenant is suspended."""

    code = "forbidden"
    status = 403
