"""A live product for the clients: real sockets, the real middleware, the suite's servers."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.test.utils import override_settings
from pytest_django.live_server_helper import LiveServer

from tests.contracts.product import Product, product
from tests.contracts.wire import Server


@pytest.fixture(scope="session")
def live_server() -> Iterator[LiveServer]:
    """Serve on the loopback by address, and no files: every path meets the product's middleware.

    Without a host in MEDIA_URL the framework's own server would look each path up on disk first.
    """
    with override_settings(MEDIA_URL="http://media.invalid/"):
        running = LiveServer("127.0.0.1")
    yield running
    running.stop()


@pytest.fixture
def server(live_server: LiveServer) -> Server:
    return Server(host=live_server.thread.host, port=live_server.thread.port)


@pytest.fixture
def tawny(server: Server, tenant: tuple[UUID, str]) -> Product:
    """The product over HTTP with a tenant of the test's own."""
    return product(server, tenant)
