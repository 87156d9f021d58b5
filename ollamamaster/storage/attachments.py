"""Files that a prompt is about: texts become context, images go to models that see."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.errors import FileUnusableError
from ollamamaster.storage.documents import MAX_BYTES, MAX_CHARACTERS, document_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ollamamaster.domain.routing import Document

# A folder of more files than this is not what anybody meant to send.
MAX_FILES = 2_000

_IMAGES = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"BM",
)
# Of what is left out in a folder, so many names are told.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Attachments:
    """What was attached, in the order it was named. `notes` tell what of a folder was left out."""

    documents: tuple[Document, ...] = ()
    images: tuple[bytes, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Gathered:
    """What was read until now, within the limit for all files together."""

    documents: list[Document] = field(default_factory=list)
    images: list[bytes] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    size_bytes: int = 0
    characters: int = 0

    def take(self, name: str, content: bytes) -> None:
        self._count(len(content), name)
        if _is_image(content):
            self.images.append(content)
        else:
            self._add(document_of(content, name))

    def read_folder(self, folder: Path) -> None:
        """Every text in it and below; what is hidden, no text, or too large is left out."""
        left_out: dict[str, list[str]] = {}
        for number, path in enumerate(_files_below(folder, left_out), 1):
            if number > MAX_FILES:
                raise FileUnusableError(
                    f"{folder} has more than {MAX_FILES} files", hint="name a part of it"
                )
            try:
                content = content_of(path)
                if _is_image(content):
                    left_out.setdefault("images", []).append(str(path))
                    continue
                document = document_of(content, str(path))
            except FileUnusableError as error:
                left_out.setdefault("unreadable", []).append(error.message)
                continue
            self._count(len(content), str(path))
            self._add(document)
        self.notes += [_left_out(folder, what, names) for what, names in left_out.items()]

    def _add(self, document: Document) -> None:
        self.characters += len(document.text)
        if self.characters > MAX_CHARACTERS:
            raise _too_large(document.name, "the texts together are")
        self.documents.append(document)

    def _count(self, size: int, name: str) -> None:
        self.size_bytes += size
        if self.size_bytes > MAX_BYTES:
            raise _too_large(name, "the files together are")


def read_attachments(paths: Iterable[str], *, recursive: bool = False) -> Attachments:
    """Read files; a path that does not exist may be a glob, with `recursive` one may be a folder.

    Raises FileUnusableError for one that is absent, a directory, unreadable, neither text nor
    an image, or too large; also when all together are too large.
    """
    gathered = _Gathered()
    for path in expanded(paths, folders=recursive):
        if recursive and path.is_dir():
            gathered.read_folder(path)
        else:
            gathered.take(str(path), content_of(path))
    return Attachments(tuple(gathered.documents), tuple(gathered.images), tuple(gathered.notes))


def attachments_of(files: Iterable[tuple[str, bytes]]) -> Attachments:
    """What files of these names and contents are. Raises FileUnusableError as above."""
    gathered = _Gathered()
    for name, content in files:
        gathered.take(name, content)
    return Attachments(tuple(gathered.documents), tuple(gathered.images))


def expanded(paths: Iterable[str], *, folders: bool = False) -> Iterator[Path]:
    """The files that are named, those of a glob in their order. Raises FileUnusableError."""
    for text in paths:
        if not _is_path(text):
            raise FileUnusableError(f"{text!r} is no path")
        path = Path(os.path.expanduser(text))  # noqa: PTH111 (pathlib refuses `~nobody` with RuntimeError)
        if not glob.has_magic(text) or os.path.lexists(path):
            yield path
            continue
        found = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 (Path.glob refuses absolute patterns)
        files = [Path(name) for name in found if Path(name).is_file()]
        if folders and "**" not in text:
            files = list(map(Path, found))
        if not files:
            raise FileUnusableError(f"{text} matches no file")
        yield from files


def _files_below(folder: Path, left_out: dict[str, list[str]]) -> Iterator[Path]:
    """The files of a folder and of those below, each folder's own first; links are not followed."""
    for here, folders, files in os.walk(folder):
        hidden = [n for n in (*folders, *files) if n.startswith(".")]
        if hidden:
            left_out.setdefault("hidden", []).extend(str(Path(here, name)) for name in hidden)
        folders[:] = sorted(name for name in folders if name not in hidden)
        for name in sorted(files):
            path = Path(here, name)
            if name not in hidden and path.is_file() and not path.is_symlink():
                yield path


def _is_path(text: str) -> bool:
    """Whether a system can take it at all; a model may name anything."""
    try:
        return b"\x00" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


_WHY = {
    "hidden": "hidden files and folders",
    "images": "images (name them to send them)",
    "unreadable": "files that are no text",
}


def _left_out(folder: Path, what: str, names: list[str]) -> str:
    more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{folder}: left out {_WHY[what]}: {', '.join(names[:_NAMED])}{more}"


def content_of(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes of a file. Raises FileUnusableError, also when there are more than `max_bytes`."""
    try:
        if path.is_dir():
            raise FileUnusableError(
                f"{path} is a directory",
                hint=f"name its files, such as {path / '*.md'}, or add --recursive",
            )
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise FileUnusableError(f"{path} does not exist") from None
    except OSError as error:
        raise FileUnusableError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > max_bytes:
        raise _too_large(str(path), "it is", max_bytes)
    return content


def _too_large(name: str, what: str, max_bytes: int = MAX_BYTES) -> FileUnusableError:
    return FileUnusableError(f"{name}: {what} larger than {max_bytes // 1_000_000} MB")


def _is_image(content: bytes) -> bool:
    return content.startswith(_IMAGES) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")
