"""What a pack says that the log does not know: keys, people, tenants. Registered from above."""

from collections.abc import Callable
from datetime import datetime

Source = Callable[[datetime], object]
"""Takes the present and returns what JSON can hold."""

_sources: dict[str, Source] = {}


def register(name: str, source: Source) -> None:
    """Name a source, once, when the deployment is put together."""
    _sources[name] = source


def collected(*, now: datetime) -> dict[str, object]:
    """Ask every source, in the order of their names."""
    return {name: _sources[name](now) for name in sorted(_sources)}
