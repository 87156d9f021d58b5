"""`ollamamaster chat`, typed by a person on a pseudo-terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from program import PATIENCE_S, command, home_for, run, wait_until
from served_fleet import STORY, generates, unhurried

from ollamamaster.domain.tokens import estimate_tokens
from ollamamaster.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollamamaster.simulator.sandbox import SimulatedFleet

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")

MODEL = "llama3.2:3b"
SHORT = ("-m", MODEL, "--option", "num_predict=12")
_PROMPT = ">>> "


class Person:
    """Somebody who types, and reads what comes."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int) -> None:
        self.process = process
        self._terminal = terminal
        self._written = bytearray()
        self._from = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def types(self, text: str) -> None:
        """Type it, as if nothing before it had been answered."""
        self._from = len(self._written)
        os.write(self._terminal, text.encode())

    def sees(self, text: str) -> str:
        """Wait until this comes after what was typed last; returns all that came since then."""
        wait_until(lambda: text in self._since() or self._gone(), f"{text!r} is seen")
        assert text in self._since(), self.all
        return self._since()

    def says(self, line: str) -> str:
        """A line, and what comes until the next one may be typed."""
        self.types(line + "\n")
        return self.sees_the_prompt()

    def sees_the_prompt(self) -> str:
        """What comes until the next line may be typed; a Ctrl-D before that would be lost."""
        return self.sees("\n" + _PROMPT)

    def ends(self) -> int:
        """Wait for the end; the exit code."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    @property
    def all(self) -> str:
        """Everything, without what only moves the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", self._written.decode("utf-8", "replace"))

    def _since(self) -> str:
        later = self._written[self._from :].decode("utf-8", "replace")
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r", "", later)

    def _gone(self) -> bool:
        return self.process.poll() is not None and not self._reader.is_alive()

    def _read(self) -> None:
        with suppress(OSError):
            while piece := os.read(self._terminal, 65_536):
                self._written += piece


@contextmanager
def chat(*arguments: str, env: dict[str, str]) -> Iterator[Person]:
    """A chat that can be typed to."""
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def own_terminal() -> None:
        # Ctrl-C goes to whoever the terminal belongs to
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    process = subprocess.Popen(
        command("chat", *arguments),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**env, "TERM": "xterm"},
        start_new_session=True,
        preexec_fn=own_terminal,  # noqa: PLW1509 (no thread of this process holds what it needs)
    )
    os.close(slave)
    person = Person(process, master)
    try:
        person.sees(_PROMPT)
        yield person
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        person.ends()
        os.close(master)


def roles(env: dict[str, str], session: str) -> list[tuple[str, str]]:
    data = run("session", "show", session, "--json", env=env).data
    return [(m["role"], m["content"]) for m in data["messages"] if m["role"] == "user"]


def test_a_chat_answers_and_ends_with_the_input(env: dict[str, str]) -> None:
    with chat(*SHORT, env=env) as person:
        answer = person.says("hello")
        assert "[simulated]" in answer
        assert re.search(rf"{MODEL} on [ab] · ", answer)
        person.types("\x04")
        assert person.ends() == 0


def test_a_chat_without_a_name_keeps_nothing(env: dict[str, str], tmp_path: Path) -> None:
    with chat(*SHORT, env={**env, "OLLAMAMASTER_HISTORY_STORE_TEXT": "true"}) as person:
        person.says("xylophone")
        person.types("/quit\n")
        assert person.ends() == 0
    assert run("session", "list", env=env).out == ""
    held = b"".join(f.read_bytes() for f in (tmp_path / "home").iterdir() if f.is_file())
    assert b"xylophone" not in held


def test_a_named_chat_goes_on_in_the_next_and_in_route(env: dict[str, str]) -> None:
    with chat("--session", "x", *SHORT, env=env) as person:
        person.says("one")
    assert run("route", "two", "--session", "x", *SHORT, env=env).code == 0
    with chat("--session", "x", *SHORT, env=env) as person:
        assert "session x, 2 turns so far" in person.all
        person.says("three")
    assert roles(env, "x") == [("user", "one"), ("user", "two"), ("user", "three")]


def test_no_store_adds_nothing_to_a_session(env: dict[str, str]) -> None:
    assert run("route", "one", "--session", "x", *SHORT, env=env).code == 0
    with chat("--session", "x", "--no-store", *SHORT, env=env) as person:
        assert "1 turn so far, not kept" in person.all
        person.says("two")
    assert roles(env, "x") == [("user", "one")]


def test_several_lines_are_one_message(env: dict[str, str]) -> None:
    with chat("--session", "x", *SHORT, env=env) as person:
        person.types("first \\\n")
        person.sees("... ")
        person.says("second")
        person.types('"""one\n')
        person.sees("... ")
        person.types("\n")
        person.types("/two\n")
        person.says('three"""')
    assert roles(env, "x") == [("user", "first \nsecond"), ("user", "one\n\n/two\nthree")]


def test_commands_change_the_model_explain_and_save(env: dict[str, str]) -> None:
    with chat("--option", "num_predict=8", env=env) as person:
        assert "model: llama3.1:8b" in person.says("/model llama3.1:8b")
        assert "llama3.1:8b on " in person.says("hello")
        assert "no instance has" in person.says("/model llama9:1b")
        explained = person.says("/explain")
        assert "chosen  llama3.1:8b" in explained
        assert "nothing was sent" not in explained
        assert "nothing was sent" in person.says("/explain Prove it")
        assert "chosen for each turn" in person.says("/model auto")
        assert "kept as session x" in person.says("/save x")
        person.says("//slash")
        assert "there is no /nonsense" in person.says("/nonsense")
        assert "/retry" in person.says("/help")
    assert roles(env, "x") == [("user", "hello"), ("user", "/slash")]


def test_retry_asks_again_and_forgets_the_answer(env: dict[str, str]) -> None:
    with chat("--session", "x", *SHORT, env=env) as person:
        person.says("one")
        assert "[simulated]" in person.says("/retry")
    assert roles(env, "x") == [("user", "one")]


def test_an_error_ends_the_turn_and_not_the_chat(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    with chat("--session", "x", *SHORT, env=env) as person:
        for instance in fleet:
            instance.stop()
        assert "error: " in person.says("one")
        for instance in fleet:
            instance.restart()
        assert "[simulated]" in person.says("/retry")
    assert roles(env, "x") == [("user", "one")]


def test_a_file_goes_with_the_first_message_that_is_answered_and_with_no_other(
    fleet: SimulatedFleet, env: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("The lighthouse of Kiipsaare leans. " * 200, "utf-8")
    with chat("-f", str(file), "--session", "x", *SHORT, env=env) as person:
        for instance in fleet:
            instance.stop()
        assert "error: " in person.says("one")
        for instance in fleet:
            instance.restart()
        person.says("two")
        person.says("three")
        told = re.search(r"about ([\d,]+) tokens in", person.says("/explain four"))
    said = [prompt.count("Kiipsaare") for _, prompt in roles(env, "x")]
    assert said == [200, 0]
    # and nothing is foreseen twice
    assert told is not None
    assert int(told[1].replace(",", "")) < estimate_tokens(file.read_text("utf-8")) * 1.5


def test_a_file_that_is_too_long_is_read_in_parts_when_the_person_agrees(
    env: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "long.txt"
    file.write_text("The lighthouse of Kiipsaare leans.\n\n" * 1500, "utf-8")
    small = ("-m", MODEL, "--option", "num_ctx=4096")
    with chat("-f", str(file), "--session", "x", *small, env=env) as person:
        person.types("Which lighthouse?\n")
        person.sees("Read it in parts: ")
        assert "the next message goes without it" in person.says("n")
        assert "[simulated]" in person.says("hello")
    with chat("-f", str(file), "--session", "y", *small, env=env) as person:
        person.types("Which lighthouse?\n")
        person.sees("Read it in parts: ")
        person.types("\x03")
        person.sees_the_prompt()
        person.types("Which lighthouse?\n")
        person.sees("Read it in parts: ")
        assert " parts and the answer" in person.says("y")
        assert "Read it in parts" not in person.says("And where?")
    assert roles(env, "x") == [("user", "hello")]
    first, second = (prompt for _, prompt in roles(env, "y"))
    assert first.startswith(f"--- notes on {file}, part 1 of ")
    assert second == "And where?"


@pytest.fixture
def slow() -> Iterator[SimulatedFleet]:
    """A fleet that is still at its first answer when Ctrl-C is typed, however busy this one is."""
    with unhurried() as found:
        yield found


def test_ctrl_c_stops_the_answer_and_not_the_chat(slow: SimulatedFleet, tmp_path: Path) -> None:
    env = home_for(slow, tmp_path / "home")
    with chat("--session", "x", "-m", MODEL, env=env) as person:
        person.types(f"{STORY}\n")
        person.sees("[simu")
        person.types("\x03")
        assert "stopped; this turn is not kept" in person.sees_the_prompt()
        wait_until(lambda: not generates(slow["a"]), "it is cancelled")
        slow["a"].clear_faults()
        assert "[simulated]" in person.says("hello")
        person.types("half a line\x03")
        assert "Ctrl-D or /quit ends the chat" in person.sees_the_prompt()
        person.types("\x04")
        assert person.ends() == 0
    assert roles(env, "x") == [("user", "hello")]


def test_ctrl_c_stops_a_command_and_not_the_chat(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    with chat(*SHORT, env=env) as person:
        person.says("hello")
        Path(env["OLLAMAMASTER_HOME"], "inventory.toml").unlink()
        for instance in fleet:
            instance.fault("hang", count=None)
        person.types("/explain and you?\n")
        person.sees("looking for Ollama")
        person.types("\x03")
        assert "/explain stopped" in person.sees_the_prompt()
        for instance in fleet:
            instance.clear_faults()
        person.types("/save kept\n")
        person.sees("kept as session kept, 1 turn")


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_a_chat_without_a_terminal_is_a_usage_error(
    arguments: tuple[str, ...], env: dict[str, str]
) -> None:
    done = run("chat", *arguments, env=env)
    assert done.code == ExitCode.USAGE
    assert bool(done.out) is bool(arguments)
