"""The text of a file of any kind: plain, HTML or PDF, and how many pages it has."""

from __future__ import annotations

import json
import re
import sys

from ollamamaster.domain.plain_text import one_line
from ollamamaster.domain.routing import Document
from ollamamaster.errors import FileUnusableError

# No context takes more: 64 MB of text are some 16 million tokens. All files together have the same
# limit, and so has standard input.
MAX_BYTES = 64_000_000
# As much text as a file may have bytes: nothing larger is ever sent anywhere.
MAX_CHARACTERS = MAX_BYTES

# pypdf read 300 pages of 3,000 characters in 2.5 s, so this is several thousand pages, or ten times
# as many seconds for pages that are drawn in a hard way.
EXTRACTION_S = 60.0

_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)
_HTML_NAMES = (".html", ".htm", ".xhtml")


def document_of(content: bytes, name: str, limit_s: float = EXTRACTION_S) -> Document:
    """A file's text under its name. Raises FileUnusableError when it has none.

    What has to be parsed is parsed in another process, which takes at most so long.
    """
    if content.startswith(b"%PDF-"):
        return _extracted("pdf", content, name, limit_s)
    if name.lower().endswith(_HTML_NAMES) or _HTML.match(_beginning(content)):
        return _extracted("html", content, name, limit_s)
    return Document(name, text_of(content, name))


def text_of(content: bytes, name: str) -> str:
    """The text of a plain file: UTF-8, or UTF-16 with its mark. Raises FileUnusableError."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\x00" in content:
        raise FileUnusableError(f"{name} is no text", hint=_READABLE)
    else:
        encoding = "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileUnusableError(
            f"{name} is not UTF-8 text (byte {error.start})", hint=_READABLE
        ) from None


_READABLE = "files are read as UTF-8 text, PDF, HTML, or as PNG, JPEG, GIF, WebP or BMP images"


def _beginning(content: bytes) -> bytes:
    return content[:2048].removeprefix(b"\xef\xbb\xbf")


def _extracted(kind: str, content: bytes, name: str, limit_s: float) -> Document:
    import subprocess

    # -P, because a module of that name may lie in the folder where the person is
    command = [sys.executable, "-P", "-m", "ollamamaster.storage.extraction", kind]
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise FileUnusableError(
            f"{name} takes more than {limit_s:g} s to be read", hint="turn it into text first"
        ) from None
    try:
        found = json.loads(done.stdout)
    except ValueError:
        raise FileUnusableError(
            f"{name} cannot be read: the program that does so ended with {done.returncode}",
            hint="turn it into text first",
        ) from None
    if "error" in found:
        raise FileUnusableError(f"{name} {one_line(found['error'])}", hint=found["hint"])
    return Document(name, found["text"], found["pages"])
