"""Files that a prompt is about."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from ollamamaster.domain.routing import Document
from ollamamaster.errors import ExitCode, FileUnusableError
from ollamamaster.storage.attachments import MAX_FILES, read_attachments
from ollamamaster.storage.documents import MAX_BYTES

if TYPE_CHECKING:
    from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.md").write_text("first", "utf-8")
    (tmp_path / "b.md").write_text("zweitens ü", "utf-8")
    (tmp_path / "c.png").write_bytes(PNG)
    (tmp_path / "sub").mkdir()
    return tmp_path


def refusal(*paths: Path | str) -> FileUnusableError:
    with pytest.raises(FileUnusableError) as caught:
        read_attachments(map(str, paths))
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value


def test_texts_are_documents_and_images_are_images_in_the_order_named(folder: Path) -> None:
    paths = [str(folder / name) for name in ("b.md", "c.png", "a.md")]
    found = read_attachments(paths)
    assert found.documents == (Document(paths[0], "zweitens ü"), Document(paths[2], "first"))
    assert found.images == (PNG,)


@pytest.mark.parametrize(
    "content",
    [
        PNG,
        b"\xff\xd8\xff\xe0JFIF",
        b"GIF89a\x01",
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    ],
)
def test_an_image_is_known_by_its_first_bytes_not_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "photo.txt").write_bytes(content)
    assert read_attachments([str(tmp_path / "photo.txt")]).images == (content,)


def test_a_glob_names_its_files_in_order(folder: Path) -> None:
    found = read_attachments([str(folder / "*.md")])
    assert [d.text for d in found.documents] == ["first", "zweitens ü"]


def test_a_name_that_exists_is_no_glob(tmp_path: Path) -> None:
    (tmp_path / "a[1].md").write_text("odd", "utf-8")
    assert read_attachments([str(tmp_path / "a[1].md")]).documents[0].text == "odd"


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "bom.txt").write_bytes(b"\xef\xbb\xbfhello")
    (tmp_path / "wide.txt").write_bytes("hello".encode("utf-16"))
    found = read_attachments([str(tmp_path / "bom.txt"), str(tmp_path / "wide.txt")])
    assert [d.text for d in found.documents] == ["hello", "hello"]


def test_an_absent_file_is_named(folder: Path) -> None:
    assert "nope.md does not exist" in refusal(folder / "nope.md").message


def test_a_glob_without_a_match_is_named(folder: Path) -> None:
    assert "*.rst matches no file" in refusal(folder / "*.rst").message


def test_a_directory_is_refused_with_what_to_write_instead(folder: Path) -> None:
    error = refusal(folder / "sub")
    assert "is a directory" in error.message
    assert "*.md" in (error.hint or "")
    assert "--recursive" in (error.hint or "")


def test_a_binary_file_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"\x7fELF\x00\x01")
    assert "is no text" in refusal(tmp_path / "x.bin").message


def test_a_broken_pdf_is_told_how_to_become_text(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.7\n\x00\xff")
    assert "pdftotext" in (refusal(tmp_path / "x.pdf").hint or "")


def test_text_that_is_not_utf_8_is_told_where(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("naïve".encode("latin-1"))
    assert "not UTF-8 text (byte 2)" in refusal(tmp_path / "latin.txt").message


def test_a_file_over_the_limit_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "larger than 64 MB" in refusal(tmp_path / "huge.txt").message


def test_files_that_are_too_large_together_are_refused(tmp_path: Path) -> None:
    content = b"\x89PNG\r\n\x1a\n" + b"\x00" * (MAX_BYTES // 2)
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(content)
    assert "together" in refusal(tmp_path / "a.png", tmp_path / "b.png").message


def test_a_name_too_long_for_any_file_is_refused() -> None:
    refusal("x" * 5000)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such users")
def test_a_home_that_nobody_has_is_an_absent_file() -> None:
    refusal("~no-such-user-here/notes.md")


def test_a_folder_is_read_with_all_below_it_in_order(folder: Path) -> None:
    (folder / "sub" / "d.txt").write_text("fourth", "utf-8")
    found = read_attachments([str(folder)], recursive=True)
    assert [d.text for d in found.documents] == ["first", "zweitens ü", "fourth"]


def test_what_is_left_out_of_a_folder_is_told(folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("x", "utf-8")
    (folder / "tool.bin").write_bytes(b"\x7fELF\x00")
    found = read_attachments([str(folder)], recursive=True)
    assert len(found.documents) == 2
    assert found.images == ()
    told = "\n".join(found.notes)
    assert all(word in told for word in (".git", "tool.bin", "c.png"))


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_in_a_folder_are_not_followed(folder: Path) -> None:
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "sub" / "a.md").symlink_to(folder / "a.md")
    assert len(read_attachments([str(folder)], recursive=True).documents) == 2


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path) -> None:
    for number in range(MAX_FILES + 1):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(FileUnusableError, match="more than"):
        read_attachments([str(tmp_path)], recursive=True)


def test_a_glob_may_name_folders_when_they_are_wanted(folder: Path) -> None:
    (folder / "sub" / "d.txt").write_text("fourth", "utf-8")
    found = read_attachments([str(folder / "s*")], recursive=True)
    assert [d.text for d in found.documents] == ["fourth"]


def test_two_stars_reach_every_folder(folder: Path) -> None:
    (folder / "sub" / "d.md").write_text("fourth", "utf-8")
    found = read_attachments([str(folder / "**" / "*.md")])
    assert [d.text for d in found.documents] == ["first", "zweitens ü", "fourth"]
