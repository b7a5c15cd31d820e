"""Django's signing key as a named secret, read when something is first signed.

Settings are read before any database can be, so the setting is a text that is looked up at its
first use: the newest version of the secret ``django``, while the older ones still verify. An older
home's file is taken into the secret, once.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils.functional import SimpleLazyObject

NAME = "django"


def key(file: str = "") -> str:
    """Return the signing key; made, or taken from an older home's file, where none is stored."""
    from django.utils import timezone  # noqa: PLC0415 -- settings import this module

    from audit.actors import system  # noqa: PLC0415 -- see above
    from crypto.random import random_bytes  # noqa: PLC0415 -- see above
    from tenants.errors import NoSecret  # noqa: PLC0415 -- see above
    from tenants.keys import secrets  # noqa: PLC0415 -- see above

    try:
        return secrets.get(NAME).decode("ascii")
    except NoSecret:
        held = Path(file) if file else None
        value = held.read_bytes().strip() if held and held.exists() else b""
        now = timezone.now()  # noqa: TID251 -- when the row was made; nothing depends on it
        made = value or random_bytes(48).hex().encode()
        secrets.keep(NAME, made, version=1, actor=system("keys"), now=now)
        return secrets.get(NAME).decode("ascii")  # another process may have been first


def older() -> list[str]:
    """Return the earlier versions, newest first, under which what was signed still verifies."""
    from tenants.keys import secrets  # noqa: PLC0415 -- settings import this module

    *earlier, _ = secrets.versions(NAME) or [0]
    return [secrets.get(NAME, version=each).decode("ascii") for each in reversed(earlier)]


def lazy_key(file: str = "") -> Any:
    """Return the signing key as a setting: a text, looked up when it is first looked at."""
    return SimpleLazyObject(lambda: key(file))


class Older(list[str]):
    """The earlier keys as a setting, which must be a list: looked up when it is first gone through.

    It stays empty for whoever asks a list otherwise; Django only iterates.
    """

    _found: list[str] | None = None

    def __iter__(self) -> Iterator[str]:
        """Go through the earlier keys, newest first."""
        if self._found is None:
            self._found = older()
        return iter(self._found)
