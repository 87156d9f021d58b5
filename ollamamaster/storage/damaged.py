"""What becomes of a damaged file: it is set aside, never deleted."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def set_aside(path: Path, moment: float) -> Path:
    """Rename a damaged file to `NAME.broken-<time>` and return its new name.

    `moment` is seconds since the epoch. Nothing that was set aside earlier is overwritten.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))
    aside = path.with_name(f"{path.name}.broken-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.broken-{stamp}-{number}")
    os.replace(path, aside)  # noqa: PTH105 - Path.replace says the same, os.replace is the one documented as atomic
    return aside
