"""What is read from a person's words, and from `--requirement`; and what is left unread."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.quantities import number
from ollamamaster.domain.requirement_rules import each_of_them, read_requirements
from ollamamaster.domain.requirements import Privacy, Requirements, pairs_of, stated
from ollamamaster.domain.settings import Performance
from ollamamaster.errors import UsageError

_NOT_FIGURES = {"evidence", "assumed"}


def read(text: str, *, files: int = 0) -> dict[str, Any]:
    """What was found beyond nothing."""
    found, nothing = read_requirements(text, files=files).requirements, Requirements()
    return {
        f.name: getattr(found, f.name)
        for f in fields(found)
        if f.name not in _NOT_FIGURES and getattr(found, f.name) != getattr(nothing, f.name)
    }


CONVERSATION = {"conversation": True, "tokens_per_s": 4.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I need an answer within 10 seconds", {"max_time_s": 10}),
        ("I want a response in less than a minute", {"max_time_s": 60}),
        ("the answer must be ready in 30 s", {"max_time_s": 30}),
        ("Reply within two minutes: is this contract valid?", {"max_time_s": 120}),
        ("deadline: 10 s. Fix this function", {"max_time_s": 10}),
        ("I have 10 minutes: explain relativity", {"max_time_s": 600}),
        ("Fix this bug within 5 seconds", {"max_time_s": 5}),
        ("Summarise this report within half an hour", {"max_time_s": 1800}),
        ("Write about cats within 20 seconds", {"max_time_s": 20}),
        ("Fix this within 2 seconds with good quality", {"max_time_s": 2}),
        ("Review it within 2 min, locally, with 30 tok/s", {"max_time_s": 120, "tokens_per_s": 30}),
        ("Summarise this in 5 min on my gaming PC", {"max_time_s": 300}),
        ("Antworte in 5 Sekunden", {"max_time_s": 5}),
        ("Réponds en moins d'une minute", {"max_time_s": 60}),
        ("Necesito una respuesta en menos de 10 segundos", {"max_time_s": 10}),
        (
            "Can you handle a real-time conversation with 100 ms latency?",
            {**CONVERSATION, "latency_s": 0.1},
        ),
        ("Can you run a voice assistant?", {**CONVERSATION, "latency_s": 1.0}),
        ("voice assistant, first word within half a second", {**CONVERSATION, "latency_s": 0.5}),
        (
            "Können wir ein Echtzeitgespräch mit höchstens 300 ms Latenz führen?",
            {**CONVERSATION, "latency_s": 0.3},
        ),
        ("latency below 2 seconds", {"latency_s": 2}),
        ("at least 20 tok/s", {"tokens_per_s": 20}),
        ("a 32k context model for my notes", {"context_tokens": 32_000}),
    ],
)
def test_a_time_or_a_speed_is_read(text: str, expected: dict[str, Any]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Analyze this 50-page document", {"input_tokens": 25_000}),
        (
            "Summarise a 100-page book in 3 sentences",
            {"input_tokens": 50_000, "output_tokens": 81},
        ),
        (
            "Write a summary of this 50-page document in 500 words",
            {"input_tokens": 25_000, "output_tokens": 667},
        ),
        ("Write a 2000-word essay about cats", {"output_tokens": 2667}),
        ("Write an essay of 3000 words", {"output_tokens": 4000}),
        ("Write a novel chapter of about 3,000 words", {"output_tokens": 4000}),
        ("Write a report on this article of 3000 words", {"input_tokens": 4000}),
        ("Create a 10-page report about tidal power", {"output_tokens": 5000}),
        ("Compare GPT-4 and Llama in one page", {"output_tokens": 500}),
        (
            "a prompt of 12000 tokens, answer of 500 tokens",
            {"input_tokens": 12_000, "output_tokens": 500},
        ),
        ("Proofread my 9000-word thesis", {"input_tokens": 12_000, "as_long": True}),
        ("Fasse dieses 30-seitige Dokument zusammen", {"input_tokens": 15_000}),
        ("Résume ce document de 20 pages", {"input_tokens": 10_000}),
        ("Analiza este documento de 10 páginas", {"input_tokens": 5000}),
    ],
)
def test_what_is_to_be_read_and_what_to_be_written_are_told_apart(
    text: str, expected: dict[str, Any]
) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Summarise these 200 documents within an hour",
            {"count": 200, "input_tokens": 1000, "max_time_s": 3600},
        ),
        ("How long would 200 documents take?", {"count": 200, "input_tokens": 1000}),
        ("Classify 1,000 customer reviews", {"count": 1000, "input_tokens": 200}),
        ("ten 50-page reports to summarise", {"count": 10, "input_tokens": 25_000}),
        ("summarise two hundred emails", {"count": 200, "input_tokens": 200}),
        ("caption each of these 40 pictures", {"count": 40, "images": 1}),
        ("How fast can you read 3 novels of 400 pages?", {"count": 3, "input_tokens": 200_000}),
        (
            "Kannst du diese 12 Rechnungen in 5 Minuten auslesen?",
            {"count": 12, "input_tokens": 1000, "max_time_s": 300},
        ),
        (
            "¿Puedes resumir 20 documentos en menos de 10 minutos?",
            {"count": 20, "input_tokens": 1000, "max_time_s": 600},
        ),
        ("Can you handle 5 concurrent users?", {"count": 5, "input_tokens": 0}),
    ],
)
def test_several_tasks_of_one_kind_are_counted(text: str, expected: dict[str, Any]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Describe this photo", {"images": 1}),
        ("What is in this picture?", {"images": 1}),
        ("generate alt text for my photo", {"images": 1}),
        ("Draw a picture of a cat", {"capabilities": frozenset({"image"})}),
        ("Transcribe this 1-hour podcast", {"capabilities": frozenset({"audio"})}),
        (
            "Embed these 500 documents",
            {"capabilities": frozenset({"embedding"}), "count": 500, "input_tokens": 1000},
        ),
        ("Compute text embeddings of my diary", {"capabilities": frozenset({"embedding"})}),
        ("an agent with function calling", {"capabilities": frozenset({"tools"})}),
        ("summarise it, it must not leave my network", {"privacy": Privacy.LAN}),
        ("without the cloud please: summarise my diary", {"privacy": Privacy.LAN}),
        ("Summarise this confidential report", {"privacy": Privacy.LAN}),
        ("Summarise it, it must run locally", {"privacy": Privacy.LAN}),
        ("Summarise it with only local models", {"privacy": Privacy.LAN}),
        ("the data is secret, keep it on this laptop", {"privacy": Privacy.LOCAL}),
        ("Der Vertrag darf mein Netz nicht verlassen", {"privacy": Privacy.LAN}),
        ("Es darf meinen Rechner nicht verlassen", {"privacy": Privacy.LOCAL}),
        ("Tell me a joke in German please", {"language": "German"}),
        ("Antworte auf Deutsch", {"language": "German"}),
        ("Translate this into Japanese", {"language": "Japanese", "as_long": True}),
        ("get me an answer asap", {"performance": Performance.FAST}),
        ("the best possible proof", {"performance": Performance.POWERFUL}),
    ],
)
def test_manner_place_and_senses_are_read(text: str, expected: dict[str, Any]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Can I handle this task?",
        "What's the best model for this?",
        "Should this run locally or remotely?",
        "Name games to play within 10 minutes with two friends",
        "What must run locally on a phone?",
        "What are local models good for?",
        "What is the capital of France?",
        "Write a story about a man who ran a mile in under 4 minutes",
        "Explain how to boil an egg in under 5 minutes",
        "Plan a workout I can do in 30 minutes",
        "What happened within 10 seconds of the Big Bang?",
        "How can I run 10 km in under 50 minutes?",
        "Who won the 100 m in under 10 seconds?",
        "Write a function that sleeps for 10 seconds",
        "Set a timer for 5 minutes",
        "I have a 30 second elevator pitch, improve it",
        "The deadline of the project was 3 days ago, write an apology",
        "Explain why the network latency is 100 ms",
        "My server has 500 ms latency, what could cause it?",
        "Write a real-time chat app in Node",
        "explain the term real-time bidding",
        "Give me a 3 day itinerary for Rome",
        "How many pages has War and Peace?",
        "How many words are in 300 pages?",
        "Summarise https://example.com/page/5",
        "Write 5 questions about cats",
        "Write a story about reading 200 documents",
        "Generate 100 product names",
        "List the 10 best books of 2020",
        "Compare these 2 documents",
        "What is 200 documents in Roman numerals?",
        "Explain docker image layers",
        "build a docker image",
        "How do I resize an image in Python?",
        "Describe the image of women in Victorian novels",
        "write a private method in Java",
        "Embed a video in my web page",
        "Explain how to create embeddings",
        "What is an embedding?",
        "Our privacy policy is based on confidential computing, explain it",
        "In French cuisine, what is a roux?",
        "Summarise German history",
        "Write a haiku",
    ],
)
def test_harmless_words_ask_for_nothing(text: str) -> None:
    assert read(text) == {}


def test_the_size_of_files_that_are_there_goes_before_the_words() -> None:
    assert read("Analyze this 50-page document", files=1) == {}


def test_a_length_that_nobody_said_is_told_as_assumed() -> None:
    assert read_requirements("Summarise these 200 documents").requirements.assumed


@pytest.mark.parametrize(
    ("text", "work"),
    [
        ("Can I handle this task?", ""),
        ("What's the best model for this?", ""),
        ("Should this run locally or remotely?", ""),
        ("I need an answer within 10 seconds", ""),
        ("What's the best model for writing Python?", "writing Python"),
        ("Can you summarise this report?", "summarise this report"),
        ("What is the capital of France?", "What is the capital of France?"),
    ],
)
def test_the_question_about_a_task_is_taken_from_the_task(text: str, work: str) -> None:
    assert read_requirements(text).work == work


def test_the_prompt_for_one_of_several_names_one() -> None:
    asked = "Summarise these 200 documents within an hour"
    assert each_of_them(asked) == "Summarise this document"


def test_evidence_names_no_word_of_the_text() -> None:
    found = read_requirements("Summarise Zanzibar's 50-page charter within 10 s").requirements
    assert len(found.evidence) == 2
    assert "zanzibar" not in " ".join(found.evidence).lower()


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    found = read_requirements(text).requirements
    assert found.tasks >= 1
    assert found.max_time_s is None or found.max_time_s > 0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,000", 1000),
        ("1.000", 1000),
        ("0.500", 0.5),
        ("2.5", 2.5),
        ("2,5", 2.5),
        ("32k", 32_000),
        ("1m", 1_000_000),
        ("two hundred", 200),
        ("half an", 0.5),
        ("einer halben", 0.5),
        ("zwölf", 12),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, value: float | None) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ("latency=100ms", {"latency_s": 0.1}),
        ("latency=2s", {"latency_s": 2.0}),
        ("max_time=10 min", {"max_time_s": 600.0}),
        ("max_time=10", {"max_time_s": 10.0}),
        ("context=32k", {"context_tokens": 32_000}),
        ("capability=vision", {"capabilities": frozenset({"vision"})}),
        ("capability=images+tools", {"capabilities": frozenset({"vision", "tools"})}),
        ("tokens_per_s=20.5", {"tokens_per_s": 20.5}),
        ("quality=80", {"quality": 80.0}),
        ("privacy=local", {"privacy": Privacy.LOCAL}),
        ("count=200", {"count": 200}),
    ],
)
def test_a_requirement_is_a_key_and_a_value(pair: str, expected: dict[str, Any]) -> None:
    found = stated(pairs_of([pair]), Requirements())
    assert {name: getattr(found, name) for name in expected} == expected
    assert len(found.evidence) == 1


@pytest.mark.parametrize(
    "pair",
    [
        "latency",
        "latency=",
        "=2s",
        "latency=soon",
        "latency=0",
        "latency=-1s",
        "max_time=inf",
        "speed=3",
        "quality=101",
        "quality=0",
        "count=0.2",
        "count=2.5",
        "capability=flying",
        "privacy=secret",
        "context=many",
    ],
)
def test_a_requirement_that_says_nothing_is_refused_with_its_key(pair: str) -> None:
    with pytest.raises(UsageError) as refused:
        stated(pairs_of([pair]), Requirements())
    assert pair.partition("=")[0] in refused.value.message


def test_several_requirements_may_stand_in_one_text() -> None:
    assert pairs_of(["latency=2s, count=3"]) == [("latency", "2s"), ("count", "3")]


def test_what_is_stated_goes_before_what_was_read() -> None:
    was_read = read_requirements("I need an answer within 10 seconds").requirements
    assert stated([("max_time", "20s")], was_read).max_time_s == 20.0


def test_a_value_may_be_a_number() -> None:
    assert stated([("count", 3)], Requirements()).count == 3
