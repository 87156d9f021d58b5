"""Files that a prompt is about: texts become context, images go to models that see."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ollamamaster.domain.routing import Document
from ollamamaster.errors import FileUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# No context takes more: 64 MB of text are some 16 million tokens.
MAX_BYTES = 64_000_000

_IMAGES = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"BM",
)


@dataclass(frozen=True, slots=True)
class Attachments:
    """What was attached, in the order it was named."""

    documents: tuple[Document, ...] = ()
    images: tuple[bytes, ...] = ()


def read_attachments(paths: Iterable[str]) -> Attachments:
    """Read files; a path that does not exist may be a glob.

    Raises FileUnusableError for one that is absent, a directory, unreadable, neither text nor
    an image, or too large; also when all together are too large.
    """
    documents: list[Document] = []
    images: list[bytes] = []
    total = 0
    for path in _expanded(paths):
        content = content_of(path)
        total += len(content)
        if total > MAX_BYTES:
            raise _too_large(str(path), "the files together are")
        if _is_image(content):
            images.append(content)
        else:
            documents.append(Document(str(path), text_of(content, str(path))))
    return Attachments(tuple(documents), tuple(images))


def text_of(content: bytes, name: str) -> str:
    """The text of a file: UTF-8, or UTF-16 with its mark. Raises FileUnusableError."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\x00" in content:
        raise FileUnusableError(f"{name} is no text", hint=_text_hint(content))
    else:
        encoding = "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileUnusableError(
            f"{name} is not UTF-8 text (byte {error.start})", hint=_text_hint(content)
        ) from None


def _expanded(paths: Iterable[str]) -> Iterator[Path]:
    for text in paths:
        path = Path(os.path.expanduser(text))  # noqa: PTH111 (pathlib refuses `~nobody` with RuntimeError)
        if not glob.has_magic(text) or os.path.lexists(path):
            yield path
            continue
        found = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 (Path.glob refuses absolute patterns)
        files = [Path(name) for name in found if Path(name).is_file()]
        if not files:
            raise FileUnusableError(f"{text} matches no file")
        yield from files


def content_of(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes of a file. Raises FileUnusableError, also when there are more than `max_bytes`."""
    try:
        if path.is_dir():
            raise FileUnusableError(
                f"{path} is a directory", hint=f"name its files, such as {path / '*.md'}"
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


def _text_hint(content: bytes) -> str:
    if content.startswith(b"%PDF"):
        return "a PDF: turn it into text first, for example with pdftotext"
    return "files are read as UTF-8 text, or as PNG, JPEG, GIF, WebP or BMP images"
