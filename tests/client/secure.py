"""Services on the loopback behind TLS, with certificates made for the test."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.client.loopback import Handler, Server, Service


class Secure:
    """Makes services whose certificate names 127.0.0.1; ``authority`` is what would trust it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[tuple[Server, Thread]] = []

    def service(self, *, days: float = 30) -> tuple[Service, Path]:
        """Start one whose certificate ends in some days; give it and its authority's file."""
        pem = self.certificate("server.pem", days=days)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server = Server(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.service = Service(url=f"https://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self._running.append((server, thread))
        return server.service, pem

    def certificate(self, name: str, *, days: float = 30) -> Path:
        """Write a certificate that is its own authority, with its key."""
        path = self._folder / name
        path.write_bytes(_certificate(days))
        return path

    def stop(self) -> None:
        """End all of them."""
        for server, thread in self._running:
            server.shutdown()
            thread.join()
            server.server_close()


def _certificate(days: float) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tawny.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
