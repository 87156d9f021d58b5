"""An MCP server for tests: searches a fixed corpus, counts its calls in a file, dies when told.

python tool_server.py                      on standard input and output
python tool_server.py PORT TOKEN           on HTTP, for those who send the token
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from program import until

CORPUS = {
    "Tidal range at Saint-Malo": "The tide at Saint-Malo rises up to 13.5 metres.",
    "La Rance": "The tidal power station of La Rance has given 240 MW since 1966.",
    "Sihwa Lake": "The tidal power station of Sihwa Lake gives 254 MW.",
    "Bread": "Bread is baked from flour, water and salt.",
}


def found(query: str, max_results: int = 10) -> list[str]:
    """The texts of the corpus that have a word of the query, as lines."""
    words = query.lower().split()
    hits = [f"{t}: {x}" for t, x in CORPUS.items() if any(w in f"{t} {x}".lower() for w in words)]
    return hits[:max_results]


def server() -> MCPServer[Any]:
    made: MCPServer[Any] = MCPServer("corpus")

    @made.tool()
    def search(query: str, max_results: int = 10) -> str:
        """Search the corpus."""
        return "\n".join(found(query, max_results)) or "nothing was found"

    @made.tool()
    def surroundings() -> dict[str, Any]:
        """Where it runs, and with which variables."""
        return {"folder": str(Path.cwd()), "variables": dict(os.environ), "pid": os.getpid()}

    @made.tool()
    def count(path: str, word: str = "call") -> int:
        """Write a line into a file; how many lines there are now."""
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{word}\n")
        return len(Path(path).read_text("utf-8").splitlines())

    @made.tool()
    def fail_until(path: str, times: int) -> str:
        """Fail so many times."""
        if count(path) <= times:
            raise ToolError("not yet")
        return "at last"

    @made.tool()
    async def wait_for(path: str) -> str:
        """Wait until there is such a file."""
        await until(Path(path).exists, f"somebody makes {path}")
        return "it is there"

    @made.tool()
    def say(text: str) -> str:
        """Say what it is told."""
        return text

    @made.tool(structured_output=False)
    def tell(text: str) -> str:
        """Say it as text alone."""
        return text

    @made.tool()
    def die() -> str:
        """End at once, with last words."""
        sys.stderr.write("one\ntwo\nthe disk is on fire\n")
        sys.stderr.flush()
        os._exit(3)

    return made


def main() -> None:
    if len(sys.argv) == 1:
        server().run("stdio")
        return
    import uvicorn

    inner, token = server().streamable_http_app(), sys.argv[2]

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        if scope["type"] == "http" and headers.get(b"x-token") != token.encode():
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await inner(scope, receive, send)

    uvicorn.run(guarded, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")


if __name__ == "__main__":
    main()
