"""Where do results, notes and errors go, and in which form? stdout: results. stderr: the rest."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from ollamamaster.domain.plain_text import cell
from ollamamaster.errors import ExitCode, OllamaMasterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from rich.console import Console

SCHEMA = "ollamamaster/1"


class OutputLostError(OSError):
    """stdout takes no more, such as a full disk behind a redirection."""


@dataclass
class Output:
    """The streams of this process and what the person asked of them.

    One process runs one command, so there is one Output: `OUTPUT`, filled in by the options
    that every command has.
    """

    command: str = ""
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    no_color: bool = False
    enveloped: bool = False
    _noted: set[str] = field(default_factory=set)

    @property
    def on_terminal(self) -> bool:
        """Whether a person sees stdout, and tables and colours may be drawn on it."""
        return _is_terminal(sys.stdout)

    @property
    def may_act(self) -> bool:
        """Whether control characters on stdout would act on a terminal, a dumb one too."""
        return sys.stdout.isatty()

    @property
    def notes_on_terminal(self) -> bool:
        """Whether a person sees stderr, and progress may be drawn on it."""
        return _is_terminal(sys.stderr) and not self.quiet

    @cached_property
    def console(self) -> Console:
        """A console on stdout; markup in what is printed is never interpreted."""
        return self._console(sys.stdout)

    @cached_property
    def error_console(self) -> Console:
        """A console on stderr."""
        return self._console(sys.stderr)

    def _console(self, stream: TextIO) -> Console:
        from rich.console import Console

        plain = self.no_color or bool(os.environ.get("NO_COLOR"))
        return Console(file=stream, markup=False, highlight=False, emoji=False, no_color=plain)

    def emit(
        self,
        data: Callable[[], dict[str, Any]],
        *,
        table: Callable[[Console], None],
        rows: Callable[[], Iterable[Sequence[str]]],
        exit_code: int = ExitCode.OK,
    ) -> int:
        """Print one result as the JSON envelope, for a person, or as tab-separated lines."""
        if self.json:
            return self.envelope(data(), exit_code=exit_code)
        if self.on_terminal:
            table(self.console)
        else:
            for row in rows():
                self.line("\t".join(cell(value) for value in row))
        return int(exit_code)

    def path(self, file: Path) -> int:
        """One path as the result. Not by the console, which would break a long one into lines."""
        if self.json:
            return self.envelope({"path": str(file)})
        self.line(str(file) if self.on_terminal else cell(str(file)))
        return int(ExitCode.OK)

    def noted(self, data: dict[str, Any]) -> int:
        """A result of which notes told all that a person or a pipe is to know."""
        return self.envelope(data) if self.json else int(ExitCode.OK)

    def line(self, text: str) -> None:
        """One line of plain output on stdout."""
        self.write(text + "\n")

    def write(self, text: str, *, flush: bool = False) -> None:
        """Some of the result. Raises BrokenPipeError, OutputLostError."""
        try:
            sys.stdout.write(text)
            if flush:
                sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputLostError(error.errno, error.strerror) from error

    def envelope(
        self,
        data: Any,
        *,
        exit_code: int = ExitCode.OK,
        status: str = "ok",
        errors: Sequence[dict[str, Any]] = (),
    ) -> int:
        """Print the envelope; it ends the output, so a second one is a bug that is not printed."""
        if not self.enveloped:
            document = {
                "schema": SCHEMA,
                "command": self.command,
                "status": status,
                "exit_code": int(exit_code),
                "data": data,
                "errors": list(errors),
            }
            # what cannot be written as JSON raises here, and leaves room for the envelope of that
            text = _json(document)
            self.enveloped = True
            self.line(text)
            self.write("", flush=True)
        return int(exit_code)

    def object(self, value: dict[str, Any]) -> None:
        """One JSON document on a line of its own; ASCII only, so that nothing in it can act."""
        self.line(_json(value))

    def note(self, text: str) -> None:
        """Something worth knowing that is no error. `--quiet` drops it."""
        if not self.quiet:
            self._say(text)

    def note_once(self, text: str) -> None:
        """A note that several parts of a run may come to, said the first time."""
        if text not in self._noted:
            self._noted.add(text)
            self.note(text)

    def log(self, text: str) -> None:
        """A line that only `--verbose` shows."""
        if self.verbose:
            self._say(text)

    def log_once(self, text: str) -> None:
        """A line that only `--verbose` shows, and that one time."""
        if text not in self._noted:
            self._noted.add(text)
            self.log(text)

    def fail(self, error: OllamaMasterError, *, data: Any = None, partial: bool = False) -> int:
        """Report an error and return its exit code. With `partial`, `data` holds what is known."""
        if self.json:
            status = "partial" if partial else "error"
            entry = error_entry(error)
            return self.envelope(data, exit_code=error.exit_code, status=status, errors=[entry])
        self._say(f"error: {error.message}")
        for line in (error.hint or "").splitlines():
            self._say(f"  {line}")
        return int(error.exit_code)

    def tell(self, text: str) -> None:
        """Write on stderr. When nobody reads it any more, the rest of it goes nowhere."""
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            # What a person is told matters less than the result and the exit code.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())

    def _say(self, text: str) -> None:
        self.write("", flush=True)
        self.tell(cell(text) + "\n")


def error_entry(error: OllamaMasterError) -> dict[str, Any]:
    """One entry of the envelope's `errors`."""
    return {
        "code": str(error.code),
        "message": error.message,
        "hint": error.hint,
        "instance": error.instance,
    }


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


OUTPUT = Output()


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
