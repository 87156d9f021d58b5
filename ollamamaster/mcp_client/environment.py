"""Which variables does a server that a workflow starts get? A few, and those listed for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# What programs need to find themselves and the person's files; no tokens of anything else.
_EVERYWHERE = ("PATH", "HOME", "LANG", "TMPDIR", "USER")
_ON_WINDOWS = ("SYSTEMROOT", "APPDATA", "USERPROFILE", "COMSPEC", "PATHEXT")
_LOCALE = "LC_"


def server_environment(
    environ: Mapping[str, str], listed: Mapping[str, str], *, windows: bool = os.name == "nt"
) -> dict[str, str]:
    """The whole environment of the server; what is listed for it wins."""
    wanted = {*_EVERYWHERE, *(_ON_WINDOWS if windows else ())}
    # names are one whatever their case on Windows, and os.environ has them in capitals there
    kept = {n: v for n, v in environ.items() if n in wanted or n.startswith(_LOCALE)}
    return {**kept, **listed}
