"""An assessment is true of the fleet: each claim on a fleet made for it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import fleets
from taught import attempt, profiles, usage

from ollamamaster.domain.assessment import Assessment, AssessRequest, answer, understood
from ollamamaster.domain.batch import Worker, batch
from ollamamaster.domain.findings import Verdict
from ollamamaster.domain.instances import (
    Gpu,
    GpuSource,
    Instance,
    InstanceAddress,
    InstanceSettings,
    Locality,
    Status,
)
from ollamamaster.domain.memory_fit import Place, memory_fit
from ollamamaster.domain.models import GB, LoadedModel, Model, ModelName, ModelShape
from ollamamaster.domain.pair import Pair
from ollamamaster.domain.settings import ModelSettings, RouteSettings, Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.tickets import Option, ProcessId, Ticket
from ollamamaster.domain.weighing import Run, World
from ollamamaster.storage.abilities import load_abilities
from ollamamaster.storage.library import load_library

if TYPE_CHECKING:
    from ollamamaster.domain.attempt_record import AttemptRecord
    from ollamamaster.domain.selection import Candidate

ABILITIES = load_abilities()
LIBRARY = load_library()
TEXT = frozenset({"completion"})

# Shapes as the makers publish them.
SMALL = Model(
    ModelName.parse("llama3.2:3b"),
    size_bytes=round(2.02 * GB),
    parameter_size="3.2B",
    quantization="Q4_K_M",
    context_length=131_072,
    capabilities=TEXT | {"tools"},
    shape=ModelShape(3_213_000_000, 28, 8, 128, 128),
)
MIDDLE = Model(
    ModelName.parse("llama3.1:8b"),
    size_bytes=round(4.92 * GB),
    parameter_size="8.0B",
    quantization="Q4_K_M",
    context_length=131_072,
    capabilities=TEXT | {"tools"},
    shape=ModelShape(8_030_000_000, 32, 8, 128, 128),
)
SHORT = replace(SMALL, name=ModelName.parse("tinyllama:1.1b"), context_length=2048)
SEES = replace(MIDDLE, name=ModelName.parse("llava:7b"), capabilities=TEXT | {"vision"})
CLOUD = replace(
    MIDDLE, name=ModelName.parse("gpt-oss:120b-cloud"), remote_host="https://ollama.com:443"
)


def machine(
    name: str,
    *models: Model,
    vram: float = 0.0,
    ram: float = 16.0,
    at: Locality = Locality.LAN,
    gb_s: float | None = None,
) -> Instance:
    """A machine that is up; its bandwidth is configured where it is given."""
    return Instance(
        InstanceAddress(name),
        locality=at,
        status=Status.UP,
        latency_ms=1.0,
        gpu=Gpu(1 if vram else 0, GpuSource.CONFIG, round(vram * GB)),
        settings=InstanceSettings(label=name, bandwidth_gb_s=gb_s),
        models=models,
        ram_total=round(ram * GB),
    )


LAPTOP = machine("laptop", SMALL, at=Locality.LOCAL, gb_s=60)
GAMING = machine("gaming-pc", SMALL, MIDDLE, vram=24, gb_s=1000)


def kept(instance: Instance, model: Model, context: int = 8192) -> Instance:
    """The instance with this model in memory."""
    in_memory = LoadedModel(model.name, size=model.size_bytes, context_length=context)
    return replace(instance, loaded=(*instance.loaded, in_memory))


def world_of(*instances: Instance, config: Settings | None = None) -> World:
    return World(Fleet(instances), config or Settings(), ABILITIES)


def assess(
    text: str, *instances: Instance, world: World | None = None, **stated: object
) -> Assessment:
    request = AssessRequest(text, tuple(stated.items()))
    wanted, work = understood(request)
    return answer(wanted, world or world_of(*instances), LIBRARY, request, work)


def verdict(found: Assessment, key: str) -> Verdict:
    (finding,) = (f for f in found.findings if f.key == key)
    return finding.verdict


def named(candidate: Candidate | None) -> tuple[str, str] | None:
    return None if candidate is None else (candidate.model, candidate.pair.instance.name)


def codes(found: Assessment) -> list[str]:
    return [missing.code for missing in found.missing]


# ---- the questions people ask


@pytest.mark.parametrize(
    "question",
    ["Can I handle this task?", "What's the best model for this?", "Should this run locally?"],
)
def test_a_question_without_a_task_is_answered_for_a_short_one_and_says_so(question: str) -> None:
    found = assess(question, LAPTOP, GAMING)
    assert found.can_handle
    assert any("no task was named" in line for line in found.understood)


def test_where_it_should_run_is_compared_with_figures() -> None:
    found = assess("Analyze this 50-page document", LAPTOP, GAMING)
    assert found.run is Run.LAN
    assert found.comparison is not None
    assert "laptop" not in found.comparison
    assert "gaming-pc (in your network)" in found.comparison


def test_on_one_machine_there_is_nothing_to_compare() -> None:
    assert assess("hello", LAPTOP).comparison is None


def test_a_conversation_is_judged_with_the_model_in_memory() -> None:
    found = assess("real-time conversation with 100 ms latency", GAMING)
    assert found.can_handle
    assert verdict(found, "latency") is Verdict.MET
    assert found.command is not None
    assert "--keep-alive" in found.command


def test_beside_one_that_fits_only_what_fits_is_named() -> None:
    task = "Prove that there are infinitely many primes"
    found = assess(task, GAMING)
    assert found.recommended is not None
    (other,) = found.alternatives
    between = 50 * (found.recommended.terms["quality"] + other.terms["quality"])
    strict = assess(task, GAMING, quality=f"{between:.1f}")
    assert strict.can_handle
    assert strict.alternatives == ()


def test_a_stated_speed_is_not_said_to_be_that_of_speech() -> None:
    found = assess("real-time conversation", GAMING, tokens_per_s=20)
    (speed,) = (each for each in found.findings if each.key == "tokens_per_s")
    assert speed.asks == "20 tokens a second"
    assert "a person speaks" not in speed.figure


def test_a_conversation_that_no_machine_can_hold_names_a_machine_that_could() -> None:
    slow = machine("old", MIDDLE, at=Locality.LOCAL, gb_s=5)
    found = assess("real-time conversation with 80 ms latency", slow)
    assert not found.can_handle
    assert verdict(found, "latency") is Verdict.NOT_MET
    assert codes(found) == ["hardware"]


def test_fifty_pages_are_counted_into_the_context_and_the_memory() -> None:
    found = assess("Analyze this 50-page document", GAMING)
    assert found.task.prompt_tokens > 25_000
    assert verdict(found, "context") is Verdict.MET
    assert verdict(found, "memory") is Verdict.MET


def test_a_deadline_that_is_met_is_written_into_the_command() -> None:
    found = assess("Fix this bug within 60 seconds", kept(GAMING, MIDDLE))
    assert found.can_handle
    assert found.command is not None
    assert "--max-time 60" in found.command


def test_a_deadline_that_is_not_met_is_a_no() -> None:
    found = assess("Write a 5000-word essay within 5 seconds", LAPTOP)
    assert not found.can_handle
    assert verdict(found, "max_time") is Verdict.NOT_MET
    assert found.run is None
    assert found.missing


# ---- what holds and what does not


def test_no_model_that_sees_is_a_no_and_one_to_pull_is_named() -> None:
    found = assess("Describe this photo", GAMING)
    assert not found.can_handle
    assert found.recommended is None
    assert codes(found) == ["model_missing"]
    name = found.missing[0].fix.split()[2]
    model = next(m for m in LIBRARY if str(m.name) == name)
    assert "vision" in (model.capabilities or ())
    assert (model.size_bytes or 0) < 24 * GB


def test_a_model_that_sees_is_found() -> None:
    found = assess("Describe this photo", LAPTOP, replace(GAMING, models=(SEES,)))
    assert named(found.recommended) == ("llava:7b", "gaming-pc")


def test_a_text_longer_than_every_context_is_to_be_split() -> None:
    found = assess("Summarise this 300-page book", machine("a", MIDDLE, SMALL, ram=8))
    assert not found.can_handle
    assert "context" in {f.key for f in found.findings}
    (fix,) = [m.fix for m in found.missing if m.code == "context_too_small"]
    assert fix.startswith("read it in about 2 parts: ollamamaster route ")
    assert fix.endswith(" --long split")


def test_what_must_stay_here_stays_here() -> None:
    found = assess("Summarise this, it must not leave this machine", LAPTOP, GAMING)
    assert named(found.recommended) == ("llama3.2:3b", "laptop")
    assert found.command is not None
    assert found.command.endswith("--local-only --instance laptop")


def test_what_must_stay_in_the_network_never_goes_to_a_remote_machine() -> None:
    far = replace(GAMING, address=InstanceAddress("far"), locality=Locality.REMOTE)
    found = assess("Summarise this confidential report", LAPTOP, far)
    assert found.run is Run.LOCAL


def test_who_configured_that_nothing_leaves_the_network_need_not_say_it_again() -> None:
    far = replace(GAMING, address=InstanceAddress("far"), locality=Locality.REMOTE)
    config = Settings(route=RouteSettings(local_only=True))
    found = assess("Summarise this report", world=world_of(LAPTOP, far, config=config))
    assert found.run is Run.LOCAL


def test_a_cloud_model_is_only_a_remedy_and_only_where_the_prompt_may_leave() -> None:
    slow = machine("slow", SMALL, CLOUD, at=Locality.LOCAL, gb_s=10)
    found = assess("Summarise this 20-page report", slow, tokens_per_s="40")
    assert not found.can_handle
    assert "cloud_excluded" in codes(found)
    private = assess("Summarise this 20-page report", slow, tokens_per_s="40", privacy="lan")
    assert "cloud_excluded" not in codes(private)


def test_a_machine_that_is_down_is_to_be_started() -> None:
    down = replace(GAMING, status=Status.DOWN)
    found = assess("hello", down)
    assert not found.can_handle
    assert found.missing[0].code == "instance_down"
    assert found.missing[0].fix == "start it on gaming-pc: ollama serve"


def test_a_model_that_must_be_loaded_first_is_to_be_kept_in_memory() -> None:
    # loading five gigabytes takes seconds
    found = assess("hello", machine("pc", MIDDLE, vram=24, gb_s=1000), latency="500ms")
    assert not found.can_handle
    fix = next(m.fix for m in found.missing if m.code == "not_in_memory")
    assert fix == "ollamamaster route hi -m llama3.1:8b --instance pc --keep-alive 1h"


def test_a_model_in_memory_answers_in_time() -> None:
    ready = kept(machine("pc", MIDDLE, vram=24, gb_s=1000), MIDDLE)
    assert assess("hello", ready, latency="500ms").can_handle


def test_who_is_busy_is_to_be_waited_for() -> None:
    ready = kept(machine("pc", MIDDLE, vram=24, gb_s=1000), MIDDLE)
    running = Option("llama3.1:8b", "pc:11434", 0.0, 60.0, 0.0, bytes=5 * GB, context=4096)
    ticket = Ticket("t", 0.0, (running,), ProcessId(1, 1.0), on=running, started_at=0.0)
    busy = replace(world_of(ready), tickets=(ticket,))
    found = assess("hello", world=busy, latency="500ms")
    assert not found.can_handle
    assert found.missing[0].code == "busy"


def test_a_quality_that_no_known_model_reaches_is_a_no_without_a_purchase() -> None:
    found = assess("Prove that there are infinitely many primes", GAMING, quality="99")
    assert not found.can_handle
    assert codes(found) == ["impossible"]


def test_the_persons_own_ability_goes_before_what_is_published() -> None:
    own = {"llama3.1:8b": ModelSettings(ability={"chat": 99})}
    found = assess("hello", GAMING, world=world_of(GAMING, config=Settings(models=own)))
    source = next(f.source for f in found.findings if f.key == "quality")
    assert source == "from your config"


def test_a_language_that_the_makers_do_not_name_is_unknown() -> None:
    assert verdict(assess("Answer in Korean", GAMING), "language") is Verdict.UNKNOWN
    assert verdict(assess("Answer in German", GAMING), "language") is Verdict.MET


def test_a_prompt_that_was_never_measured_takes_some_time_to_begin() -> None:
    instant = kept(machine("pc", SMALL, vram=96, gb_s=100_000), SMALL)
    assert not assess("hi", instant, latency="10ms").can_handle
    assert assess("hi", instant, latency="100ms").can_handle


def test_a_machine_to_buy_is_named_with_a_model_that_is_no_worse() -> None:
    weak = machine("weak", MIDDLE, at=Locality.LOCAL, gb_s=10)
    before = assess("Fix this bug", weak, tokens_per_s="60")
    assert codes(before) == ["hardware"]
    assert before.recommended is not None
    least = min(50, 100 * before.recommended.terms["quality"])
    name = next(w for w in before.missing[0].fix.split() if ":" in w)
    able = assess("Fix this bug", machine("b", next(m for m in LIBRARY if str(m.name) == name)))
    assert (next(f.value for f in able.findings if f.key == "quality") or 0) >= least


# ---- a length that was said


def test_an_answer_of_so_many_words_takes_so_long() -> None:
    short = assess("Write a 100-word essay about cats", GAMING)
    long = assess("Write a 4000-word essay about cats", GAMING)
    assert short.estimate is not None
    assert long.estimate is not None
    assert long.estimate.p50 > 5 * short.estimate.p50


def test_a_translation_is_as_long_as_its_text() -> None:
    found = assess("Translate this 30-page report", GAMING)
    assert found.task.output_tokens.p50 == 15_000


# ---- several


def test_a_batch_goes_over_all_machines_and_takes_as_long_as_their_rates_say() -> None:
    one = assess("Summarise these 200 documents", kept(GAMING, MIDDLE))
    twin = replace(kept(GAMING, MIDDLE), address=InstanceAddress("b"))
    two = assess("Summarise these 200 documents", kept(GAMING, MIDDLE), twin)
    assert one.estimate is not None
    assert two.estimate is not None
    assert two.estimate.p50 == pytest.approx(one.estimate.p50 / 2, rel=0.05)
    assert "two machines" in two.approach


def test_the_command_of_a_batch_runs_as_many_at_once_as_there_is_room_for() -> None:
    twin = replace(kept(GAMING, MIDDLE), address=InstanceAddress("b"))
    found = assess("Summarise these 200 documents", kept(GAMING, MIDDLE), twin)
    assert found.command is not None
    assert "xargs -0 -P2" in found.command
    assert "'Summarise this document'" in found.command


def worker(each_s: float, first_s: float = 0.0) -> Worker:
    made = assess("hello", GAMING).recommended
    assert made is not None
    return Worker(made, first_s, each_s, sigma=0.2, spread=0.5)


@given(
    st.lists(st.tuples(st.floats(0.1, 60), st.floats(0, 30)), min_size=1, max_size=5),
    st.integers(1, 400),
)
def test_a_batch_takes_as_long_as_giving_each_task_to_who_is_done_first(
    machines: list[tuple[float, float]], tasks: int
) -> None:
    done = [first for _, first in machines]
    for _ in range(tasks):
        number = min(range(len(done)), key=lambda i: done[i] + machines[i][0])
        done[number] += machines[number][0]
    ends = [end for end, (_, first) in zip(done, machines, strict=True) if end > first]
    together = batch([worker(each, first) for each, first in machines], tasks)
    assert together.seconds.p50 == pytest.approx(max(ends), rel=1e-6)
    assert sum(together.shares) == tasks


# ---- memory


def test_the_cache_is_counted_from_the_shape() -> None:
    fit = memory_fit(Pair(MIDDLE, GAMING), 8192)
    # 32 layers x 8 heads x (128 + 128) x 2 bytes
    assert fit.cache == 131_072 * 8192
    assert (fit.place, fit.counted) == (Place.GRAPHICS, True)


def test_each_slot_has_a_cache_of_its_own() -> None:
    one, four = (memory_fit(Pair(MIDDLE, GAMING), 8192, slots) for slots in (1, 4))
    assert four.cache == 4 * (one.cache or 0)


@pytest.mark.parametrize(
    ("vram", "ram", "place"),
    [
        (24, 16, Place.GRAPHICS),
        (4, 16, Place.SPILLS),
        (0, 16, Place.MAIN),
        (2, 2, Place.TOO_LARGE),
    ],
)
def test_a_model_lies_where_there_is_room(vram: float, ram: float, place: Place) -> None:
    assert memory_fit(Pair(MIDDLE, machine("a", MIDDLE, vram=vram, ram=ram)), 4096).place is place


def test_of_a_machine_that_tells_nothing_large_models_are_less_likely_to_fit() -> None:
    silent = replace(GAMING, gpu=Gpu(), ram_total=None)
    large = replace(MIDDLE, size_bytes=40 * GB)
    small, big = (memory_fit(Pair(m, silent), 4096) for m in (SMALL, large))
    assert (small.place, big.place) == (Place.UNKNOWN, Place.UNKNOWN)
    assert big.chance < 0.5 < small.chance


def test_a_model_whose_shape_nobody_told_has_a_cache_by_its_size() -> None:
    fit = memory_fit(Pair(replace(MIDDLE, shape=None), GAMING), 4096)
    assert not fit.counted
    assert fit.cache == pytest.approx(131_072 * 4096, rel=0.01)


# ---- confidence


def test_what_is_wider_known_is_less_sure() -> None:
    narrow, wide = (
        assess(
            "Fix this bug within 60 seconds", kept(machine("a", MIDDLE, vram=24, gb_s=s), MIDDLE)
        )
        for s in (1000, None)
    )
    assert wide.confidence < narrow.confidence


def test_a_prior_alone_says_unknown_where_it_could_be_either() -> None:
    # eight billion parameters on a card of 12 GB: about 40 tokens a second, by its size alone
    guess = machine("a", MIDDLE, vram=12)
    assert verdict(assess("hi", guess, tokens_per_s="45"), "tokens_per_s") is Verdict.UNKNOWN
    assert verdict(assess("hi", guess, tokens_per_s="900"), "tokens_per_s") is Verdict.NOT_MET
    assert verdict(assess("hi", guess, tokens_per_s="5"), "tokens_per_s") is Verdict.MET


def answered(instance: Instance) -> list[AttemptRecord]:
    """Answers that tell how fast it writes; of the few tokens read nothing was learnt."""
    return [attempt(usage(prompt=1), instance=instance.id) for _ in range(4)]


def test_what_takes_hardly_any_time_makes_a_measured_figure_no_guess() -> None:
    here = kept(machine("a", MIDDLE, vram=24), MIDDLE)
    world = replace(world_of(here), profiles=profiles(answered(here)))
    found = assess("hello", world=world, max_time="1h")
    (source,) = (f.source for f in found.findings if f.key == "max_time")
    assert source == "measured, 4 requests"


def test_a_batch_is_as_sure_as_who_does_the_most_of_it() -> None:
    here = kept(machine("a", MIDDLE, vram=24), MIDDLE)

    def source_of(slow_gb_s: float) -> str:
        other = kept(machine("b", MIDDLE, vram=24, gb_s=slow_gb_s), MIDDLE)
        world = replace(world_of(here, other), profiles=profiles(answered(here)))
        found = assess("Write 200 short poems", world=world, count="200")
        assert "two machines" in found.approach
        return next(f.source for f in found.findings if f.key == "count")

    # the first was measured to write 50 tokens a second
    assert source_of(15) == "measured, 4 requests"
    assert source_of(250) == "from your config"


_QUESTIONS = (
    "Can I handle this task?",
    "Analyze this 50-page document",
    "I need an answer within 10 seconds",
    "real-time conversation with 100 ms latency",
    "Summarise these 200 documents within an hour",
    "Describe this photo",
    "Translate this 3-page letter into French; it must not leave my network",
)


@settings(max_examples=25)
@given(fleets(), st.sampled_from(_QUESTIONS))
def test_every_assessment_is_of_one_piece(fleet: Fleet, question: str) -> None:
    found = assess(question, world=World(fleet, Settings(), ABILITIES))
    assert 0 < found.confidence < 1
    assert found.approach.endswith(".")
    assert all(math.isfinite(f.chance) for f in found.findings)
    if found.can_handle:
        assert found.recommended is not None
        assert found.run is not None
        assert not found.missing
        assert not [f for f in found.findings if f.verdict is Verdict.NOT_MET]
    else:
        assert found.run is None
        assert found.missing


@settings(max_examples=15)
@given(fleets(), st.sampled_from(_QUESTIONS))
def test_a_model_that_is_named_to_be_pulled_helps(fleet: Fleet, question: str) -> None:
    found = assess(question, world=World(fleet, Settings(), ABILITIES))
    for missing in found.missing:
        if missing.code != "model_missing":
            continue
        words = missing.fix.split()
        model = next(m for m in LIBRARY if str(m.name) == words[2])
        place = fleet.find(words[-1])
        fuller = replace(place, models=(*place.models, model))
        then = replace(
            fleet, instances=tuple(fuller if i.id == place.id else i for i in fleet.instances)
        )
        assert assess(question, world=World(then, Settings(), ABILITIES)).can_handle
