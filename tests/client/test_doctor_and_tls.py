"""What ``tawny doctor`` says of certificates."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tawny.checkup import State
from tests.client.examined import examined, well
from tests.client.loopback import Service
from tests.client.secure import Secure


@pytest.mark.parametrize(("days", "state"), [(60.5, "ok"), (5.5, "warning")])
def test_the_days_that_a_certificate_has_left_are_told(
    secure: Secure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    days: float, state: str,
) -> None:  # fmt: skip
    service, authority = secure.service(days=days)
    service.usual = well
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    checks = examined(service.url, tmp_path, clock=lambda: datetime.now(UTC).timestamp())
    assert checks["TLS"].state == state
    assert f"{int(days)} days" in checks["TLS"].said
    assert checks["TLS"].said.startswith("TLSv1.3")
    assert checks["key known"].state is State.OK


@pytest.mark.parametrize(
    ("days", "known", "todo"), [(30, "other.pem", "SSL_CERT_FILE"), (-1, "server.pem", "renew")]
)
def test_a_certificate_that_is_not_trusted_ends_the_examination(
    secure: Secure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    days: float, known: str, todo: str,
) -> None:  # fmt: skip
    secure.certificate("other.pem")
    service, authority = secure.service(days=days)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.with_name(known)))
    checks = examined(service.url, tmp_path)
    assert list(checks)[-1] == "reachable"
    assert "the certificate is not trusted" in checks["reachable"].said
    assert todo in checks["reachable"].todo
    assert service.requests == []


def test_a_port_without_tls_is_told_from_one_where_nothing_listens(
    service: Service, tmp_path: Path
) -> None:
    checks = examined(service.url.replace("http:", "https:"), tmp_path)
    assert "http://" in checks["reachable"].todo
