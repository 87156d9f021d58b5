"""The adapter that finds instances: sockets, names, interfaces, GPUs."""

from __future__ import annotations
