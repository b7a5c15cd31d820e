"""Asking a key service: one JSON request with a deadline, and no other answer than its own."""

from collections.abc import Mapping
from typing import Any

import httpx

from crypto.errors import NotAuthentic
from tenants.errors import KeyUnavailable

TIMEOUT = httpx.Timeout(5.0, connect=2.0)
"""Seconds: a request that waits for a key holds a connection to a client open meanwhile."""
ANSWER_LIMIT = 1 << 16
"""Bytes of an answer: a wrapped key has a few hundred."""


class Away(KeyUnavailable):
    """The key service is away or overloaded: nothing is known to be wrong with a key."""

    code = "key_service_away"


class Caller:
    """A connection pool to one key service, without redirects and without the environment's."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(
            base_url=address, timeout=TIMEOUT, follow_redirects=False, trust_env=False
        )

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None = None,
        refusals: Mapping[int, tuple[str, ...]],
    ) -> dict[str, Any]:
        """Return the JSON object answered (empty for 204).

        `refusals` names, by status, the words whose presence in an answer says that ciphertext and
        context do not fit: `NotAuthentic`. Anything else that is no success is `KeyUnavailable`,
        whose text has the status only.
        """
        try:
            answer = self._client.request(method, path, headers=dict(headers), content=content)
        except httpx.HTTPError as error:
            raise Away(f"the key service was not reached: {type(error).__name__}") from None
        if len(answer.content) > ANSWER_LIMIT:
            raise KeyUnavailable("the key service's answer is too large")
        if any(word in answer.text for word in refusals.get(answer.status_code, ())):
            raise NotAuthentic("the key service refused the wrapped key in this context")
        if not answer.is_success:
            away = answer.status_code >= 500 or answer.status_code == 429
            kind = Away if away else KeyUnavailable
            raise kind(f"the key service answered {answer.status_code}")
        if not answer.content:
            return {}
        try:
            said = answer.json()
        except ValueError:
            raise KeyUnavailable("the key service's answer is no JSON") from None
        if not isinstance(said, dict):
            raise KeyUnavailable("the key service's answer is no JSON object")
        return said
