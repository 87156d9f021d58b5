"""The options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from ollamamaster.domain.routing import Long
from ollamamaster.domain.settings import Performance
from ollamamaster.domain.tickets import Priority


class PriorityName(StrEnum):
    """A priority as it is typed; Typer shows the values of an enumeration."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


def priority_of(name: PriorityName) -> Priority:
    """The priority that was typed."""
    return Priority[name.name]


Instance = Annotated[
    str | None,
    Option("--instance", metavar="ID", help="Only this instance: its id, an alias or its label."),
]
Model = Annotated[
    str | None, Option("-m", "--model", metavar="NAME", help="Only this model; no tag is :latest.")
]
File = Annotated[
    list[str] | None,
    Option(
        "-f",
        "--file",
        metavar="PATH",
        help="A text, PDF, HTML page or image; repeatable, also a glob.",
    ),
]
Recursive = Annotated[
    bool, Option("--recursive", help="A folder given by --file is read with all below it.")
]
LongTexts = Annotated[
    Long, Option("--long", help="When texts fit no model: ask, read them in parts, or fail.")
]
System = Annotated[str | None, Option("--system", metavar="TEXT", help="The system prompt.")]
PerformanceLevel = Annotated[
    Performance | None,
    Option("--performance", help="What counts: time, both, or the best answer."),
]
MaxTime = Annotated[
    float | None,
    Option("--max-time", metavar="SECONDS", help="Deadline for the whole route."),
]
LocalOnly = Annotated[
    bool, Option("--local-only", help="Nothing leaves this machine and your own network.")
]
AnswerFormat = Annotated[
    str | None,
    Option("--format", metavar="json|FILE", help="json, or the file of a JSON schema."),
]
OllamaOption = Annotated[
    list[str] | None,
    Option("--option", metavar="KEY=VALUE", help="An option of Ollama's, such as seed=1."),
]
Think = Annotated[bool | None, Option("--think/--no-think", help="Whether the model thinks first.")]
KeepAlive = Annotated[
    str | None,
    Option(
        "--keep-alive",
        metavar="TIME",
        help="How long the model stays in memory: 10m, 0, -1 for ever.",
    ),
]
Pull = Annotated[bool, Option("--pull", help="Download the model if nobody has it; needs --model.")]
Stream = Annotated[
    bool | None,
    Option("--stream/--no-stream", help="As it comes (the rule on a terminal), or whole."),
]
PriorityOption = Annotated[
    PriorityName,
    Option("--priority", help="Who goes first of your requests that wait for room."),
]
NoHedge = Annotated[
    bool, Option("--no-hedge", help="Never ask a second instance when the first is late.")
]
Session = Annotated[
    str | None,
    Option("--session", metavar="NAME", help="Go on with this conversation, which is kept."),
]
NoSummary = Annotated[
    bool, Option("--no-summary", help="Never summarise older turns; fail when they do not fit.")
]
ExportFile = Annotated[
    Path | None, Option("-o", "--output", metavar="FILE", help="Write there, not on stdout.")
]
Pattern = Annotated[
    str | None, Argument(metavar="[PATTERN]", help="Part of a name, or a glob such as 'qwen*'.")
]
