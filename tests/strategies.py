"""Fleets, models and tasks of every kind, for property tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import strategies as st

from ollamamaster.domain.instances import (
    Gpu,
    GpuSource,
    Instance,
    InstanceAddress,
    InstanceSettings,
    Locality,
    Status,
)
from ollamamaster.domain.models import GB, LoadedModel, Model, ModelName, ModelShape
from ollamamaster.domain.selection import Demand
from ollamamaster.domain.settings import (
    CloudUse,
    ModelSettings,
    Performance,
    PolicySettings,
    RouteSettings,
    Settings,
)
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, Task, analyse

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

_NAMES = (
    "gemma3:1b",
    "llama3.2:3b",
    "llava:7b",
    "qwen2.5-coder:7b",
    "qwen3:8b",
    "phi4:latest",
    "gpt-oss:20b",
    "gpt-oss:120b-cloud",
)
_CAPABILITIES = ("completion", "vision", "thinking", "embedding", "tools")
_REPORT = "Quarterly figures rose. " * 2500
_PROMPTS = (
    "hi",
    "What is the capital of France?",
    "Prove rigorously that there are infinitely many primes",
    "Write a poem about the sea",
    "fix this function: def f(x): return x + 1",
    "Summarise this report and give the key insights",
    "Explain the trade-offs of distributed locks step by step",
    "…",
)


@st.composite
def models(draw: st.DrawFn, name: str) -> Model:
    """A model of this name; anything that an instance may leave out may be unknown."""
    size_gb = draw(st.none() | st.floats(0.1, 80))
    return Model(
        name=ModelName.parse(name),
        digest=draw(st.sampled_from(("", "d1", "d2"))),
        size_bytes=None if size_gb is None else round(size_gb * GB),
        parameter_size=draw(st.sampled_from((None, "1.0B", "8.0B", "8x7B", "70B", "?"))),
        quantization=draw(st.sampled_from((None, "Q4_K_M", "Q2_K", "IQ3_XS", "F16"))),
        context_length=draw(st.sampled_from((None, 2048, 8192, 131_072))),
        capabilities=draw(st.none() | st.frozensets(st.sampled_from(_CAPABILITIES))),
        remote_host="https://ollama.com:443" if "cloud" in name else None,
        shape=draw(st.sampled_from((None, ModelShape(expert_count=32, expert_used_count=4)))),
    )


@st.composite
def _loaded(draw: st.DrawFn, model: Model) -> LoadedModel:
    size = draw(st.none() | st.just(model.size_bytes))
    share = draw(st.floats(0, 1))
    return LoadedModel(
        model.name,
        size=size,
        size_vram=None if size is None else round(size * share),
        context_length=draw(st.sampled_from((None, 2048, 4096, 131_072))),
    )


@st.composite
def instances(draw: st.DrawFn, port: int = 11434) -> Instance:
    """An instance with some models, some of them in memory."""
    names = draw(st.lists(st.sampled_from(_NAMES), unique=True, max_size=4))
    has = tuple(draw(models(name)) for name in names)
    loaded = tuple(draw(_loaded(m)) for m in has if draw(st.booleans()))
    vram_gb = draw(st.sampled_from((None, 0.0, 8.0, 12.0, 24.0, 80.0)))
    gpu = Gpu(
        count=1,
        source=draw(st.sampled_from(GpuSource)),
        vram_total=None if vram_gb is None else round(vram_gb * GB),
        vram_used=draw(st.sampled_from((None, 0, GB))),
    )
    return Instance(
        InstanceAddress("127.0.0.1", port),
        locality=draw(st.sampled_from(Locality)),
        status=draw(st.sampled_from((Status.UP, Status.UP, Status.DEGRADED, Status.DOWN))),
        latency_ms=draw(st.none() | st.floats(0.01, 500)),
        gpu=gpu,
        models=has,
        loaded=loaded,
        ram_total=draw(st.sampled_from((None, 8 * GB, 64 * GB))),
        settings=InstanceSettings(bandwidth_gb_s=draw(st.sampled_from((None, 60.0, 1008.0)))),
        last_seen=NOON,
    )


@st.composite
def fleets(draw: st.DrawFn, *, least: int = 0) -> Fleet:
    """Up to three instances."""
    count = draw(st.integers(least, 3))
    return Fleet(tuple(draw(instances(port=11434 + n)) for n in range(count)), NOON)


def questions() -> st.SearchStrategy[Question]:
    """Prompts short and long, with and without attachments and wishes."""
    documents = st.lists(
        st.integers(1, 60_000).map(lambda size: _REPORT[:size]),
        max_size=2,
    )
    return st.builds(
        Question,
        prompt=st.sampled_from(_PROMPTS) | st.text(max_size=300),
        system=st.sampled_from(("", "Be brief.")),
        documents=documents.map(tuple),
        images=st.sampled_from((0, 0, 0, 1, 3)),
        think=st.sampled_from((None, None, True, False)),
        options=st.sampled_from(({}, {"num_predict": 10}, {"num_predict": -1}, {"seed": "x"})),
    )


def tasks() -> st.SearchStrategy[Task]:
    """Questions as they are understood."""
    return questions().map(analyse)


def demands(*, limited: bool | None = None) -> st.SearchStrategy[Demand]:
    """Performance levels, with a time limit, without one, or (None) either."""
    limits = st.floats(0.01, 600)
    limit: st.SearchStrategy[float | None] = limits
    if limited is None:
        limit = st.none() | limits
    elif not limited:
        limit = st.none()
    return st.builds(Demand, st.sampled_from(Performance), limit)


def all_settings() -> st.SearchStrategy[Settings]:
    """What a person may have configured that matters for a decision."""
    said = st.builds(
        ModelSettings,
        capabilities=st.none() | st.frozensets(st.sampled_from(_CAPABILITIES)),
        ability=st.sampled_from(({}, {"qa": 90.0}, {"chat": 0.0, "code": 100.0})),
        preferred_tasks=st.sampled_from(((), ("code", "qa"))),
        context=st.sampled_from((None, 4096)),
        allow=st.sampled_from((True, True, False)),
    )
    policy = st.builds(
        PolicySettings,
        allow=st.sampled_from(((), (), ("model:*:7b", "instance:127.0.0.1:11434"))),
        deny=st.sampled_from(((), (), ("model:qwen*",), ("label:site=*",))),
        weights=st.sampled_from(({}, {"locality": 0.0}, {"locality": 0.3})),
    )
    return st.builds(
        Settings,
        models=st.dictionaries(st.sampled_from(_NAMES), said, max_size=3),
        route=st.builds(RouteSettings, cloud=st.sampled_from(CloudUse)),
        policy=policy,
    )


def faster_twin(instance: Instance, port: int) -> Instance:
    """The same machine again, idle and nearer, with everything that made it slow taken away."""
    resident = tuple(
        LoadedModel(m.name, size=m.size_bytes, size_vram=m.size_bytes, context_length=1 << 20)
        for m in instance.models
    )
    return replace(
        instance,
        address=InstanceAddress("127.0.0.1", port),
        status=Status.UP,
        latency_ms=0.001,
        loaded=resident,
        settings=replace(instance.settings, bandwidth_gb_s=5000.0),
    )
