"""How much of a conversation has an instance read already?"""

from __future__ import annotations

from dataclasses import dataclass

# The same prompt again took a tenth of the time on a real 0.24
# (tests/golden/ollama-wire/generate-warm-same-prompt.json beside generate-warm.json).
CACHED_COST = 0.1

# Our own clock and the end of an attempt as it is learnt differ by what is written in between.
_SAME_MOMENT_S = 1.0


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of a prompt that was the last one of a model on an instance.

    `tokens` are those of the model's own tokenizer, `at` is when it ended, in seconds since the
    epoch. `read_by` are all (model, instance) pairs that have read some of it at any time.
    """

    model: str
    instance: str
    tokens: int
    at: float
    read_by: frozenset[tuple[str, str]] = frozenset()

    @property
    def pair(self) -> tuple[str, str]:
        """Where the last turn ran."""
        return self.model, self.instance

    def saves_tokens(
        self, pair: tuple[str, str], prompt_tokens: float, last_used: float | None
    ) -> float:
        """How many tokens fewer this pair has to read, if it still has the model in memory.

        None at all where another prompt of ours came after it (`last_used`, in seconds since the
        epoch): an instance that serves one at a time remembers one prompt.
        """
        replaced = last_used is not None and last_used > self.at + _SAME_MOMENT_S
        if pair != self.pair or replaced:
            return 0.0
        return (1.0 - CACHED_COST) * min(float(self.tokens), prompt_tokens)
