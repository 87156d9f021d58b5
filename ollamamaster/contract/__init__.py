"""The JSON that scripts and agents depend on: domain values as the `data` of a command.

Every key is always present; unknown is null. Keys are added, never renamed.
"""

from __future__ import annotations
