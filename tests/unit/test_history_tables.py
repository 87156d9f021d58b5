"""The tables of past requests in a narrow terminal."""

from __future__ import annotations

from io import StringIO

import pytest
from past import NOW, instance
from rich.console import Console

from ollamamaster.cli.render.history import render_list, render_replay, render_stats
from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.history import (
    Changed,
    HistoryStats,
    LearntRates,
    PairHistory,
    PromisesKept,
    Replay,
)
from ollamamaster.domain.records import PastRequest
from ollamamaster.domain.selection import Demand, decide
from ollamamaster.domain.settings import Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, analyse

MODEL, PLACE = "qwen2.5-coder:32b", "192.168.1.17:11434"
ID = "2bbbbbbbbbbb"


@pytest.mark.parametrize("width", [60, 75])
def test_no_name_of_a_model_or_an_instance_is_broken(width: int) -> None:
    asked = PastRequest(ID, NOW - 1e6, "command", "qa", MODEL, PLACE, "no_candidate", 99.5)
    tried = PairHistory(PLACE, MODEL, 1000, 10, 12.5, (), LearntRates(120.0, 900.0, 3.0))
    fleet = Fleet((instance(PLACE, MODEL),))
    chosen = decide(analyse(Question("hi")), fleet, Settings(), Wish(), Demand()).ranked[0]
    written = StringIO()
    console = Console(width=width, file=written, color_system=None)
    render_list(console, [asked], {}, NOW)
    render_stats(console, HistoryStats((tried,), PromisesKept(0, None, None)), {})
    render_replay(console, Replay(1, (Changed(ID, chosen, chosen, -123.0),)))
    text = written.getvalue()
    assert (text.count(MODEL), text.count(PLACE), text.count(ID)) == (4, 4, 2)
    assert max(map(len, text.splitlines())) <= width
