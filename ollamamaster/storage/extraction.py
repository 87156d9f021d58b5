"""The text of a PDF or an HTML page, read in a process of its own.

    python -P -m ollamamaster.storage.extraction pdf|html < FILE

Files come from anywhere, and a few kilobytes can be made to take hours or all memory. So whoever
wants the text starts this as a program (documents.py), with limits that hold whatever happens in
here. It writes one JSON object: `text` and `pages`, or `error` with a `hint`.
"""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from io import BytesIO
from typing import TYPE_CHECKING

from ollamamaster.storage.documents import MAX_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# A page of dense text takes some 5 MB of objects; more than this is no document.
_MAX_MEMORY = 2_000_000_000

_NO_PDF = "reading PDF files needs pypdf: pip install 'ollamamaster[pdf]'"
_BROKEN = "another program may read it: turn it into text first, for example with pdftotext"
_NO_TEXT = (
    "its pages may be scanned: turn them into images, for example with pdftoppm -png, and send "
    "these to a model that sees"
)


class NoTextError(Exception):
    """The file has no text for us, with what to do about it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def pdf_text(content: bytes) -> tuple[str, int]:
    """The text of a PDF with a form feed after each page but the last, and how many pages.

    Raises NoTextError for one that is broken, encrypted, or has no text.
    """
    try:
        from pypdf import PdfReader
        from pypdf.errors import DependencyError
    except ImportError:
        raise NoTextError("is a PDF", _NO_PDF) from None
    try:
        reader = PdfReader(BytesIO(content))
        locked = reader.is_encrypted and not reader.decrypt("")
        texts = [] if locked else list(_bounded(page.extract_text() for page in reader.pages))
    except NoTextError:
        raise
    except DependencyError:
        locked = True
    except MemoryError:
        raise NoTextError("takes too much memory to be read") from None
    except Exception as error:  # noqa: BLE001 (each stage of the parser fails in its own way)
        raise NoTextError(f"is a broken PDF: {error}", _BROKEN) from None
    if locked:
        raise NoTextError("is encrypted", "take its password away: qpdf --decrypt IN OUT")
    if not any(text.strip() for text in texts):
        raise NoTextError("is a PDF without any text", _NO_TEXT)
    return "\f".join(text.strip() for text in texts), len(texts)


def _bounded(texts: Iterable[str]) -> Iterator[str]:
    total = 0
    for text in texts:
        total += len(text)
        if total > MAX_CHARACTERS:
            raise NoTextError(f"has more than {MAX_CHARACTERS // 1_000_000} million characters")
        yield text.replace("\f", "\n").encode("utf-8", "replace").decode()


# What ends a line, and what of it ends a paragraph.
_BLOCKS = frozenset(re.findall(r"\w+", """
    address article aside blockquote body dd details div dl dt fieldset figure figcaption footer
    form h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section summary table tbody td
    tfoot th thead title tr ul
"""))  # fmt: skip
_PARAGRAPHS = frozenset(re.findall(r"\w+", """
    article blockquote h1 h2 h3 h4 h5 h6 p pre section table title
"""))  # fmt: skip
# What a browser does not show.
_UNSEEN = frozenset({"script", "style", "template", "noscript", "svg", "head", "iframe", "object"})
_CELLS = frozenset({"td", "th"})
_HEADING = re.compile(r"h([1-6])")


class _PageText(HTMLParser):
    """Gathers what a reader sees, a line a block, headings and lists as in Markdown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen: list[str] = []
        self._verbatim = 0
        self._in_title = False

    def handle_starttag(
        self,
        tag: str,
        attrs: list[tuple[str, str | None]],  # noqa: ARG002 (the parser gives them)
    ) -> None:
        if tag == "title":
            self._in_title = True
        elif tag == "body":
            # a head that was never closed ends here
            self._unseen.clear()
        elif tag in _UNSEEN:
            self._unseen.append(tag)
        if tag == "br":
            self.pieces.append("\n")
        elif tag in _CELLS:
            if self.pieces and not self.pieces[-1].endswith("\n"):
                self.pieces.append("\t")
        elif tag in _BLOCKS:
            self.pieces.append("\n\n" if tag in _PARAGRAPHS else "\n")
        if heading := _HEADING.fullmatch(tag):
            self.pieces.append("#" * int(heading[1]) + " ")
        elif tag == "li":
            self.pieces.append("- ")
        elif tag == "pre":
            self._verbatim += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag in self._unseen:
            while self._unseen.pop() != tag:
                pass
        if tag == "pre":
            self._verbatim = max(0, self._verbatim - 1)
        if tag in _BLOCKS and tag not in _CELLS:
            self.pieces.append("\n\n" if tag in _PARAGRAPHS else "\n")

    def handle_data(self, data: str) -> None:
        if self._in_title or not self._unseen:
            self.pieces.append(data if self._verbatim else self._flowing(data))

    def _flowing(self, data: str) -> str:
        """White space as one blank, and none where a line begins."""
        text = re.sub(r"\s+", " ", data)
        begins = not self.pieces or self.pieces[-1].endswith((" ", "\n", "\t"))
        return text.lstrip() if begins else text


def html_text(content: bytes) -> str:
    """What a reader of the page sees. Raises NoTextError when that is nothing."""
    parser = _PageText()
    parser.feed(_decoded(content))
    parser.close()
    told = re.sub(r"[ \t]+\n", "\n", "".join(parser.pieces))
    told = re.sub(r"\n{3,}", "\n\n", told).strip()
    if not told:
        raise NoTextError("is an HTML page without any text")
    return told


_CHARSET = re.compile(
    rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE
)


def _decoded(content: bytes) -> str:
    """UTF-8 or UTF-16 as every text, else as the page itself says."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        said = _CHARSET.search(content[:4096])
    try:
        # what nobody says is what most old pages are
        return content.decode(said[1].decode("ascii") if said else "cp1252", "replace")
    except LookupError:
        return content.decode("cp1252", "replace")


def _limit_memory() -> None:
    """Where the system knows such limits; elsewhere only the time is bounded."""
    try:
        import resource
    except ImportError:
        return
    try:
        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
    except (ValueError, OSError):
        return


def main(kind: str) -> None:
    """Read a file on standard input and write what was found."""
    _limit_memory()
    content = sys.stdin.buffer.read()
    found: dict[str, object]
    try:
        if kind == "pdf":
            text, pages = pdf_text(content)
            found = {"text": text, "pages": pages}
        else:
            found = {"text": html_text(content), "pages": None}
    except NoTextError as error:
        found = {"error": str(error), "hint": error.hint}
    sys.stdout.buffer.write(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))


if __name__ == "__main__":
    main(sys.argv[1])
