"""Which languages was a model made for? Instances do not tell; the makers' model cards do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.domain.chances import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.models import Model

_EUROPEAN = "English French German Spanish Italian Portuguese"
_MANY = "*"

# By the beginning of the model's name, from the makers' public model cards. `*` is a hundred
# languages and more: Gemma 3 and 4 name over 140, Qwen 3 119, Qwen 3.5 201.
_CARDS: Mapping[str, str] = {
    "gemma3": _MANY,
    "gemma4": _MANY,
    "qwen3": _MANY,
    "llama3.": f"{_EUROPEAN} Hindi Thai",
    "llama4": f"{_EUROPEAN} Hindi Thai Arabic Indonesian Vietnamese",
    "qwen2": f"{_EUROPEAN} Chinese Russian Japanese Korean Vietnamese Thai Arabic",
    "mistral-nemo": f"{_EUROPEAN} Chinese Japanese Korean Arabic Hindi",
    "mistral-small": f"{_EUROPEAN} Chinese Japanese Korean Dutch Polish",
    "ministral": f"{_EUROPEAN} Dutch Chinese Japanese Korean Arabic",
    "mixtral": "English French Italian German Spanish",
    "command-r": f"{_EUROPEAN} Japanese Korean Chinese Arabic",
    "granite3": f"{_EUROPEAN} Japanese Arabic Czech Korean Dutch Chinese",
    "granite4": f"{_EUROPEAN} Japanese Arabic Czech Korean Dutch Chinese",
    "phi4-mini": (
        f"{_EUROPEAN} Arabic Chinese Czech Danish Dutch Finnish Hebrew Hungarian Japanese Korean "
        "Norwegian Polish Russian Swedish Thai Turkish Ukrainian"
    ),
    "exaone3.5": "English Korean",
    "glm4": "English Chinese Japanese Korean German",
    "phi3": "English",
    "phi4": "English",
    "olmo2": "English",
    "tinyllama": "English",
    "smollm2": "English",
    "llava": "English",
    "gpt-oss": "English",
}


def speaks(model: Model, language: str) -> bool | None:
    """Whether the makers name the language; None where no card is known here.

    A card that does not name it does not say that the model cannot at all.
    """
    if language == "English":
        return True
    name = model.name.name.rpartition("/")[2].lower()
    cards = [card for prefix, card in _CARDS.items() if name.startswith(prefix)]
    if not cards:
        return None
    # the longest prefix is the nearest: `phi4-mini` before `phi4`
    card = max((p for p in _CARDS if name.startswith(p)), key=len)
    return _CARDS[card] == _MANY or language in _CARDS[card].split()


def share_that_speak(language: str) -> float:
    """The share of the known cards that name the language: what is likely where none is known."""
    naming = sum(card == _MANY or language in card.split() for card in _CARDS.values())
    return bounded(naming / len(_CARDS))
