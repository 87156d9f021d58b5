"""The longest context that memory has room for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ollamamaster.domain.instances import Gpu, Instance, InstanceAddress
from ollamamaster.domain.memory_fit import context_room, longest_context
from ollamamaster.domain.models import GB, Model, ModelName, ModelShape
from ollamamaster.domain.pair import Pair

# 131,072 bytes a token.
MODEL = Model(
    ModelName("m"),
    size_bytes=5 * GB,
    shape=ModelShape(layers=32, kv_heads=8, key_length=128),
)
HERE = Instance(InstanceAddress("127.0.0.1"), gpu=Gpu(vram_total=8 * GB), ram_total=16 * GB)


def room(needed: int, slots: int = 1, **changes: object) -> int | None:
    return context_room(Pair(MODEL, replace(HERE, **changes)), needed, slots)  # type: ignore[arg-type]


@pytest.mark.parametrize(("slots", "tokens"), [(1, 22_888), (2, 11_444)])
def test_the_cache_of_each_slot_must_fit_beside_the_weights(slots: int, tokens: int) -> None:
    assert longest_context(MODEL, 8 * GB, slots) == tokens


def test_without_the_shape_nothing_is_known() -> None:
    assert longest_context(replace(MODEL, shape=None), 8 * GB) is None


def test_what_fits_on_the_card_stays_on_the_card() -> None:
    # 8 GB less 5 GB and a tenth of it for the runner
    assert room(10_000) == 19_073


def test_what_does_not_may_use_main_memory_too() -> None:
    assert room(50_000) == (24 - 5.5) * GB // 131_072


@pytest.mark.parametrize("needed", [200_000, 10_000_000])
def test_what_fits_nowhere_has_no_room(needed: int) -> None:
    assert room(needed) is None


def test_where_main_memory_is_unknown_only_the_card_counts() -> None:
    assert room(50_000, ram_total=None) is None
    assert room(10_000, ram_total=None) == 19_073
