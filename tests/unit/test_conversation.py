"""What is sent of a conversation, what is summarised, and where it goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from taught import ID, NAME, attempt, machine, pair, taught, usage

from ollamamaster.domain.answers import Message
from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.conversation import (
    Conversation,
    Turn,
    batches,
    checked_name,
    mcp_name,
    most_context,
    own_name,
    room_beside,
    summary_prompt,
    summary_tokens,
    to_summarise,
)
from ollamamaster.domain.instances import Gpu, GpuSource, Instance, InstanceAddress, Status
from ollamamaster.domain.knowledge import Knowledge
from ollamamaster.domain.models import GB, LoadedModel, Model, ModelName, ModelShape
from ollamamaster.domain.options import options_of
from ollamamaster.domain.outlook import Prospect, prospect
from ollamamaster.domain.pair import Pair
from ollamamaster.domain.prefix import CACHED_COST, Prefix
from ollamamaster.domain.profile_rows import measured, pair_key
from ollamamaster.domain.profiles import Profiles
from ollamamaster.domain.routing import RouteRequest
from ollamamaster.domain.selection import Decision, Demand, decide
from ollamamaster.domain.settings import Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, TaskType, analyse
from ollamamaster.errors import UsageError

texts = st.text("abc d\n", max_size=400)
turns = st.lists(
    st.builds(Turn, texts, texts, st.just("m:1b"), st.just("a:1"), st.just(1.0), st.just(2.0)),
    max_size=12,
)


def turn(prompt: str = "What is the capital?", answer: str = "Paris.", **more: Any) -> Turn:
    return replace(Turn(prompt, answer, NAME, ID, 1.0, 2.0), **more)


def conversation(*said: Turn, **more: Any) -> Conversation:
    return replace(Conversation("c", said), **more)


# ---- what is sent


def test_all_turns_are_sent_in_their_order() -> None:
    sent = conversation(turn("one", "two"), turn("three", "four")).messages
    assert [(m.role, m.content) for m in sent] == [
        ("user", "one"),
        ("assistant", "two"),
        ("user", "three"),
        ("assistant", "four"),
    ]


def test_images_are_sent_again_with_their_prompt() -> None:
    assert conversation(turn(images=(b"png",))).messages[0] == Message(
        "user", "What is the capital?", (b"png",)
    )


def test_a_summary_stands_for_the_oldest_turns_and_no_turn_is_sent_twice_or_lost() -> None:
    said = conversation(turn("one"), turn("two"), turn("three"), system="Be brief.")
    short = said.summarised("They counted.", 2, NAME, 3.0)
    assert [t.prompt for t in short.current] == ["three"]
    assert short.turns == said.turns
    assert short.system_text is not None
    assert short.system_text.startswith("Be brief.")
    assert "They counted." in short.system_text


def test_a_second_summary_counts_from_where_the_first_ended() -> None:
    said = conversation(turn("one"), turn("two"), turn("three"), turn("four"))
    short = said.summarised("A", 1, NAME, 3.0).summarised("AB", 2, NAME, 4.0)
    assert [t.prompt for t in short.current] == ["four"]
    assert short.summary is not None
    assert (short.summary.text, short.summary.turns) == ("AB", 3)


@given(said=turns, room=st.integers(64, 3000))
def test_what_stays_word_for_word_takes_at_most_half_of_the_room(
    said: list[Turn], room: int
) -> None:
    count = to_summarise(said, room)
    assert 0 <= count <= len(said)
    assert sum(t.tokens for t in said[count:]) + summary_tokens(room) <= 0.75 * room
    assert bool(count) is bool(said)


@given(said=turns, most=st.integers(11, 500))
def test_pieces_hold_every_turn_once_and_are_no_longer_than_allowed(
    said: list[Turn], most: int
) -> None:
    pieces = list(batches(said, most))
    held = [t for piece in pieces for t in piece]
    for kind in ("prompt", "answer"):
        assert "".join(getattr(t, kind) for t in held) == "".join(getattr(t, kind) for t in said)
    assert sum(len(t.images) for t in held) == sum(len(t.images) for t in said)
    assert all(t in held for t in said if t.text_tokens <= most)
    assert all(sum(t.text_tokens for t in p) <= most for p in pieces)


def test_without_room_nothing_is_summarised() -> None:
    assert to_summarise([turn()], 10) == 0


def test_a_summary_is_asked_of_all_texts_and_of_the_summary_before() -> None:
    asked = summary_prompt("They met.", [turn("and then?", "They left.", images=(b"x",))], 100)
    assert all(text in asked for text in ("They met.", "and then?", "They left.", "1 images"))


@pytest.mark.parametrize(
    ("options", "context", "most"),
    [({}, 8192, 8192), ({"num_ctx": 2048}, 8192, 2048), ({"num_ctx": "x"}, None, None)],
)
def test_the_longest_context_is_what_the_person_and_the_model_allow(
    options: dict[str, Any], context: int | None, most: int | None
) -> None:
    assert most_context(pair(context_length=context), options) == most


def test_the_longest_context_is_what_fits_in_memory() -> None:
    shape = ModelShape(layers=32, kv_heads=8, key_length=128, value_length=128)
    per_token = shape.kv_bytes_per_token()
    assert per_token
    small = replace(machine(), gpu=Gpu(1, GpuSource.CONFIG, 6 * GB), ram_total=2 * GB)
    with_shape = pair(instance=small, shape=shape, context_length=1_000_000)
    most = most_context(with_shape, {})
    assert most is not None
    memory, size = with_shape.instance.memory_bytes, with_shape.model.size_bytes
    assert memory is not None
    assert size is not None
    assert size + most * per_token <= memory < size + (most + 1) * per_token


def test_the_room_is_what_the_prompt_alone_leaves() -> None:
    alone = analyse(Question("hi"))
    assert room_beside(4096, alone) < 4096 - alone.context_tokens


# ---- names


@pytest.mark.parametrize("name", ["", " a", "a\nb", "x" * 101, "a\x1b[31m", "a  b"])
def test_a_name_is_one_clean_line(name: str) -> None:
    with pytest.raises(UsageError):
        checked_name(name)


def test_names_of_mcp_clients_are_apart_from_the_persons_own() -> None:
    assert own_name("holiday") == "holiday"
    assert mcp_name("holiday") == "mcp:holiday"
    with pytest.raises(UsageError):
        own_name("mcp:holiday")


# ---- how it is understood


def asked(prompt: str, *said: Turn) -> RouteRequest:
    talk = conversation(*said, cached_tokens=5000)
    return RouteRequest(prompt, messages=talk.messages, prefix=talk.prefix)


def test_what_was_said_before_makes_a_prompt_longer_but_not_another_task() -> None:
    long = turn("Tell me of the sea. " * 2000, "It is wide. " * 2000)
    alone = analyse(Question("What is the capital of France?"))
    within = analyse(asked("What is the capital of France?", long).question)
    assert within.prompt_tokens > alone.prompt_tokens + 10_000
    assert within.context_tokens > alone.context_tokens + 10_000
    assert (within.type, within.complexity) == (alone.type, alone.complexity)


def test_a_prompt_that_no_rule_knows_is_the_kind_of_work_it_was_before() -> None:
    before = turn("Write a Python function that sorts a list", "def ...")
    assert analyse(asked("now shorter", before).question).type is TaskType.CODE
    assert analyse(Question("now shorter")).type is TaskType.CHAT


# ---- where it goes on


def loaded(of: Pair) -> Pair:
    there = LoadedModel(of.model.name, size=of.model.size_bytes, context_length=131_072)
    return Pair(of.model, replace(of.instance, loaded=(there,)))


LONG = turn("Tell me of the sea. " * 800, "It is wide. " * 800)
FRESH = analyse(replace(asked("and then?", LONG), prefix=None).question)
AGAIN = analyse(asked("and then?", LONG).question)


def expected(task: Any, of: Pair, known: Profiles | None = None) -> Prospect:
    return prospect(of, task, Knowledge(profiles=known or Profiles()))


def test_what_was_read_before_costs_a_tenth() -> None:
    of = loaded(pair())
    tokens = FRESH.prompt_tokens
    saved = 1 - expected(AGAIN, of).estimate.prompt_s / expected(FRESH, of).estimate.prompt_s
    assert saved == pytest.approx((1 - CACHED_COST) * min(5000, tokens) / tokens)


@pytest.mark.parametrize("other", ["not loaded", "another model", "another instance"])
def test_nothing_is_saved_where_it_was_not_read(other: str) -> None:
    of = loaded(pair())
    if other == "not loaded":
        of = pair()
    elif other == "another model":
        of = loaded(pair("qwen3:8b"))
    else:
        of = loaded(pair(instance=replace(machine(), address=InstanceAddress("127.0.0.2"))))
    again, fresh = expected(AGAIN, of), expected(FRESH, of)
    assert again.estimate.prompt_s == fresh.estimate.prompt_s


def test_nothing_is_saved_after_another_prompt_of_ours() -> None:
    of = loaded(pair())
    known = Profiles.from_rows(taught([attempt(usage(), started_at=100.0, seconds=5.0)]))
    assert expected(AGAIN, of, known).estimate.prompt_s == pytest.approx(
        expected(FRESH, of, known).estimate.prompt_s
    )


def test_a_summary_leaves_nothing_that_was_read() -> None:
    said = conversation(turn(), turn(), cached_tokens=500)
    assert said.prefix is not None
    assert said.prefix.tokens == 500
    short = said.summarised("short", 1, NAME, 5.0).prefix
    assert short is not None
    assert short.tokens == 0


@given(tokens=st.integers(0, 10**6), prompt=st.floats(0, 1e6), used=st.none() | st.floats(0, 10))
def test_no_more_is_saved_than_there_is_to_read(
    tokens: int, prompt: float, used: float | None
) -> None:
    saved = Prefix("m", "i", tokens, 5.0).saves_tokens(("m", "i"), prompt, used)
    assert 0 <= saved <= prompt


def two(slow: float = 1.0) -> Fleet:
    """Two machines with the same model in memory; the first is so many times slower."""
    model = Model(ModelName.parse(NAME), size_bytes=5 * GB, capabilities=frozenset({"completion"}))
    there = LoadedModel(model.name, size=model.size_bytes, context_length=131_072)

    def at(host: str, factor: float) -> Instance:
        of = replace(machine(), address=InstanceAddress(host), status=Status.UP, models=(model,))
        faster = replace(of.settings, bandwidth_gb_s=900 / factor)
        return replace(of, loaded=(there,), settings=faster)

    return Fleet((at("127.0.0.1", slow), at("127.0.0.2", 1.0)))


def decided(fleet: Fleet, request: RouteRequest) -> Decision:
    return decide(analyse(request.question), fleet, Settings(), Wish(), Demand())


def test_a_conversation_stays_where_it_was_read() -> None:
    chosen = decided(two(slow=1.05), asked("and then?", LONG)).chosen
    assert chosen is not None
    assert chosen.instance == ID


def test_a_conversation_moves_where_staying_costs_more() -> None:
    chosen = decided(two(slow=20.0), asked("and then?", LONG)).chosen
    assert chosen is not None
    assert chosen.instance != ID


def test_of_equal_places_the_one_of_the_last_turn_is_familiar() -> None:
    decision = decided(two(), asked("and then?", turn()))
    told = {o.instance: o.familiar for o in options_of(decision, decision.ranked)}
    assert told == {ID: True, "127.0.0.2:11434": False}


def test_a_prompt_that_was_read_before_teaches_no_prefill_rate() -> None:
    key = pair_key(ID, NAME)
    said = usage(prefill=1000.0, prompt=2000)
    assert measured(taught([attempt(said)])[key], "prefill")
    assert not measured(taught([attempt(said, read_before=True)])[key], "prefill")
