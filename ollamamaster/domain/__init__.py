"""Pure values and functions: no I/O, no clock, no randomness, standard library only."""

from __future__ import annotations
