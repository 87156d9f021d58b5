"""The bundle that Claude Desktop installs with a double click: `.mcpb`, a zip with a manifest.

python -m ollamamaster.cli.mcp_bundle dist/ollamamaster.mcpb

Made from a checkout. It holds the package and pyproject.toml; the host's own uv gets what they
need, for the system it is on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[1]
_MANIFEST = _PACKAGE / "data" / "mcpb_manifest.json"
_BESIDE = ("pyproject.toml", "README.md", "LICENSE")
# pyproject.toml puts the completions into the wheel, so building it needs them.
_FOLDERS = (_PACKAGE.name, "completions")
# The same files give the same bundle, byte for byte: zip knows no earlier date.
_DATE = (1980, 1, 1, 0, 0, 0)


def manifest() -> dict[str, Any]:
    """What the host is told, with the tools there are."""
    from ollamamaster.mcp_server.tools import TOOLS

    found: dict[str, Any] = json.loads(_MANIFEST.read_text(encoding="utf-8"))
    tools = [{"name": t.name, "description": t.description.partition(". ")[0]} for t in TOOLS]
    return {**found, "tools": tools}


def write_bundle(target: Path, checkout: Path = _PACKAGE.parent) -> None:
    """Write the bundle. Raises OSError, also where this is no checkout."""
    import zipfile

    files = [checkout / name for name in _BESIDE]
    for folder in _FOLDERS:
        found = sorted((checkout / folder).rglob("*"))
        files += [f for f in found if f.is_file() and "__pycache__" not in f.parts]
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bundle:
        text = json.dumps(manifest(), indent=2, ensure_ascii=False)
        bundle.writestr(zipfile.ZipInfo("manifest.json", _DATE), text)
        for file in files:
            name = file.relative_to(checkout).as_posix()
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            bundle.writestr(entry, file.read_bytes())


if __name__ == "__main__":
    import sys

    write_bundle(Path(sys.argv[1]))
