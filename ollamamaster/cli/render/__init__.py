"""How results look on a terminal."""

from __future__ import annotations
