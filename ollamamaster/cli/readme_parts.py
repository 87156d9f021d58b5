"""The parts of the README that the code itself knows, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.cli.command_help import command_help
from ollamamaster.cli.environment import environment
from ollamamaster.cli.exit_codes import MEANINGS, error_codes
from ollamamaster.cli.json_keys import BLOCKS, DATA, ENVELOPE, ERROR, LINES
from ollamamaster.cli.shells.tree import command_tree

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDTH = 80


def exit_codes_markdown() -> str:
    """A table: exit code, meaning, error codes."""
    rows = [
        (str(int(code)), meaning, ", ".join(map(_code, error_codes(code))))
        for code, meaning in MEANINGS.items()
    ]
    return _table(("exit code", "meaning", "`errors[].code`"), rows)


def environment_markdown() -> str:
    """A table: variable, meaning."""
    return _table(("variable", "meaning"), [(_code(name), text) for name, text in environment()])


def json_keys_markdown() -> str:
    """A table for each command and block: place in `data`, keys there."""
    envelope = [("", _keys(ENVELOPE)), (_code("errors[]"), _keys(ERROR))]
    parts = ["**The envelope**", _table(("place", "keys"), envelope)]
    for name, shape in {**DATA, **BLOCKS}.items():
        rows = [(_code(path) if path else "`data`", _keys(keys)) for path, keys in shape.items()]
        title = f"**{name}**, a block of the above" if name in BLOCKS else f"**{_code(name)}**"
        parts += [title, _table(("place in `data`" if name in DATA else "place", "keys"), rows)]
    lines = [(_code(kind), _keys(keys)) for kind, keys in LINES.items()]
    parts += [
        "**Lines** of `--json --stream` and `--json --watch`",
        _table(("type", "keys"), lines),
    ]
    return "\n".join(part if part.startswith("|") else f"{part}\n" for part in parts)


def commands_markdown() -> str:
    """The `--help` of every command, 80 columns wide."""
    leaves = [node for node in command_tree().nodes() if node.path and not node.children]
    return "\n".join(
        f"### {_code(node.name)}\n\n```text\n{command_help(node.path, width=_WIDTH)}\n```\n"
        for node in leaves
    )


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = tuple(titles)
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(_cell(text) for text in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{text}`"


def _keys(keys: str) -> str:
    return ", ".join(key if key in BLOCKS else _code(key) for key in keys.split())


PARTS = {
    "commands": commands_markdown,
    "environment": environment_markdown,
    "exit-codes": exit_codes_markdown,
    "json-keys": json_keys_markdown,
}


def filled(readme: str) -> str:
    """The README with what the code knows between each `<!-- PART -->` and `<!-- end -->`."""
    for name, part in PARTS.items():
        before, mark, rest = readme.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        readme = f"{before}{mark}\n{part().strip()}\n\n{end}{after}" if mark and end else readme
    return readme


def main(path: str) -> None:
    """Fill the README at `path` in place."""
    from pathlib import Path

    file = Path(path)
    file.write_text(filled(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    import sys

    main(sys.argv[1])
