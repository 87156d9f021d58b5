"""https instances, with certificates of our own."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
from listening import listening
from program import PATIENCE_S

from ollamamaster.domain.instances import Endpoint, InstanceAddress
from ollamamaster.errors import AttemptError, Outcome
from ollamamaster.ollama.client import OllamaClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def instance(tls: ssl.SSLContext | None = None) -> AsyncIterator[Endpoint]:
    """A server that answers every request with a version."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            await reader.readuntil(b"\r\n\r\n")
            text = b'{"version":"0.24.0"}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
            await writer.drain()

    async with listening(serve, tls) as port:
        yield Endpoint(
            InstanceAddress("127.0.0.1", port, "https" if tls else "http"),
            connect_timeout_s=PATIENCE_S,
        )


@asynccontextmanager
async def client() -> AsyncIterator[OllamaClient]:
    ollama = OllamaClient()
    try:
        yield ollama
    finally:
        await ollama.aclose()


class Certificates(NamedTuple):
    ca_file: str
    server: ssl.SSLContext


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """A CA of our own and a server certificate for 127.0.0.1 from it."""
    pytest.importorskip("cryptography")
    folder = tmp_path_factory.mktemp("tls")
    _make_certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return Certificates(str(folder / "ca.pem"), context)


def _make_certificates(folder: Path) -> None:
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def named(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])

    now = datetime.now(UTC)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))

    def unsigned(subject: str, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(named("ca"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    authority = (
        unsigned("ca", ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), False)
        .sign(ca_key, hashes.SHA256())
    )
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        unsigned("instance", key.public_key())
        .add_extension(loopback, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False
        )
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(authority.public_bytes(pem))
    (folder / "server.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )


async def test_https_is_trusted_by_the_ca_file_of_the_instance(certificates: Certificates) -> None:
    async with instance(certificates.server) as endpoint, client() as ollama:
        trusted = replace(endpoint, ca_file=certificates.ca_file)
        assert await ollama.version(trusted, timeout_s=PATIENCE_S) == "0.24.0"


async def test_a_certificate_that_nobody_vouches_for_is_refused(certificates: Certificates) -> None:
    async with instance(certificates.server) as endpoint, client() as ollama:
        with pytest.raises(AttemptError) as caught:
            await ollama.version(endpoint, timeout_s=PATIENCE_S)
    assert "certificate is not trusted" in caught.value.message
    assert (caught.value.outcome, caught.value.connected) == (Outcome.CONNECT_ERROR, True)


async def test_a_tls_port_that_is_spoken_to_in_http_is_not_ollama(
    certificates: Certificates,
) -> None:
    async with instance(certificates.server) as endpoint, client() as ollama:
        plain = replace(endpoint, address=replace(endpoint.address, scheme="http"))
        with pytest.raises(AttemptError) as caught:
            await ollama.identify(plain, timeout_s=PATIENCE_S)
    assert caught.value.outcome in {Outcome.BAD_RESPONSE, Outcome.CONNECT_ERROR}


async def test_a_port_without_tls_that_is_spoken_to_in_tls_is_a_connect_error(
    certificates: Certificates,
) -> None:
    async with instance() as endpoint, client() as ollama:
        secure = replace(
            endpoint,
            address=replace(endpoint.address, scheme="https"),
            ca_file=certificates.ca_file,
            connect_timeout_s=0.5,
        )
        with pytest.raises(AttemptError) as caught:
            await ollama.version(secure, timeout_s=PATIENCE_S)
    assert caught.value.outcome is Outcome.CONNECT_ERROR
