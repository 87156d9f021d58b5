"""Long texts in parts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.routing import Document
from ollamamaster.domain.splitting import PAGE_BREAK, cut, parts_of
from ollamamaster.domain.tokens import estimate_tokens

_WORDS = st.sampled_from(
    ("a", "word ", "sentence. ", "line\n", "\n\n", "# Head\n", PAGE_BREAK, "漢字かな。", "{};=()",
     "Ж", "é", "😀", "x" * 300, "        ", "\r\n", "return f(x)\n")
)  # fmt: skip
TEXTS = st.lists(_WORDS, max_size=300).map("".join) | st.text(max_size=2000)
PROSE = "The tide comes twice a day. Nobody wondered why. " * 3 + "\n\n"


@given(text=TEXTS, limit=st.integers(1, 400), overlap=st.integers(0, 60))
def test_pieces_without_what_they_repeat_are_the_text(text: str, limit: int, overlap: int) -> None:
    pieces = cut(text, limit + overlap, overlap)
    assert "".join(text[p.start : p.end] for p in pieces) == text


@given(text=TEXTS, limit=st.integers(1, 400), overlap=st.integers(0, 60))
def test_no_piece_is_over_the_limit(text: str, limit: int, overlap: int) -> None:
    for piece in cut(text, limit + overlap, overlap):
        assert estimate_tokens(text[piece.begin : piece.end]) <= limit + overlap


@given(text=TEXTS, limit=st.integers(1, 400), overlap=st.integers(0, 60))
def test_a_piece_repeats_no_more_than_it_may(text: str, limit: int, overlap: int) -> None:
    for before, piece in pairwise(cut(text, limit + overlap, overlap)):
        assert piece.begin <= piece.start == before.end < piece.end
        assert estimate_tokens(text[piece.begin : piece.start]) <= overlap


@given(
    texts=st.lists(TEXTS, max_size=6),
    limit=st.integers(200, 800),
    overlap=st.integers(0, 40),
)
def test_no_part_is_over_the_limit(texts: list[str], limit: int, overlap: int) -> None:
    documents = [Document(f"{n}.txt", text) for n, text in enumerate(texts)]
    for part in parts_of(documents, limit, overlap):
        assert sum(estimate_tokens(d.text) for d in part.documents) <= part.tokens <= limit


@given(texts=st.lists(TEXTS, max_size=6), limit=st.integers(200, 800))
def test_parts_hold_everything_in_its_order(texts: list[str], limit: int) -> None:
    documents = [Document(f"{n}.txt", text) for n, text in enumerate(texts)]
    told = "".join(d.text for part in parts_of(documents, limit) for d in part.documents)
    assert "".join(told.split()) == "".join("".join(texts).split())


@pytest.mark.parametrize("text", ["x" * 100_000, "漢" * 30_000, "x = f(y);" * 9_000, " " * 9_000])
def test_one_huge_line_is_cut_all_the_same(text: str) -> None:
    pieces = cut(text, 1000, 50)
    assert all(estimate_tokens(text[p.begin : p.end]) <= 1000 for p in pieces)
    assert len(pieces) <= 1.3 * estimate_tokens(text) / 950 + 1


def test_pieces_are_of_about_one_size() -> None:
    text = PROSE * 400
    sizes = [p.end - p.start for p in cut(text, 1000, 0)]
    assert min(sizes) > 0.7 * max(sizes)


def test_a_text_is_cut_between_paragraphs() -> None:
    text = PROSE * 400
    assert all(text[: p.end].endswith("\n\n") for p in cut(text, 1000, 0))


def test_a_heading_begins_a_piece() -> None:
    text = "".join(f"# Part {n}\n\n{PROSE * 7}" for n in range(40))
    assert all(text[p.start :].startswith("# Part") for p in cut(text, 1000, 0))


def test_a_piece_of_a_pdf_ends_with_a_page_where_it_can() -> None:
    text = PAGE_BREAK.join([PROSE * 4] * 60)
    assert all(text[p.end - 1] == PAGE_BREAK for p in cut(text, 2000, 0)[:-1])


def test_a_part_of_a_pdf_tells_its_pages() -> None:
    text = PAGE_BREAK.join([PROSE * 4] * 30)
    names = [part.name for part in parts_of([Document("a.pdf", text)], 600)]
    assert names[0].startswith("a.pdf, pages 1-")
    assert names[-1].endswith("-30")


def test_what_is_repeated_begins_at_a_border() -> None:
    text = PROSE * 400
    _, second, *_ = cut(text, 1000, 60)
    assert second.begin < second.start
    assert text[second.begin :].startswith(("The tide", "Nobody"))


def test_short_documents_are_read_together() -> None:
    documents = [Document(f"{n}.md", PROSE) for n in range(30)]
    parts = parts_of(documents, 1000)
    assert len(parts) < 5
    assert [d for part in parts for d in part.documents] == documents
    assert parts[0].name == f"0.md and {len(parts[0].documents) - 1} more"


def test_a_document_that_fits_is_never_cut() -> None:
    assert parts_of([Document("a.md", PROSE)], 1000)[0].documents == (Document("a.md", PROSE),)


@pytest.mark.parametrize(("limit", "overlap"), [(0, 0), (10, 10), (10, 20), (10, -1)])
def test_a_limit_that_holds_nothing_is_refused(limit: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="hold nothing"):
        cut("text", limit, overlap)
