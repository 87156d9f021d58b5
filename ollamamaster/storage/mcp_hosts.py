"""Where does each MCP host keep its servers, and how is ours put among them?"""

from __future__ import annotations

import contextlib
import stat
import sys
import sysconfig
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollamamaster.errors import StateUnusableError, UsageError
from ollamamaster.storage.atomic import replace_file
from ollamamaster.storage.json_text import JsonTextError, value_of, with_entry, without_entry
from ollamamaster.storage.paths import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BACKUP_SUFFIX = ".before-ollamamaster"
# Hosts write these files themselves: when one does so in between, ours begins anew.
_TRIES = 5
_PROJECT_MODE = 0o644


class Host(StrEnum):
    """A program that can start MCP servers."""

    CLAUDE_CODE = "claude-code"
    CLAUDE_DESKTOP = "claude-desktop"
    CURSOR = "cursor"
    VSCODE = "vscode"


class Scope(StrEnum):
    """For whom: this person everywhere, or whoever works in this folder."""

    USER = "user"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to the file of a host. `backup` is what it was before, where there was any."""

    path: Path
    name: str
    entry: dict[str, Any]
    changed: bool
    backup: Path | None = None


@dataclass(frozen=True, slots=True)
class HostFile:
    """The file in which a host keeps its servers."""

    host: Host
    scope: Scope
    path: Path

    @classmethod
    def find(cls, host: Host, scope: Scope, environ: Mapping[str, str], folder: Path) -> HostFile:
        """The file of a host; it need not be there. Raises UsageError where there is none."""
        if scope is Scope.PROJECT:
            inside = {
                Host.CLAUDE_CODE: ".mcp.json",
                Host.CURSOR: ".cursor/mcp.json",
                Host.VSCODE: ".vscode/mcp.json",
            }
            if host not in inside:
                raise UsageError(f"{host} has no servers of a project", hint="--scope user")
            return cls(host, scope, folder / inside[host])
        return cls(host, scope, _of_user(host, environ))

    @property
    def key(self) -> str:
        """The table of the servers in it."""
        return "servers" if self.host is Host.VSCODE else "mcpServers"

    def entry(self, environ: Mapping[str, str]) -> dict[str, Any]:
        """How this host is to start the server."""
        command, *arguments = program()
        found: dict[str, Any] = {"command": command, "args": [*arguments, "serve-mcp"]}
        if self.host in {Host.CLAUDE_CODE, Host.VSCODE}:
            found = {"type": "stdio", **found}
        home = environ.get(HOME_VARIABLE, "").strip()
        if home:
            found["env"] = {HOME_VARIABLE: str(Path(home).expanduser().absolute())}
        return found

    def install(self, name: str, environ: Mapping[str, str]) -> Change:
        """Put the server among the others; what else is said of it stays.

        Raises UsageError when the name is taken by another server, and StateUnusableError when
        the file is damaged or cannot be written; it is as it was then.
        """

        def change(text: str) -> tuple[str, dict[str, Any]]:
            old = self._server(text, name)
            new = self.entry(environ)
            if old is not None:
                env = {**old.get("env", {}), **new.get("env", {})}
                new = {**old, **new, **({"env": env} if env else {})}
            return (text if new == old else with_entry(text, (self.key, name), new)), new

        return self._changed(name, change)

    def remove(self, name: str) -> Change:
        """Take the server out again; nothing happens when it is not there. Raises as `install`."""

        def change(text: str) -> tuple[str, dict[str, Any]]:
            old = self._server(text, name)
            return ("" if old is None else without_entry(text, (self.key, name))) or text, old or {}

        return self._changed(name, change)

    def _server(self, text: str, name: str) -> dict[str, Any] | None:
        """Our entry of this name; None when there is none of it."""
        if not text.strip("\ufeff \t\r\n"):
            return None
        document = value_of(text)
        if not isinstance(document, dict):
            raise JsonTextError("line 1: it is no object")
        servers = document.get(self.key, {})
        if not isinstance(servers, dict):
            raise JsonTextError(f"{self.key} is no object")
        if name not in servers:
            return None
        server = servers[name]
        if not _is_ours(server):
            raise UsageError(
                f"{self.path} has another server of the name {name!r}", hint="--name ANOTHER"
            )
        return dict(server)

    def _changed(self, name: str, change: Callable[[str], tuple[str, dict[str, Any]]]) -> Change:
        try:
            for _ in range(_TRIES):
                before = self._read()
                text = "" if before is None else before.decode()
                after, entry = change(text)
                if after == text:
                    return Change(self.path, name, entry, changed=False)
                if self._read() != before:
                    continue
                return Change(self.path, name, entry, True, self._write(before, after.encode()))
        except (JsonTextError, UnicodeDecodeError) as error:
            raise StateUnusableError(
                f"{self.path} is damaged and was left as it is: {error}",
                hint="correct it, or move it away",
            ) from error
        except OSError as error:
            raise StateUnusableError(
                f"{self.path} cannot be changed: {error.strerror or error}"
            ) from error
        raise StateUnusableError(f"{self.path} is being written by its host", hint="try once more")

    def _read(self) -> bytes | None:
        with contextlib.suppress(FileNotFoundError):
            return self.path.read_bytes()
        return None

    def _write(self, before: bytes | None, after: bytes) -> Path | None:
        backup = None
        mode = None if self.scope is Scope.USER else _PROJECT_MODE
        if before is not None:
            mode = stat.S_IMODE(self.path.stat().st_mode)
            backup = self.path.with_name(self.path.name + BACKUP_SUFFIX)
            replace_file(backup, before)
        replace_file(self.path, after)
        if mode is not None:
            self.path.chmod(mode)
        return backup


def program() -> tuple[str, ...]:
    """The command line of this installation, by its full path."""
    script = "ollamamaster.exe" if sys.platform == "win32" else "ollamamaster"
    path = Path(sysconfig.get_path("scripts")) / script
    if path.exists():
        return (str(path),)
    return (sys.executable, "-m", "ollamamaster")


def _is_ours(server: Any) -> bool:
    """Whether we made this entry: it starts some installation of this program as a server."""
    if not isinstance(server, dict):
        return False
    command, arguments = server.get("command"), server.get("args")
    if (
        not isinstance(command, str)
        or not isinstance(arguments, list)
        or "serve-mcp" not in arguments
    ):
        return False
    name = command.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")
    return name == "ollamamaster" or arguments[:2] == ["-m", "ollamamaster"]


def _of_user(host: Host, environ: Mapping[str, str]) -> Path:
    home = Path.home()
    match host:
        case Host.CLAUDE_CODE:
            folder = environ.get("CLAUDE_CONFIG_DIR", "").strip()
            return (Path(folder).expanduser() if folder else home) / ".claude.json"
        case Host.CLAUDE_DESKTOP:
            return _applications(environ, home) / "Claude" / "claude_desktop_config.json"
        case Host.CURSOR:
            return home / ".cursor" / "mcp.json"
        case Host.VSCODE:
            return _applications(environ, home) / "Code" / "User" / "mcp.json"


def _applications(environ: Mapping[str, str], home: Path) -> Path:
    """Where programs with windows keep their settings."""
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    if sys.platform == "win32":
        return Path(environ.get("APPDATA") or home / "AppData" / "Roaming")
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
