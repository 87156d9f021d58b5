"""Which addresses does a name have, and which are this machine's own?"""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

from ollamamaster.domain.instances import as_ip

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOOPBACK = frozenset({"127.0.0.1", "::1"})

# Names are few; a resolver that is asked for hundreds at once begins to drop questions.
_AT_ONCE = 32


class SystemNames:
    """The system's resolver."""

    async def resolve(
        self, hosts: Iterable[str], *, timeout_s: float
    ) -> Mapping[str, tuple[str, ...]]:
        """All addresses of each host, in the resolver's order; none where there was no answer.

        An address is its own address. Takes `timeout_s` at most, whatever the resolver does: it
        works in threads that do not keep the program alive.
        """
        found: dict[str, tuple[str, ...]] = {}
        names = []
        for host in dict.fromkeys(hosts):
            ip = as_ip(host)
            if ip is None:
                names.append(host)
                found[host] = ()
            else:
                found[host] = (str(ip),)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def ask(name: str) -> None:
            async with gate:
                found[name] = await _addresses_of(name)

        asked = [asyncio.ensure_future(ask(name)) for name in names]
        if asked:
            _, late = await asyncio.wait(asked, timeout=timeout_s)
            for one in late:
                one.cancel()
            await asyncio.gather(*asked, return_exceptions=True)
        return found

    def own_addresses(self) -> frozenset[str]:
        """The addresses of this machine's interfaces, and loopback."""
        try:
            import psutil

            interfaces = psutil.net_if_addrs()
        except (ImportError, OSError):
            return LOOPBACK
        texts = (
            entry.address.partition("%")[0] for all_of in interfaces.values() for entry in all_of
        )
        return LOOPBACK | {str(ip) for ip in map(as_ip, texts) if ip is not None}


async def _addresses_of(name: str) -> tuple[str, ...]:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[str, ...]] = loop.create_future()

    def deliver(found: tuple[str, ...]) -> None:
        if not answer.done():
            answer.set_result(found)

    def ask() -> None:
        found = _look_up(name)
        try:
            loop.call_soon_threadsafe(deliver, found)
        except RuntimeError:
            return  # the loop has ended: nobody waits any more

    # Not a pool: the threads of a pool are waited for when the program ends.
    threading.Thread(target=ask, name=f"resolve {name}", daemon=True).start()
    return await answer


def _look_up(name: str) -> tuple[str, ...]:
    try:
        entries = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    ips = (as_ip(str(entry[4][0]).partition("%")[0]) for entry in entries)
    return tuple(dict.fromkeys(str(ip) for ip in ips if ip is not None))
