"""Past requests: the list, one of them, statistics, and what a replay would change."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeVar

from rich.table import Table
from rich.text import Text

from ollamamaster.cli.render.charts import bar, sparkline
from ollamamaster.cli.render.explain import render_decision
from ollamamaster.cli.render.figures import milliseconds, rate, seconds
from ollamamaster.cli.render.history_rows import difference, estimates_line, replay_line
from ollamamaster.domain.plain_text import cleaned, one_line
from ollamamaster.domain.time_price import doublings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import Console

    from ollamamaster.domain.attempt_record import AttemptRecord
    from ollamamaster.domain.history import Changed, HistoryStats, PairHistory, Replay
    from ollamamaster.domain.records import PastRequest, RouteRecord
    from ollamamaster.domain.selection import Candidate, Decision

_BAR_CELLS = 10
# Below this what belongs together stands one below the other, as no name of a model would be whole.
_NARROW = 76

Row = TypeVar("Row")
Cell = str | tuple[str, ...]


def render_list(
    console: Console, requests: Sequence[PastRequest], names: Mapping[str, str], now: float
) -> None:
    """One line a request. In a narrow terminal who asked goes first, then the task; then two."""

    def pair(request: PastRequest) -> tuple[str, str]:
        return request.model or "-", _named(request.instance, names)

    columns: dict[str, Callable[[PastRequest], Cell]] = {}
    if console.width < _NARROW:
        columns["id, when"] = lambda request: (request.id, _when(request.at, now))
        columns["model, instance"] = pair
    else:
        columns["id"] = lambda request: request.id
        columns["when"] = lambda request: _when(request.at, now)
        if console.width >= 100:
            columns["by"] = lambda request: request.who
        columns["task"] = lambda request: request.task_type
        columns["model"] = lambda request: pair(request)[0]
        columns["instance"] = lambda request: pair(request)[1]
    columns["outcome"] = lambda request: request.outcome
    columns["took"] = lambda request: seconds(request.seconds)
    if requests:
        whole = {"id", "when", "id, when", "took"}
        console.print(_table(columns, requests, right={"took"}, whole=whole))


def render_record(
    console: Console,
    record: RouteRecord,
    names: Mapping[str, str],
    prices: Mapping[str, float],
) -> None:
    """One request. `prices` are today's, for a decision that does not tell its own."""
    moment = _local(record.at)
    at = "?" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
    console.print(f"request {one_line(record.id)} · {at} · by {record.who} · {record.task_type}")
    console.print(f"outcome {one_line(_outcome(record))}")
    if record.attempts:
        console.print()
        console.print(_attempts(console, record.attempts, names))
        for number, attempt in enumerate(record.attempts, 1):
            if attempt.error:
                console.print(f"{number}: {one_line(attempt.error)}")
    for name, text in (("prompt", record.prompt), ("answer", record.answer)):
        if text is not None:
            console.print(Text(f"\n{name}", style="bold"))
            console.print(Text(cleaned(text)))
    if record.decision is not None:
        decision = record.decision
        console.print(Text("\ndecision as it was", style="bold"))
        price = _price_then(decision) or prices[decision.demand.performance]
        render_decision(console, decision, price, names, sent=True)


def _outcome(record: RouteRecord) -> str:
    parts = [f"{record.outcome} in {seconds(record.seconds)}"]
    if record.waited_s >= 0.05:
        parts[0] += f", {seconds(record.waited_s)} of it waiting"
    if (expected := record.estimate) is not None:
        spread = f"{expected.p20_s:.1f}-{expected.p80_s:.1f}"
        parts.append(f"expected {seconds(expected.p50_s)} ({spread})")
    return " · ".join(parts)


def _price_then(decision: Decision) -> float | None:
    """What a doubling had to buy, from the terms: the surest where the time is far from 1 s."""

    def doubled(candidate: Candidate) -> float:
        return doublings(candidate.prospect.weighted_p80_s)

    candidates = [each for each in decision.ranked if "time" in each.terms]
    surest = max(candidates, key=lambda each: abs(doubled(each)), default=None)
    if surest is None or not doubled(surest):
        return None
    return -surest.terms["time"] / doubled(surest)


def _attempts(
    console: Console, attempts: Sequence[AttemptRecord], names: Mapping[str, str]
) -> Table:
    columns: dict[str, Callable[[AttemptRecord], Cell]] = {
        "model": lambda attempt: attempt.model,
        "instance": lambda attempt: _named(attempt.instance, names),
        "outcome": lambda attempt: str(attempt.outcome),
        "took": lambda attempt: seconds(attempt.seconds),
    }
    if console.width >= 76:
        columns["first token"] = lambda attempt: _soon(attempt.first_token_s)
    if console.width >= 100:
        columns["load"] = lambda attempt: seconds(attempt.usage.load_s)
        columns["reading"] = lambda attempt: seconds(attempt.usage.prompt_s)
        columns["writing"] = lambda attempt: seconds(attempt.usage.generation_s)
    columns["writes"] = lambda attempt: rate(attempt.usage.tokens_per_s) or "-"
    right = {"took", "first token", "load", "reading", "writing", "writes"}
    return _table(columns, attempts, right=right, whole=right)


def render_stats(console: Console, stats: HistoryStats, names: Mapping[str, str]) -> None:
    """One line a pair, the fastest of each instance first; then how estimates came true.

    In a narrow terminal the latest rates go first, then reading and loads, then the bars; then
    a pair has two lines.
    """
    longest = max((each.learnt.decode_tokens_per_s or 0.0 for each in stats.pairs), default=0.0)
    columns: dict[str, Callable[[PairHistory], Cell]] = {}
    if console.width < _NARROW:
        columns["instance, model"] = lambda pair: (_named(pair.instance, names), pair.model)
    else:
        columns["instance"] = lambda pair: _named(pair.instance, names)
        columns["model"] = lambda pair: pair.model
    columns["tried"] = lambda pair: str(pair.requests)
    columns["failed"] = lambda pair: str(pair.failures) if pair.failures else "-"
    columns["writes"] = lambda pair: rate(pair.learnt.decode_tokens_per_s) or "-"
    if console.width >= _NARROW:
        columns[""] = lambda pair: bar(pair.learnt.decode_tokens_per_s, longest, _BAR_CELLS)
    if console.width >= 116:
        columns["lately"] = lambda pair: sparkline(pair.recent)
    if console.width >= 100:
        columns["reads"] = lambda pair: rate(pair.learnt.prefill_tokens_per_s) or "-"
        columns["load"] = lambda pair: seconds(pair.learnt.load_s)
    columns["first token"] = lambda pair: _soon(pair.first_token_s)
    right = {"tried", "failed", "writes", "reads", "load", "first token"}
    if stats.pairs:
        in_order = sorted(stats.pairs, key=_fastest_first)
        whole = right - {"first token"} | {"", "lately"}
        console.print(_table(columns, in_order, right=right, whole=whole))
    if line := estimates_line(stats.estimates):
        console.print(line, style="dim")


def _fastest_first(pair: PairHistory) -> tuple[str, float, str]:
    return pair.instance, -(pair.learnt.decode_tokens_per_s or 0.0), pair.model


def render_replay(console: Console, replay: Replay) -> None:
    """One line a request that would go elsewhere, two in a narrow terminal, and the sum."""
    columns: dict[str, Callable[[Changed], Cell]] = {"request": lambda changed: changed.id}
    if console.width < _NARROW:
        columns["used then, chosen today"] = lambda changed: (
            _pair(changed.then),
            _pair(changed.now),
        )
    else:
        columns["used then"] = lambda changed: _pair(changed.then)
        columns["chosen today"] = lambda changed: _pair(changed.now)
    columns["difference"] = lambda changed: difference(changed.delta_s)
    if replay.changed:
        whole = {"request", "difference"}
        console.print(_table(columns, replay.changed, right={"difference"}, whole=whole))
    if line := replay_line(replay):
        console.print(line, style="dim")


def _pair(candidate: Candidate | None) -> str:
    if candidate is None:
        return "none"
    return f"{candidate.model} on {candidate.pair.instance.name}"


def _table(
    columns: Mapping[str, Callable[[Row], Cell]],
    rows: Sequence[Row],
    *,
    right: frozenset[str] | set[str],
    whole: frozenset[str] | set[str],
) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        justify: Literal["left", "right"] = "right" if name in right else "left"
        table.add_column(name, justify=justify, overflow="fold", no_wrap=name in whole)
    for row in rows:
        table.add_row(*(_lines(cell(row)) for cell in columns.values()))
    return table


def _lines(cell: Cell) -> Text:
    lines = (cell,) if isinstance(cell, str) else cell
    return Text("\n".join(map(one_line, lines)))


def _soon(value: float | None) -> str:
    """A duration that is often far below a second, and matters there too."""
    return seconds(value) if value is None or value >= 0.95 else milliseconds(1000 * value)


def _named(instance: str | None, names: Mapping[str, str]) -> str:
    return "-" if instance is None else names.get(instance, instance)


def _local(at: float) -> datetime | None:
    """The moment on this machine's clock; None for one that no calendar has."""
    try:
        return datetime.fromtimestamp(at).astimezone()
    except (OverflowError, ValueError, OSError):
        return None


def _when(at: float, now: float) -> str:
    moment, today = _local(at), _local(now)
    if moment is None or today is None:
        return "?"
    if moment.date() == today.date():
        return f"{moment:%H:%M:%S}"
    return f"{moment:%m-%d %H:%M}" if moment.year == today.year else f"{moment:%Y-%m-%d}"
