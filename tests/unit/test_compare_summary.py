"""What is said below a comparison."""

from __future__ import annotations

import pytest

from ollamamaster.cli.render.compare_blocks import summary_lines
from ollamamaster.domain.answers import Usage
from ollamamaster.domain.comparing import Answer, CompareResult
from ollamamaster.domain.comparison import agreement
from ollamamaster.domain.routing import RouteResult, Timing


def answered(model: str, total_s: float, queue_s: float) -> Answer:
    timing = Timing(total_s=total_s, queue_s=queue_s)
    route = RouteResult("42", None, model, "i", "stop", None, (), Usage(), timing, None)
    return Answer(model, "i", "ok", route)


@pytest.mark.parametrize(
    ("waited_s", "told"),
    [(0.0, "fastest: small:1b"), (4.0, "fastest, its wait aside: small:1b")],
)
def test_the_fastest_by_its_own_work_is_named_as_such_where_another_was_there_sooner(
    waited_s: float, told: str
) -> None:
    answers = (answered("small:1b", 1.0 + waited_s, waited_s), answered("large:70b", 3.0, 0.0))
    found = CompareResult("", answers, agreement(["42", "42"]), None, None, 5.0)
    assert next(iter(summary_lines(found))).endswith(told)
