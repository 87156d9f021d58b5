"""The model a sensible person would expect is the one that is chosen, on three kinds of fleet.

The table is tests/golden/choices.toml, written by hand before anything was run.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ollamamaster
from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.instances import (
    Gpu,
    GpuSource,
    Instance,
    InstanceAddress,
    InstanceSettings,
    Locality,
    Status,
)
from ollamamaster.domain.knowledge import Knowledge
from ollamamaster.domain.models import GB, Model, ModelName, ModelShape
from ollamamaster.domain.selection import Demand, decide
from ollamamaster.domain.settings import Performance, Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, Task, analyse
from ollamamaster.storage.abilities import load_abilities

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ollamamaster.domain.selection import Candidate

TABLE = tomllib.loads(Path(__file__).parents[1].joinpath("golden/choices.toml").read_text("utf-8"))
LAB = tomllib.loads(
    Path(ollamamaster.__file__).parent.joinpath("simulator/fleets/lab.toml").read_text("utf-8")
)
KNOWN = Knowledge(load_abilities())
# A page of 500 tokens, at four characters each.
PAGE = "The committee met on Tuesday and agreed to look into it. "
PAGE = (PAGE * 40)[:2000]
LATENCY_MS = {Locality.LOCAL: 0.5, Locality.LAN: 2.0, Locality.REMOTE: 30.0}


@dataclass(frozen=True)
class Case:
    """A prompt, what is attached to it, and what is accepted on a fleet."""

    fleet: str
    prompt: str
    accepted: tuple[str, ...]
    level: Performance = Performance.BALANCED
    pages: int = 0
    images: int = 0
    max_time_s: float | None = None

    @property
    def task(self) -> Task:
        attached = (PAGE * self.pages,) if self.pages else ()
        return analyse(Question(self.prompt, documents=attached, images=self.images))

    def __str__(self) -> str:
        level = "" if self.level is Performance.BALANCED else f"{self.level}-"
        return f"{self.fleet}-{level}{self.prompt[:40]}"


def cases() -> list[Case]:
    return [
        Case(
            fleet,
            prompt,
            tuple(entry[fleet]),
            Performance(entry.get("level", "balanced")),
            entry.get("pages", 0),
            entry.get("images", 0),
            entry.get("max_time"),
        )
        for entry in TABLE["tasks"]
        for prompt in entry["prompts"]
        for fleet in ("laptop", "server", "lab")
    ]


@cache
def models() -> Mapping[str, Model]:
    return {str(m.name): m for m in map(model, LAB["models"])}


def model(facts: Mapping[str, Any]) -> Model:
    return Model(
        ModelName.parse(facts["name"]),
        size_bytes=round(facts["size_gb"] * GB),
        family=facts["family"],
        parameter_size=f"{facts['parameters_b']}B",
        quantization=facts["quantization"],
        context_length=facts["context"],
        capabilities=frozenset(facts["capabilities"]),
        shape=ModelShape(
            layers=facts["layers"],
            kv_heads=facts["kv_heads"],
            key_length=facts["head_length"],
            expert_count=facts.get("experts"),
            expert_used_count=facts.get("experts_used"),
        ),
    )


@cache
def fleet(name: str) -> Fleet:
    if name == "lab":
        machines = {m["name"]: (m, m["models"]) for m in LAB["instances"]}
    else:
        machines = {n: (TABLE["machines"][n], has) for n, has in TABLE["fleets"][name].items()}
    return Fleet(
        tuple(
            machine(name, facts, has, port)
            for port, (name, (facts, has)) in enumerate(machines.items(), 11434)
        )
    )


def machine(name: str, facts: Mapping[str, Any], has: Iterable[str], port: int) -> Instance:
    locality = Locality(facts["locality"])
    return Instance(
        InstanceAddress("127.0.0.1", port),
        locality=locality,
        status=Status.UP,
        latency_ms=LATENCY_MS[locality],
        gpu=Gpu(1, GpuSource.CONFIG, round(facts["vram_gb"] * GB)),
        models=tuple(models()[str(ModelName.parse(m))] for m in has),
        settings=InstanceSettings(label=name, bandwidth_gb_s=facts["bandwidth_gb_s"]),
    )


def accepts(choice: str, candidate: Candidate) -> bool:
    wanted, _, place = choice.partition("@")
    named = TABLE["groups"].get(wanted, [wanted])
    return (not wanted or candidate.model in named) and (
        not place or candidate.pair.instance.name == place
    )


@pytest.mark.parametrize("case", cases(), ids=str)
def test_the_choice_is_one_that_a_sensible_person_accepts(case: Case) -> None:
    demand = Demand(case.level, case.max_time_s)
    decision = decide(case.task, fleet(case.fleet), Settings(), Wish(), demand, (), KNOWN)
    chosen = decision.chosen
    assert chosen is not None
    assert any(accepts(choice, chosen) for choice in case.accepted), (
        f"{chosen.model}@{chosen.pair.instance.name}"
    )


def test_every_accepted_choice_names_something_of_its_fleet() -> None:
    for case in cases():
        everywhere = fleet(case.fleet)
        names = {str(m.name) for i in everywhere for m in i.models}
        for choice in case.accepted:
            wanted, _, place = choice.partition("@")
            assert not place or place in {i.name for i in everywhere}, choice
            assert not wanted or names & set(TABLE["groups"].get(wanted, [wanted])), choice


def test_the_table_has_at_least_sixty_prompts_on_three_fleets() -> None:
    assert len({(c.prompt, c.level) for c in cases()}) >= 60
