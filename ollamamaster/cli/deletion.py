"""What of it is still on the disk after something was deleted?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.cli.output import OUTPUT

if TYPE_CHECKING:
    from pathlib import Path


def note_what_stays(history: Path, *, gone: bool, mend: str = "") -> None:
    """Say where texts may still stand; `gone` as the tables say, `mend` what would help."""
    if not gone:
        OUTPUT.note(
            f"another process is reading {history.name}; until it ends, what was deleted may "
            f"still stand in {history.name}-wal{mend}"
        )
    for aside in sorted(history.parent.glob(f"{history.name}.broken-*")):
        OUTPUT.note(f"{aside} was set aside as damaged; what is in it stays until you delete it")
