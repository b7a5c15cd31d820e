"""From an Authorization header to an engine. Nothing is cached: a revoked key stops at once."""

from tenants import apikeys, keys
from tenants.auth import key_text
from tenants.errors import Forbidden, Unauthenticated
from tenants.keys import peppers
from wisdom.models import Engine


def engine_of(authorization: str) -> Engine:
    """Give the engine whose key the header holds, as user name of HTTP Basic or as Bearer.

    Raises
    ------
    Unauthenticated
        For no key, or one nobody has.
    Forbidden
        For a revoked one.

    """
    text = key_text(authorization)
    key_id = apikeys.key_id(apikeys.ENGINE_PREFIX, text)
    engine = None if key_id is None else Engine.objects.filter(key_id=key_id).first()
    if engine is None or not apikeys.matches(
        text, stored=bytes(engine.mac), pepper=keys.pepper(engine.pepper)
    ):
        raise Unauthenticated("The Wisdom key is unknown.")
    peppers.retag(engine, text)
    if engine.is_revoked:
        raise Forbidden("The Wisdom key is revoked.")
    return engine
