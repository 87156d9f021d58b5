"""A decision, drawn: what was understood, who was chosen and why, why not the others."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from rich.table import Table

from ollamamaster.cli.render.figures import seconds
from ollamamaster.cli.render.words import ability_word
from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.console import Console

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

# Times that differ by less are the same to a person.
_SAME_TIME = 1.05

# Candidates and rejections shown one by one; the rest are counted.
_SHOWN = 12


def render_decision(
    console: Console,
    decision: Decision,
    price: float,
    names: Mapping[str, str],
    *,
    sent: bool = False,
) -> None:
    """The decision for a person; `price` is what a doubling of the time must buy.

    `names` tells what an instance is called, by its id; `sent` that it was carried out.
    """
    console.print(_task_line(decision.task))
    console.print(_chosen_line(decision, price))
    if decision.ranked:
        console.print()
        console.print(_ranking(decision, console.width))
        if len(decision.ranked) > _SHOWN:
            console.print(f"   and {len(decision.ranked) - _SHOWN} more, --json has all")
    if decision.rejected:
        console.print("not possible", style="bold")
        for line in _rejections(decision, names):
            console.print(f"  {line}")
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
        f"task      {task.type} · {hardness} ({task.complexity:.2f}: {evidence}) · "
        f"about {task.prompt_tokens:,} tokens in, {output} · needs {needs}"
    )


def _chosen_line(decision: Decision, price: float) -> str:
    chosen = decision.chosen
    if chosen is None:
        return "chosen    nothing: no candidate fits"
    who = f"chosen    {one_line(chosen.model)} on {one_line(chosen.pair.instance.name)}"
    if len(decision.ranked) == 1:
        return f"{who}: the only one that can"
    return f"{who}: {why(chosen, decision.ranked[1], decision.demand.performance, price)}"


def why(chosen: Candidate, other: Candidate, performance: str, price: float) -> str:
    """In one sentence, why the chosen one is before the other."""
    points = round(100 * (chosen.terms["quality"] - other.terms["quality"]))
    ratio = _time(chosen) / _time(other)
    rival = f"{one_line(other.model)} on {one_line(other.pair.instance.name)}"
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
    return max(candidate.prospect.weighted_p80_s, 0.5)


def _ranking(decision: Decision, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    table.add_column("model", overflow="fold")
    table.add_column("instance", overflow="fold")
    table.add_column("right", justify="right", no_wrap=True)
    table.add_column("done in (p20-p80)", no_wrap=True)
    wide = width >= 100
    if wide:
        for part in ("wait", "load", "reading", "writing"):
            table.add_column(part, justify="right", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    for candidate in decision.ranked[:_SHOWN]:
        estimate = candidate.estimate
        parts = (estimate.wait_s, estimate.load_s, estimate.prompt_s, estimate.generation_s)
        dot = " ●" if candidate.resident else ""
        table.add_row(
            "▸" if candidate is decision.chosen else "",
            one_line(candidate.model),
            one_line(candidate.pair.instance.name) + dot,
            f"{100 * candidate.terms['quality']:.0f} %",
            f"{seconds(estimate.p50_s)} ({estimate.p20_s:.1f}-{estimate.p80_s:.1f})",
            *([f"{part:.1f}" for part in parts] if wide else []),
            f"{candidate.score:.2f}",
        )
    return table


def _rejections(decision: Decision, names: Mapping[str, str]) -> Iterator[str]:
    told = [r for r in decision.rejected if r.reason is not Reason.NOT_REQUESTED]
    for rejection in told[:_SHOWN]:
        place = names.get(rejection.instance, rejection.instance)
        yield f"{one_line(rejection.model)} on {one_line(place)}: {one_line(rejection.detail)}"
    left = Counter(r.reason for r in told[_SHOWN:])
    left[Reason.NOT_REQUESTED] = len(decision.rejected) - len(told)
    for reason, count in left.items():
        if count:
            yield f"{count} more: {_IN_WORDS[reason]}"
