"""The text of PDF files and HTML pages, whoever made them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from pdfs import bomb, pdf

from ollamamaster.domain.routing import Document
from ollamamaster.errors import ExitCode, FileUnusableError
from ollamamaster.storage.documents import document_of
from ollamamaster.storage.extraction import NoTextError, html_text, pdf_text

if TYPE_CHECKING:
    from collections.abc import Callable


def refusal(content: bytes, name: str = "a.pdf", limit_s: float = 60.0) -> FileUnusableError:
    with pytest.raises(FileUnusableError) as caught:
        document_of(content, name, limit_s)
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value


def encrypted(password: str) -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(["Hidden words."]))))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="RC4-128")
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


@pytest.mark.parametrize("packed", [False, True])
def test_a_pdf_is_its_text_page_by_page(*, packed: bool) -> None:
    content = pdf(["First (page)\nof two", "Second"], packed=packed)
    found = document_of(content, "a.pdf")
    assert found == Document("a.pdf", "First (page)\nof two\fSecond", pages=2)


def test_a_pdf_is_known_by_its_first_bytes_not_its_name() -> None:
    assert document_of(pdf(["words"]), "a.txt").text == "words"


def test_a_pdf_without_text_says_that_it_may_be_scanned() -> None:
    error = refusal(pdf(["", ""]))
    assert "without any text" in error.message
    assert "scanned" in (error.hint or "")


def test_a_pdf_that_needs_no_password_to_be_read_is_read() -> None:
    assert document_of(encrypted(""), "a.pdf").text == "Hidden words."


def test_a_pdf_with_a_password_is_said_to_be_encrypted() -> None:
    error = refusal(encrypted("secret"))
    assert error.message == "a.pdf is encrypted"
    assert "qpdf" in (error.hint or "")


@pytest.mark.parametrize(
    "broken",
    [
        b"%PDF-1.7\n",
        b"%PDF-1.7\n\x00\xff",
        pdf(["words"])[:200],
        pdf(["words"]).replace(b"/Pages 2 0 R", b"/Pages 1 0 R"),
        b"%PDF-1.4\n" + b"[" * 200_000,
        b"%PDF-1.4\n1 0 obj\n" + b"<<" * 50_000,
    ],
)
def test_a_broken_pdf_is_refused_by_its_name(broken: bytes) -> None:
    assert refusal(broken).message.startswith("a.pdf ")


def test_a_pdf_that_unpacks_to_too_much_is_refused() -> None:
    content = bomb(200_000_000)
    assert len(content) < 300_000
    assert refusal(content).message.startswith("a.pdf ")


def test_reading_ends_when_its_time_is_over() -> None:
    assert "takes more than" in refusal(pdf(["words"]), limit_s=1e-6).message


def test_without_the_library_the_line_that_installs_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pypdf", None)
    with pytest.raises(NoTextError) as caught:
        pdf_text(pdf(["words"]))
    assert "pip install 'ollamamaster[pdf]'" in (caught.value.hint or "")


def test_an_html_page_is_what_its_reader_sees() -> None:
    page = b"""<!DOCTYPE html><html><head><title>Tides</title><style>p{}</style></head><body>
      <script>alert(1)</script><h2>Why &amp; how</h2><p>Twice   a
      day<br>it comes.</p><ul><li>ebb<li>flow</ul>
      <table><tr><th>at<th>m<tr><td>6<td>2.1</table><!-- no --></body></html>"""
    assert document_of(page, "a.html").text == (
        "Tides\n\n## Why & how\n\nTwice a day\nit comes.\n\n- ebb\n- flow\n\nat\tm\n6\t2.1"
    )


def test_code_in_a_page_keeps_its_lines() -> None:
    assert html_text(b"<pre>if x:\n    y\n</pre>") == "if x:\n    y"


@pytest.mark.parametrize("name", ["a.html", "A.HTM", "saved"])
def test_a_page_is_known_by_its_name_or_its_beginning(name: str) -> None:
    assert document_of(b"\n<!-- saved --><html><body>x</body></html>", name).text == "x"


def test_markdown_that_speaks_of_html_stays_as_it_is() -> None:
    text = "Use `<html>` first.\n"
    assert document_of(text.encode(), "a.md").text == text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"<html><meta charset=latin-1><p>na\xefve", "naïve"),
        (b"<html><meta charset=nonsense><p>na\xefve", "naïve"),
        ("<html><p>naïve".encode("utf-16"), "naïve"),
        ("\ufeff<html><p>naïve".encode(), "naïve"),
    ],
)
def test_a_page_is_read_in_the_encoding_that_it_names(content: bytes, text: str) -> None:
    assert html_text(content) == text


def test_a_page_without_text_is_refused() -> None:
    assert "without any text" in refusal(b"<html><script>x</script></html>", "a.html").message


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"<html><p>x" + b"<div>" * 200_000,
        lambda: b"<html><p>x" + b"</b>" * 200_000,
        lambda: b"<html><p>x&" + b"&amp;" * 200_000,
    ],
)
def test_deep_and_unbalanced_pages_are_read(make: Callable[[], bytes]) -> None:
    assert document_of(make(), "a.html").text.startswith("x")


@pytest.mark.parametrize("beginning", [b"<", b"<!--", b"<a ", b"<![CDATA["])
def test_a_page_that_never_ends_a_tag_is_read_or_refused_in_time(beginning: bytes) -> None:
    content = b"<html><p>x" + beginning * 300_000
    try:
        told = document_of(content, "a.html", 2.0).text
    except FileUnusableError as error:
        told = error.message
    assert told.startswith("x") or "takes more than" in told
