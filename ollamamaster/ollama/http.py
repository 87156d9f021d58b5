"""httpx, without what it would import in vain.

A module that is None in `sys.modules` cannot be imported and is not looked for (documented under
"The module cache" of the import system). Two gains, and nothing changes but the time:

- `import httpx` also imports the program `httpx` when click is installed, and with it rich and
  pygments: 45 of 165 ms, more than all the rest of a short route. httpx has a stub for when that
  fails.
- httpcore tries `import sniffio` for each of its locks, eight times a request, and where it is not
  installed each try searches the whole path: 0.1 ms.

And what httpx loads only at its first request is loaded here: tens of milliseconds, on a slow or
busy machine seconds, were counted as the time of the instance that is asked first, which was lost.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec

_PROGRAM = "httpx._main"
_DETECTOR = "sniffio"
_WITH_THE_FIRST_REQUEST = ("httpcore", "anyio._backends._asyncio")

if "httpx" not in sys.modules:
    sys.modules[_PROGRAM] = None  # type: ignore[assignment]
    try:
        import httpx
    finally:
        del sys.modules[_PROGRAM]
else:
    import httpx

if _DETECTOR not in sys.modules and find_spec(_DETECTOR) is None:
    sys.modules[_DETECTOR] = None  # type: ignore[assignment]

for _name in _WITH_THE_FIRST_REQUEST:
    with suppress(ImportError):
        import_module(_name)

__all__ = ["httpx"]
