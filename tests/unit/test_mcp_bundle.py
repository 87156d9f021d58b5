"""What stores and hosts are told of the server, before it runs."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

import ollamamaster
from ollamamaster.cli.mcp_bundle import manifest, write_bundle
from ollamamaster.mcp_server.prompts import PROMPTS
from ollamamaster.mcp_server.tools import TOOLS

CHECKOUT = Path(__file__).parents[2]
DATA = Path(ollamamaster.__file__).parent / "data"

of_checkout = pytest.mark.skipif(
    not (CHECKOUT / "completions").is_dir(), reason="the checkout is not here"
)


def server_json() -> dict[str, Any]:
    found = json.loads((DATA / "server.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def test_the_manifest_has_this_version() -> None:
    assert manifest()["version"] == ollamamaster.__version__


def test_the_manifest_names_every_tool_and_prompt() -> None:
    assert [tool["name"] for tool in manifest()["tools"]] == [tool.name for tool in TOOLS]
    assert [each["name"] for each in manifest()["prompts"]] == [each.name for each in PROMPTS]


def test_the_registry_entry_has_this_version_twice() -> None:
    entry = server_json()
    (package,) = entry["packages"]
    assert (entry["version"], package["version"]) == (ollamamaster.__version__,) * 2


def test_the_registry_entry_starts_the_server() -> None:
    (package,) = server_json()["packages"]
    assert [each["value"] for each in package["packageArguments"]] == ["serve-mcp"]
    assert package["transport"] == {"type": "stdio"}


def test_a_description_fits_the_registry() -> None:
    """Its schema allows 100 characters."""
    assert len(server_json()["description"]) <= 100


@of_checkout
def test_the_bundle_has_all_that_is_needed_to_build_the_package(tmp_path: Path) -> None:
    write_bundle(tmp_path / "out" / "x.mcpb", CHECKOUT)
    with zipfile.ZipFile(tmp_path / "out" / "x.mcpb") as bundle:
        names = set(bundle.namelist())
        told = json.loads(bundle.read("manifest.json"))
    assert told == manifest()
    assert {"pyproject.toml", "README.md", "LICENSE", told["server"]["entry_point"]} <= names
    assert "completions/ollamamaster.1" in names
    assert not [name for name in names if "__pycache__" in name]


@of_checkout
def test_the_same_files_make_the_same_bundle(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_bundle(tmp_path / name, CHECKOUT)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
