"""Staff sessions, kept under a hash of the key that the browser has.

A session key is as good as a sign-in while its session lives. The table, its dumps and its backups
therefore hold a digest: who reads one cannot go on with anybody's session.
"""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from crypto import digests

DIGITS = 40
"""Hexadecimal digits of the digest that are kept: what the column holds. A key has 165 random bits,
so that its unkeyed digest cannot be searched."""


def stored_key(session_key: str) -> str:
    """Return what stands for a session key in the table."""
    return digests.sha256(session_key.encode()).hex()[:DIGITS]


class SessionStore(db.SessionStore):
    """Django's sessions in the database, found by the digest of their key."""

    def _get_session_from_db(self) -> Session | None:
        key = self.session_key or ""
        found: Session | None = Session.objects.filter(
            session_key=stored_key(key),
            expire_date__gt=timezone.now(),  # noqa: TID251 -- Django passes no clock here
        ).first()
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        """Say whether a session has this key."""
        return Session.objects.filter(session_key=stored_key(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Return the row of the session as it is now."""
        return Session(
            session_key=stored_key(self._get_or_create_session_key()),  # type: ignore[attr-defined] # SessionBase has it
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
        )

    def delete(self, session_key: str | None = None) -> None:
        """Drop a session, this one unless another's key is given."""
        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(session_key=stored_key(key)).delete()

    # -- Django's asynchronous twins, which would look for the key itself

    async def _aget_session_from_db(self) -> Session | None:
        return await sync_to_async(self._get_session_from_db)()

    async def aexists(self, session_key: str) -> bool:
        """As `exists`."""
        return await sync_to_async(self.exists)(session_key)

    async def acreate_model_instance(self, data: dict[str, Any]) -> Session:
        """As `create_model_instance`."""
        return await sync_to_async(self.create_model_instance)(data)

    async def adelete(self, session_key: str | None = None) -> None:
        """As `delete`."""
        await sync_to_async(self.delete)(session_key)
