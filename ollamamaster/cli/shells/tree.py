"""The command tree as plain values: what may follow what on the command line?

Everything static comes from the commands themselves; what no type says of a value (that
`--instance` takes an instance) is in VALUES.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ollamamaster.cli.app import COMMANDS, load_command, root
from ollamamaster.cli.command import Group
from ollamamaster.cli.help_topics import TOPICS
from ollamamaster.domain.models import Capability
from ollamamaster.errors import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator


class Source(StrEnum):
    """Values that are only known when Tab is pressed: `ollamamaster completion --values SOURCE`."""

    INSTANCES = "instances"
    MODELS = "models"
    SESSIONS = "sessions"
    WORKFLOWS = "workflows"


@dataclass(frozen=True, slots=True)
class Values:
    """What a value may be: fixed words, files, what a source knows. Nothing: any text."""

    words: tuple[str, ...] = ()
    files: bool = False
    source: Source | None = None


# By the name of the parameter. The fleets are those of `simulator.fleet.BUILT_IN`, which would
# load asyncio.
VALUES = {
    "capability": Values(tuple(map(str, Capability))),
    "file": Values(files=True),
    "fleet": Values(("home", "duo", "lab"), files=True),
    "format": Values(("json",), files=True),
    "instance": Values(source=Source.INSTANCES),
    "judge": Values(source=Source.MODELS),
    "model": Values(source=Source.MODELS),
    "models": Values(source=Source.MODELS),
    "outcome": Values(tuple(map(str, Outcome))),
    "output": Values(files=True),
    "pattern": Values(source=Source.MODELS),
    "policy": Values(files=True),
    "session": Values(source=Source.SESSIONS),
    "targets": Values(source=Source.INSTANCES),
    "topic": Values((*TOPICS, *COMMANDS)),
    "workflow": Values(source=Source.WORKFLOWS, files=True),
}
# The argument that is another program's command line, behind a `--`.
COMMAND_LINE = "command"


@dataclass(frozen=True, slots=True)
class Option:
    """One option with its spellings; `metavar` is None for a flag."""

    spellings: tuple[str, ...]
    help: str
    metavar: str | None = None
    values: Values = Values()
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument; with `is_command_line` it is a command with its own arguments."""

    metavar: str
    help: str
    values: Values = Values()
    repeats: bool = False
    is_command_line: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A command; a group has `children` and takes no values itself. The root has no path."""

    path: tuple[str, ...]
    summary: str
    text: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...] = ()
    children: tuple[Node, ...] = ()

    @property
    def name(self) -> str:
        """The words behind the program's name."""
        return " ".join(self.path)

    @property
    def takes_command_line(self) -> bool:
        """Whether what stands behind `--` is another program's."""
        return any(argument.is_command_line for argument in self.arguments)

    def nodes(self) -> Iterator[Node]:
        """Itself and everything below, in the order of the help."""
        yield self
        for child in self.children:
            yield from child.nodes()


_HELP = Option(("-h", "--help"), "Show this message and exit.")


def command_tree() -> Node:
    """The whole tree; imports every command."""
    top = root()
    children = tuple(_node((name,), load_command(name), COMMANDS[name]) for name in COMMANDS)
    summary = (top.help or "").split("\n", 1)[0]
    return Node((), summary, top.help or "", (*_options(top), _HELP), children=children)


def _node(path: tuple[str, ...], command: Any, summary: str | None = None) -> Node:
    text = command.help or ""
    below = command.commands.items() if isinstance(command, Group) else ()
    return Node(
        path,
        summary or text.split("\n", 1)[0],
        text,
        (*_options(command), _HELP),
        tuple(_argument(p) for p in _shown(command) if p.param_type_name == "argument"),
        tuple(_node((*path, name), child) for name, child in below),
    )


def _shown(command: Any) -> list[Any]:
    return [parameter for parameter in command.params if not parameter.hidden]


def _options(command: Any) -> tuple[Option, ...]:
    return tuple(
        Option(
            tuple(sorted((*p.opts, *p.secondary_opts), key=lambda text: text.startswith("--"))),
            p.help or "",
            None if p.is_flag else p.metavar or _choices(p) or str(p.type.name).upper(),
            _values(p),
            repeats=p.multiple,
        )
        for p in _shown(command)
        if p.param_type_name == "option"
    )


def _argument(parameter: Any) -> Argument:
    metavar = parameter.metavar or parameter.name.upper()
    return Argument(
        metavar,
        parameter.help or "",
        _values(parameter),
        repeats=metavar.endswith("..."),
        is_command_line=parameter.name == COMMAND_LINE,
    )


def _values(parameter: Any) -> Values:
    choices = getattr(parameter.type, "choices", None)
    if choices is not None:
        return Values(tuple(str(getattr(choice, "value", choice)) for choice in choices))
    if getattr(parameter, "is_flag", False):
        return Values()
    return VALUES.get(parameter.name, Values())


def _choices(parameter: Any) -> str:
    return "|".join(_values(parameter).words)
