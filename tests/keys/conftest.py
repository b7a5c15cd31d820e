"""A deployment whose root key is in a key service that can go away."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenants import keys
from tenants.keys import providers
from tests.console.conftest import clock as clock, person as person  # noqa: PLC0414 -- fixtures
from tests.keys.services import Vault


@pytest.fixture
def vault(tmp_path: Path, settings: Any) -> Iterator[Vault]:
    """A deployment whose root key is Vault's."""
    service = Vault()
    token = tmp_path / "token"
    token.write_text(service.TOKEN)
    token.chmod(0o400)
    with service.served() as address:
        settings.KEY_PROVIDER = "vault_transit"
        settings.KEY_PROVIDER_OPTIONS = {
            "vault_transit": {
                "address": address, "mount": "transit", "key": "root", "token_file": str(token),
            }
        }  # fmt: skip
        keys.forget()
        yield service
        providers.forget()
        keys.forget()
