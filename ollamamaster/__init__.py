"""One command line over every Ollama you own.

The same from Python, inside a running event loop:

    import ollamamaster

    fleet = await ollamamaster.discover("gaming-pc")
    result = await ollamamaster.route("What is the capital of France?")
    print(result.response, result.model, result.instance)

Nothing heavy is imported before one of these names is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ollamamaster.api import discover, route
    from ollamamaster.domain.snapshot import Fleet

__version__ = "0.1.0"
__all__ = ["Fleet", "__version__", "discover", "route"]


def __getattr__(name: str) -> Any:
    if name in {"discover", "route"}:
        from ollamamaster import api

        return getattr(api, name)
    if name == "Fleet":
        from ollamamaster.domain.snapshot import Fleet

        return Fleet
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
