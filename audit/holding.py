"""Who may not lose entries: asked before an epoch is taken away. Registered from above.

This package knows no legal holds; whoever puts the deployment together names a function that does.
While none is registered nothing is taken away: nobody can say that nobody is held.
"""

from collections.abc import Callable, Collection
from uuid import UUID

from audit.errors import UnderHold
from audit.staging import Cursor

Ask = Callable[[Collection[UUID]], Collection[UUID]]
"""Takes tenants and returns those of them that are held; runs as the owner, in the transaction in
which the entries go, and lets no hold be placed until that ends."""

_asked: dict[str, Ask] = {}

_TENANTS = """
SELECT DISTINCT tenant FROM audit_log WHERE idx >= %s AND idx < %s AND tenant IS NOT NULL
"""


def register(name: str, ask: Ask) -> None:
    """Name a function that knows of holds, once, when the deployment is put together."""
    _asked[name] = ask


def refuse_held(cursor: Cursor, *, start: int, stop: int) -> None:
    """Raise `UnderHold` where entries from `start` to before `stop` are of a tenant that is held.

    Runs under `all_tenants_audit`.
    """
    if not _asked:
        raise UnderHold("nothing here knows which tenants are under a legal hold")
    tenants = {row[0] for row in cursor.execute(_TENANTS, [start, stop]).fetchall()}
    held = sorted({each for ask in _asked.values() for each in ask(tenants)})
    if held:
        raise UnderHold(
            f"entries {start} to {stop - 1} stay: {len(held)} of their tenants under a legal hold,"
            f" the first {held[0]}"
        )
