"""How is a question answered about texts that are too long to be read at once?

Each part is read with the question and becomes a note; the answer is written from the notes. Where
even the notes are too long, groups of them become one note each, as often as is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ollamamaster.domain.batch import batch, helpers, worker
from ollamamaster.domain.context import SMALLEST_CONTEXT, SMALLEST_PART_TOKENS
from ollamamaster.domain.routing import Document
from ollamamaster.domain.splitting import cut
from ollamamaster.domain.task import PROMPT_MARGIN, analyse
from ollamamaster.domain.time_price import time_term

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ollamamaster.domain.batch import Batch
    from ollamamaster.domain.profiles import Profiles
    from ollamamaster.domain.routing import RouteRequest
    from ollamamaster.domain.selection import Decision
    from ollamamaster.domain.splitting import Part

# A page's worth of notes on each part: ten parts are read for what one costs to be read again.
NOTE_WORDS = 200
NOTE_TOKENS = 270

# A piece repeats this share of its size, a few sentences at most: what stands across a border is
# whole in one of two pieces.
_OVERLAP, _MOST_OVERLAP = 0.05, 150

# A model's tokenizer may make somewhat more of a text than is estimated, which must not mean the
# next step of context.
_SLACK = 0.95


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """The parts of at most `limit_tokens`, who reads them, and how long all of it may take.

    `team` are the pairs of model and instance that read, `under_way` is how many parts are to
    wait or run at once. `score` is what the answer is worth less what the time costs, as in
    every decision.
    """

    parts: tuple[Part, ...]
    limit_tokens: int
    together: Batch
    team: frozenset[tuple[str, str]]
    under_way: int
    seconds: float
    score: float

    @property
    def machines(self) -> int:
        """How many machines read."""
        return len({worker.candidate.instance for worker in self.together.workers})


def contexts(longest: int) -> Iterator[int]:
    """The steps of context that parts may fill, the largest first."""
    step = SMALLEST_CONTEXT
    while step * 2 <= longest:
        step *= 2
    while step >= SMALLEST_CONTEXT:
        yield step
        step //= 2


def part_limit(request: RouteRequest, context: int) -> int:
    """Tokens of text that fill such a context together with question and note; may be below 1."""
    bare = analyse(reading(request, (), 99, 99).question)
    return int((context - bare.context_tokens) / PROMPT_MARGIN * _SLACK)


def overlap_of(limit_tokens: int) -> int:
    """Tokens that a piece of such a size repeats."""
    return min(_MOST_OVERLAP, int(limit_tokens * _OVERLAP))


def planned(
    parts: tuple[Part, ...],
    limit: int,
    read: Decision,
    answered: Decision | None,
    profiles: Profiles,
    price: float,
) -> ReadingPlan:
    """What reading these parts takes, given the decisions for the largest and for the answer.

    `answered` is None where the notes are too long to be read at once. Both the note of what
    matters and the answer from the notes must be right: small parts are read better, and many
    notes worse.
    """
    best = read.ranked[0]
    team = helpers(read.ranked, best, price)
    workers = [worker(c, profiles.slots(c.pair.instance).count) for c in team]
    together = batch(workers, len(parts))
    last = best if answered is None else answered.ranked[0]
    seconds = together.seconds.p50 + last.estimate.prompt_s + last.estimate.generation_s
    right = best.terms["quality"] * last.terms["quality"]
    used, enough = _used(together), together.lanes
    # With few in line each would rather wait for a fast machine than use a slow one that all of
    # them together need.
    while enough < len(parts) and not used <= _used(batch(workers, enough)):
        enough += 1
    return ReadingPlan(
        parts,
        limit,
        together,
        frozenset(c.pair.key for c in team),
        min(enough, len(parts)),
        seconds,
        right + time_term(price, seconds),
    )


def _used(together: Batch) -> set[str]:
    return {worker.candidate.instance for worker in together.workers}


def expected_notes(parts: int) -> tuple[Document, ...]:
    """Notes of as many tokens as those on so many parts will likely have."""
    return tuple(Document(f"notes {number}", "note " * NOTE_TOKENS) for number in range(parts))


def reading(
    request: RouteRequest, documents: Sequence[Document], number: int, of: int
) -> RouteRequest:
    """The request that makes a note of one part."""
    return _note(
        request,
        documents,
        f"{request.prompt}\n\n"
        f"What stands above is part {number} of {of} of a text that is too long to be read at "
        f"once. Answer from this part alone, in at most {NOTE_WORDS} words: every fact, figure "
        "and name in it that matters to the question. If there is none, say so.",
    )


def smallest_reading(request: RouteRequest) -> RouteRequest:
    """The request that makes a note of the smallest part there may be."""
    part = Document("part", "word " * SMALLEST_PART_TOKENS)
    return reading(request.with_piped_apart, (part,), 99, 99)


def merging(request: RouteRequest, notes: Sequence[Document]) -> RouteRequest:
    """The request that makes one note of several."""
    return _note(
        request,
        notes,
        f"{request.prompt}\n\n"
        "What stands above are notes on parts of a long text, in their order. Put them together "
        f"in at most {NOTE_WORDS} words: every fact, figure and name that matters to the question.",
    )


def beginnings(notes: Sequence[Document], tokens: int) -> list[Document]:
    """The notes; of those with more than so many tokens only what they begin with."""
    return [replace(note, text=note.text[: cut(note.text, tokens)[0].end]) for note in notes]


def concluding(
    request: RouteRequest, notes: Sequence[Document], missing: Sequence[str] = ()
) -> RouteRequest:
    """The request that answers from the notes."""
    prompt = (
        f"{request.prompt}\n\n"
        "What stands above are notes on the parts of a long text, in their order. Answer from "
        "all of them together."
    )
    if missing:
        prompt += f" Say that these parts could not be read: {'; '.join(missing)}."
    return replace(request, prompt=prompt, documents=tuple(notes), pull=False, max_time_s=None)


def _note(request: RouteRequest, documents: Sequence[Document], prompt: str) -> RouteRequest:
    return replace(
        request,
        prompt=prompt,
        documents=tuple(documents),
        # the form and the length that the person wants are those of the answer
        images=(),
        format=None,
        options=_without(request.options, "num_predict"),
        pull=False,
        max_time_s=None,
    )


def _without(options: Mapping[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in options.items() if name != key}


def note_of(name: str, text: str) -> Document:
    """A note under the name of what it is about."""
    return Document(f"notes on {name}", text.strip())
