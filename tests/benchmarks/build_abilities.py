"""How able are the models people run, by published benchmarks? Writes data/models.toml.

    python tests/benchmarks/build_abilities.py FOLDER > ollamamaster/data/models.toml
    python tests/benchmarks/build_abilities.py FOLDER --check

FOLDER has ollama-models.csv (name, family, parameters_b, active_parameters_b, capabilities,
released) and model-scores.csv (name, benchmark, variant, score, source, reported_by), gathered from
the public originals that the written file names. The method is in rasch.py. Figures of the
Artificial Analysis site are for `--check` only: they are neither fitted nor written.

`--check` leaves out whole families, predicts their scores from size and date alone, and prints the
error in points and how often the better of two models is told; then it compares what is written
with the figures that were kept apart, and prints where the benchmarks lie on the scale, which is
what routing takes the difficulty of tasks from.
"""

from __future__ import annotations

import csv
import math
import re
import sys
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from statistics import median, variance
from typing import TYPE_CHECKING

from rasch import Fit, Score, Subject, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

# What each benchmark measures, and the share that guessing gets.
BENCHMARKS: Mapping[str, Mapping[str, float]] = {
    "code": {
        "Aider-edit": 0,
        "Aider-polyglot": 0,
        "BigCodeBench-complete": 0,
        "BigCodeBench-instruct": 0,
        "CRUXEval": 0,
        "HumanEval": 0,
        "HumanEval+": 0,
        "LiveBench-coding": 0,
        "LiveCodeBench": 0,
        "MBPP": 0,
        "MBPP+": 0,
        "MultiPL-E": 0,
        "WildBench-coding": 0,
    },
    "math": {
        "AIME24": 0,
        "AIME25": 0,
        "AIME26": 0,
        "GSM8K": 0,
        "HMMT25-Feb": 0,
        "LiveBench-math": 0,
        "MATH": 0,
        "MATH-500": 0,
        "MATH-lvl5": 0,
        "WildBench-math": 0,
    },
    "reasoning": {
        "BBEH": 0,
        "BBH": 0.28,
        "GPQA": 0.25,
        "GPQA-diamond": 0.25,
        "LiveBench-reasoning": 0,
        "WildBench-reasoning": 0,
        "ZebraLogic": 0,
    },
    "qa": {
        "ARC-C": 0.25,
        "MMLU": 0.25,
        "MMLU-Pro": 0.10,
        "MMLU-redux": 0.25,
        "SimpleQA": 0,
        "WildBench-info": 0,
    },
    "chat": {
        "AlpacaEval2": 0,
        "AlpacaEval2-LC": 0,
        "Arena-Elo": 0,
        "Arena-Hard": 0,
        "MT-bench": 0,
        "WildBench": 0,
    },
    "writing": {
        "IFEval": 0,
        "LiveBench-if": 0,
        "LiveBench-language": 0,
        "WildBench-creative": 0,
    },
    # Texts and tables that are given and must be read closely.
    "document": {"LiveBench-data": 0, "MuSR": 0.33},
    "vision": {
        "Arena-Elo-vision": 0,
        "ChartQA": 0,
        "DocVQA": 0,
        "MMMU": 0.22,
        "MMMU-Pro": 0.10,
        "MathVista": 0.17,
        "TextVQA": 0,
    },
    "tools": {"BFCL": 0},
}
TYPE_OF = {name: kind for kind, names in BENCHMARKS.items() for name in names}
# Which of the figures kept apart tells about which type.
KEPT_APART = {
    "SciCode": "code",
    "GPQA-diamond": "reasoning",
    "AA-Omniscience-accuracy": "qa",
    "IFBench": "writing",
    "AA-LCR": "document",
    "MMMU-Pro": "vision",
    "tau2-bench": "tools",
}
_APART = "artificial-analysis"

# Runs that say little of the model as Ollama runs it.
_BROKEN = re.compile(r"base model|Pass@64|maj@1|q2_K|2k context")
# These always think, though Ollama lists no `thinking` of theirs.
_ALWAYS = {"qwq", "phi4-reasoning"}
# Runs of models that can think without their thoughts, by what the variant or the source says.
_OFF = re.compile(r"non-reasoning|without reasoning|SmallThinker|polyglot_leaderboard.*pass@2$")
_MODE = re.compile(r",? ?(non-reasoning|reasoning( high| low)?|no tools|run without reasoning),? ?")
_CODERS = re.compile(r"cod(e|er|estral)|starcoder|devstral")

# A benchmark mixes easy and hard questions, which flattens the curve of its scores over ability by
# sqrt(1 + pi x spread^2 / 8); one task does not, so that abilities are stretched by as much. The
# spread of difficulty within a benchmark: what two models' right answers have in common on GSM8K
# (complexity.py prints it).
WITHIN = 0.9
STRETCH = math.sqrt(1 + math.pi * WITHIN**2 / 8)
# Where the scale has its zero is free: a plain dense model of 8 billion of January 2025 has 2.0.
LEVEL = 2.0
# Fewer scores than these place no benchmark.
PLACED = 5

HEADER = """\
# How able are the models people run on Ollama, by published benchmarks?
#
# Written by tests/benchmarks/build_abilities.py, which says how; change that, not this.
# Yours to say otherwise: [models."NAME"] ability = { ... } in config.toml goes before this.
#
# One scale, that of a Rasch model: a model of ability a is right on a task of difficulty d with
# probability 1 / (1 + exp(d - a)). A plain model of 8 billion parameters of January 2025 has 2.0
# in every type; 0.14 is even odds on a question of GSM8K, 4 on one of GPQA diamond, and one more
# is 2.7 times the odds. Abilities of different types are comparable only through that model. The
# makers' own figures are corrected by how much they lie above those of others, and weigh less.
# Benchmarks are of unquantized models; what quantization and long texts cost is taken off later.
#
# A column without a benchmark named in the comment is inferred from the model's other scores, its
# family, its size and its date; "none" is inferred from family, size and date alone.
#
# Public originals: Open LLM Leaderboard 1 and 2 (Hugging Face), LMArena, LiveBench, BigCodeBench,
# EvalPlus, Aider, ZeroEval, WildBench, Arena-Hard, AlpacaEval, LLaVA, MiniCPM-V, LLM-stats, model
# cards and reports of Alibaba (Qwen), DeepSeek, Google, IBM, Meta, Microsoft, Mistral, OpenAI.
"""


def main(folder: Path, *, check: bool) -> None:
    subjects = _subjects(folder / "ollama-models.csv")
    rows = _rows(folder / "model-scores.csv")
    scores = [s for row in rows if _APART not in row["source"] for s in _score(row, subjects)]
    fitted = fit(scores)
    if check:
        made = {work: fitted.numbers["made for code", work] * STRETCH for work in ("code", "other")}
        print(f"Made for code: {made['code']:+.2f} for code, {made['other']:+.2f} for the rest")
        _check_fallback(scores)
        _check_apart(fitted, subjects, rows)
        _print_difficulties(fitted, scores)
    else:
        print("\n".join(_written(fitted, subjects, scores)))


def _subjects(path: Path) -> dict[str, tuple[Subject, Mapping[str, str]]]:
    found: dict[str, tuple[Subject, Mapping[str, str]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if "embedding" in row["capabilities"]:
                continue
            whole = float(row["parameters_b"])
            active = float(row["active_parameters_b"] or whole)
            subject = Subject(
                row["name"],
                row["family"],
                math.log(math.sqrt(whole * active) / 8),
                _years(row["released"]) if row["released"] else 0.0,
                "thinking" in row["capabilities"] or row["family"] in _ALWAYS,
                _CODERS.search(row["family"]) is not None,
            )
            found[row["name"]] = subject, row
    return found


def _years(month: str) -> float:
    year, number = month.split("-")
    return int(year) - 2025 + (int(number) - 1) / 12


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _score(
    row: Mapping[str, str], subjects: Mapping[str, tuple[Subject, object]]
) -> Iterable[Score]:
    benchmark, variant = row["benchmark"], row["variant"]
    if benchmark not in TYPE_OF or row["name"] not in subjects or _BROKEN.search(variant):
        return
    subject, points = subjects[row["name"]][0], float(row["score"])
    off = _OFF.search(f"{row['source']} {variant}") and subject.family not in _ALWAYS
    if benchmark.startswith("WildBench-"):
        points = (points + 10) * 5
    elif benchmark == "MT-bench":
        points *= 10
    maker = row["reported_by"] == "vendor"
    kind = "Ollama" if benchmark == "Aider-edit" else _MODE.sub("", variant)
    yield Score(
        subject,
        TYPE_OF[benchmark],
        benchmark,
        "maker" if maker and not re.match(r"v\d", kind) else kind,
        maker,
        subject.thinks and not off,
        points,
        BENCHMARKS[TYPE_OF[benchmark]][benchmark],
        "Elo" in benchmark,
    )


def _written(
    fitted: Fit,
    subjects: Mapping[str, tuple[Subject, Mapping[str, str]]],
    scores: Sequence[Score],
) -> Iterable[str]:
    used: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for score in scores:
        used[score.subject.name][score.task_type].add(score.benchmark)

    def slope(feature: str, kind: str) -> float:
        own = fitted.numbers.get(("slope of a type", feature, kind), 0.0)
        return STRETCH * (fitted.numbers["slope", feature] + own)

    yield HEADER
    yield "# For every other model: level + size x ln(billions / 8) + date x (years since 2025.0),"
    yield "# where billions is the geometric mean of all and active ones. One that thinks has more:"
    yield "# nothing up to one billion, all that thinking says from eight on."
    yield "[fallback]"
    for kind in BENCHMARKS:
        parts = ", ".join(f"{f} = {slope(f, kind):.2f}" for f in ("size", "date", "thinking"))
        yield f"{kind:9} = {{ level = {LEVEL:.2f}, {parts} }}"
    yield ""
    yield "# Billions of parameters, active ones (0: all), released, whether it thinks unless told"
    yield "# not to, then the ability in each type."
    columns = ("billions", "active", "released", "thinks", *BENCHMARKS)
    yield "[models]"
    widths = [8, 6, 8, 6, *(max(5, len(kind)) for kind in BENCHMARKS)]
    heads = " ".join(f"{c:>{w}}" for c, w in zip(columns, widths, strict=True))
    yield f'columns                 = "{heads}"'
    for name, (subject, row) in subjects.items():
        abilities = [LEVEL + STRETCH * fitted.ability(subject, kind) for kind in BENCHMARKS]
        cells = [
            f"{float(row['parameters_b']):.3g}",
            f"{float(row['active_parameters_b'] or 0):.3g}",
            row["released"] or "-",
            "yes" if "thinking" in row["capabilities"] else "-",
            *(f"{a:.2f}" for a in abilities),
        ]
        line = " ".join(f"{c:>{w}}" for c, w in zip(cells, widths, strict=True))
        sources = "; ".join(
            f"{kind}: {', '.join(sorted(used[name][kind]))}"
            for kind in BENCHMARKS
            if used[name][kind]
        )
        quoted = f'"{name}"'
        yield f'{quoted:23} = "{line}" # {sources or "none"}'


def _check_fallback(scores: Sequence[Score]) -> None:
    held: list[tuple[Score, float]] = []
    for family in sorted({s.subject.family for s in scores}):
        others = [s for s in scores if s.subject.family != family]
        known = {s.benchmark for s in others}
        fitted = fit(others)
        held += [
            (s, s.as_points(fitted.predicted(s, known=False)))
            for s in scores
            if s.subject.family == family and s.benchmark in known
        ]
    plain = [(s, p) for s, p in held if not s.elo]
    medians = _medians(scores)
    print("Size and date alone, whole families held out (scores in points, without Elo)")
    print(
        f"{'type':10} {'scores':>6} {'median':>7} {'p90':>6} {'guess':>6} {'pairs':>6} {'right':>6}"
    )
    for kind in (*BENCHMARKS, "all"):
        mine = [(s, p) for s, p in plain if kind in {s.task_type, "all"}]
        errors = sorted(abs(s.points - p) for s, p in mine)
        guess = median(abs(s.points - medians[_run(s)]) for s, _ in mine)
        right, pairs = _pairs([(_run(s), s.points, p) for s, p in mine])
        print(
            f"{kind:10} {len(mine):6} {median(errors):7.1f} {errors[len(errors) * 9 // 10]:6.1f}"
            f" {guess:6.1f} {pairs:6} {right:6.1%}"
        )
    sizes = [(_run(s), s.points, s.subject.size) for s, _ in plain]
    print(f"pairs by size alone: {_pairs(sizes)[0]:.1%}")


def _run(score: Score) -> tuple[str, str, bool]:
    return score.benchmark, score.kind, score.maker


def _medians(scores: Sequence[Score]) -> dict[tuple[str, str, bool], float]:
    runs: dict[tuple[str, str, bool], list[float]] = defaultdict(list)
    for score in scores:
        runs[_run(score)].append(score.points)
    return {run: median(points) for run, points in runs.items()}


def _pairs(cases: Sequence[tuple[object, float, float]]) -> tuple[float, int]:
    """The share of pairs of one run, three points apart or more, whose better one is told."""
    runs: dict[object, list[tuple[float, float]]] = defaultdict(list)
    for run, points, predicted in cases:
        runs[run].append((points, predicted))
    told = [
        0.5 if p == q else float((a > b) == (p > q))
        for found in runs.values()
        for (a, p), (b, q) in combinations(found, 2)
        if abs(a - b) >= 3
    ]
    return sum(told) / max(1, len(told)), len(told)


def _check_apart(
    fitted: Fit,
    subjects: Mapping[str, tuple[Subject, Mapping[str, str]]],
    rows: Sequence[Mapping[str, str]],
) -> None:
    print("\nAgainst figures kept apart (Artificial Analysis): the better of two is told")
    print(f"{'benchmark':24} {'models':>6} {'written':>8} {'fallback':>8} {'size':>6}")
    for benchmark, kind in KEPT_APART.items():
        found: dict[str, list[float]] = defaultdict(list)
        for row in rows:
            if row["benchmark"] == benchmark and _APART in row["source"]:
                subject = subjects[row["name"]][0]
                off = "non-reasoning" in row["variant"]
                if not (subject.thinks and off):
                    found[row["name"]].append(float(row["score"]))
        scored = fitted.seen
        mine = {
            n: sum(p) / len(p)
            for n, p in found.items()
            if any((n, k) in scored for k in BENCHMARKS)
        }

        def share(by: Callable[[Subject], float], mine: Mapping[str, float] = mine) -> float:
            return _pairs([("", p, by(subjects[n][0])) for n, p in mine.items()])[0]

        print(
            f"{benchmark:24} {len(mine):6}"
            f" {share(lambda s, k=kind: fitted.ability(s, k)):8.1%}"  # type: ignore[misc]
            f" {share(lambda s, k=kind: fitted.ability(s, k, known=False)):8.1%}"  # type: ignore[misc]
            f" {share(lambda s: s.size):6.1%}"
        )


def _print_difficulties(fitted: Fit, scores: Sequence[Score]) -> None:
    count = Counter(s.benchmark for s in scores)
    lies = {
        name: LEVEL + STRETCH * fitted.numbers["benchmark", name]
        for name, scored in count.items()
        if scored >= PLACED
    }
    types = [[lies[b] for b in names if b in lies] for names in BENCHMARKS.values()]
    several = [found for found in types if len(found) > 1]
    squares = sum(variance(found) * (len(found) - 1) for found in several)
    between = math.sqrt(squares / sum(len(found) - 1 for found in several))
    hardest = sorted(lies.values())[-10:]
    print(f"\nOn the scale of the file ({len(lies)} benchmarks with {PLACED} scores or more)")
    print(
        f"GSM8K {lies['GSM8K']:.2f}, the ten hardest {sum(hardest) / len(hardest):.2f} on average"
    )
    print(f"standard deviation between the benchmarks of a type {between:.2f}, within {WITHIN:.2f}")


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    main(Path(arguments[0]), check="--check" in sys.argv)
