"""The completion scripts in the shells they are for; each is skipped where it is missing."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Self

import pytest
from program import PATIENCE_S

from ollamamaster.cli.app import COMMANDS
from ollamamaster.cli.completion import generated_files
from ollamamaster.cli.shells.tree import command_tree
from ollamamaster.domain.instances import Instance, InstanceAddress
from ollamamaster.domain.models import Model, ModelName
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.storage.inventory import InventoryFile

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

PROMPT = "atyourservice:"

PLAIN = ("llama3.1:8b", "llama3.2:3b", "phi4:latest")
# What may be typed in a shell without harm must come out of it as the same name.
HOSTILE = (
    "a d$(touch pwned):x",
    "b`touch pwned`:x",
    "c;touch pwned:x",
    "d it's:x",
    'e "quoted":x',
    "f back\\slash:x",
    "g *?[a]{b,c}:x",
    "h bang!x:1",
    "i |&<>:x",
    "j #~x:1",
    "~tilde:x",
    "v@1=2:x",
    "ümlaut:x",
)
UNTYPEABLE = ("k new\nline:x", "l tab\tx:1", "m esc\x1b[31m:x", "-option:x", "n \u202eover:x")
INSTANCES = ("127.0.0.1:11434", "[::1]:11440", "gaming-pc:11434")


@pytest.fixture
def typed(tmp_path: Path, home: Path) -> Path:
    """A working folder with an inventory, and the scripts as they are installed."""
    home.mkdir()
    models = tuple(
        Model(ModelName(*name.rsplit(":", 1))) for name in (*PLAIN, *HOSTILE, *UNTYPEABLE)
    )
    addresses = [InstanceAddress.parse(text) for text in INSTANCES]
    fleet = Fleet((Instance(addresses[0], models=models), *map(Instance, addresses[1:])))
    InventoryFile(home / "inventory.toml").update(lambda _: fleet)
    (home / "config.toml").write_text(
        '[instances."gaming-pc:11434"]\nlabel = "big $(touch pwned) box"\n', "utf-8"
    )
    folder = tmp_path / "typed"
    folder.mkdir()
    (folder / "report one.md").touch()
    (folder / "schema.json").touch()
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for name, text in generated_files().items():
        (scripts / name).write_text(text, "utf-8")
    return folder


def environment(folder: Path) -> dict[str, str]:
    """Where `ollamamaster` is the one under test, and a shell reads no file of the person's."""
    program = folder.parent / "bin" / "ollamamaster"
    if not program.exists():
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ollamamaster "$@"\n')
        program.chmod(0o755)
    # words of the command line, as the shell understood it
    spell = folder.parent / "bin" / "spell"
    spell.write_text(
        f"#!{sys.executable}\nimport json, sys\nprint('<<' + json.dumps(sys.argv[1:]) + '>>')\n"
    )
    spell.chmod(0o755)
    return {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(folder.parent),
        "OLLAMAMASTER_HOME": os.environ["OLLAMAMASTER_HOME"],
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "HISTFILE": "/dev/null",
    }


def needed(shell: str) -> str:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not here")
    return found


class Terminal:
    """A shell on a terminal, and what it writes there."""

    def __init__(self, command: list[str], folder: Path) -> None:
        import pty

        self._leader, follower = pty.openpty()
        self._process = subprocess.Popen(
            command,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            cwd=folder,
            env=environment(folder),
            start_new_session=True,
        )
        os.close(follower)
        self._seen = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._leader)

    def type(self, text: str) -> None:
        os.write(self._leader, text.encode())

    def until(self, pattern: str) -> re.Match[str]:
        """Wait for this to be written, and forget everything up to its end."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = re.search(pattern, self._seen, re.DOTALL)
            if found:
                self._seen = self._seen[found.end() :]
                return found
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([self._leader], [], [], left)
            assert ready, f"{pattern!r} never came in {self._seen!r}"
            self._seen += os.read(self._leader, 65536).decode("utf-8", "replace")

    def ready(self) -> None:
        """Wait for the prompt: from then on what is typed is the line editor's to read."""
        self.until(PROMPT)

    def words(self, line: str) -> list[str]:
        """The arguments that this line has after its Tabs, as the shell itself reads them."""
        self.type(line + "\n")
        spelled = self.until(r"<<(\[.*?\])>>\r").group(1)
        self.ready()
        read: list[str] = json.loads(spelled.replace("\r", "").replace("\n", ""))
        return read


@pytest.fixture
def bash_terminal(typed: Path) -> Terminal:
    terminal = Terminal([needed("bash"), "--norc", "--noprofile", "-i"], typed)
    terminal.type("bind 'set bell-style none'; source ../scripts/ollamamaster.bash\n")
    terminal.type('ollamamaster() { spell "$@"; }; PS1=at"your"service:\n')
    terminal.ready()
    return terminal


@pytest.fixture
def zsh_terminal(typed: Path) -> Terminal:
    terminal = Terminal([needed("zsh"), "-f", "-i"], typed)
    terminal.type("unsetopt beep zle_bracketed_paste 2>/dev/null; fpath=(../scripts $fpath)\n")
    terminal.type("autoload -Uz compinit; compinit -u -D; RPS1=\n")
    terminal.type('ollamamaster() { spell "$@"; }; PS1=at"your"service:\n')
    terminal.ready()
    return terminal


TYPED = [
    ("ollamamaster disc\t", ["discover"]),
    ("ollamamaster sandbox u\t", ["sandbox", "up"]),
    ("ollamamaster config sh\t --js\t", ["config", "show", "--json"]),
    ("ollamamaster models --tier bal\t", ["models", "--tier", "balanced"]),
    ("ollamamaster route --performance pow\t", ["route", "--performance", "powerful"]),
    ("ollamamaster route --performance=pow\t", ["route", "--performance=powerful"]),
    ("ollamamaster pull ph\t", ["pull", "phi4:latest"]),
    ("ollamamaster pull phi4:la\t", ["pull", "phi4:latest"]),
    ("ollamamaster pull llama3.1:\t", ["pull", "llama3.1:8b"]),
    ("ollamamaster route hi -m llama3.2\t", ["route", "hi", "-m", "llama3.2:3b"]),
    ("ollamamaster route --model=llama3.2:\t", ["route", "--model=llama3.2:3b"]),
    ('ollamamaster route -m "llama3.2:\t', ["route", "-m", "llama3.2:3b"]),
    ("ollamamaster route -m 'phi4:la\t", ["route", "-m", "phi4:latest"]),
    ("ollamamaster pull --instance 127\t x", ["pull", "--instance", "127.0.0.1:11434", "x"]),
    (
        "ollamamaster pull x --instance gaming-pc:1\t",
        ["pull", "x", "--instance", "gaming-pc:11434"],
    ),
    ("ollamamaster pull --instance bi\t", ["pull", "--instance", "big $(touch pwned) box"]),
    ("ollamamaster discover ga\t 12\t", ["discover", "gaming-pc:11434", "127.0.0.1:11434"]),
    ("ollamamaster help exit\t", ["help", "exit-codes"]),
    ("ollamamaster completion po\t", ["completion", "powershell"]),
    ("ollamamaster route -f rep\t", ["route", "-f", "report one.md"]),
    ("ollamamaster route --file sch\t hi", ["route", "--file", "schema.json", "hi"]),
    ("ollamamaster route --format js\t", ["route", "--format", "json"]),
    ("ollamamaster route --format sch\t", ["route", "--format", "schema.json"]),
    ("ollamamaster sandbox up --fleet du\t", ["sandbox", "up", "--fleet", "duo"]),
    # nothing of ours belongs here
    ("ollamamaster route phi\t", ["route", "phi"]),
    ("ollamamaster pull x phi\t", ["pull", "x", "phi"]),
    ("ollamamaster route --system phi\t", ["route", "--system", "phi"]),
    ("ollamamaster sandbox run -- phi\t", ["sandbox", "run", "--", "phi"]),
    ("ollamamaster sandbox run -- ls --fle\t", ["sandbox", "run", "--", "ls", "--fle"]),
    ("ollamamaster sandbox run -- spel\t", ["sandbox", "run", "--", "spell"]),
    ("ollamamaster sandbox run -- ls sche\t", ["sandbox", "run", "--", "ls", "schema.json"]),
    ("ollamamaster route -- --js\t", ["route", "--", "--js"]),
]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_tab_writes_what_the_person_means(
    shell: str, request: pytest.FixtureRequest, typed: Path
) -> None:
    with request.getfixturevalue(f"{shell}_terminal") as terminal:
        got = [(line, terminal.words(line)) for line, _ in TYPED]
    assert got == TYPED


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_hostile_name_is_inserted_as_text_and_never_run(
    shell: str, request: pytest.FixtureRequest, typed: Path
) -> None:
    with request.getfixturevalue(f"{shell}_terminal") as terminal:
        got = [terminal.words(f"ollamamaster pull {beginning(name)}\t") for name in HOSTILE]
    assert got == [["pull", name] for name in HOSTILE]
    assert not (typed / "pwned").exists()


def beginning(name: str) -> str:
    """As much as tells it from the others, typed as the shell wants it."""
    return "\\~" if name.startswith("~") else name[0]


def listed_by_bash(line: str, typed: Path) -> set[str]:
    """What bash would list; the function is called as readline calls it."""
    words = line.split(" ")
    script = (
        f"source ../scripts/ollamamaster.bash; COMP_LINE={line!r}; COMP_POINT={len(line)}; "
        f"COMP_WORDS=({' '.join(repr(w) for w in words)}); COMP_CWORD={len(words) - 1}; "
        f"_ollamamaster ollamamaster {words[-1]!r} {words[-2]!r}; "
        "printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    return _lines([needed("bash"), "--norc", "--noprofile", "-c", script], typed)


def listed_by_fish(line: str, typed: Path) -> set[str]:
    """What fish would list, without the descriptions."""
    script = "source ../scripts/ollamamaster.fish; complete -C $argv[1]"
    lines = _lines([needed("fish"), "--no-config", "-c", script, "--", line], typed)
    return {found.split("\t")[0] for found in lines}


def listed_by_zsh(line: str, typed: Path) -> set[str]:
    """What zsh would list: everything that reaches compadd, as it matches the word."""
    (typed / "spy").write_text(
        "compadd() {\n"
        '  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi\n'
        '  local -a spied; builtin compadd -O spied "$@"\n'
        "  (( $#spied )) && print -rl -- $spied >> spied\n"
        '  builtin compadd "$@"\n'
        "}\n"
    )
    with Terminal([needed("zsh"), "-f", "-i"], typed) as terminal:
        terminal.type("unsetopt beep; fpath=(../scripts $fpath)\n")
        terminal.type("autoload -Uz compinit; compinit -u -D; RPS1=; source ./spy\n")
        terminal.type("LISTMAX=9999; after() { echo li''sted; zle send-break }; zle -N after\n")
        terminal.type("bindkey '^Xz' after; PS1=at'your'service:\n")
        terminal.ready()
        terminal.type(line + "\t\x18z")
        terminal.until("listed\r")
    (typed / "spy").unlink()
    spied = typed / "spied"
    found = set(spied.read_text("utf-8").splitlines()) if spied.exists() else set()
    spied.unlink(missing_ok=True)
    return found


def _lines(command: list[str], typed: Path) -> set[str]:
    done = subprocess.run(
        command,
        cwd=typed,
        env=environment(typed),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert done.stderr == b""
    return set(done.stdout.decode().splitlines()) - {""}


LISTED = {"bash": listed_by_bash, "zsh": listed_by_zsh, "fish": listed_by_fish}
shells = pytest.mark.parametrize("shell", list(LISTED))


@shells
def test_every_command_is_listed(shell: str, typed: Path) -> None:
    assert LISTED[shell]("ollamamaster ", typed) == set(COMMANDS)


@shells
def test_the_commands_of_a_group_are_listed(shell: str, typed: Path) -> None:
    assert LISTED[shell]("ollamamaster config ", typed) == {"init", "path", "show", "check"}


@shells
def test_every_long_option_of_a_command_is_listed(shell: str, typed: Path) -> None:
    route = next(node for node in command_tree().nodes() if node.name == "route")
    long = {text for o in route.options for text in o.spellings if text.startswith("--")}
    found = {text.rstrip("=") for text in LISTED[shell]("ollamamaster route --", typed)}
    assert found == long


@shells
@pytest.mark.parametrize("option", ["models --tier", "route --performance"])
def test_the_choices_of_an_option_are_listed(shell: str, option: str, typed: Path) -> None:
    found = LISTED[shell](f"ollamamaster {option} ", typed)
    assert found == {"fast", "balanced", "powerful"}


@shells
def test_instances_are_listed_by_id_and_label(shell: str, typed: Path) -> None:
    found = LISTED[shell]("ollamamaster route --instance ", typed)
    plain = {text.replace("\\", "") for text in found}
    assert plain == {*INSTANCES, "big $(touch pwned) box"}
    assert not (typed / "pwned").exists()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_every_name_that_can_be_typed_is_listed_and_no_other(shell: str, typed: Path) -> None:
    """bash lists names as it would write them; what it writes is tested on a terminal."""
    assert LISTED[shell]("ollamamaster pull ", typed) == {*PLAIN, *HOSTILE}
    assert not (typed / "pwned").exists()


@shells
def test_a_name_is_completed_behind_its_colon(shell: str, typed: Path) -> None:
    found = LISTED[shell]("ollamamaster route -m llama3.1:", typed)
    assert {text.rpartition(":")[2] for text in found} == {"8b"}


@shells
def test_behind_the_dashes_of_sandbox_run_nothing_of_ours_is_offered(
    shell: str, typed: Path
) -> None:
    assert LISTED[shell]("ollamamaster sandbox run -- spel", typed) == {"spell"}
    assert not LISTED[shell]("ollamamaster sandbox run -- true --fl", typed)
    assert "home" not in LISTED[shell]("ollamamaster sandbox run -- true --fleet h", typed)


@shells
@pytest.mark.parametrize("inventory", [None, b"version = \xff[[[", b""])
def test_a_missing_or_damaged_inventory_offers_nothing_and_stays(
    shell: str, inventory: bytes | None, typed: Path, home: Path
) -> None:
    file = home / "inventory.toml"
    file.unlink()
    if inventory is not None:
        file.write_bytes(inventory)
    assert not LISTED[shell]("ollamamaster pull ", typed)
    assert (file.read_bytes() if file.exists() else None) == inventory


@shells
def test_no_program_on_the_path_is_silence(shell: str, typed: Path) -> None:
    environment(typed)
    (typed.parent / "bin" / "ollamamaster").write_text("#!/bin/sh\necho oops >&2\nexit 1\n")
    assert not LISTED[shell]("ollamamaster pull ", typed)


def test_the_zsh_script_can_be_sourced_as_well(typed: Path) -> None:
    with Terminal([needed("zsh"), "-f", "-i"], typed) as terminal:
        terminal.type("unsetopt beep; autoload -Uz compinit; compinit -u -D; RPS1=\n")
        terminal.type('eval "$(ollamamaster completion zsh)"; ollamamaster() { spell "$@"; }\n')
        terminal.type("PS1=at'your'service:\n")
        terminal.ready()
        assert terminal.words("ollamamaster pull llama3.1\t") == ["pull", "llama3.1:8b"]


def test_bash_hands_the_command_line_of_sandbox_run_to_bash_completion(typed: Path) -> None:
    terminal = Terminal([needed("bash"), "--norc", "--noprofile", "-i"], typed)
    with terminal:
        terminal.type("source ../scripts/ollamamaster.bash\n")
        terminal.type("_command_offset() { COMPREPLY=(from-word-$1); }\n")
        terminal.type('ollamamaster() { spell "$@"; }; PS1=at"your"service:\n')
        terminal.ready()
        words = terminal.words("ollamamaster sandbox run --fleet=duo -- ls f\t")
    assert words == ["sandbox", "run", "--fleet=duo", "--", "ls", "from-word-7"]


def test_the_powershell_script_completes_a_name(typed: Path) -> None:
    script = (
        ". ../scripts/ollamamaster.ps1; $line = 'ollamamaster pull llama3.1'; "
        "(TabExpansion2 $line $line.Length).CompletionMatches.CompletionText"
    )
    found = _lines([needed("pwsh"), "-NoProfile", "-Command", script], typed)
    assert found == {"llama3.1:8b"}
