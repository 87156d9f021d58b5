"""Connections to instances: pooled, with the token, CA file and proxies that each one needs."""

from __future__ import annotations

import asyncio
import os
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.request import getproxies

from ollamamaster import __version__
from ollamamaster.domain.instances import as_ip
from ollamamaster.ollama.failures import UnusableEndpointError
from ollamamaster.ollama.http import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollamamaster.domain.instances import Endpoint

# No limit: a hanging instance must not keep another one's request waiting in the pool. Idle ones
# are kept for the next question to the same instance, no longer than any server keeps them.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=5.0)
# Bodies longer than this are read a few at a time; hundreds of models fit into less. However many
# instances send as much as they may, they share this much memory: an honest one has its turn.
LARGE_BYTES = 128_000
_LARGE_AT_ONCE = 8
# Names that never leave a private network (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`).
_PRIVATE_SUFFIXES = (
    ".localhost",
    ".local",
    ".lan",
    ".home",
    ".internal",
    ".intranet",
    ".home.arpa",
    ".test",
)


class Connections:
    """One client for each distinct need; nearly always only one.

    `transport` replaces the network, for tests.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._pools: dict[tuple[bool, str | None, bool], httpx.AsyncClient] = {}
        self._proxied: dict[str, bool] = {}
        self.room = asyncio.Semaphore(_LARGE_AT_ONCE)
        """To be held while more than LARGE_BYTES of a body are read."""

    async def pool(self, endpoint: Endpoint) -> httpx.AsyncClient:
        """The client for this endpoint. Raises UnusableEndpointError."""
        tls = endpoint.address.scheme == "https"
        proxied = await self._may_be_proxied(endpoint)
        need = (tls, endpoint.ca_file if tls else None, proxied)
        if need not in self._pools:
            context = _tls(endpoint.ca_file) if tls else _no_tls()
            self._pools[need] = self._open(context, proxied=proxied)
        return self._pools[need]

    def _open(self, context: ssl.SSLContext, *, proxied: bool) -> httpx.AsyncClient:
        direct = None if proxied else _PoolByOrigin(context)
        try:
            return httpx.AsyncClient(
                verify=context,
                trust_env=proxied,
                transport=self._transport or direct,
                follow_redirects=False,
                limits=_LIMITS,
                # Ollama sets no cookies; nobody else gets to keep anything here.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                headers={
                    "Accept-Encoding": "identity",
                    "User-Agent": f"ollamamaster/{__version__}",
                },
            )
        except (ValueError, ImportError, httpx.InvalidURL):
            # The text could hold the password of the proxy.
            raise UnusableEndpointError(
                "the proxy that the environment names cannot be used"
            ) from None

    async def _may_be_proxied(self, endpoint: Endpoint) -> bool:
        """Whether the environment's proxies apply: only to what is clearly public.

        A name is public when every address it has is; it is looked up only where the environment
        names a proxy at all. What cannot be looked up is private: its prompt goes to no stranger.
        """
        host = endpoint.address.host
        if host not in self._proxied:
            self._proxied[host] = bool(getproxies()) and is_public(
                await _addresses(host, endpoint.connect_timeout_s)
            )
        return self._proxied[host]

    async def aclose(self) -> None:
        """Close every connection."""
        pools = list(self._pools.values())
        self._pools.clear()
        for pool in pools:
            await pool.aclose()


class _PoolByOrigin(httpx.AsyncBaseTransport):
    """A pool of its own for each instance.

    httpcore goes through all connections of a pool for every one of them whenever a request
    begins or ends: with a hundred instances in one pool a request costs 5 ms instead of 1.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._origins: dict[tuple[str, str, int | None], httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        origin = (url.scheme, url.host, url.port)
        transport = self._origins.get(origin)
        if transport is None:
            transport = httpx.AsyncHTTPTransport(
                verify=self._context, trust_env=False, limits=_LIMITS
            )
            self._origins[origin] = transport
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        for transport in self._origins.values():
            await transport.aclose()


def token_of(endpoint: Endpoint) -> str | None:
    """The endpoint's secret. Raises UnusableEndpointError that names the variable only."""
    if endpoint.token_env is None:
        return None
    token = os.environ.get(endpoint.token_env, "").strip()
    if not token:
        raise UnusableEndpointError(
            f"its token is in the variable {endpoint.token_env}, which is not set"
        )
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise UnusableEndpointError(
            f"the variable {endpoint.token_env} holds no token: only visible ASCII is possible"
        )
    return token


def is_public(addresses: Iterable[str]) -> bool:
    """Whether there is an address and all of them are reachable from anywhere."""
    found = [as_ip(address) for address in addresses]
    return bool(found) and all(ip is not None and ip.is_global for ip in found)


async def _addresses(host: str, timeout_s: float) -> list[str]:
    if as_ip(host) is not None:
        return [host]
    if "." not in host or host.endswith(_PRIVATE_SUFFIXES):
        return []
    try:
        async with asyncio.timeout(timeout_s):
            found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return []
    return [str(sockaddr[0]) for *_, sockaddr in found]


def _no_tls() -> ssl.SSLContext:
    """For plain http httpx wants a context all the same; this one trusts nobody, and costs 1 ms.

    httpx's default reads 140 certificates first: 20 ms that a local instance has no use for.
    """
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _tls(ca_file: str | None) -> ssl.SSLContext:
    """Trusts the CA file alone, else what httpx trusts (certifi, or SSL_CERT_FILE)."""
    if ca_file is None:
        return httpx.create_ssl_context()
    try:
        context = ssl.create_default_context(cafile=os.path.expanduser(ca_file))  # noqa: PTH111 - pathlib refuses `~nobody` with RuntimeError
    except ssl.SSLError:
        raise UnusableEndpointError(f"the CA file {ca_file} holds no certificate") from None
    except OSError as error:
        raise UnusableEndpointError(
            f"the CA file {ca_file} cannot be read: {error.strerror}"
        ) from None
    # From 3.13 on Python refuses a CA without a key usage extension, which is what many a home
    # lab has; with the person's own file the older rule holds on every version.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
