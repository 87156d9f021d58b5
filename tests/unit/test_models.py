"""Names, sizes and tiers of models."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.models import (
    Model,
    ModelName,
    ModelShape,
    Tier,
    TierLimits,
    parse_parameter_size,
    tier_of,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("phi4", ModelName("phi4", "latest")),
        ("llama3.1:8b", ModelName("llama3.1", "8b")),
        ("me/mine:x", ModelName("me/mine", "x")),
        ("host:5000/me/mine", ModelName("host:5000/me/mine", "latest")),
        ("phi4:", ModelName("phi4", "latest")),
    ],
)
def test_a_model_without_a_tag_means_latest(text: str, name: ModelName) -> None:
    assert ModelName.parse(text) == name


@given(st.text(min_size=1, max_size=30))
def test_a_full_name_is_read_as_itself(text: str) -> None:
    once = ModelName.parse(text)
    assert ModelName.parse(str(once)) == once


@pytest.mark.parametrize(
    ("text", "count"),
    [("8.0B", 8e9), ("3.04M", 3.04e6), ("8x7B", 56e9), ("", None), ("big", None), ("-1B", None)],
)
def test_a_parameter_size_is_a_number_or_unknown(text: str, count: float | None) -> None:
    assert parse_parameter_size(text) == pytest.approx(count)


@pytest.mark.parametrize(
    ("gigabytes", "tier"),
    [
        (2.9, Tier.FAST),
        (3.0, Tier.BALANCED),
        (10.0, Tier.BALANCED),
        (10.1, Tier.POWERFUL),
    ],
)
def test_the_tier_is_by_size_on_disk(gigabytes: float, tier: Tier) -> None:
    assert tier_of(Model(ModelName("m"), size_bytes=round(gigabytes * 1e9))) is tier


def test_the_person_may_draw_the_tiers_elsewhere() -> None:
    model = Model(ModelName("m"), size_bytes=5_000_000_000)
    assert tier_of(model, TierLimits(fast_below_gb=6)) is Tier.FAST


def test_the_tier_of_a_cloud_model_is_by_its_parameters() -> None:
    cloud = Model(
        ModelName("m"), size_bytes=400, parameter_size="120B", remote_host="https://ollama.com"
    )
    assert tier_of(cloud) is Tier.POWERFUL


def test_a_mixture_of_experts_reads_only_its_active_part() -> None:
    shape = ModelShape(expert_count=32, expert_used_count=4)
    assert Model(ModelName("m"), shape=shape).active_fraction == pytest.approx(0.125)


def test_the_cache_of_a_token_is_layers_times_heads_times_both_lengths() -> None:
    shape = ModelShape(layers=32, kv_heads=8, key_length=128)
    assert shape.kv_bytes_per_token() == 32 * 8 * 256 * 2
