"""How much main memory does this machine have?"""

from __future__ import annotations


def ram_total() -> int | None:
    """Bytes of main memory; None where the system does not tell."""
    import psutil

    try:
        return int(psutil.virtual_memory().total) or None
    except (OSError, RuntimeError, AttributeError):
        return None
