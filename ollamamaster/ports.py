"""What the services need from the world outside, as protocols; the adapters implement them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from ipaddress import IPv4Network

    from ollamamaster.domain.answers import AnswerRequest, Chunk, Embeddings, PullProgress
    from ollamamaster.domain.conversation import Conversation, Summary, Turn
    from ollamamaster.domain.history import PastAttempt, Promise
    from ollamamaster.domain.instances import Endpoint, Gpu, InstanceAddress
    from ollamamaster.domain.judged import Verdict
    from ollamamaster.domain.liveness import Health
    from ollamamaster.domain.models import LoadedModel, Model
    from ollamamaster.domain.probes import Probes, Scanned
    from ollamamaster.domain.profiles import Profiles
    from ollamamaster.domain.records import RouteRecord
    from ollamamaster.domain.routing import Document
    from ollamamaster.domain.snapshot import Fleet
    from ollamamaster.domain.tickets import Choice, Option, Ticket
    from ollamamaster.domain.tools import Tool, ToolAnswer
    from ollamamaster.domain.workflow import ToolServer
    from ollamamaster.domain.workflow_problems import WorkflowReading
    from ollamamaster.domain.workflow_run import RunRecord, RunStatus, StepResult


class Clock(Protocol):
    """Time, passed in so that tests own it."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def monotonic(self) -> float:
        """Seconds from some fixed moment; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class OllamaAPI(Protocol):
    """Ollama's API on any instance. Every failure is an AttemptError."""

    async def identify(self, endpoint: Endpoint, *, timeout_s: float) -> str:
        """The version, when both `/` and `/api/version` say that this is Ollama."""

    async def version(self, endpoint: Endpoint, *, timeout_s: float) -> str:
        """The version, which is the cheapest sign of life."""

    async def tags(self, endpoint: Endpoint, *, timeout_s: float) -> tuple[Model, ...]:
        """The models the instance has on disk."""

    async def ps(self, endpoint: Endpoint, *, timeout_s: float) -> tuple[LoadedModel, ...]:
        """The models the instance has in memory."""

    async def show(self, endpoint: Endpoint, model: Model, *, timeout_s: float) -> Model:
        """The model with its capabilities, context length and shape filled in."""

    def answer(self, endpoint: Endpoint, request: AnswerRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the answer: ends with a `done` chunk or raises; closing it cancels over there.

        While nothing arrives the instance is asked for signs of life; when it has none, the
        attempt ends with outcome `timeout`. There is no limit on the time to the first token.
        """

    async def embed(self, endpoint: Endpoint, model: str, texts: Sequence[str]) -> Embeddings:
        """One vector a text."""

    def pull(self, endpoint: Endpoint, model: str) -> AsyncGenerator[PullProgress, None]:
        """Download a model on the instance; ends with a `done` line or raises."""

    async def load(
        self, endpoint: Endpoint, model: str, *, num_ctx: int | None, keep_alive: str | int | None
    ) -> None:
        """Bring a model into memory."""

    async def unload(self, endpoint: Endpoint, model: str) -> None:
        """Take a model out of memory."""

    async def aclose(self) -> None:
        """Close every connection."""


class InventoryStore(Protocol):
    """What discovery found, kept between processes."""

    def load(self) -> Fleet:
        """The fleet as last written; empty when nothing was."""

    def update(self, change: Callable[[Fleet], Fleet]) -> Fleet:
        """Read, change and replace under the lock between processes; returns what was written.

        Raises StateUnusableError when it cannot be written; what was there stays as it was.
        """


class LivenessStore(Protocol):
    """The health of each instance, kept between processes. Never raises: it is only advice."""

    def load(self) -> Mapping[str, Health]:
        """Health by instance id; an instance that is not in it is healthy."""

    def update(self, instance: str, change: Callable[[Health], Health]) -> Health:
        """Read, change and write the health of one instance in one transaction."""


class HistoryStore(Protocol):
    """What was learnt and what happened. Learning is only advice: no method raises."""

    def profiles(self) -> Profiles:
        """What history taught until now; nothing when it cannot be read."""

    def record(self, route: RouteRecord) -> None:
        """Keep a finished route and learn from its attempts, in one transaction."""

    def judge(self, verdict: Verdict) -> None:
        """Learn from a judged comparison."""


class PastRequests(Protocol):
    """What is kept of past requests, for a person. Raises StateUnusableError."""

    def newest(self, limit: int) -> Iterator[RouteRecord]:
        """The latest requests with all that is kept of them, the newest first."""

    def attempts(self) -> Iterator[PastAttempt]:
        """Every attempt, the oldest first."""

    def promises(self) -> Iterator[Promise]:
        """What was expected of each request that was answered, and what came."""


class TicketStore(Protocol):
    """The routes of this user on this machine, in all processes. A dead process has none.

    No method raises; where the tickets cannot be shared, this process sees only its own.
    """

    def enter(self, ticket: Ticket) -> None:
        """Put a waiting ticket among the others, as this process's, whatever it says."""

    def others(self, ticket_id: str) -> Sequence[Ticket]:
        """Every live ticket but this one, in the order in which they entered."""

    def take(self, ticket_id: str, choose: Callable[[Ticket, Sequence[Ticket]], Choice]) -> Choice:
        """Let a waiting ticket choose, given itself and the others, while nobody else does.

        What the choice says is kept in the same transaction: where it runs, and whom it passed.
        """

    def move(self, ticket_id: str, option: Option | None) -> None:
        """Say that the ticket runs elsewhere now, or waits again."""

    def leave(self, ticket_id: str) -> None:
        """Take the ticket out; done, failed or given up."""

    def changes(self) -> int:
        """A number that is another one when a ticket of any process changed; cheap to ask."""

    def most_others(self, ticket_id: str) -> int:
        """The most running tickets there were on its instance while it ran, itself left out."""


class Scanner(Protocol):
    """Finds open TCP ports."""

    def scan(
        self,
        probes: Probes,
        *,
        timeout_s: float | None,
        concurrency: int,
        on_progress: Callable[[int, int, int], None] | None,
        cancelled: Callable[[], bool],
    ) -> Scanned:
        """Try every pair; blocks. `timeout_s` None is the default, shorter on loopback.

        `on_progress(done, total, open)` is called a few times a second; `cancelled` is asked
        at least every 50 ms.
        """


class Names(Protocol):
    """The addresses of names, and of this machine."""

    async def resolve(
        self, hosts: Iterable[str], *, timeout_s: float
    ) -> Mapping[str, tuple[str, ...]]:
        """All addresses of each host, none where there was no answer in time."""

    def own_addresses(self) -> frozenset[str]:
        """The addresses of this machine, loopback among them."""


class Neighbours(Protocol):
    """Who is near. What cannot be told is empty, after a few seconds at most."""

    def networks(self) -> tuple[IPv4Network, ...]:
        """The private IPv4 networks that this machine is directly attached to."""

    async def published(self) -> tuple[InstanceAddress, ...]:
        """The ports that containers publish on this machine."""

    async def peers(self) -> tuple[str, ...]:
        """One address of each peer of the machine's virtual private network that is online."""


class GpuProbe(Protocol):
    """The GPUs of this machine."""

    async def read(self) -> Gpu | None:
        """Their facts together; None where nothing can be told within a few seconds."""


class SessionStore(Protocol):
    """The conversations that are kept. Raises StateUnusableError."""

    def load(self, name: str) -> Conversation | None:
        """A conversation; None when there is none of that name."""

    def append(
        self, name: str, turn: Turn, *, system: str | None, cached_tokens: int | None
    ) -> None:
        """Keep a turn as the last one of a conversation, which begins with it if need be."""

    def add_summary(self, name: str, summary: Summary) -> None:
        """Keep a summary, which counts from now on."""


class TurnStore(Protocol):
    """Whose turn it is in each conversation, in all processes. A dead process has no turn.

    Raises StateUnusableError.
    """

    def enter(self, session: str) -> int:
        """Stand in line for a turn; returns its number."""

    def is_next(self, session: str, number: int) -> bool:
        """Whether everyone before this number is gone."""

    def leave(self, number: int) -> None:
        """The turn is over, or given up. Raises nothing."""


class ToolServers(Protocol):
    """Other MCP servers."""

    async def start(self, server: ToolServer, folder: str) -> RunningServer:
        """Start or reach a server and ask what it offers. Raises ServerFailedError."""


class RunningServer(Protocol):
    """One MCP server until it is closed."""

    @property
    def tools(self) -> Mapping[str, Tool]:
        """What it offers, by name."""

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """Call a tool. Raises ServerFailedError when the server dies, or refuses the call."""

    async def aclose(self) -> None:
        """Stop it."""


class WorkflowStore(Protocol):
    """The person's workflow files."""

    def names(self) -> tuple[str, ...]:
        """The names of all workflows, sorted."""

    def named(self, name: str) -> WorkflowReading:
        """The workflow of this name, never of a path. Raises UsageError, WorkflowInvalidError."""

    def typed(self, text: str) -> WorkflowReading:
        """The workflow that a person typed, a name or a path.

        Raises UsageError, FileUnusableError, WorkflowInvalidError.
        """


class RunStore(Protocol):
    """What is remembered of runs of workflows, step by step."""

    def begin(self, run: RunRecord) -> None:
        """A run begins, as this process's. Never raises."""

    def again(self, run_id: str, finished: frozenset[str]) -> None:
        """A run goes on, as this process's; what of it is not finished is forgotten.

        `finished` is the ids of the steps that were found finished. Raises StateUnusableError, and
        UsageError when a living process runs it, or another one has gone on with it since.
        """

    def step(self, run_id: str, result: StepResult) -> None:
        """A step ended. Never raises."""

    def end(self, run_id: str, status: RunStatus, seconds: float, output: str | None) -> None:
        """A run ended. Never raises."""

    def find(self, run_id: str) -> tuple[RunRecord, tuple[StepResult, ...]] | None:
        """A run with its steps that ended, None when there is none. Raises StateUnusableError."""

    def newest(self, limit: int) -> tuple[RunRecord, ...]:
        """The latest runs, the newest first. Raises StateUnusableError."""

    def forget(self, run_id: str) -> bool:
        """Delete a run with its texts; whether there was one. Raises StateUnusableError."""

    def seconds(self, workflow: str) -> Mapping[str, float]:
        """How long each step of this workflow took lately. Never raises."""


class TrustStore(Protocol):
    """Which servers of workflows the person allowed. Raises StateUnusableError."""

    def allowed(self, fingerprints: Iterable[str]) -> frozenset[str]:
        """Those of them that were."""

    def allow(self, fingerprints: Sequence[str], workflow: str) -> None:
        """Remember them."""


class Attached(Protocol):
    """Files that were read."""

    @property
    def documents(self) -> tuple[Document, ...]:
        """Texts."""

    @property
    def images(self) -> tuple[bytes, ...]:
        """Images."""
