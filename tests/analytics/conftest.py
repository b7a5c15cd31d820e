"""The engine's deeds as the tests call them: the real ones, without a broker."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from tests.analytics.engine import Engine


@pytest.fixture
def engine(tenant: tuple[UUID, str]) -> Engine:
    """The deeds of the fixture's tenant, by the machine's clock: the database decides claims."""
    return Engine(tenant=tenant[0], now=datetime.now(UTC))
