"""The models that can be pulled, as they come with the package."""

from __future__ import annotations

import tomllib
from pathlib import Path

from ollamamaster.domain.models import GB, Model, ModelName, ModelShape

_FILE = Path(__file__).parent.parent / "data" / "library.toml"
# A mixture of experts is told by shares of its parameters; so many parts are fine enough.
_PARTS = 1000


def load_library(path: Path = _FILE) -> tuple[Model, ...]:
    """Read a file of models that can be pulled; its comments say what its columns are."""
    rows = dict(tomllib.loads(path.read_text(encoding="utf-8"))["models"])
    columns = rows.pop("columns").split()
    return tuple(
        _model(name, dict(zip(columns, row.split(), strict=True))) for name, row in rows.items()
    )


def _model(name: str, cells: dict[str, str]) -> Model:
    billions, active = float(cells["billions"]), float(cells["active"])
    shape = ModelShape(parameter_count=round(billions * 1e9))
    if active:
        used = max(1, round(_PARTS * active / billions))
        shape = ModelShape(round(billions * 1e9), expert_count=_PARTS, expert_used_count=used)
    return Model(
        ModelName.parse(name),
        size_bytes=round(float(cells["gb"]) * GB),
        parameter_size=f"{billions:g}B",
        quantization=cells["quantization"],
        context_length=int(cells["context"]),
        capabilities=frozenset(cells["capabilities"].split(",")),
        shape=shape,
    )
