from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ollamamaster.errors import ConfigInvalidError
from ollamamaster.storage import atomic, paths
from ollamamaster.storage.atomic import create_file, replace_file
from ollamamaster.storage.damaged import set_aside
from ollamamaster.storage.paths import Paths

if TYPE_CHECKING:
    from pathlib import Path

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="file modes and links are POSIX's")


def test_a_home_holds_everything_flat(tmp_path: Path) -> None:
    found = Paths.from_environment({"OLLAMAMASTER_HOME": str(tmp_path)})
    names = {found.config, found.inventory, found.history, found.workflows}
    assert names == {
        tmp_path / name for name in ("config.toml", "inventory.toml", "history.db", "workflows")
    }


def test_a_relative_home_stays_the_same_folder_when_the_working_directory_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Paths.from_environment({"OLLAMAMASTER_HOME": "h"}).config_dir == tmp_path / "h"


def test_a_home_of_a_user_who_is_not_there_is_named() -> None:
    with pytest.raises(ConfigInvalidError, match="no such user"):
        Paths.from_environment({"OLLAMAMASTER_HOME": "~nobody-of-this-name/x"})


@POSIX
def test_a_relative_home_in_a_working_directory_that_is_gone_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigInvalidError, match="working directory"):
        Paths.from_environment({"OLLAMAMASTER_HOME": "h"})


@pytest.mark.parametrize("below", ["", "/a/b"])
def test_a_home_where_something_else_stands_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigInvalidError, match="file is no folder"):
        Paths.from_environment({"OLLAMAMASTER_HOME": f"{tmp_path / 'file'}{below}"})


@POSIX
def test_a_home_that_is_a_link_to_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(ConfigInvalidError, match="link is no folder"):
        Paths.from_environment({"OLLAMAMASTER_HOME": str(tmp_path / "link")})


def test_without_a_home_the_users_own_folders_are_used() -> None:
    found = Paths.from_environment({"OLLAMAMASTER_HOME": " "})
    assert found.config.parent.name == "ollamamaster"
    assert found.config_dir.is_absolute()


def test_a_home_loads_no_platformdirs() -> None:
    code = (
        "import sys; from ollamamaster.storage.paths import Paths;"
        "Paths.from_environment({'OLLAMAMASTER_HOME': 'x'});"
        "sys.exit('platformdirs' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_asking_for_paths_makes_no_folder(tmp_path: Path) -> None:
    Paths.from_environment({"OLLAMAMASTER_HOME": str(tmp_path / "new")})
    assert not (tmp_path / "new").exists()


def test_a_replaced_file_has_the_new_content_and_leaves_no_other_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "file"
    replace_file(file, b"old")
    replace_file(file, b"new")
    assert [p.name for p in file.parent.iterdir()] == ["file"]
    assert file.read_bytes() == b"new"


@POSIX
def test_a_replaced_file_is_for_this_user_only(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"old")
    file.chmod(0o644)
    replace_file(file, b"new")
    assert file.stat().st_mode & 0o777 == 0o600


@POSIX
def test_a_folder_that_is_made_is_for_this_user_only(tmp_path: Path) -> None:
    replace_file(tmp_path / "new" / "file", b"")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


@POSIX
def test_a_link_stays_a_link_to_the_replaced_file(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles", tmp_path / "file"
    real.write_bytes(b"old")
    link.symlink_to(real)
    replace_file(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_what_a_killed_writer_left_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file.new").write_bytes(b"half of a lo")
    replace_file(tmp_path / "file", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("step", ["_write_durably", "_put_in_place"])
def test_a_failure_leaves_the_old_file_and_no_other(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    replace_file(file, b"old")

    def fail(*_arguments: object) -> None:
        (tmp_path / "file.new").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, step, fail)
    with pytest.raises(OSError, match="No space"):
        replace_file(file, b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"old")]


def test_a_file_is_created_only_where_there_is_none(tmp_path: Path) -> None:
    create_file(tmp_path / "file", b"mine")
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "file", b"theirs")
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_what_was_set_aside_in_the_same_second_is_not_overwritten(tmp_path: Path) -> None:
    for content in (b"first", b"second"):
        (tmp_path / "file").write_bytes(content)
        set_aside(tmp_path / "file", 0.0)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {
        "file.broken-19700101T000000Z": b"first",
        "file.broken-19700101T000000Z-2": b"second",
    }


def test_the_folder_of_a_file_is_made_once(tmp_path: Path) -> None:
    assert paths.home_of(tmp_path / "a" / "b") == paths.home_of(tmp_path / "a" / "c")
