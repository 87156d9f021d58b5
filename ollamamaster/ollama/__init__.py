"""The adapter to Ollama: the only place that imports httpx."""

from __future__ import annotations
