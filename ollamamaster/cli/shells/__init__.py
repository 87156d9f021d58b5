"""The command tree, written down for others: the scripts of four shells and the manual page."""

from __future__ import annotations
