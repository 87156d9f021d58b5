"""What is asked of a route, and what came of it?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.answers import Usage
from ollamamaster.domain.records import Who
from ollamamaster.domain.settings import Performance
from ollamamaster.domain.task import Question
from ollamamaster.domain.tickets import Priority

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from ollamamaster.domain.answers import Message
    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.domain.prefix import Prefix
    from ollamamaster.domain.selection import Decision
    from ollamamaster.errors import OllamaMasterError, Outcome


class Long(StrEnum):
    """What to do with texts that no context holds: ask the person, read them in parts, fail."""

    ASK = "ask"
    SPLIT = "split"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Document:
    """A text that was attached, under the name the person gave; `pages` where it has such."""

    name: str
    text: str
    pages: int | None = None


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """One prompt with everything the person said about it. `model` is as typed.

    `piped` is the end of the prompt that came on standard input behind what was typed. With
    `messages`, an empty tuple too, it is the next turn of a conversation; `prefix` tells who
    has read them. Without `keep_text` history has neither prompt nor answer, whatever the config.
    `team` are (model, instance) pairs among which only the time counts, as it is one of many
    requests that are wanted together; others are for when the whole team failed. It may change
    while they run.
    """

    prompt: str
    system: str | None = None
    documents: tuple[Document, ...] = ()
    images: tuple[bytes, ...] = ()
    model: str | None = None
    instance: str | None = None
    local_only: bool = False
    performance: Performance = Performance.BALANCED
    max_time_s: float | None = None
    format: str | Mapping[str, Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    think: bool | None = None
    keep_alive: str | int | None = None
    pull: bool = False
    priority: Priority = Priority.NORMAL
    hedge: bool = True
    long: Long = Long.FAIL
    team: AbstractSet[tuple[str, str]] = frozenset()
    who: Who = Who.COMMAND
    messages: tuple[Message, ...] | None = None
    prefix: Prefix | None = None
    keep_text: bool = True
    piped: str = ""

    @property
    def question(self) -> Question:
        """What task analysis looks at."""
        before = self.messages or ()
        asked = (m.content for m in reversed(before) if m.role == "user")
        return Question(
            prompt=self.prompt,
            system=self.system or "",
            documents=tuple(d.text for d in self.documents),
            images=len(self.images) + sum(len(m.images) for m in before),
            think=self.think,
            options=self.options,
            earlier=tuple(m.content for m in before),
            asked_before=next(asked, ""),
            prefix=self.prefix,
        )

    @property
    def may_be_split(self) -> bool:
        """Whether there is a text in it that may be read in parts."""
        return bool(self.documents or self.piped)

    @property
    def with_piped_apart(self) -> RouteRequest:
        """The request with what was piped as one more document, which may be read in parts."""
        if not self.piped:
            return self
        typed = self.prompt.removesuffix(self.piped).rstrip("\n")
        piped = Document("standard input", self.piped)
        return replace(self, prompt=typed, piped="", documents=(*self.documents, piped))

    @property
    def full_prompt(self) -> str:
        """The attached documents, each under its name, and then the prompt."""
        parts = [f"--- {d.name} ---\n{d.text.strip()}\n" for d in self.documents]
        return "\n".join([*parts, self.prompt])


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one candidate. `outcome` is None while it runs.

    `connected` tells whether the instance could be reached at all.
    """

    model: str
    instance: str
    outcome: Outcome | None = None
    error: str | None = None
    seconds: float | None = None
    connected: bool = True


@dataclass(frozen=True, slots=True)
class PartResult:
    """One request of several that a long text took. `error` says why there is no note of it.

    `level` is 0 for a part of the text, and one more each time notes are put together.
    """

    name: str
    level: int
    model: str | None = None
    instance: str | None = None
    outcome: Outcome | None = None
    error: OllamaMasterError | None = None
    seconds: float | None = None
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds since the prompt had been read, and what Ollama said of the last attempt.

    `queue_s` is our own waiting plus the wait for a slot.
    """

    total_s: float | None = None
    first_token_s: float | None = None
    queue_s: float | None = None
    load_s: float | None = None
    prompt_s: float | None = None
    generation_s: float | None = None
    tokens_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class RouteResult:
    """What is known of a route: the whole of a finished one, or as much as came.

    `parts` are those of a text that was too long to be read at once.
    """

    response: str
    thinking: str | None
    model: str | None
    instance: str | None
    done_reason: str | None
    decision: Decision | None
    attempts: tuple[Attempt, ...]
    usage: Usage
    timing: Timing
    estimate: Estimate | None
    parts: tuple[PartResult, ...] = ()
