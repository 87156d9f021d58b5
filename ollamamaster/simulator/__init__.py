"""A simulated fleet on real sockets, for the sandbox, tests and benchmarks."""

from __future__ import annotations
