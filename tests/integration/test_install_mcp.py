"""`ollamamaster install-mcp`: one entry in the file of a host, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from program import PATIENCE_S, Done, command

from ollamamaster.errors import ExitCode
from ollamamaster.storage.mcp_hosts import BACKUP_SUFFIX, Host, HostFile, Scope

if TYPE_CHECKING:
    from pathlib import Path

POSIX = pytest.mark.skipif(os.name == "nt", reason="file modes and links are a POSIX matter")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="where this system keeps them")


@pytest.fixture
def person(tmp_path: Path) -> Path:
    folder = tmp_path / "person"
    folder.mkdir()
    return folder


def install(person: Path, *arguments: str, **variables: str) -> Done:
    """Run it as a person with this home, in this folder."""
    unset = {"CLAUDE_CONFIG_DIR", "XDG_CONFIG_HOME", "OLLAMAMASTER_HOME"}
    env = {name: value for name, value in os.environ.items() if name not in unset}
    env |= {"HOME": str(person), "USERPROFILE": str(person), "APPDATA": str(person / "data")}
    done = subprocess.run(
        command("install-mcp", *arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
        env={**env, **variables},
        cwd=person,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def file_of(person: Path, host: Host, scope: Scope = Scope.USER) -> HostFile:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(person))
        patch.setenv("USERPROFILE", str(person))
        return HostFile.find(host, scope, {"APPDATA": str(person / "data")}, person)


@LINUX
@pytest.mark.parametrize(
    ("host", "scope", "path"),
    [
        ("claude-code", "user", ".claude.json"),
        ("claude-code", "project", ".mcp.json"),
        ("claude-desktop", "user", ".config/Claude/claude_desktop_config.json"),
        ("cursor", "user", ".cursor/mcp.json"),
        ("cursor", "project", ".cursor/mcp.json"),
        ("vscode", "user", ".config/Code/User/mcp.json"),
        ("vscode", "project", ".vscode/mcp.json"),
    ],
)
def test_a_host_that_is_not_there_yet_finds_the_server_later(
    host: str, scope: str, path: str, person: Path
) -> None:
    assert install(person, host, "--scope", scope).code == 0
    table = "servers" if host == "vscode" else "mcpServers"
    entry = json.loads((person / path).read_text())[table]["ollamamaster"]
    assert entry["args"][-1] == "serve-mcp"
    assert os.path.isabs(entry["command"])  # noqa: PTH117 (the text as a host gets it)
    assert entry.get("type") == (None if host in {"claude-desktop", "cursor"} else "stdio")


def test_the_server_that_is_installed_starts(person: Path) -> None:
    assert install(person, "cursor", OLLAMAMASTER_HOME=str(person / "of-ours")).code == 0
    entry = json.loads(file_of(person, Host.CURSOR).path.read_text())["mcpServers"]["ollamamaster"]
    done = subprocess.run(
        [entry["command"], *entry["args"]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
        env={**os.environ, **entry["env"]},
    )
    assert (done.returncode, done.stdout) == (0, b"")


def test_a_second_run_writes_nothing(person: Path) -> None:
    install(person, "claude-code")
    path = file_of(person, Host.CLAUDE_CODE).path
    before = path.stat()
    again = install(person, "claude-code", "--json")
    assert again.data["changed"] is False
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert not path.with_name(path.name + BACKUP_SUFFIX).exists()


def test_comments_of_an_editors_file_survive(person: Path) -> None:
    path = file_of(person, Host.VSCODE).path
    path.parent.mkdir(parents=True)
    path.write_text(
        '{\n\t// mine\n\t"servers": {\n\t\t"other": {"command": "x"}, // keep\n\t}\n}\n'
    )
    assert install(person, "vscode").code == 0
    text = path.read_text()
    assert "// mine" in text
    assert '"other": {"command": "x"}, // keep' in text
    assert '\t\t"ollamamaster": {' in text


def test_the_file_as_it_was_is_kept_beside_it(person: Path) -> None:
    path = file_of(person, Host.CURSOR).path
    path.parent.mkdir()
    path.write_text('{"mcpServers": {}}')
    done = install(person, "cursor", "--json")
    backup = path.with_name(path.name + BACKUP_SUFFIX)
    assert done.data["backup"] == str(backup)
    assert backup.read_text() == '{"mcpServers": {}}'


def test_removing_takes_away_only_what_was_put_in(person: Path) -> None:
    path = file_of(person, Host.CURSOR).path
    path.parent.mkdir()
    before = '{\n  "mcpServers": {\n    "other": {"command": "x"}\n  },\n  "more": 1\n}\n'
    path.write_text(before)
    install(person, "cursor")
    assert path.read_text() != before
    assert install(person, "cursor", "--remove").code == 0
    assert path.read_text() == before


def test_removing_what_is_not_there_is_no_error(person: Path) -> None:
    assert install(person, "cursor", "--remove").code == 0
    assert not file_of(person, Host.CURSOR).path.exists()


@pytest.mark.parametrize("more", [(), ("--remove",)])
def test_a_server_of_somebody_else_with_that_name_stays(
    person: Path, more: tuple[str, ...]
) -> None:
    path = file_of(person, Host.CURSOR).path
    path.parent.mkdir()
    text = '{"mcpServers": {"ollamamaster": {"command": "docker", "args": ["run"]}}}'
    path.write_text(text)
    done = install(person, "cursor", *more)
    assert done.code == ExitCode.USAGE
    assert "--name" in done.err
    assert path.read_text() == text


def test_another_name_is_another_server(person: Path) -> None:
    install(person, "cursor")
    install(person, "cursor", "--name", "lab")
    servers = json.loads(file_of(person, Host.CURSOR).path.read_text())["mcpServers"]
    assert list(servers) == ["ollamamaster", "lab"]


@pytest.mark.parametrize("text", ["{", "[]", '{"mcpServers": []}', "\x00\xff", '{"a": 1}}'])
def test_a_damaged_file_is_left_as_it_is(person: Path, text: str) -> None:
    path = file_of(person, Host.CURSOR).path
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    done = install(person, "cursor")
    assert done.code == ExitCode.INVALID
    assert path.read_bytes() == text.encode("latin-1")
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_what_the_person_added_to_the_entry_stays(person: Path) -> None:
    install(person, "cursor")
    path = file_of(person, Host.CURSOR).path
    document = json.loads(path.read_text())
    document["mcpServers"]["ollamamaster"] |= {"disabled": True, "command": "/old/ollamamaster"}
    document["mcpServers"]["ollamamaster"]["env"] = {"MORE": "1"}
    path.write_text(json.dumps(document))
    assert install(person, "cursor", OLLAMAMASTER_HOME=str(person)).code == 0
    entry = json.loads(path.read_text())["mcpServers"]["ollamamaster"]
    assert entry["disabled"] is True
    assert entry["env"] == {"MORE": "1", "OLLAMAMASTER_HOME": str(person)}
    assert entry["command"] != "/old/ollamamaster"


@POSIX
def test_the_mode_of_the_file_stays_and_a_link_stays_a_link(person: Path) -> None:
    real = person / "dotfiles.json"
    real.write_text("{}")
    real.chmod(0o640)
    path = file_of(person, Host.CLAUDE_CODE).path
    path.symlink_to(real)
    assert install(person, "claude-code").code == 0
    assert path.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640


def test_printing_changes_nothing(person: Path) -> None:
    done = install(person, "claude-desktop", "--print")
    assert json.loads(done.out)["mcpServers"]["ollamamaster"]["args"][-1] == "serve-mcp"
    assert str(file_of(person, Host.CLAUDE_DESKTOP).path) in done.err
    assert list(person.iterdir()) == []


def test_claude_desktop_has_no_project(person: Path) -> None:
    assert install(person, "claude-desktop", "--scope", "project").code == ExitCode.USAGE


@POSIX
def test_a_folder_that_cannot_be_written_is_said(person: Path) -> None:
    (person / ".cursor").write_text("a file where a folder should be")
    done = install(person, "cursor")
    assert done.code == ExitCode.INVALID
    assert "cannot be changed" in done.err
