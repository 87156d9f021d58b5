"""Ollama's words for what a model can do, and a person's."""

from __future__ import annotations

_ABILITIES = {"completion": "text", "vision": "images", "insert": "fill-in"}


def ability_word(capability: str) -> str:
    """What a person calls a capability."""
    return _ABILITIES.get(capability, capability)


def capability_of(word: str) -> str:
    """The capability that a person's word means; other words are their own."""
    return next((c for c, said in _ABILITIES.items() if said == word.lower()), word.lower())
