"""Judged comparisons move an ability a little, the right way, and never far."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from past import FLEET, NOW
from rich.console import Console

from ollamamaster.cli.render.explain import render_decision
from ollamamaster.contract.decision import decision_data
from ollamamaster.domain import judged
from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.judged import BOUND, Bout, Judged, Verdict, bouts_of, judged_in
from ollamamaster.domain.knowledge import Knowledge
from ollamamaster.domain.profiles import Profiles
from ollamamaster.domain.selection import Decision, Demand, decide
from ollamamaster.domain.settings import HistorySettings, ModelSettings, Settings
from ollamamaster.domain.task import Question, analyse
from ollamamaster.domain.verdict import Judgement, Round
from ollamamaster.storage.history import HistoryDatabase
from ollamamaster.storage.requests import RequestTables

if TYPE_CHECKING:
    from pathlib import Path

    from ollamamaster.domain.profile_rows import Key, Row

TASK = analyse(Question("What is the capital of France?"))
SMALL, BIG = "small:1b", "big:70b"


def verdict(*bouts: Bout) -> Verdict:
    return Verdict(NOW, str(TASK.type), bouts)


def taught(*bouts: Bout) -> dict[Key, Row]:
    rows: dict[Key, Row] = {}
    for bout in bouts:
        changed = judged.learnt(rows, verdict(bout))
        rows |= {key: json.loads(json.dumps(row)) for key, row in changed.items()}
    return rows


def decided(rows: dict[Key, Row], settings: Settings | None = None) -> Decision:
    known = Knowledge(profiles=Profiles.from_rows(rows))
    return decide(TASK, FLEET, settings or Settings(), Wish(), Demand(), (), known)


def quality(decision: Decision, model: str) -> float:
    return next(c.terms["quality"] for c in decision.ranked if c.model == model)


UPSET = Bout(SMALL, BIG, expected=0.2)


@given(
    st.lists(
        st.builds(
            Bout,
            st.sampled_from([SMALL, BIG]),
            st.just("other:7b"),
            st.floats(0.01, 0.99),
            st.floats(0.1, 1.0),
        )
        | st.just(UPSET),
        max_size=60,
    )
)
def test_no_number_of_verdicts_moves_an_ability_beyond_the_bound(bouts: list[Bout]) -> None:
    profiles = Profiles.from_rows(taught(*bouts))
    for model in (SMALL, BIG, "other:7b"):
        found = profiles.judged(TASK.type, model)
        assert found is None or abs(found.shift) <= BOUND


def test_a_win_makes_a_model_likelier_to_be_right_and_its_rival_less() -> None:
    before, after = decided({}), decided(taught(UPSET))
    assert quality(after, SMALL) > quality(before, SMALL)
    assert quality(after, BIG) < quality(before, BIG)


def test_a_surprise_counts_more_than_what_was_expected() -> None:
    expected = Bout(SMALL, BIG, expected=0.8)
    assert quality(decided(taught(UPSET)), SMALL) > quality(decided(taught(expected)), SMALL)


def test_one_verdict_moves_an_ability_by_less_than_many() -> None:
    one, many = decided(taught(UPSET)), decided(taught(*[UPSET] * 5))
    assert quality(many, SMALL) > quality(one, SMALL)


def test_verdicts_about_one_kind_of_task_say_nothing_of_another() -> None:
    rows = judged.learnt({}, Verdict(NOW, "code", (UPSET,)))
    assert quality(decided(dict(rows)), SMALL) == quality(decided({}), SMALL)


def test_what_the_person_says_of_a_model_is_not_moved() -> None:
    settings = Settings(models={SMALL: ModelSettings(ability={TASK.type: 50.0})})
    moved = decided(taught(UPSET), settings)
    assert quality(moved, SMALL) == quality(decided({}, settings), SMALL)
    assert next(c for c in moved.ranked if c.model == SMALL).moved is None


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"wins": "many"},
        {"wins": -1, "losses": 0, "surprise": 0, "information": 0},
        {"wins": 1, "losses": 0, "surprise": 900.0, "information": 0.2},
        {"wins": 1, "losses": 0, "surprise": float("nan"), "information": 0.2},
    ],
)
def test_a_damaged_row_says_nothing(row: Row) -> None:
    assert judged_in(row) is None


def test_a_row_is_read_as_it_was_written() -> None:
    found = Judged().after(UPSET, SMALL, NOW)
    assert judged_in(json.loads(json.dumps(found.row()))) == found


def judgement(*rounds: tuple[float | None, ...], model: str = "judge:1b") -> Judgement:
    order = tuple(range(len(rounds[0])))
    return Judgement(model, "truth", tuple(Round(order, scores) for scores in rounds))


ABLE = {"a:1b": 1.0, "b:1b": 1.0, "c:1b": 1.0}


def test_only_what_both_orders_say_is_a_bout() -> None:
    found = bouts_of(judgement((9, 5, 1), (8, 4, 5)), list(ABLE), ABLE)
    assert {(b.winner, b.loser) for b in found} == {("a:1b", "b:1b"), ("a:1b", "c:1b")}


def test_a_comparison_of_three_counts_once_for_each_model() -> None:
    found = bouts_of(judgement((9, 5, 1), (8, 4, 1)), list(ABLE), ABLE)
    rows = judged.learnt({}, Verdict(NOW, "qa", found))
    told = {key[2]: judged_in(row) for key, row in rows.items()}
    assert {m: (j.wins + j.losses) for m, j in told.items() if j} == pytest.approx(
        dict.fromkeys(ABLE, 1.0)
    )


def test_the_judges_own_answer_is_not_learnt_from() -> None:
    found = bouts_of(judgement((9, 5, 1), (8, 4, 1), model="a:1b"), list(ABLE), ABLE)
    assert {(b.winner, b.loser) for b in found} == {("b:1b", "c:1b")}


def test_a_model_does_not_win_against_itself() -> None:
    assert bouts_of(judgement((9, 1), (9, 1)), ["a:1b", "a:1b"], ABLE) == ()


def test_a_verdict_is_kept_in_the_database(tmp_path: Path) -> None:
    database = HistoryDatabase(tmp_path / "history.db", note=pytest.fail)
    tables = RequestTables(database, HistorySettings())
    tables.judge(verdict(UPSET))
    tables.judge(verdict(UPSET))
    found = tables.profiles().judged(TASK.type, SMALL)
    database.close()
    assert found is not None
    assert (found.wins, found.losses, found.last) == (2.0, 0.0, NOW)


def drawn(decision: Decision) -> str:
    out = io.StringIO()
    render_decision(Console(file=out, width=120, markup=False), decision, 0.03, {})
    return out.getvalue()


def test_explain_says_by_how_much_verdicts_moved_a_model() -> None:
    text = drawn(decided(taught(*[UPSET] * 4)))
    assert "small:1b: +" in text
    assert "(4 won, 0 lost)" in text
    assert "judged" not in drawn(decided({}))


def test_the_json_says_by_how_much_verdicts_moved_a_candidate() -> None:
    data = decision_data(decided(taught(UPSET)))
    assert data is not None
    told = {c["model"]: c["judged"] for c in data["ranked"]}
    assert told[SMALL] > 0 > told[BIG]
    assert decided({}).ranked[0].moved is None
