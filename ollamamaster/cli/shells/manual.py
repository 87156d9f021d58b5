"""The manual page, ollamamaster(1), in the man macros that groff and mandoc both know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ollamamaster.cli.command import PROGRAM, parts_of_help
from ollamamaster.cli.environment import environment
from ollamamaster.cli.exit_codes import MEANINGS, error_codes
from ollamamaster.cli.help_topics import FILES, FOLDERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ollamamaster.cli.shells.tree import Node, Option

# What roff reads as something else, or typesets as another character: a hyphen that is copied
# from the page must be the one to type.
_SPECIAL = {
    "\\": r"\(rs",
    "-": r"\-",
    "'": r"\(aq",
    "`": r"\(ga",
    "^": r"\(ha",
    "~": r"\(ti",
    '"': r"\(dq",
}
WITHOUT_JSON = ("chat", "completion", "sandbox run", "serve-mcp")
_OF_ALL = (
    "Every command has these options; "
    f"{', '.join(WITHOUT_JSON[:-1])} and {WITHOUT_JSON[-1]} refuse --json."
)


def manual_page(tree: Node) -> str:
    """The page. It names no date and no version, so that it changes only with the commands."""
    shared = _shared(tree)
    parts = [
        [f'.TH {PROGRAM.upper()} 1 "" "{PROGRAM}" "User Commands"'],
        _section("NAME", [rf"{PROGRAM} \- {escaped(_phrase(tree.summary))}"]),
        _section("SYNOPSIS", _synopsis()),
        _section("DESCRIPTION", _description()),
        _section("OPTIONS", [escaped(_OF_ALL), *_options(shared)]),
        _section(
            "COMMANDS", [line for n in tree.nodes() if n.path for line in _command(n, shared)]
        ),
        _section("EXIT STATUS", _exit_status()),
        _section("ENVIRONMENT", _tagged(environment())),
        _section("FILES", _files()),
        _section("EXAMPLES", _examples(tree)),
        _section("SEE ALSO", [r"\fBollama\fR(1), https://docs.ollama.com"]),
    ]
    return "\n".join(line for part in parts for line in part) + "\n"


def escaped(text: str) -> str:
    """Text as roff prints it unchanged, also at the beginning of a line."""
    out = "".join(_SPECIAL.get(c, c if c.isascii() else f"\\[u{ord(c):04X}]") for c in text)
    return r"\&" + out if out.startswith(".") else out


def _section(title: str, lines: Iterable[str]) -> list[str]:
    return [f".SH {title}", *lines]


def _phrase(text: str) -> str:
    return text[0].lower() + text[1:].removesuffix(".")


def _bold(text: str) -> str:
    return rf"\fB{escaped(text)}\fR"


def _synopsis() -> list[str]:
    return [
        rf"{_bold(PROGRAM)} \fICOMMAND\fR [\fIOPTION\fR]... [\fIARGUMENT\fR]...",
        ".br",
        f"{_bold(PROGRAM)} {_bold('--version')} | {_bold('--help')}",
    ]


def _description() -> list[str]:
    return [
        escaped(
            "ollamamaster finds the Ollama instances on this machine and on the networks you name, "
            "knows which models each one has, sends a prompt to the model and instance that will "
            "do it best, and moves on when an instance fails."
        ),
        ".PP",
        escaped(
            "Results are written to standard output; notes, progress and errors to standard error. "
            "On a terminal results are tables; in a pipe they are lines of cells separated by "
            "tabs, and with --json one JSON document. ollamamaster help json lists its keys."
        ),
    ]


def _shared(tree: Node) -> tuple[Option, ...]:
    """The options that every command has."""
    leaves = [node for node in tree.nodes() if not node.children]
    return tuple(o for o in leaves[0].options if all(o in node.options for node in leaves))


def _command(node: Node, shared: tuple[Option, ...]) -> Iterator[str]:
    if node.children:
        return
    prose, _ = parts_of_help(node.text)
    arguments = " ".join(argument.metavar for argument in node.arguments)
    yield f".SS {_bold(node.name)} {escaped(arguments)}".rstrip()
    for number, paragraph in enumerate(prose):
        if number:
            yield ".PP"
        yield escaped(paragraph)
    for argument in node.arguments:
        yield from _tag(rf"\fI{escaped(argument.metavar)}\fR", escaped(argument.help))
    yield from _options(option for option in node.options if option not in shared)


def _options(options: Iterable[Option]) -> Iterator[str]:
    for option in options:
        names = ", ".join(map(_bold, option.spellings))
        if option.metavar:
            names += rf" \fI{escaped(option.metavar)}\fR"
        yield from _tag(names, escaped(option.help))


def _tag(term: str, meaning: str) -> list[str]:
    return [".TP", term, meaning]


def _tagged(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for word, meaning in rows:
        yield from _tag(_bold(word), escaped(meaning))


def _exit_status() -> Iterator[str]:
    for code, meaning in MEANINGS.items():
        codes = ", ".join(error_codes(code))
        text = f"{meaning} Error codes: {codes}." if codes else meaning
        yield from _tag(_bold(str(int(code))), escaped(text))


def _files() -> Iterator[str]:
    yield from _tagged(FILES)
    yield ".PP"
    yield escaped("They are in these folders, or in the one that OLLAMAMASTER_HOME names:")
    yield from _tagged(FOLDERS)


def _examples(tree: Node) -> Iterator[str]:
    for node in tree.nodes():
        _, examples = parts_of_help(node.text)
        if not examples or node.children:
            continue
        yield ".PP"
        yield escaped(node.summary)
        yield from (".PP", ".RS 4", ".EX")
        yield from (escaped(re.sub(r" {2,}", "  ", line)) for line in examples)
        yield from (".EE", ".RE")
