"""One command line over every Ollama you own."""

from __future__ import annotations

__version__ = "0.1.0"
