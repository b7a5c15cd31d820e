"""What was wrapped before root keys had versions opens: the formula of then, written out."""

from datetime import datetime
from uuid import UUID, uuid4

import pytest
from django.conf import settings

from crypto import envelope, kdf
from tenants import keys
from tenants.keys.files import read_key_file
from tenants.models import TenantKey
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys", "wisdom"])


def test_a_tenants_keys_of_then_open_and_so_does_what_the_deployment_sealed(now: datetime) -> None:
    secret = read_key_file(settings.ROOT_KEY_FILE)
    root = envelope.DataKey(
        id=UUID(bytes=kdf.hkdf(secret, info=b"root|id", length=16)),
        secret=kdf.hkdf(secret, info=b"root|wrap"),
    )
    tenant = uuid4()
    for purpose in ("wrap", "index"):
        key = envelope.DataKey(id=uuid4(), secret=bytes(range(32)))
        context = envelope.context("tenant_key", tenant, purpose)
        with tenant_scope(tenant, using="keys"):
            TenantKey.objects.create(  # without the columns that came later
                id=key.id, purpose=purpose, version=1, created_at=now,
                wrapped=envelope.wrap(key=key, under=root, context=context), check_value=key.check,
            )  # fmt: skip
    assert keys.fingerprint_key(tenant) == kdf.hkdf(bytes(range(32)), info=b"identity")
    sealed = keys.seal(tenant, keys.SERIES, b"x", now=now)
    keys.forget()
    assert keys.unseal(tenant, keys.SERIES, sealed) == b"x"
    derived = kdf.hkdf(secret, info=b"system|totp", length=48)
    assert keys.system_key("totp") == derived[16:]
