"""The completion scripts and the manual page, from the command tree.

    python -m ollamamaster.cli.completion completions/

writes them all into that folder, as they are installed; a test holds the files there to it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.cli.shells.bash import bash_script
from ollamamaster.cli.shells.fish import fish_script
from ollamamaster.cli.shells.manual import manual_page
from ollamamaster.cli.shells.powershell import powershell_script
from ollamamaster.cli.shells.tree import command_tree
from ollamamaster.cli.shells.zsh import zsh_script

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCRIPTS = {
    "bash": bash_script,
    "zsh": zsh_script,
    "fish": fish_script,
    "powershell": powershell_script,
}
_FILES = {
    "bash": "ollamamaster.bash",
    "zsh": "_ollamamaster",
    "fish": "ollamamaster.fish",
    "powershell": "ollamamaster.ps1",
}
_MANUAL = "ollamamaster.1"


def script_of(shell: str) -> str:
    """The completion script of bash, zsh, fish or powershell."""
    return _SCRIPTS[shell](command_tree())


def generated_files() -> dict[str, str]:
    """The text of every file in completions/, by its name; always the same for one tree."""
    tree = command_tree()
    files = {_FILES[shell]: script(tree) for shell, script in _SCRIPTS.items()}
    return {**files, _MANUAL: manual_page(tree)}


def main(arguments: Sequence[str]) -> int:
    """Write the files into the folder that is named, by default completions/."""
    folder = Path(arguments[0] if arguments else "completions")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in generated_files().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
