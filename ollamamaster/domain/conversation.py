"""A conversation that is kept: what of it is sent, and what must be summarised to fit?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from ollamamaster.domain.answers import Message
from ollamamaster.domain.memory_fit import longest_context
from ollamamaster.domain.plain_text import one_line
from ollamamaster.domain.prefix import Prefix
from ollamamaster.domain.splitting import cut
from ollamamaster.domain.task import PROMPT_MARGIN
from ollamamaster.domain.tokens import IMAGE_TOKENS, MESSAGE_TOKENS, estimate_tokens
from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ollamamaster.domain.pair import Pair
    from ollamamaster.domain.task import Task

# Sessions of MCP clients live apart from the person's own.
MCP_NAMES = "mcp:"
LONGEST_NAME = 100

# Of the room there is, the newest turns keep at most this share word for word, and the summary of
# the others takes at most that: a quarter is left, so that not every turn ends in a summary.
_KEPT_SHARE = 0.5
_SUMMARY_SHARE = 0.25
# A page; more is read again with every turn.
_LONGEST_SUMMARY = 500
# With less room a summary says nothing, and the prompt itself is what is too long.
_LEAST_ROOM = 64

_BEFORE = "Summary of the conversation before:"

_INSTRUCTIONS = """\
Summarise the conversation below for the assistant who will continue it. Keep names, numbers, \
dates, decisions, code and file names, what the user wants, and what is still open. Leave out \
greetings. Write at most {words} words, only the summary, in the language of the conversation."""
# English prose has about three words for four tokens.
_WORDS_PER_TOKEN = 0.75


@dataclass(frozen=True, slots=True)
class Turn:
    """One prompt with its attachments, and its answer. Times in seconds since the epoch."""

    prompt: str
    answer: str
    model: str
    instance: str
    asked_at: float
    at: float
    images: tuple[bytes, ...] = ()

    @property
    def tokens(self) -> int:
        """About how many tokens it takes in a prompt."""
        return self.text_tokens + len(self.images) * IMAGE_TOKENS

    @property
    def text_tokens(self) -> int:
        """The same without its images."""
        texts = estimate_tokens(self.prompt) + estimate_tokens(self.answer)
        return texts + 2 * MESSAGE_TOKENS

    @property
    def messages(self) -> tuple[Message, Message]:
        return Message("user", self.prompt, self.images), Message("assistant", self.answer)


@dataclass(frozen=True, slots=True)
class Summary:
    """What stands for the oldest `turns` turns from then on."""

    text: str
    turns: int
    model: str
    at: float


@dataclass(frozen=True, slots=True)
class Conversation:
    """All turns, the oldest first, and the summaries that were made of them.

    `cached_tokens` is what the instance of the last turn holds of it, None where unknown.
    """

    name: str
    turns: tuple[Turn, ...] = ()
    system: str | None = None
    summaries: tuple[Summary, ...] = ()
    cached_tokens: int | None = None

    @property
    def summary(self) -> Summary | None:
        """The one that counts: each contains those before it."""
        return self.summaries[-1] if self.summaries else None

    @property
    def current(self) -> tuple[Turn, ...]:
        """The turns that are sent word for word."""
        return self.turns[self.summary.turns :] if self.summary is not None else self.turns

    @property
    def messages(self) -> tuple[Message, ...]:
        """What goes before the next prompt."""
        return tuple(message for turn in self.current for message in turn.messages)

    @property
    def system_text(self) -> str | None:
        """The system prompt; a summary stands in it, as many templates know only one."""
        summed = None if self.summary is None else f"{_BEFORE}\n{self.summary.text}"
        return "\n\n".join(filter(None, [self.system, summed])) or None

    @property
    def tokens(self) -> int:
        """About how many tokens are sent before the next prompt."""
        return estimate_tokens(self.system_text or "") + sum(t.tokens for t in self.current)

    @property
    def prefix(self) -> Prefix | None:
        """Who has read it already; None when what is sent no longer begins like that."""
        if not self.turns:
            return None
        last = self.turns[-1]
        read_by = frozenset((turn.model, turn.instance) for turn in self.turns)
        summed = self.summary is not None and self.summary.at > last.at
        tokens = 0 if summed else self.cached_tokens or 0
        return Prefix(last.model, last.instance, tokens, last.at, read_by)

    def summarised(self, text: str, count: int, model: str, at: float) -> Conversation:
        """The conversation with a summary in place of its oldest `count` current turns."""
        gone = len(self.turns) - len(self.current) + count
        return replace(self, summaries=(*self.summaries, Summary(text, gone, model, at)))


@dataclass(frozen=True, slots=True)
class PastSession:
    """A conversation without its texts. `tokens` is what is sent of it before a prompt.

    `model` answered last; `updated_at` is seconds since the epoch.
    """

    name: str
    turns: int
    tokens: int
    model: str | None
    updated_at: float


def own_name(name: str) -> str:
    """The name of a session of the person's own. Raises UsageError for one that is none."""
    if name.startswith(MCP_NAMES):
        raise UsageError(f"names that begin with {MCP_NAMES!r} are for MCP clients: {name!r}")
    return checked_name(name)


def mcp_name(name: str) -> str:
    """The name under which a session of an MCP client is kept. Raises UsageError."""
    return MCP_NAMES + checked_name(name)


def checked_name(name: str) -> str:
    """The name, if it can be one. Raises UsageError."""
    if not name or name != one_line(name):
        raise UsageError(f"{name!r} is no name of a session: one line without blanks around it")
    if len(name) > LONGEST_NAME:
        raise UsageError(f"the name of a session has at most {LONGEST_NAME} characters")
    return name


def most_context(pair: Pair, options: Mapping[str, object]) -> int | None:
    """The longest context the pair can have, in tokens; None where nothing limits it.

    What the person sets as `num_ctx`, what the model was made for, what fits in memory.
    """
    model, memory = pair.model, pair.instance.memory_bytes
    limits = [model.context_length]
    asked = options.get("num_ctx")
    limits.append(asked if isinstance(asked, int) and asked > 0 else None)
    if not model.cloud and memory is not None:
        limits.append(longest_context(model, memory))
    known = [limit for limit in limits if limit is not None]
    return min(known) if known else None


def room_beside(context: int, alone: Task) -> int:
    """Tokens that are left for what was said before, when the prompt alone is this task."""
    return int((context - alone.context_tokens) / PROMPT_MARGIN)


def to_summarise(turns: Sequence[Turn], room: int) -> int:
    """How many of the oldest turns must go into a summary; 0 where that would not help."""
    if room < _LEAST_ROOM or not turns:
        return 0
    kept, left = 0, room * _KEPT_SHARE
    for turn in reversed(turns):
        left -= turn.tokens
        if left < 0:
            break
        kept += 1
    return max(1, len(turns) - kept)


def summary_tokens(room: int) -> int:
    """How long a summary may be."""
    return max(1, min(_LONGEST_SUMMARY, int(room * _SUMMARY_SHARE)))


def batches(turns: Sequence[Turn], most_tokens: int) -> Iterator[tuple[Turn, ...]]:
    """The turns in pieces whose texts a model can read at once; one that is longer is cut."""
    batch: list[Turn] = []
    tokens = 0
    for turn in chain.from_iterable(_stretches(each, most_tokens) for each in turns):
        if batch and tokens + turn.text_tokens > most_tokens:
            yield tuple(batch)
            batch, tokens = [], 0
        batch.append(turn)
        tokens += turn.text_tokens
    if batch:
        yield tuple(batch)


def _stretches(turn: Turn, most_tokens: int) -> Iterator[Turn]:
    """The turn, or one for each stretch of its texts; the first has its images."""
    room = most_tokens - 2 * MESSAGE_TOKENS
    if turn.text_tokens <= most_tokens or room < 1:
        yield turn
        return
    images = turn.images
    for piece in cut(turn.prompt, room):
        text = turn.prompt[piece.start : piece.end]
        yield replace(turn, prompt=text, answer="", images=images)
        images = ()
    for piece in cut(turn.answer, room):
        yield replace(turn, prompt="", answer=turn.answer[piece.start : piece.end], images=images)
        images = ()


def summary_prompt(before: str | None, turns: Sequence[Turn], tokens: int) -> str:
    """What a model is asked for, so that the summary takes about so many tokens."""
    parts = [_INSTRUCTIONS.format(words=max(10, int(tokens * _WORDS_PER_TOKEN)))]
    if before:
        parts.append(f"{_BEFORE}\n{before}")
    for turn in turns:
        seen = f" ({len(turn.images)} images)" if turn.images else ""
        if turn.prompt or seen:
            parts.append(f"user{seen}: {turn.prompt}")
        if turn.answer:
            parts.append(f"assistant: {turn.answer}")
    return "\n\n".join(parts)
