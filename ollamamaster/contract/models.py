"""`data` of `models`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ollamamaster.domain.catalogue import FleetModel, Place


def models_data(found: Sequence[FleetModel]) -> dict[str, Any]:
    """`{"models": [MODEL…], "count": n}`; `count` is the number of unique names listed."""
    return {"models": [_model(entry) for entry in found], "count": len(found)}


def _model(entry: FleetModel) -> dict[str, Any]:
    model = entry.model
    return {
        "name": str(model.name),
        "family": model.family,
        "parameter_size": model.parameter_size,
        "quantization": model.quantization,
        "size_bytes": model.size_bytes,
        "tier": str(entry.tier),
        "context_length": model.context_length,
        "capabilities": sorted(model.capabilities) if model.capabilities is not None else None,
        "cloud": model.cloud,
        "instances": [_place(place) for place in entry.places],
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "id": place.instance.id,
        "status": str(place.instance.status),
        "loaded": place.loaded is not None,
        "size_vram": place.loaded.size_vram if place.loaded else None,
    }
