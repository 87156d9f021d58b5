"""A simulated fleet on real sockets: to try everything, to test, to measure."""

from __future__ import annotations
