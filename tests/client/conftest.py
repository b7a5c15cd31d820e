"""The service that the client's tests talk to."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests.client.faces import Face
from tests.client.loopback import KEY, Handler, Server, Service
from tests.client.secure import Secure


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    server = Server(("127.0.0.1", 0), Handler)
    server.service = Service(url=f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("TAWNY_URL", server.service.url)
    monkeypatch.setenv("TAWNY_KEY", KEY)
    yield server.service
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> Face:
    return Face(name=request.param)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Secure]:
    services = Secure(tmp_path)
    yield services
    services.stop()
