"""Who wants to hear that a resource changed? Subscribers of both eras of the protocol."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING

from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mcp.server.session import ServerSession

# One who does not read holds up nobody else; what it missed it learns when it reads again.
_PATIENCE_S = 5.0


class Announcer:
    """Tells subscribers which resources changed.

    The bus serves `subscriptions/listen` (2026-07-28); for older revisions we keep who
    subscribed to what.
    """

    def __init__(self) -> None:
        self.bus = InMemorySubscriptionBus()
        self._subscribed: dict[object, tuple[ServerSession, set[str]]] = {}
        self._listened: Counter[str] = Counter()
        self._waiting: set[str] = set()
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def subscribe(self, session: ServerSession, uri: str) -> None:
        """Remember a subscriber of an older revision until its connection ends."""
        connection = session._connection  # noqa: SLF001 (the SDK has no public word for a connection, nor for its end)
        if connection not in self._subscribed:
            self._subscribed[connection] = (session, set())
            connection.exit_stack.callback(self._subscribed.pop, connection, None)
        self._subscribed[connection][1].add(uri)

    def unsubscribe(self, session: ServerSession, uri: str) -> None:
        """Forget it again."""
        connection = session._connection  # noqa: SLF001 (as above)
        if connection in self._subscribed:
            self._subscribed[connection][1].discard(uri)

    @contextlib.contextmanager
    def listening(self, uris: Iterable[str]) -> Iterator[None]:
        """Remember what one listener of the newest revision wants, as long as it listens."""
        wanted = tuple(uris)
        self._listened.update(wanted)
        try:
            yield
        finally:
            self._listened -= Counter(wanted)  # forgets what nobody wants any more

    @property
    def wanted(self) -> frozenset[str]:
        """What anyone would hear of: what nobody wants need not be looked at."""
        listened = (uri for uri, count in self._listened.items() if count > 0)
        return frozenset(listened).union(*(uris for _, uris in self._subscribed.values()))

    def changed(self, *uris: str) -> None:
        """Say soon that these resources changed; several changes until then are one."""
        if uris:
            self._waiting.update(uris)
            self._woken.set()
            if self._task is None:
                self._task = asyncio.create_task(self._tell_all(), name="announcer")

    async def close(self) -> None:
        """Tell nobody any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _tell_all(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            uris, self._waiting = sorted(self._waiting), set()
            for uri in uris:
                await self.bus.publish(ResourceUpdated(uri))
            told = [
                self._tell(session, [uri for uri in uris if uri in wanted])
                for session, wanted in self._subscribed.values()
                if wanted
            ]
            await asyncio.gather(*told)

    async def _tell(self, session: ServerSession, uris: list[str]) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                for uri in uris:
                    await session.send_resource_updated(uri)
        except TimeoutError:
            return
