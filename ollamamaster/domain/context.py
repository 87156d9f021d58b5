"""How much context must the instance have, so that nothing is truncated in silence?"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ollamamaster.domain.models import LoadedModel, Model

# Ollama's own smallest default; asking for less would reload models for a little memory.
SMALLEST_CONTEXT = 4096

# Where a text is read in parts, two pages of it must fit into one beside the question and the note.
SMALLEST_PART_TOKENS = SMALLEST_CONTEXT // 4

# Where a step is too much for the memory, the context is a multiple of this: the same one for
# prompts of about the same length, so that they do not reload the model.
_GRAIN = 1024

# Servers before this one ignore `truncate: false` (Ollama's release notes).
HONOURS_TRUNCATE = (0, 12, 6)


# The pairs of a decision need few different contexts.
@lru_cache(maxsize=1024)
def context_step(tokens: int, model_limit: int | None) -> int:
    """The power of two that holds so many tokens, at most what the model was made for.

    Steps, because every other `num_ctx` reloads the model.
    """
    step = max(SMALLEST_CONTEXT, 1 << max(0, tokens - 1).bit_length())
    return step if model_limit is None else min(step, model_limit)


def context_to_ask(
    needed_tokens: int, model: Model, loaded: LoadedModel | None, room: int | None = None
) -> int:
    """The `num_ctx` to send: the resident context when it is enough, else the next step.

    Where memory has only `room` for a shorter one that is still enough, that one.
    """
    if loaded is not None and is_enough(loaded, needed_tokens):
        return loaded.context_length or 0
    step = context_step(needed_tokens, model.context_length)
    if room is None or not needed_tokens <= room < step:
        return step
    return max(needed_tokens, room - room % _GRAIN)


def is_enough(loaded: LoadedModel, needed_tokens: int) -> bool:
    """Whether the model in memory can take so many tokens; unknown is no."""
    return loaded.context_length is not None and loaded.context_length >= needed_tokens


def next_context(asked: int, model_limit: int | None) -> int | None:
    """One step more than was asked; None when the model has no more."""
    larger = context_step(asked + 1, model_limit)
    return larger if larger > asked else None


def may_truncate_silently(version: str | None) -> bool:
    """Whether a server of this version ignores `truncate: false`; unknown versions do not."""
    numbers = version_numbers(version)
    return numbers is not None and numbers < HONOURS_TRUNCATE


def version_numbers(version: str | None) -> tuple[int, int, int] | None:
    """`0.12.6-rc1` as (0, 12, 6); None when it is no such version."""
    parts = (version or "").split("-")[0].split("+")[0].split(".")
    if len(parts) != 3 or not all(p.isascii() and p.isdigit() and len(p) < 6 for p in parts):
        return None
    return int(parts[0]), int(parts[1]), int(parts[2])
