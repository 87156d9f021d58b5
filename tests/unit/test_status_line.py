"""The line that says what is going on never touches the text beside it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from screen import Screen

from ollamamaster.cli.cursor import Cursor
from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.status_line import StatusLine

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = 20
_LETTERS = st.sampled_from("ab .\n\tä日本語🙂e\u0301\u200d👍🏽🇩🇪")
_PIECES = st.lists(st.text(_LETTERS, min_size=1, max_size=30), max_size=12)


class Terminal:
    """A stream that is a terminal, and keeps what it was told."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text.replace("\n", "\r\n")
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


@contextmanager
def on_terminal() -> Iterator[Terminal]:
    """stdout and stderr on one terminal of COLUMNS columns."""
    terminal = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        for stream in ("stdout", "stderr"):
            patch.setattr(sys, stream, terminal)
        for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
            patch.delenv(name, raising=False)
        patch.setenv("TERM", "xterm")
        patch.setenv("COLUMNS", str(COLUMNS))
        patch.setattr(OUTPUT, "quiet", False)
        patch.setattr(StatusLine, "on_one_terminal", True)
        OUTPUT.__dict__.pop("error_console", None)
        try:
            yield terminal
        finally:
            OUTPUT.__dict__.pop("error_console", None)


def seen(text: str) -> list[str]:
    screen = Screen(COLUMNS)
    screen.write(text)
    return screen.lines


@given(_PIECES)
@example(["x" * COLUMNS, "y"])
@example(["x" * (COLUMNS - 1), "日"])
def test_the_line_leaves_no_trace_in_the_text(pieces: list[str]) -> None:
    with on_terminal() as terminal:
        line = StatusLine()
        line.show(lambda _: "12 tok/s")
        for piece in pieces:
            line.write(piece)
        line.clear()
        assert seen(terminal.text) == seen("".join(pieces).replace("\n", "\r\n"))


@given(_PIECES)
def test_the_line_never_begins_a_row_of_its_own(pieces: list[str]) -> None:
    with on_terminal() as terminal:
        line = StatusLine()
        line.show(lambda _: "12 tok/s")
        for piece in pieces:
            line.write(piece)
        rows = seen("".join(pieces).replace("\n", "\r\n"))
        assert len(seen(terminal.text)) == len(rows)


def test_the_line_stands_behind_the_text() -> None:
    with on_terminal() as terminal:
        line = StatusLine()
        line.show(lambda _: "12 tok/s")
        line.write("Paris")
        assert seen(terminal.text) == ["Paris  12 tok/s"]
        line.write(" is")
        assert seen(terminal.text) == ["Paris is  12 tok/s"]


def test_without_room_there_is_no_line() -> None:
    with on_terminal() as terminal:
        line = StatusLine()
        line.show(lambda _: "12 tok/s")
        line.write("x" * (COLUMNS - 10))
        assert seen(terminal.text) == ["x" * (COLUMNS - 10)]


def test_behind_text_whose_width_terminals_differ_on_there_is_no_line() -> None:
    with on_terminal() as terminal:
        line = StatusLine()
        line.show(lambda _: "12 tok/s")
        line.write("e\u0301")
        assert "tok/s" not in "".join(seen(terminal.text))
        line.write("\nnew")
        assert seen(terminal.text)[-1] == "new  12 tok/s"


def test_behind_text_the_line_is_dim_where_styles_are_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with on_terminal() as terminal:
        line = StatusLine()
        line.show(lambda _: "1")
        line.write("a")
        assert "\x1b[2m" in terminal.text
        monkeypatch.setenv("NO_COLOR", "1")
        terminal.text = ""
        line.write("b")
        assert "\x1b[2m" not in terminal.text


def test_the_figures_are_renewed_four_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    with on_terminal():
        now = [0.0]
        monkeypatch.setattr("time.monotonic", lambda: now[0])
        asked: list[float] = []

        def figures(elapsed_s: float) -> str:
            asked.append(elapsed_s)
            return str(len(asked))

        line = StatusLine()
        line.show(figures)
        for _ in range(1000):
            now[0] += 0.01
            line.write("x")
        assert 30 <= len(asked) <= 41


def test_a_long_line_is_cut_by_its_cells() -> None:
    with on_terminal() as terminal:
        StatusLine().show(lambda _: "日本語" * 10)
        assert len(seen(terminal.text)) == 1
        assert seen(terminal.text)[0].endswith("…")


def test_where_nobody_sees_stderr_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    with on_terminal() as terminal:
        monkeypatch.setenv("TERM", "dumb")
        line = StatusLine()
        line.show(lambda _: "12 tok/s")
        line.write("Paris\n")
        line.clear()
        assert terminal.text == "Paris\r\n"


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 0), ("abc", 3), ("abc\n", 0), ("a\nbc", 2), ("x" * 20, 20), ("x" * 21, 1),
        ("x" * 40, 20), ("日本", 4), ("x" * 19 + "日", 2), ("a\t", 8), ("x" * 17 + "\t", None),
        ("\u200d", None), ("\u200d\nab", 2), ("🇩🇪", None),
    ],
)  # fmt: skip
def test_the_cursor_is_where_the_terminal_has_it(text: str, column: int | None) -> None:
    cursor = Cursor(COLUMNS)
    cursor.wrote(text)
    assert cursor.column == column


@given(_PIECES)
def test_pieces_move_the_cursor_as_the_whole_does(pieces: list[str]) -> None:
    whole, parts = Cursor(COLUMNS), Cursor(COLUMNS)
    whole.wrote("".join(pieces))
    for piece in pieces:
        parts.wrote(piece)
    assert whole.column == parts.column
