"""The adapter to the disk: paths, config, inventory, history."""

from __future__ import annotations
