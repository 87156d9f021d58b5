"""A decision, drawn: what was understood, who was chosen and why, why not the others."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from rich.table import Table

from ollamamaster.cli.render.figures import seconds
from ollamamaster.cli.render.reading_plan import render_plan
from ollamamaster.cli.render.words import ability_word
from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.plain_text import one_line
from ollamamaster.domain.rates import Source
from ollamamaster.domain.time_price import noticed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from ollamamaster.domain.estimate import Estimate
    from ollamamaster.domain.long_reading import ReadingPlan
    from ollamamaster.domain.selection import Candidate, Decision
    from ollamamaster.domain.task import Task

_IN_WORDS = {
    Reason.INSTANCE_DOWN: "the instance is down",
    Reason.MODEL_MISSING: "the model is not there",
    Reason.NOT_REQUESTED: "not what was asked for",
    Reason.CAPABILITY_MISSING: "the model cannot do that",
    Reason.CONTEXT_TOO_SMALL: "the context is too short",
    Reason.TOO_LARGE: "too large for the memory",
    Reason.OVER_TIME_LIMIT: "too slow",
    Reason.POLICY_DENIED: "your policy denies it",
    Reason.CLOUD_EXCLUDED: "a cloud model",
    Reason.LOCALITY_EXCLUDED: "not in your own network",
}

# What stands behind a figure that nothing measured, and what the mark means.
_MARKS = {
    Source.MEASURED: "",
    Source.DERIVED: "~",
    Source.CONFIGURED: "=",
    Source.PRIOR: "?",
}
_MEANING = {
    "~": "derived from what is known of its like",
    "=": "as your config says",
    "?": "expected from size and hardware, not measured yet",
}

# Times that differ by less are the same to a person.
_SAME_TIME = 1.05

# Candidates and rejections shown one by one; the rest are counted.
_SHOWN = 12

# Instances named one by one where several reject a model for one reason.
_NAMED = 2

# Fewer points do not show in a column of whole ones.
_TOLD_POINTS = 0.05

# Below these widths the parts of the time are left out, then the score.
_WIDE = 100
_NARROW = 72


def render_decision(
    console: Console,
    decision: Decision,
    price: float,
    names: Mapping[str, str],
    *,
    plan: ReadingPlan | None = None,
    sent: bool = False,
) -> None:
    """The decision for a person; `price` is what a doubling of the time must buy.

    `names` tells what an instance is called, by its id; `plan` how texts that are too long would
    be read, `sent` that it was carried out.
    """
    told = Table.grid(padding=(0, 2))
    told.add_row("task", _task_line(decision.task))
    told.add_row("chosen", _chosen_line(decision, price))
    console.print(told)
    if decision.ranked:
        console.print()
        console.print(_ranking(decision, console.width))
        if len(decision.ranked) > _SHOWN:
            console.print(f"  and {len(decision.ranked) - _SHOWN} more, --json has all")
        for line in _legend(decision):
            console.print(line, style="dim")
    if decision.rejected:
        console.print("not possible", style="bold")
        console.print(_impossible(decision, names))
    if plan is not None:
        render_plan(console, plan)
    if not sent:
        console.print("nothing was sent", style="dim")


def decision_rows(decision: Decision) -> Iterator[list[str]]:
    """The decision as tab-separated rows: rank, model, instance, score, p50, p80 or reason."""
    for rank, candidate in enumerate(decision.ranked, 1):
        estimate = candidate.estimate
        yield [
            str(rank),
            candidate.model,
            candidate.instance,
            f"{candidate.score:.3f}",
            f"{estimate.p50_s:.2f}",
            f"{estimate.p80_s:.2f}",
        ]
    for rejection in decision.rejected:
        yield ["-", rejection.model, rejection.instance, str(rejection.reason), rejection.detail]


def _task_line(task: Task) -> str:
    hardness = ("easy", "medium", "hard")[min(2, int(task.complexity * 3))]
    output = f"{task.output_tokens.p20:.0f}-{task.output_tokens.p80:.0f} out"
    evidence = ", ".join(task.evidence)
    needs = ", ".join(map(ability_word, sorted(task.needs)))
    return (
        f"{task.type} · {hardness} ({task.complexity:.2f}: {evidence}) · "
        f"about {task.prompt_tokens:,} tokens in, {output} · needs {needs}"
    )


def _chosen_line(decision: Decision, price: float) -> str:
    chosen, limit_s = decision.chosen, decision.demand.max_time_s
    if chosen is None:
        return "nothing: no candidate fits"
    who = _who(chosen)
    if decision.late and limit_s is not None:
        return f"{who}: nothing is likely to be done within {limit_s:g} s, and it is the fastest"
    if len(decision.ranked) == 1:
        return f"{who}: the only one that can"
    others = decision.ranked[1:]
    rival = next((other for other in others if not _alike(chosen, other)), None)
    if rival is None:
        return f"{who}: {_who(others[0])} would do as well"
    because = why(chosen, rival, decision.demand.performance, price)
    as_good = f" (or {one_line(others[0].pair.instance.name)})" if rival is not others[0] else ""
    return f"{who}{as_good}: {because}"


def _who(candidate: Candidate) -> str:
    return f"{one_line(candidate.model)} on {one_line(candidate.pair.instance.name)}"


def _alike(one: Candidate, other: Candidate) -> bool:
    """Whether there is nothing to tell between them: one model on machines as quick and near."""
    ratio = _time(one) / _time(other)
    return (
        one.model == other.model
        and 1 / _SAME_TIME < ratio < _SAME_TIME
        and one.terms["locality"] == other.terms["locality"]
    )


def why(chosen: Candidate, other: Candidate, performance: str, price: float) -> str:
    """In one sentence, why the chosen one is before the other."""
    points = round(100 * (chosen.terms["quality"] - other.terms["quality"]))
    ratio = _time(chosen) / _time(other)
    rival = _who(other)
    if points:
        count = f"{abs(points)} point{'' if abs(points) == 1 else 's'}"
        right = f"{count} {'likelier' if points > 0 else 'less likely'} to be right than {rival}"
    else:
        right = f"as likely to be right as {rival}"
    if ratio > _SAME_TIME and points > 0:
        pays = 100 * price * math.log2(ratio)
        worth = f"{performance} pays up to {pays:.1f} points for that"
        return f"{right} and takes {ratio:.1f}x the time; {worth}"
    if ratio < 1 / _SAME_TIME:
        return f"{right}, in {ratio:.2f}x the time"
    time = "about the same" if ratio <= _SAME_TIME else f"{ratio:.1f}x the"
    nearer = chosen.terms["locality"] > other.terms["locality"]
    return f"{right}, in {time} time{', but nearer' if nearer else ''}"


def _time(candidate: Candidate) -> float:
    return noticed(candidate.prospect.weighted_p80_s)


def _ranking(decision: Decision, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    table.add_column("model", overflow="fold")
    table.add_column("instance", overflow="fold")
    table.add_column("right", justify="right", no_wrap=True)
    table.add_column("done in (p20-p80)", no_wrap=True)
    parts = ("wait", "load", "reading", "writing") if width >= _WIDE else ()
    for part in parts:
        table.add_column(part, justify="right", no_wrap=True)
    if width >= _NARROW:
        table.add_column("score", justify="right", no_wrap=True)
    for candidate in decision.ranked[:_SHOWN]:
        dot = " ●" if candidate.resident else ""
        cells = [
            "▸" if candidate is decision.chosen else "",
            one_line(candidate.model),
            one_line(candidate.pair.instance.name) + dot,
            f"{100 * candidate.terms['quality']:.0f} %{_mark(candidate.judged)}",
            f"{_done(candidate.estimate)}{_mark(_weakest(candidate))}",
        ]
        cells += [_part(value) for value in _parts(candidate.estimate) if parts]
        cells += [f"{candidate.score:.2f}"] if width >= _NARROW else []
        table.add_row(*cells)
    return table


def _parts(estimate: Estimate) -> tuple[float, float, float, float]:
    return estimate.wait_s, estimate.load_s, estimate.prompt_s, estimate.generation_s


def _part(value: float) -> str:
    if not value:
        return "0"
    return f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"


def _done(estimate: Estimate) -> str:
    """`13 s (9-19)`: the range has the unit of the middle."""
    middle = seconds(estimate.p50_s)
    unit = {"min": 60, "h": 3600}.get(middle.rpartition(" ")[2], 1)
    ends = (estimate.p20_s / unit, estimate.p80_s / unit)
    return f"{middle} ({'-'.join(f'{end:.1f}' if end < 9.95 else f'{end:.0f}' for end in ends)})"


def _weakest(candidate: Candidate) -> Source:
    """The least sure of the sources that the time rests on."""
    sources = {rate.source for rate in candidate.prospect.bearing_rates}
    return max(sources, key=list(Source).index)


def _mark(source: Source | None) -> str:
    mark = "" if source is None else _MARKS[source]
    return f" {mark}" if mark else ""


def _legend(decision: Decision) -> Iterator[str]:
    shown = decision.ranked[:_SHOWN]
    used = {_mark(s).strip() for c in shown for s in (c.judged, _weakest(c))}
    resident = ["● in memory now"] if any(c.resident for c in shown) else []
    marks = [f"{mark} {meaning}" for mark, meaning in _MEANING.items() if mark in used]
    if resident or marks:
        yield " · ".join((*resident, *marks))
    yield from _moved(shown)


def _moved(shown: Sequence[Candidate]) -> Iterator[str]:
    """By how much judged comparisons moved each model; of builds that differ the first."""
    told = {c.model: c.moved for c in reversed(shown) if c.moved is not None}
    for model, moved in sorted(told.items(), key=lambda item: -abs(item[1].by)):
        points = 100 * moved.by
        if abs(points) < _TOLD_POINTS:
            continue
        judged = moved.judged
        yield (
            f"{one_line(model)}: {points:+.1f} points by your judged comparisons of this kind "
            f"({judged.wins:.3g} won, {judged.losses:.3g} lost)"
        )


def _impossible(decision: Decision, names: Mapping[str, str]) -> Table:
    """Why each of the others cannot; instances that say the same of a model stand together."""
    table = Table.grid(padding=(0, 2))
    told = [r for r in decision.rejected if r.reason is not Reason.NOT_REQUESTED]
    places: dict[tuple[str, str, Reason], list[str]] = {}
    for r in told:
        places.setdefault((r.model, r.detail, r.reason), []).append(r.instance)
    for (model, detail, _), at in list(places.items())[:_SHOWN]:
        named = ", ".join(one_line(names.get(place, place)) for place in at)
        where = named if len(at) <= _NAMED else f"{len(at)} instances"
        table.add_row(f"  {one_line(model)}", where, one_line(detail))
    left: Counter[Reason] = Counter()
    for (_, _, reason), at in list(places.items())[_SHOWN:]:
        left[reason] += len(at)
    left[Reason.NOT_REQUESTED] = len(decision.rejected) - len(told)
    for reason, count in left.items():
        if count:
            table.add_row(f"  {count} more", "", _IN_WORDS[reason])
    return table
