"""Use cases over the domain and its ports: they return values and print nothing."""

from __future__ import annotations
