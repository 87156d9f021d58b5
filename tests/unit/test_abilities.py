"""Published abilities: the file that ships, and how a model that is not in it is judged."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ollamamaster
from ollamamaster.bootstrap import Application
from ollamamaster.domain.ability import (
    Abilities,
    Line,
    PublishedModel,
    ability,
    difficulty,
    judged_by,
    quality,
    success,
)
from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.instances import Instance, InstanceAddress, Locality, Status
from ollamamaster.domain.knowledge import Knowledge
from ollamamaster.domain.models import Model, ModelName, ModelShape
from ollamamaster.domain.rates import Source
from ollamamaster.domain.selection import Demand, decide
from ollamamaster.domain.settings import ModelSettings, Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, Task, TaskType, analyse
from ollamamaster.storage.abilities import load_abilities

FILE = Path(ollamamaster.__file__).parent / "data" / "models.toml"
SHIPPED = load_abilities()
JUDGED = set(TaskType) - {TaskType.EMBEDDING}
CODE = replace(analyse(Question("hello")), type=TaskType.CODE)
NOTHING_SAID = Settings()
THINKING = frozenset({"completion", "thinking"})

LINE = Line(level=2.0, size=1.0, date=0.5, thinking=0.75)
SMALL = PublishedModel(4e9, 4e9, 0.5, thinks=False, ability={"code": 1.0})
LARGE = PublishedModel(32e9, 32e9, 1.5, thinks=True, ability={"code": 3.0})
MIXED = PublishedModel(32e9, 8e9, None, thinks=False, ability={"code": 2.5})
SOME = Abilities({"fam:4b": SMALL, "fam:32b": LARGE, "moe:32b": MIXED}, {"code": LINE})


def model(name: str, parameters: str | None = None, **known: object) -> Model:
    plain = Model(ModelName.parse(name), parameter_size=parameters)
    return replace(plain, **known)  # type: ignore[arg-type]


def judged(asked: Model, task: Task = CODE, settings: Settings = NOTHING_SAID) -> float:
    return ability(asked, task, settings, SOME)


def test_at_least_a_hundred_models_ship() -> None:
    assert len(SHIPPED.models) >= 100


def test_every_shipped_model_has_a_finite_ability_for_every_type() -> None:
    for name, known in SHIPPED.models.items():
        assert set(known.ability) == JUDGED, name
        assert all(math.isfinite(a) and abs(a) < 10 for a in known.ability.values()), name


def test_every_type_has_a_rising_line_for_other_models() -> None:
    assert set(SHIPPED.lines) == JUDGED
    assert all(line.size > 0 and math.isfinite(line.level) for line in SHIPPED.lines.values())


def test_every_shipped_name_has_a_tag_and_a_size() -> None:
    for name, known in SHIPPED.models.items():
        assert str(ModelName.parse(name)) == name
        assert 0 < known.effective <= known.parameters


def test_every_shipped_line_names_its_benchmarks() -> None:
    lines = [line for line in FILE.read_text("utf-8").splitlines() if line.startswith('"')]
    assert len(lines) == len(SHIPPED.models)
    assert all(line.partition(" # ")[2] for line in lines)
    assert sum(line.endswith("# none") for line in lines) < len(lines) / 5


def test_the_file_is_as_quick_to_read_as_its_size_promises() -> None:
    # One string a model: tomllib reads 40 KB of them in two milliseconds, tables in twenty.
    rows = tomllib.loads(FILE.read_text("utf-8"))["models"].values()
    assert all(isinstance(row, str) for row in rows)
    assert FILE.stat().st_size < 64_000


@pytest.mark.parametrize(
    ("name", "size", "source"),
    [
        ("fam:4b", None, Source.MEASURED),
        ("fam:latest", "4.2B", Source.MEASURED),
        ("fam:8b", "8B", Source.DERIVED),
        ("new:8b", "8B", Source.PRIOR),
    ],
)
def test_it_is_known_whether_benchmarks_are_of_the_model_or_of_its_family(
    name: str, size: str | None, source: Source
) -> None:
    assert judged_by(model(name, size), CODE, NOTHING_SAID, SOME) is source


def test_the_word_of_the_person_is_known_as_theirs() -> None:
    said = Settings(models={"fam:4b": ModelSettings(ability={"code": 50.0})})
    assert judged_by(model("fam:4b"), CODE, said, SOME) is Source.CONFIGURED
    assert (
        judged_by(model("fam:4b"), replace(CODE, type=TaskType.QA), said, SOME) is Source.MEASURED
    )


@pytest.mark.parametrize("name", ["llama3.1:8b", "qwen2.5-coder:7b", "gemma3:27b", "phi4:14b"])
def test_a_model_of_the_fleet_has_its_own_line(name: str) -> None:
    known = SHIPPED.models[name]
    assert SHIPPED.of(model(name), CODE) == known.ability["code"]


def test_a_coder_is_published_to_be_better_at_code_than_its_generalist() -> None:
    coder, plain = SHIPPED.models["qwen2.5-coder:7b"], SHIPPED.models["qwen2.5:7b"]
    assert coder.ability["code"] > plain.ability["code"]
    assert coder.ability["qa"] < plain.ability["qa"]


def test_a_name_with_another_size_behind_it_is_judged_by_that_size() -> None:
    assert judged(model("fam:4b", "32B")) == 1.0 + math.log(32 / 4)
    assert judged(model("fam:4b")) == 1.0


@pytest.mark.parametrize(("size", "expected"), [("4.2B", 1.0), ("34B", 3.0)])
def test_another_tag_of_about_the_same_size_is_the_same_model(size: str, expected: float) -> None:
    assert judged(model("fam:latest", size)) == expected


def test_another_size_of_the_family_is_judged_from_the_nearest_one() -> None:
    assert judged(model("fam:2b", "2B")) == pytest.approx(1.0 - math.log(2))
    assert judged(model("fam:64b", "64B")) == pytest.approx(3.0 + math.log(2))


def test_the_tag_tells_the_size_that_the_instance_does_not() -> None:
    assert judged(model("fam:32b-instruct-q8_0")) == 3.0


def test_a_mixture_of_experts_is_compared_by_what_it_uses() -> None:
    shape = ModelShape(parameter_count=128_000_000_000, expert_count=64, expert_used_count=1)
    assert judged(model("moe:128b", shape=shape)) == pytest.approx(2.5 + math.log(16 / 8))


@pytest.mark.parametrize("capabilities", [None, THINKING])
def test_a_model_that_may_think_has_its_published_ability(
    capabilities: frozenset[str] | None,
) -> None:
    assert judged(model("fam:32b", capabilities=capabilities)) == 3.0


def test_a_tag_that_cannot_think_lacks_what_thinking_gains() -> None:
    assert judged(model("fam:32b", capabilities=frozenset({"completion"}))) == 2.25


def test_thinking_that_is_forbidden_gains_nothing() -> None:
    quiet = replace(CODE, no_thinking=True)
    assert judged(model("fam:32b", capabilities=THINKING), quiet) == 2.25
    assert judged(model("new:8b", "8B", capabilities=THINKING), quiet) == 2.0


def test_an_unknown_model_is_judged_by_size_and_thinking() -> None:
    assert judged(model("new:16b", "16B")) == pytest.approx(2.0 + math.log(2))
    assert judged(model("new:8b", "8B", capabilities=THINKING)) == 2.75


@pytest.mark.parametrize(("size", "gain"), [("0.6B", 0.0), ("1B", 0.0), ("70B", 0.75)])
def test_a_small_model_gains_nothing_from_its_thoughts(size: str, gain: float) -> None:
    plain = judged(model("new", size))
    assert judged(model("new", size, capabilities=THINKING)) == pytest.approx(plain + gain)


def test_an_unknown_model_has_the_date_of_its_architecture() -> None:
    # The oldest of the family, whose models came half a year and one and a half years later.
    assert judged(model("hub/own:8b", "8B", family="f.a-m")) == 2.25


def test_an_unknown_specialist_is_better_at_its_work_and_worse_at_others() -> None:
    expected = judged(model("new:8b", "8B"))
    assert judged(model("newcoder:8b", "8B")) > expected > judged(model("newmath:8b", "8B"))


def test_a_published_specialist_gets_no_credit_twice() -> None:
    coder = Abilities({"coder:4b": SMALL}, {"code": LINE})
    assert ability(model("coder:4b"), CODE, Settings(), coder) == 1.0


def test_low_quantization_costs_a_published_model_too() -> None:
    assert judged(model("fam:4b", quantization="Q2_K")) == pytest.approx(0.5)


def test_what_the_person_says_goes_before_what_is_published() -> None:
    said = Settings(models={"fam:4b": ModelSettings(ability={"code": 50.0})})
    middling = replace(CODE, complexity=0.5)
    assert quality(model("fam:4b"), middling, said, SOME) == 0.5


@given(st.floats(1, 99))
def test_points_that_a_person_gives_are_answers_of_a_hundred_that_are_right(points: float) -> None:
    said = Settings(models={"fam:4b": ModelSettings(ability={"code": points})})
    middling = replace(CODE, complexity=0.5)
    assert quality(model("fam:4b"), middling, said, SOME) == pytest.approx(points / 100)


@given(st.floats(-8, 8), st.floats(-8, 8))
def test_success_is_the_mean_of_the_rasch_curve_over_what_the_task_may_be(
    able: float, hard: float
) -> None:
    steps = [n / 20 for n in range(-120, 121)]
    weights = [math.exp(-z * z / 2) for z in steps]
    right = [1 / (1 + math.exp(hard + math.hypot(1.4, 0.9) * z - able)) for z in steps]
    mean = sum(w * r for w, r in zip(weights, right, strict=True)) / sum(weights)
    assert success(able, hard) == pytest.approx(mean, abs=0.02)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_more_complex_task_is_never_easier(one: float, other: float) -> None:
    easy, hard = sorted((one, other))
    assert difficulty(easy) <= difficulty(hard)


def test_no_model_that_ships_is_sure_of_a_task_or_hopeless_at_it() -> None:
    # Success that saturates would leave nothing but time to decide.
    for known in SHIPPED.models.values():
        for able in known.ability.values():
            assert 0.02 < success(able, difficulty(0.5)) < 0.98


def reader(limit: int | None, tokens: int) -> float:
    return judged(model("fam:4b", context_length=limit), replace(CODE, prompt_tokens=tokens))


def test_a_short_text_costs_no_ability() -> None:
    assert reader(8192, 4096) == 1.0


@given(st.integers(1, 200_000), st.integers(1, 200_000), st.sampled_from((None, 8192, 131_072)))
def test_a_longer_text_is_never_easier_to_read(one: int, other: int, limit: int | None) -> None:
    short, long = sorted((one, other))
    assert reader(limit, long) <= reader(limit, short)


def test_a_text_that_nearly_fills_the_limit_is_read_worse() -> None:
    assert reader(40_960, 25_000) < reader(131_072, 25_000) - 0.3


def test_a_route_is_given_what_ships(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OLLAMAMASTER_HOME", str(tmp_path))
    assert Application().means.abilities == SHIPPED


def test_a_decision_ranks_by_what_is_published() -> None:
    has = tuple(model(name, "8B", context_length=8192) for name in ("plain:8b", "able:8b"))
    here = Instance(
        InstanceAddress("127.0.0.1"), locality=Locality.LOCAL, status=Status.UP, models=has
    )
    able = PublishedModel(8e9, 8e9, None, thinks=False, ability={"code": 3.0})
    known = Abilities({"able:8b": able, "plain:8b": replace(able, ability={"code": 1.0})})
    asked = (CODE, Fleet((here,)), NOTHING_SAID, Wish(), Demand())
    assert [c.model for c in decide(*asked, (), Knowledge(known)).ranked] == ["able:8b", "plain:8b"]


@given(st.text(min_size=1), st.sampled_from(TaskType), st.none() | st.floats(0.01, 2000))
def test_any_model_has_a_finite_ability_for_any_task(
    name: str, task_type: TaskType, billions: float | None
) -> None:
    size = None if billions is None else f"{billions:f}B"
    task = replace(CODE, type=task_type)
    assert math.isfinite(ability(model(name, size), task, Settings(), SHIPPED))


@given(st.sampled_from(sorted(JUDGED)), st.floats(0.1, 1000), st.floats(0.1, 1000))
def test_of_two_unknown_models_the_larger_is_never_less_able(
    task_type: TaskType, one: float, other: float
) -> None:
    task = replace(CODE, type=task_type)
    small, large = (
        ability(model("new", f"{size:.3f}B"), task, Settings(), SHIPPED)
        for size in sorted((one, other))
    )
    assert small <= large
