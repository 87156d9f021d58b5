"""Streamable HTTP as a transport: on loopback for this person, elsewhere only with a token."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import os
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings

from ollamamaster.domain.instances import as_ip, bracketed
from ollamamaster.errors import FailedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mcp.server import Server
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ollamamaster.mcp_server.served import Served

_LOG = logging.getLogger(__name__)

PATH = "/mcp"
TOKEN_VARIABLE = "OLLAMAMASTER_MCP_TOKEN"  # noqa: S105 (the name of a variable)
# A prompt of a million characters, each as two escaped halves of six bytes, and what is around.
_MOST_BYTES = 16_000_000
# What can stand in the header Host.
_HOST = re.compile(r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?", re.ASCII)
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
# Connections that wait to be accepted, while hundreds of calls arrive at once.
_BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen, under which names, and what a caller must show."""

    host: str = "127.0.0.1"
    port: int = 11500
    allowed_hosts: tuple[str, ...] = ()
    token: str | None = None

    def check(self) -> None:
        """Raises UsageError when others could call, and nothing says who may."""
        for name in self.allowed_hosts:
            if not _HOST.fullmatch(name):
                raise UsageError(
                    f"--allowed-host {name!r} is no name of a host",
                    hint="a name or address, with or without a port: lab.local, [fd00::5]:11500",
                )
        if _is_loopback(self.host):
            return
        missing = []
        if not self.allowed_hosts:
            missing.append("--allowed-host NAME, the name by which hosts call this server")
        if not self.token:
            missing.append(f"{TOKEN_VARIABLE}, a secret that each host must send")
        if missing:
            raise UsageError(
                f"--host {self.host} lets other machines in; missing: {' and '.join(missing)}",
                hint=f"{TOKEN_VARIABLE}=$(openssl rand -hex 32) ollamamaster serve-mcp "
                f"--transport http --host {self.host} --allowed-host NAME",
            )

    def security(self) -> TransportSecuritySettings:
        """Which names may stand in Host and Origin; anything else is a page that tricks a browser.

        Given explicitly, since the SDK checks nothing for other addresses than loopback.
        """
        # Browsers send names in small letters, other hosts as they were typed.
        allowed = dict.fromkeys(form for n in self.allowed_hosts for form in (n, n.lower()))
        names = [*_LOOPBACK_NAMES, *allowed]
        if _is_loopback(self.host):
            names.append(bracketed(self.host))
        hosts = [form for name in names for form in _with_any_port(name)]
        origins = [f"{scheme}://{host}" for host in hosts for scheme in ("http", "https")]
        return TransportSecuritySettings(
            enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=origins
        )


async def serve_http(server: Server[Served], at: Listening, told: Callable[[str], None]) -> None:
    """Serve hosts until cancelled. `told` gets the URL once it can be called.

    Raises UsageError, and FailedError when the address cannot be had.
    """
    at.check()
    with _bound(at) as listener:
        app = server.streamable_http_app(
            streamable_http_path=PATH,
            transport_security=at.security(),
            max_request_body_size=_MOST_BYTES,
        )
        config = uvicorn.Config(
            _Guarded(app, at.token),
            lifespan="off",  # ours is around it, and also ends when uvicorn is told to hurry
            log_config=None,
            access_log=False,
            server_header=False,
        )
        web = _Web(config)
        async with server.session_manager.run():
            serving = asyncio.create_task(web.serve(sockets=[listener]))
            try:
                told(f"http://{bracketed(at.host)}:{listener.getsockname()[1]}{PATH}")
                await asyncio.shield(serving)
            finally:
                # Streams may be open for hours; nobody waits for them.
                web.should_exit = web.force_exit = True
                await asyncio.wait({serving})


class _Web(uvicorn.Server):
    """A uvicorn that leaves signals to the command line."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(frozen=True, slots=True)
class _Guarded:
    """Lets nobody in who does not know the token, where there is one."""

    app: ASGIApp
    token: str | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.token is None or scope["type"] != "http" or self._knows(scope):
            await self.app(scope, receive, send)
            return
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"www-authenticate", b'Bearer realm="ollamamaster"'),
        ]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": b"a bearer token is needed\n"})

    def _knows(self, scope: dict[str, Any] | Any) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) != 1 or self.token is None:
            return False
        scheme, _, secret = given[0].partition(b" ")
        # The time it takes must not tell how much of it was right.
        right = hmac.compare_digest(secret.strip(), os.fsencode(self.token))
        return bool(right and scheme.lower() == b"bearer")


@contextlib.contextmanager
def _bound(at: Listening) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A server that is started again must not wait for the connections of the one before.
        # On Windows the same option would let two servers have one port.
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((at.host, at.port))
            listener.listen(_BACKLOG)
        except OSError as error:
            raise FailedError(
                f"cannot listen on {at.host}:{at.port}: {error.strerror or error}",
                hint="another port: --port N; 0 takes any that is free",
            ) from error
        yield listener
    finally:
        listener.close()


def _is_loopback(host: str) -> bool:
    ip = as_ip(host)
    return host == "localhost" if ip is None else ip.is_loopback


def _with_any_port(name: str) -> tuple[str, ...]:
    """A name with a port is that one; without, it is the name with any port or none."""
    after_bracket = name.rpartition("]")[2]
    return (name,) if ":" in after_bracket else (name, f"{name}:*")
