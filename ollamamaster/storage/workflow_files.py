"""The person's workflow files: which are there, and what is in one?"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.domain.workflow_problems import Mistake, WorkflowProblem, WorkflowReading, near
from ollamamaster.errors import FileUnusableError, UsageError
from ollamamaster.storage.atomic import create_file
from ollamamaster.storage.lock import unusable
from ollamamaster.storage.workflow_file import read_workflow
from ollamamaster.storage.workflow_schema import WORKFLOW_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

READY_MADE = Path(__file__).parent.parent / "data" / "workflows"
STARTER = "starter"
_ENDING = ".toml"
# A workflow of a thousand steps takes a tenth of it.
_MAX_BYTES = 4_000_000


class WorkflowFiles:
    """The files of one folder; implements WorkflowStore."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> tuple[str, ...]:
        """The names of all workflows in the folder, sorted."""
        return tuple(sorted(_names(self.folder)))

    def named(self, name: str) -> WorkflowReading:
        """The workflow of this name, never of a path. Raises UsageError."""
        if not re.fullmatch(WORKFLOW_NAME, name) or name not in self.names():
            raise UsageError(f"there is no workflow {name!r}", hint=self._near(name))
        return self._read(self.folder / f"{name}{_ENDING}")

    def typed(self, text: str) -> WorkflowReading:
        """The workflow that a person typed: a name, or the path of a file.

        Raises UsageError and FileUnusableError where there is none.
        """
        if re.fullmatch(WORKFLOW_NAME, text):
            return self.named(text)
        path = Path(os.path.expanduser(text)).absolute()  # noqa: PTH111 (pathlib raises RuntimeError for `~nobody`)
        if os.path.isdir(path):  # noqa: PTH112 (see below)
            raise FileUnusableError(f"{text} is a directory")
        if not os.path.exists(path):  # noqa: PTH110 (pathlib raises OSError for a very long one)
            raise FileUnusableError(f"{text} does not exist", hint=self._near(path.stem))
        return self._read(path)

    def create(self, name: str, ready_made: str | None) -> Path:
        """Write a starter, or a copy of a ready-made workflow, under a new name.

        Raises UsageError for a name that is none, or of nothing ready-made, and where the file is
        there already.
        """
        if not re.fullmatch(WORKFLOW_NAME, name):
            raise UsageError(
                f"{name!r} is no name of a workflow",
                hint="lower-case letters, digits and -, at most 64 characters",
            )
        source = STARTER if ready_made is None else ready_made
        if source not in _names(READY_MADE) or ready_made == STARTER:
            raise UsageError(
                f"there is no ready-made workflow {source!r}", hint=near(source, ready_made_names())
            )
        text = (READY_MADE / f"{source}{_ENDING}").read_text(encoding="utf-8")
        path = self.folder / f"{name}{_ENDING}"
        try:
            create_file(path, _personal(text, source, name, self.folder).encode())
        except FileExistsError:
            raise UsageError(
                f"{path} is there already", hint="choose another name, or remove it"
            ) from None
        except OSError as error:
            raise unusable(path, error) from error
        return path

    def _near(self, name: str) -> str:
        return "\n".join(filter(None, [near(name, self.names()), "ollamamaster workflow list"]))

    @staticmethod
    def _read(path: Path) -> WorkflowReading:
        try:
            with path.open("rb") as file:
                content = file.read(_MAX_BYTES + 1)
        except OSError as error:
            return _unreadable(path, f"it cannot be read: {error.strerror or error}")
        if len(content) > _MAX_BYTES:
            return _unreadable(path, f"it is larger than {_MAX_BYTES // 1_000_000} MB")
        try:
            # some editors begin a file with a byte order mark
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            problem = WorkflowProblem(
                Mistake.TOML, "this is not UTF-8 text", line, "save it as UTF-8"
            )
            return WorkflowReading(str(path), None, (problem,))
        return read_workflow(text, path)


def _unreadable(path: Path, why: str) -> WorkflowReading:
    return WorkflowReading(str(path), None, (WorkflowProblem(Mistake.TOML, why),))


def ready_made_names() -> tuple[str, ...]:
    """The names of the ready-made workflows."""
    return tuple(sorted(set(_names(READY_MADE)) - {STARTER}))


def _names(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        for path in folder.iterdir():
            if path.suffix == _ENDING and re.fullmatch(WORKFLOW_NAME, path.stem):
                yield path.stem


def _personal(text: str, source: str, name: str, folder: Path) -> str:
    """The text under its new name, with FOLDER standing for where its files are kept."""
    text = text.replace(f'name = "{source}"', f'name = "{name}"', 1)
    text = re.sub(rf"(ollamamaster workflow \w+) {source}\b", rf"\1 {name}", text)
    # within quotes of TOML; Windows takes slashes too
    kept_in = folder.as_posix().replace('"', '\\"')
    return text.replace("FOLDER", kept_in)
