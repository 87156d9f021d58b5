"""PDF files as tests need them, written by hand: no program makes broken ones."""

from __future__ import annotations

import zlib


def pdf(pages: list[str], *, packed: bool = False) -> bytes:
    """A PDF with so many pages of text, a line of the text a line of the page."""
    return _file([_content(text) for text in pages], packed=packed)


def bomb(size: int) -> bytes:
    """A page whose few packed kilobytes are so many bytes."""
    return _file([b" " * size], packed=True)


def _content(text: str) -> bytes:
    lines = [f"({_escaped(line)}) Tj T*" for line in text.split("\n")]
    return "\n".join(["BT /F1 12 Tf 14 TL 72 720 Td", *lines, "ET"]).encode("latin-1")


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _file(contents: list[bytes], *, packed: bool) -> bytes:
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(contents)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for n, content in enumerate(contents):
        data = zlib.compress(content, 9) if packed else content
        kind = b" /Filter /FlateDecode" if packed else b""
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * n),
            b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(data), kind, data),
        ]
    written = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return written + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (size, table, size, len(written))
    )
