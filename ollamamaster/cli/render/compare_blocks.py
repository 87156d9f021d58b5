"""A comparison in plain text: blocks for a pipe, the figures of an answer, the summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.render.figures import rate, seconds
from ollamamaster.domain.comparison import Method, gist
from ollamamaster.domain.plain_text import cell, cleaned, one_line
from ollamamaster.domain.verdict import BEST
from ollamamaster.errors import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollamamaster.domain.comparing import Answer, CompareResult
    from ollamamaster.domain.verdict import Judgement

_METHODS = {
    Method.EXACT: "what they come to",
    Method.OVERLAP: "their words",
    Method.EMBEDDING: "their meaning",
}


def blocks(result: CompareResult, *, voted: bool) -> str:
    """The result in a pipe: a block for each answer, or only the answer of most."""
    if voted and result.vote is not None:
        return _ended(result.answers[result.vote].text or "")
    scores = result.judgement.scores if result.judgement is not None else None
    parts = []
    for index, answer in enumerate(result.answers):
        score = [] if scores is None else [_figure(scores[index], 1)]
        body = answer.text if answer.ok else (answer.error.message if answer.error else "")
        parts.append("\t".join([*_header(answer), *score]) + "\n" + _ended(body or ""))
    text = "\n".join(parts)
    return cleaned(text) if OUTPUT.may_act else text


def _header(answer: Answer) -> list[str]:
    timing = answer.route.timing if answer.route is not None else None
    return [
        f"## {cell(answer.model)}",
        cell(answer.instance or "-"),
        answer.outcome,
        _figure(timing.total_s if timing is not None else None, 2),
        _figure(timing.tokens_per_s if timing is not None else None, 1),
    ]


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _ended(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"


def answer_figures(answer: Answer) -> str:
    """`0.3 s · 61 tok/s · 1.9 s` of one that is done, else why it is not."""
    if answer.outcome == Outcome.CANCELLED:
        return "stopped"
    if not answer.ok or answer.route is None:
        return f"failed: {answer.outcome}"
    timing = answer.route.timing
    parts = [
        seconds(timing.first_token_s) if timing.first_token_s is not None else "",
        rate(timing.tokens_per_s),
        seconds(timing.total_s),
    ]
    return " · ".join(filter(None, parts))


def called(result: CompareResult) -> list[str]:
    """What each answer is called: its model, then its place, then a number, until all differ."""
    answers = result.answers
    names = [one_line(a.model) for a in answers]
    places = [one_line(a.instance_name or a.instance or "nowhere") for a in answers]
    full = [f"{name} on {place}" for name, place in zip(names, places, strict=True)]
    longer = [f if names.count(n) > 1 else n for n, f in zip(names, full, strict=True)]
    return [
        f"{name} ({longer[:at].count(name) + 1})" if longer.count(name) > 1 else name
        for at, name in enumerate(longer)
    ]


def summary_lines(result: CompareResult) -> Iterator[str]:
    """Who agrees with whom, who was the fastest, what the judge and the most say."""
    names = called(result)
    if told := _agreement(result, names):
        yield told + _fastest(result, names)
    if result.judgement is not None:
        yield from _judgement(result.judgement, names)
    if result.judge_error is not None:
        yield f"the judge failed: {one_line(result.judge_error.message)}"
    if result.vote is not None:
        most, answered = len(result.agreement.groups[0]), sum(a.ok for a in result.answers)
        by = names[result.vote]
        if most > 1:
            yield f"most say ({most} of {answered}), in the words of {by}"
        else:
            yield f"no two agree; the answer of {by} is the likeliest to be right"


def _fastest(result: CompareResult, names: list[str]) -> str:
    """The fastest by its own work; said so where its wait for a turn made another one sooner."""
    if result.fastest is None:
        return ""
    aside = ", its wait aside" if result.fastest != result.soonest else ""
    return f" · fastest{aside}: {names[result.fastest]}"


def _agreement(result: CompareResult, names: list[str]) -> str:
    found = result.agreement
    if found.score is None:
        return ""
    alike = f"{100 * found.score:.0f} % alike, by {_METHODS[found.method]}"
    groups = [group for group in found.groups if len(group) > 1]
    if not groups:
        return f"none agree ({alike})"
    told = []
    for group in groups:
        said = gist(result.answers[group[0]].text or "")
        kind, _, what = (said or "").partition(" ")
        short = f' ("{one_line(what, 30)}")' if kind in {"number", "choice"} else ""
        told.append(", ".join(names[index] for index in group) + short)
    return f"agree: {' | '.join(told)} ({alike})"


def _judgement(judgement: Judgement, names: list[str]) -> Iterator[str]:
    if not judgement.told:
        return
    scores = sorted(
        ((score, index) for index, score in enumerate(judgement.scores) if score is not None),
        reverse=True,
    )
    told = ", ".join(f"{names[index]} {score:.1f}" for score, index in scores)
    yield f"{one_line(judgement.model)} gives (of {BEST}): {told}"
    if judgement.order_dependent:
        yield "the verdict depends on the order in which the answers were read"
    elif sum(bool(told.best) for told in judgement.rounds) < len(judgement.rounds):
        yield "the answers were judged in one order only"
    elif judgement.winner is None:
        yield "the judge sees no difference between the best"
