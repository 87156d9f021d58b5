from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from program import PATIENCE_S

from ollamamaster.cli.completion import generated_files, main, script_of
from ollamamaster.cli.known_values import known_instances, known_models
from ollamamaster.cli.shells.manual import WITHOUT_JSON, escaped
from ollamamaster.cli.shells.tree import Source, Values, command_tree
from ollamamaster.domain.instances import Instance, InstanceAddress
from ollamamaster.domain.models import Model, ModelName
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.simulator.fleet import BUILT_IN
from ollamamaster.storage.inventory import InventoryFile

# Not there where the tests run against an installed package alone.
COMMITTED = Path(__file__).parents[2] / "completions"
SHELLS = ("bash", "zsh", "fish", "powershell")

# Values that nobody can complete: numbers, durations, prose.
FREE = {
    "--allowed-host",
    "--before",
    "--forget",
    "--input",
    "--input-file",
    "--concurrency",
    "--criteria",
    "--host",
    "--keep-alive",
    "--limit",
    "--max-time",
    "--name",
    "--option",
    "--port",
    "--ports",
    "--requirement",
    "--resume",
    "--seed",
    "--since",
    "--speed",
    "--system",
    "--timeout",
}


def inventory(home: Path, *models: str) -> Path:
    home.mkdir(exist_ok=True)
    known = tuple(Model(ModelName(*name.rsplit(":", 1))) for name in models)
    fleet = Fleet((Instance(InstanceAddress.parse("127.0.0.1:11434"), models=known),))
    InventoryFile(home / "inventory.toml").update(lambda _: fleet)
    return home / "inventory.toml"


def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ollamamaster", *arguments],
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
    )


@pytest.mark.skipif(not COMMITTED.is_dir(), reason="the checkout is not here")
@pytest.mark.parametrize("name", list(generated_files()))
def test_a_committed_file_is_what_the_command_tree_makes(name: str) -> None:
    made = generated_files()[name]
    assert (COMMITTED / name).read_text("utf-8") == made, (
        "write them anew: python -m ollamamaster.cli.completion completions/"
    )


def test_the_files_are_written_with_unix_line_ends(tmp_path: Path) -> None:
    main([str(tmp_path / "made")])
    written = {file.name: file.read_bytes() for file in (tmp_path / "made").iterdir()}
    assert written == {name: text.encode() for name, text in generated_files().items()}


@pytest.mark.parametrize("columns", ["20", "200"])
def test_the_files_do_not_depend_on_the_terminal(
    columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = generated_files()
    monkeypatch.setenv("COLUMNS", columns)
    assert generated_files() == before


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_prints_the_script(shell: str) -> None:
    done = ran("completion", shell)
    assert (done.returncode, done.stdout, done.stderr) == (0, script_of(shell), "")


@pytest.mark.parametrize("arguments", [["bash", "--json"], ["--json"], ["tcsh", "--json"]])
def test_completion_refuses_json(arguments: list[str]) -> None:
    done = ran("completion", *arguments)
    assert done.returncode == 2
    assert json.loads(done.stdout)["errors"][0]["code"] == "usage"


@pytest.mark.parametrize("command", WITHOUT_JSON)
def test_what_the_manual_says_refuses_json_does_and_says_so(command: str) -> None:
    needed = ["--", "true"] if command == "sandbox run" else []
    done = ran(*command.split(), "--json", *needed)
    assert done.returncode == 2
    assert f"{command} has no --json" in json.loads(done.stdout)["errors"][0]["message"]


@pytest.mark.parametrize("arguments", [[], ["tcsh"], ["--values", "secrets"]])
def test_completion_without_a_shell_it_knows_is_a_usage_error(arguments: list[str]) -> None:
    assert ran("completion", *arguments).returncode == 2


def test_every_option_with_a_value_is_completed_or_free() -> None:
    nothing = {
        option.spellings[-1]
        for node in command_tree().nodes()
        for option in node.options
        if option.metavar and option.values == Values()
    }
    assert nothing <= FREE


def test_no_option_is_a_flag_in_one_place_and_takes_a_value_in_the_same_command() -> None:
    for node in command_tree().nodes():
        spellings = [text for option in node.options for text in option.spellings]
        assert len({text.lower() for text in spellings}) == len(spellings), node.name


def test_a_name_that_is_yet_to_be_given_is_not_completed() -> None:
    nodes = {node.name: node for node in command_tree().nodes()}
    (name,) = [o for o in nodes["install-mcp"].options if "--name" in o.spellings]
    assert name.values == Values()
    assert nodes["workflow new"].arguments[0].values == Values()
    assert nodes["session show"].arguments[0].values == Values(source=Source.SESSIONS)


def test_a_group_takes_no_values_itself() -> None:
    """The scripts find the command by its words alone."""
    groups = [node for node in command_tree().nodes() if node.children]
    assert [o for node in groups for o in node.options if o.metavar] == []


def test_the_fleets_offered_are_the_built_in_ones() -> None:
    up = next(node for node in command_tree().nodes() if node.name == "sandbox up")
    fleet = next(option for option in up.options if "--fleet" in option.spellings)
    assert fleet.values.words == BUILT_IN


def test_what_is_hidden_is_in_no_script() -> None:
    tree = command_tree()
    assert "--values" not in {s for n in tree.nodes() for o in n.options for s in o.spellings}


def test_the_zsh_script_begins_with_compdef_and_ends_with_the_guard() -> None:
    lines = script_of("zsh").splitlines()
    assert lines[0] == "#compdef ollamamaster"
    assert lines[-5:] == [
        "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then",
        '  _ollamamaster "$@"',
        "else",
        "  compdef _ollamamaster ollamamaster",
        "fi",
    ]


def test_known_models_are_those_of_the_inventory(home: Path) -> None:
    inventory(home, "phi4:latest", "llama3.1:8b")
    assert known_models() == ["llama3.1:8b", "phi4:latest"]


def test_a_name_that_cannot_be_typed_is_not_known(home: Path) -> None:
    inventory(home, "phi4:latest", "a\nb:x", "-m:x", "esc\x1b[0m:x", "over\u202e:x", "tab\t:x")
    assert known_models() == ["phi4:latest"]


def test_known_instances_have_the_label_that_only_one_has(home: Path) -> None:
    inventory(home)
    config = "".join(
        f'[instances."{name}:11434"]\nlabel = "{label}"\n'
        for name, label in [("a", "big"), ("b", "twin"), ("c", "twin")]
    )
    (home / "config.toml").write_text(config, "utf-8")
    assert known_instances() == ["127.0.0.1:11434", "a:11434", "b:11434", "big", "c:11434"]


def test_a_wrong_config_hides_no_instance(home: Path) -> None:
    inventory(home)
    (home / "config.toml").write_text("what = is [this", "utf-8")
    assert known_instances() == ["127.0.0.1:11434"]


@pytest.mark.parametrize("content", [None, b"", b"\xff\x00", b"version = 99"])
@pytest.mark.parametrize("source", ["models", "instances"])
def test_an_unusable_inventory_is_silence_and_stays_as_it_is(
    source: str, content: bytes | None, home: Path
) -> None:
    home.mkdir()
    if content is not None:
        (home / "inventory.toml").write_bytes(content)
    done = ran("completion", "--values", source)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [file.name for file in home.iterdir()] == ([] if content is None else ["inventory.toml"])


def test_asking_for_known_values_loads_nothing_heavy(home: Path) -> None:
    inventory(home, "phi4:latest")
    heavy = ["httpx", "rich", "asyncio", "socket", "sqlite3", "filelock", "tomli_w", "psutil"]
    program = (
        "import sys; from ollamamaster.cli.app import run; "
        "run(['completion', '--values', 'models']); "
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.stdout == "phi4:latest\n[]\n"


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        (".TH is no request", r"\&.TH is no request"),
        ("'br neither", r"\(aqbr neither"),
        (r"a\b", r"a\(rsb"),
        ("--json", r"\-\-json"),
        ("é…", r"\[u00E9]\[u2026]"),
    ],
)
def test_roff_prints_the_text_unchanged(text: str, roff: str) -> None:
    assert escaped(text) == roff


@pytest.mark.parametrize(
    "title",
    [
        *("NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS"),
        *("EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"),
    ],
)
def test_the_manual_has_its_sections(title: str) -> None:
    assert f"\n.SH {title}\n" in generated_files()["ollamamaster.1"]


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not here")
def test_man_has_nothing_to_warn_of(tmp_path: Path) -> None:
    page = tmp_path / "ollamamaster.1"
    page.write_text(generated_files()["ollamamaster.1"], "utf-8")
    done = subprocess.run(
        ["man", "--warnings", "-l", str(page)],
        check=True,
        capture_output=True,
        timeout=PATIENCE_S,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANPAGER": "cat"},
    )
    assert done.stderr == b""
    assert b"--performance fast|balanced|powerful" in done.stdout
