"""Each reason for which a pair cannot do a task."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ollamamaster.domain.candidates import Reason, Wish, sift
from ollamamaster.domain.instances import Gpu, Instance, InstanceAddress, Locality, Status
from ollamamaster.domain.models import GB, Model, ModelName, ModelShape
from ollamamaster.domain.settings import (
    CloudUse,
    ModelSettings,
    PolicySettings,
    RouteSettings,
    Settings,
)
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, analyse

PLAIN = Model(
    ModelName("llama3.1", "8b"),
    size_bytes=5 * GB,
    context_length=8192,
    capabilities=frozenset({"completion"}),
)
UP = Instance(
    InstanceAddress("127.0.0.1"), locality=Locality.LOCAL, status=Status.UP, models=(PLAIN,)
)
HELLO = Question("hello")


def reasons(
    instance: Instance = UP,
    model: Model | None = None,
    *,
    question: Question = HELLO,
    settings: Settings | None = None,
    wish: Wish | None = None,
    skipped: frozenset[str] = frozenset(),
) -> list[Reason]:
    fleet = Fleet((instance if model is None else replace(instance, models=(model,)),))
    sifted = sift(analyse(question), fleet, settings or Settings(), wish or Wish(), skipped)
    assert len(sifted.fit) + len(sifted.rejected) > 0
    return [r.reason for r in sifted.rejected]


def test_what_can_is_not_rejected() -> None:
    assert reasons() == []


def test_an_instance_that_is_down_is_instance_down() -> None:
    assert reasons(replace(UP, status=Status.DOWN)) == [Reason.INSTANCE_DOWN]


def test_an_instance_that_failed_lately_is_instance_down() -> None:
    assert reasons(skipped=frozenset({UP.id})) == [Reason.INSTANCE_DOWN]


def test_a_degraded_instance_is_used() -> None:
    assert reasons(replace(UP, status=Status.DEGRADED)) == []


def test_whether_it_is_up_is_asked_last() -> None:
    blind = Question("what is this?", images=1)
    down = replace(UP, status=Status.DOWN)
    assert reasons(down, question=blind) == [Reason.CAPABILITY_MISSING]


def test_an_instance_without_the_model_is_model_missing() -> None:
    asked = Wish("phi4:latest")
    assert reasons(wish=asked) == [Reason.NOT_REQUESTED, Reason.MODEL_MISSING]


def test_another_instance_than_the_one_asked_for_is_not_requested() -> None:
    assert reasons(wish=Wish(instance="127.0.0.1:1")) == [Reason.NOT_REQUESTED]


@pytest.mark.parametrize(
    ("capabilities", "question"),
    [
        ({"completion"}, Question("?", images=1)),
        (None, Question("?", images=1)),
        ({"completion"}, Question("?", think=True)),
        (None, Question("?", think=True)),
        ({"embedding"}, Question("?")),
        (set(), Question("?")),
    ],
)
def test_what_it_cannot_or_is_not_known_to_do_is_capability_missing(
    capabilities: set[str] | None, question: Question
) -> None:
    known = None if capabilities is None else frozenset(capabilities)
    assert reasons(model=replace(PLAIN, capabilities=known), question=question) == [
        Reason.CAPABILITY_MISSING
    ]


def test_a_model_of_an_old_server_that_says_nothing_can_write() -> None:
    assert reasons(model=replace(PLAIN, capabilities=None)) == []


def test_the_config_says_what_a_model_can() -> None:
    sees = Settings(models={"llama3.1:8b": ModelSettings(capabilities=frozenset({"vision"}))})
    assert reasons(settings=sees) == [Reason.CAPABILITY_MISSING]


def test_a_prompt_longer_than_the_model_takes_is_context_too_small() -> None:
    assert reasons(question=Question("word " * 10_000)) == [Reason.CONTEXT_TOO_SMALL]


def test_an_unknown_context_is_tried() -> None:
    unknown = replace(PLAIN, context_length=None)
    assert reasons(model=unknown, question=Question("word " * 10_000)) == []


def test_a_model_larger_than_all_memory_is_too_large() -> None:
    small = replace(UP, ram_total=2 * GB, gpu=Gpu(vram_total=2 * GB))
    assert reasons(small) == [Reason.TOO_LARGE]


def test_the_cache_of_a_long_prompt_counts_as_memory() -> None:
    # 5 GB of model, and 131,072 bytes of cache for each of some 48,000 tokens: 6.3 GB more.
    shape = ModelShape(layers=32, kv_heads=8, key_length=128)
    model = replace(PLAIN, shape=shape, context_length=131_072)
    tight = replace(UP, ram_total=4 * GB, gpu=Gpu(vram_total=4 * GB))
    assert reasons(tight, model=model) == []
    long = Question("word " * 32_000)
    assert reasons(tight, model=model, question=long) == [Reason.TOO_LARGE]


def test_what_context_would_fit_in_memory_is_told() -> None:
    shape = ModelShape(layers=32, kv_heads=8, key_length=128)
    model = replace(PLAIN, shape=shape, context_length=131_072)
    tight = replace(UP, ram_total=4 * GB, gpu=Gpu(vram_total=4 * GB), models=(model,))
    long = analyse(Question("word " * 32_000))
    [rejection] = sift(long, Fleet((tight,)), Settings(), Wish()).rejected
    # 8 GB less 5 GB of model, at 131,072 bytes a token
    assert rejection.detail.endswith("in 8 GB of memory; 22888 tokens would")


def test_unknown_memory_is_tried() -> None:
    assert reasons(replace(UP, ram_total=2 * GB)) == []


@pytest.mark.parametrize(
    "settings",
    [
        Settings(models={"llama3.1:8b": ModelSettings(allow=False)}),
        Settings(policy=PolicySettings(deny=("model:llama*",))),
        Settings(policy=PolicySettings(allow=("model:qwen*",))),
    ],
)
def test_what_the_person_forbids_is_policy_denied(settings: Settings) -> None:
    assert reasons(settings=settings) == [Reason.POLICY_DENIED]
    assert reasons(settings=settings, wish=Wish("llama3.1:8b")) == [Reason.POLICY_DENIED]


def test_local_only_excludes_a_remote_instance() -> None:
    assert reasons(replace(UP, locality=Locality.REMOTE), wish=Wish(local_only=True)) == [
        Reason.LOCALITY_EXCLUDED
    ]
    assert reasons(replace(UP, locality=Locality.LAN), wish=Wish(local_only=True)) == []


CLOUD = replace(PLAIN, remote_host="https://ollama.com:443", size_bytes=None)


@pytest.mark.parametrize(
    ("use", "named", "local_only", "excluded"),
    [
        (CloudUse.BY_NAME, False, False, True),
        (CloudUse.BY_NAME, True, False, False),
        (CloudUse.BY_NAME, True, True, True),
        (CloudUse.ALLOW, False, False, False),
        (CloudUse.ALLOW, False, True, True),
        (CloudUse.NEVER, True, False, True),
    ],
)
def test_a_cloud_model_is_used_as_the_person_allows(
    use: CloudUse, named: bool, local_only: bool, excluded: bool
) -> None:
    settings = Settings(route=RouteSettings(cloud=use))
    wish = Wish("llama3.1:8b" if named else None, local_only=local_only)
    expected = [Reason.CLOUD_EXCLUDED] if excluded else []
    assert reasons(model=CLOUD, settings=settings, wish=wish) == expected
