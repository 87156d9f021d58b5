"""Which files an agent may have read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ollamamaster.errors import FileUnusableError
from ollamamaster.mcp_server.attached import read_allowed
from ollamamaster.mcp_server.reply import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX files")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "allowed"
    (folder / "inner").mkdir(parents=True)
    (folder / "note.txt").write_text("inside")
    (folder / "inner" / "deep.txt").write_text("deep")
    (tmp_path / "secret.txt").write_text("outside")
    (tmp_path / "allowed-too").mkdir()
    (tmp_path / "allowed-too" / "near.txt").write_text("beside")
    return folder


def texts(root: Path, *paths: str) -> list[str]:
    return [document.text for document in read_allowed(paths, [str(root)]).documents]


def test_a_file_below_a_root_is_read(root: Path) -> None:
    assert texts(root, str(root / "note.txt"), str(root / "inner" / "deep.txt")) == [
        "inside",
        "deep",
    ]


def test_a_relative_path_is_one_below_a_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    assert texts(root, "inner/deep.txt") == ["deep"]
    with pytest.raises(RefusedError):
        texts(root, "secret.txt")


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "inner/../../secret.txt",
        "{root}/../secret.txt",
        "{root}-too/near.txt",
        "/etc/passwd",
        "file:///etc/passwd",
        "http://127.0.0.1/x",
        "note.txt\x00",
        "missing.txt",
        "inner",
        ".",
        "*.txt",
        "~root/.bashrc",
    ],
)
def test_anything_else_is_refused(path: str, root: Path) -> None:
    with pytest.raises(RefusedError):
        texts(root, path.format(root=root))


@POSIX
def test_a_link_that_leads_out_is_refused(root: Path) -> None:
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    (root / "door").symlink_to(root.parent)
    for path in ("link.txt", "door/secret.txt"):
        with pytest.raises(RefusedError):
            texts(root, path)


@POSIX
def test_a_link_that_stays_inside_is_followed(root: Path) -> None:
    (root / "link.txt").symlink_to(root / "note.txt")
    assert texts(root, "link.txt") == ["inside"]


@POSIX
@pytest.mark.parametrize("swapped", ["inner", "inner/deep.txt"])
def test_a_link_that_is_put_there_after_the_look_is_not_followed(
    swapped: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may write below a root must not choose what is read elsewhere."""
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "deep.txt").write_text("outside")
    real = os.path.realpath

    def looked(path: str | Path) -> str:
        found = real(path)
        if found.endswith("deep.txt"):
            (root / swapped).rename(root / "moved")
            (root / swapped).symlink_to(outside / swapped.removeprefix("inner").strip("/"))
        return found

    monkeypatch.setattr(os.path, "realpath", looked)
    with pytest.raises(RefusedError):
        texts(root, "inner/deep.txt")


def test_all_files_together_have_a_limit(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ollamamaster.storage.attachments.MAX_BYTES", 8)
    assert texts(root, "note.txt") == ["inside"]
    with pytest.raises(FileUnusableError, match="together"):
        texts(root, "note.txt", "inner/deep.txt")


def test_one_root_may_be_inside_another(root: Path) -> None:
    both = [str(root / "inner"), str(root)]
    (document,) = read_allowed(["note.txt"], both).documents
    assert document.text == "inside"


def test_a_root_that_is_a_link_is_the_folder_it_leads_to(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    (document,) = read_allowed([str(root / "note.txt")], [str(tmp_path / "link")]).documents
    assert document.text == "inside"


@POSIX
def test_a_pipe_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(RefusedError):
        texts(root, "pipe")


def test_without_roots_nothing_is_read(root: Path) -> None:
    with pytest.raises(RefusedError, match="file_roots"):
        read_allowed([str(root / "note.txt")], [])


def test_no_files_need_no_roots() -> None:
    assert read_allowed([], []).documents == ()


def test_a_document_has_the_name_that_was_given(root: Path) -> None:
    (document,) = read_allowed(["inner/deep.txt"], [str(root)]).documents
    assert document.name == "inner/deep.txt"


def test_a_file_that_is_no_text_is_unusable(root: Path) -> None:
    (root / "data.bin").write_bytes(b"\x00\x01")
    with pytest.raises(FileUnusableError):
        texts(root, "data.bin")
