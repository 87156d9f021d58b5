"""Is that the server that was allowed? The same when all that it runs, or reaches, is the same."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollamamaster.domain.workflow import ToolServer


def fingerprint(server: ToolServer, folder: str) -> str:
    """A hash of command, arguments, environment, URL and headers.

    A command also runs in a folder, and a relative path in it means another program, or other
    files, in another folder: so the folder of the workflow file is part of it.
    """
    parts = {
        "command": server.command,
        "args": list(server.args),
        "env": dict(server.env),
        "url": server.url,
        "headers": dict(server.headers),
        "folder": folder if server.url is None else None,
    }
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def shown(server: ToolServer) -> str:
    """What would be run, or reached, for a person to judge; values of variables are left out."""
    if server.url is not None:
        return server.url
    names = [f"{name}=…" for name in sorted(server.env)]
    return " ".join([*names, server.command or "", *server.args])
