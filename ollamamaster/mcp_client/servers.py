"""Starts the MCP servers of a workflow, calls their tools, and stops them."""

from __future__ import annotations

import asyncio  # noqa: TID253 (imported only by runs that have servers)
import contextlib
import logging
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.json_values import is_json
from ollamamaster.domain.plain_text import one_line
from ollamamaster.domain.sendable import sendable
from ollamamaster.domain.tools import Tool, ToolAnswer, data_of
from ollamamaster.errors import ServerFailedError
from ollamamaster.mcp_client.environment import server_environment
from ollamamaster.mcp_client.last_words import LastWords
from ollamamaster.mcp_client.lines import whole_characters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp.client import Client
    from mcp_types import CallToolResult

    from ollamamaster.domain.workflow import ToolServer

# The first start of an `npx` server downloads it: half a minute over a slow line.
START_TIMEOUT_S = 120.0
# Hosts give up on a tool after one to four minutes; a step has no person who waits beside it.
CALL_TIMEOUT_S = 600.0
# After the end of its input, and then after SIGTERM. Servers that mind their input are gone within
# milliseconds; a command of workflows lives longer than both after Ctrl-C.
_END_TIMEOUT_S = 1.0
_TERMINATE_TIMEOUT_S = 0.5
# Both, half a second in which the SDK writes what is left, and as much for us. It waits without a
# bound for a server that does not read; that one is killed then.
_STOP_TIMEOUT_S = 2.5
# What of an error of the SDK is shown.
_LINE_LENGTH = 200
# A list of tools that does not end within so many pages never does.
_MOST_PAGES = 100


class McpServers:
    """Implements ToolServers."""

    async def start(self, server: ToolServer, folder: str) -> RunningServer:
        """Start or reach a server and ask what it offers. Raises ServerFailedError."""
        running = RunningServer(server, folder)
        await running.begin()
        return running


class RunningServer:
    """One server with its connection, kept by a task of its own until `aclose`."""

    def __init__(self, server: ToolServer, folder: str) -> None:
        self.server = server
        self.tools: Mapping[str, Tool] = {}
        self._folder = folder
        self._client: Client | None = None
        self._said: LastWords | None = None
        self._process: Any = None
        self._end = asyncio.Event()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeper: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Return when it has told its tools. Raises ServerFailedError."""
        self._keeper = asyncio.create_task(self._keep())
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await asyncio.shield(self._ready)
        except TimeoutError:
            said = await self._last_words()
            await self.aclose()
            raise ServerFailedError(
                f"{self._called} did not answer within {START_TIMEOUT_S:.0f} s", hint=said
            ) from None
        except BaseException:
            await self.aclose()
            raise

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """Call a tool. Raises ServerFailedError when the server dies, or refuses the call."""
        from mcp import MCPError

        assert self._client is not None  # noqa: S101 (it began)
        try:
            calling = self._client.call_tool(tool, sendable(arguments), CALL_TIMEOUT_S)
            result = await _not_waited_for(asyncio.create_task(calling))
        except MCPError as error:
            raise await self._failure(tool, error) from error
        except Exception as error:
            # the SDK checks results against the schema that the server gave, in several ways
            why = one_line(str(error), _LINE_LENGTH)
            raise ServerFailedError(f"{self._called} failed in {tool}: {why}") from error
        return _answer(result)

    async def aclose(self) -> None:
        """Stop it: its input ends, and what does not end by itself then is killed."""
        self._end.set()
        keeper, self._keeper = self._keeper, None
        if keeper is None:
            return
        if not self._ready.done():
            keeper.cancel()
        for is_last in (False, True):
            with contextlib.suppress(asyncio.CancelledError, Exception):
                async with asyncio.timeout(_STOP_TIMEOUT_S):
                    await asyncio.shield(keeper)
            if keeper.done() or is_last:
                break
            self._kill()
        if self._ready.done() and not self._ready.cancelled():
            self._ready.exception()

    @property
    def _called(self) -> str:
        return f"the MCP server {self.server.name!r}"

    async def _keep(self) -> None:
        """Everything between start and stop in one task, as the SDK's task groups need it."""
        try:
            await self._serve()
        except Exception as error:  # noqa: BLE001 (whatever fails at the start is told to the caller)
            self._let_go()
            why = None if self._ready.done() else await self._not_started(error)
            if why is not None and not self._ready.done():
                self._ready.set_exception(why)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """Our end of its stderr, also of one that could not be started."""
        if self._said is not None:
            self._said.handed_over()

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            self._client = await stack.enter_async_context(await self._connected(stack))
            self.tools = await _tools(self._client)
            if not self._ready.done():
                self._ready.set_result(None)
            await self._end.wait()

    async def _connected(self, stack: AsyncExitStack) -> Client:
        from mcp.client import Client
        from mcp_types import Implementation

        from ollamamaster import __version__

        # without a handler Python prints the SDK's warnings on stderr, amid the progress
        logging.getLogger("mcp").addHandler(logging.NullHandler())
        me = Implementation(name="ollamamaster", version=__version__)
        transport: Any
        if self.server.url is not None:
            from mcp.client.streamable_http import streamable_http_client
            from mcp.shared._httpx_utils import create_mcp_http_client

            http = create_mcp_http_client(dict(self.server.headers))
            transport = whole_characters(
                streamable_http_client(
                    self.server.url, http_client=await stack.enter_async_context(http)
                ),
                lambda: None,
            )
        else:
            transport = self._begun()
        return Client(transport, client_info=me)

    def _begun(self) -> Any:
        from mcp.client import stdio

        # The SDK would add its own choice of variables; the environment of a server is ours.
        stdio.DEFAULT_INHERITED_ENV_VARS[:] = []
        stdio.PROCESS_TERMINATION_TIMEOUT = _END_TIMEOUT_S
        stdio.FORCE_KILL_TIMEOUT = _TERMINATE_TIMEOUT_S
        self._said = LastWords()
        parameters = stdio.StdioServerParameters(
            command=_program(self.server.command or "", self._folder),
            args=list(self.server.args),
            env=server_environment(os.environ, self.server.env),
            cwd=self._folder,
            encoding_error_handler="replace",
        )
        server = stdio.stdio_client(parameters, self._said.pipe)
        return whole_characters(server, lambda: self._has_begun(server))

    def _has_begun(self, transport: Any) -> None:
        assert self._said is not None  # noqa: S101 (see _begun)
        self._said.handed_over()
        # the SDK has no name for the process of its transport
        self._process = transport.gen.ag_frame.f_locals.get("process")

    def _kill(self) -> None:
        """End its process, and those it has started, without asking."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                # it began as the leader of a group of its own
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    async def _not_started(self, error: Exception) -> ServerFailedError:
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, FileNotFoundError):
            return ServerFailedError(
                f"{self._called}: there is no program {self.server.command!r}",
                hint="is it installed, and on the PATH?",
            )
        why = one_line(str(error) or type(error).__name__, _LINE_LENGTH)
        return ServerFailedError(
            f"{self._called} could not be started: {why}", hint=await self._last_words()
        )

    async def _failure(self, tool: str, error: Any) -> ServerFailedError:
        from mcp_types import CONNECTION_CLOSED

        if error.code == CONNECTION_CLOSED:
            # a program is started once a run; what is behind a URL may come back
            gone = self.server.url is None
            said = await self._last_words()
            return ServerFailedError(f"{self._called} died", hint=said, gone=gone)
        why = one_line(error.message, _LINE_LENGTH)
        return ServerFailedError(f"{self._called} refused {tool}: {why}")

    async def _last_words(self) -> str | None:
        return None if self._said is None else await self._said.lines()


async def _not_waited_for(call: asyncio.Task[Any]) -> Any:
    """The result. Who is cancelled does not wait until the server has taken the news of it."""
    try:
        return await asyncio.shield(call)
    except asyncio.CancelledError:
        call.cancel()
        call.add_done_callback(lambda over: over.cancelled() or over.exception())
        raise


def _program(command: str, folder: str) -> str:
    """The command; one that is a relative path is looked for beside the workflow file."""
    path = Path(command)
    if len(path.parts) > 1 and not path.is_absolute():
        return str(Path(folder) / path)
    return command


async def _tools(client: Client) -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    cursor = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        found |= {tool.name: Tool(tool.name, dict(tool.input_schema)) for tool in page.tools}
        cursor = page.next_cursor
        if not cursor:
            break
    return found


def _answer(result: CallToolResult) -> ToolAnswer:
    texts = []
    for block in result.content:
        if block.type == "text":
            texts.append(block.text)
        elif block.type == "resource" and hasattr(block.resource, "text"):
            texts.append(block.resource.text)
    text = "\n".join(texts)
    data = result.structured_content
    if data is None or not is_json(data):
        data = data_of(text)
    return ToolAnswer(text, data, bool(result.is_error))
