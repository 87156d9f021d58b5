"""The config.toml that `config init` writes: every key, each in a comment with its meaning."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ollamamaster.errors import UsageError
from ollamamaster.storage.atomic import create_file
from ollamamaster.storage.lock import unusable
from ollamamaster.storage.schema import TABLES

if TYPE_CHECKING:
    from pathlib import Path

    from ollamamaster.storage.paths import Paths
    from ollamamaster.storage.schema import Key, Table

_TITLE = """\
# The configuration of ollamamaster. It reads this file and never changes it.
#
# Every key is shown with its default, or with an example where it has none. Take away the
# `#` in front of a key, and in front of the [table] above it, to set it.
#   ollamamaster config check   finds mistakes
#   ollamamaster config show    tells what is in force and where it comes from
"""


def starter_text() -> str:
    """A text that changes nothing as it stands, and is valid with every `# ` key uncommented."""
    return "\n".join([_TITLE, *(_table(table) for table in TABLES)])


def create_config(paths: Paths) -> Path:
    """Write the commented starter file and return its path.

    Raises UsageError when there is a config.toml already, StateUnusableError when it cannot be
    written.
    """
    try:
        create_file(paths.config, starter_text().encode())
    except FileExistsError as error:
        if not paths.config.exists():
            raise unusable(paths.config, error) from error
        raise UsageError(
            f"{paths.config} is there already; it is yours and stays as it is",
            hint="ollamamaster config show",
        ) from error
    except OSError as error:
        raise unusable(paths.config, error) from error
    return paths.config


def _table(table: Table) -> str:
    name = table.named_by or table.name
    lines = [f"## {table.meaning}", f"#[{name}]"]
    lines += [line for key in table.keys for line in _key(table, key)]
    return "\n".join(lines) + "\n"


def _key(table: Table, key: Key) -> list[str]:
    default = table.default(key)
    shown = key.example if key.example is not None else as_toml(default)
    variable = table.variable(key)
    notes = [key.meaning]
    if key.unset:
        notes.append(f"default: {key.unset}")
    if variable:
        notes.append(variable)
    return [f"## {'; '.join(notes)}", f"#{key.name} = {shown}"]


def as_toml(value: Any) -> str:
    """A setting as TOML writes it on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {as_toml(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(as_toml(item) for item in value)}]"
    return str(value)
