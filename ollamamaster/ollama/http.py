"""httpx, without its own command line.

`import httpx` also imports the program `httpx` when click is installed, and with it rich and
pygments: 45 of 165 ms, more than all the rest of a short route. A module that is None in
`sys.modules` cannot be imported (the import system's documented behaviour), and httpx falls back
to a stub then.
"""

from __future__ import annotations

import sys

_PROGRAM = "httpx._main"

if "httpx" not in sys.modules:
    sys.modules[_PROGRAM] = None  # type: ignore[assignment]
    try:
        import httpx
    finally:
        del sys.modules[_PROGRAM]
else:
    import httpx

__all__ = ["httpx"]
