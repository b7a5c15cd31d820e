"""Custody: who holds which key, and for how long in memory.

::

    root key      a file outside every database (0400), or a key service
      tenant key  wrapped by the root, in the database ``keys``
        data key  per class of series and thirty days, wrapped by the tenant's, in ``default``
          chunk   XAES-256-GCM, associated data recomputed from the row

The primitives are in ``crypto``; this package decides which key a row is sealed under.
"""

from tenants.keys.custody import (
    CLASSES,
    CONFIGURATION,
    FINDINGS,
    INBOX,
    SERIES,
    blind_index,
    fingerprint_key,
    forget,
    make_tenant_keys,
    prepare,
    seal,
    tenant_context,
    unseal,
)
from tenants.keys.peppers import pepper, primary_pepper
from tenants.keys.system import system_key, system_seal, system_unseal

__all__ = [
    "CLASSES",
    "CONFIGURATION",
    "FINDINGS",
    "INBOX",
    "SERIES",
    "blind_index",
    "fingerprint_key",
    "forget",
    "make_tenant_keys",
    "pepper",
    "prepare",
    "primary_pepper",
    "seal",
    "system_key",
    "system_seal",
    "system_unseal",
    "tenant_context",
    "unseal",
]
