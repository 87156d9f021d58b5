"""What is tested is what is installed."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.metadata import distribution
from pathlib import Path
from urllib.request import url2pathname

import pytest

import ollamamaster

ROOT = Path(__file__).parents[2]


def test_the_package_under_test_is_the_installed_one() -> None:
    installed = distribution("ollamamaster")
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        folder = Path(url2pathname(origin["url"].removeprefix("file://")))
    else:
        folder = Path(str(installed.locate_file("")))
    assert Path(ollamamaster.__file__).resolve() == (folder / "ollamamaster/__init__.py").resolve()


def test_the_version_is_that_of_the_distribution() -> None:
    assert distribution("ollamamaster").version == ollamamaster.__version__


def test_every_dependency_has_a_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.partition("dependencies = [")[2].partition("\n]")[0]
    lines = [line.strip() for line in block.splitlines() if line.strip()]
    names = [n for n, line in enumerate(lines) if re.match(r'"[a-z]', line)]
    assert names
    assert all(lines[n - 1].startswith("#") for n in names)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a clone knows what is part of it")
def test_nothing_lies_beside_the_six_things_of_the_top_level() -> None:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], check=True, capture_output=True, text=True
    )
    names = {line.partition("/")[0] for line in listed.stdout.splitlines()}
    house = {"pyproject.toml", "README.md", "LICENSE", "ollamamaster", "tests", "completions"}
    assert {name for name in names if not name.startswith(".")} == house
