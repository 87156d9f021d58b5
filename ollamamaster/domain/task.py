"""What is asked? Type, complexity, token counts and hard needs of a prompt, with the evidence.

The rules are ordered, as ordered rules beat learned classifiers on public prompt sets; the
complexity is an honest prior and no more, because a prompt says little of how hard it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from ollamamaster.domain import task_rules
from ollamamaster.domain.answer_length import SUM_TOKENS, is_small_sum, said_length
from ollamamaster.domain.models import Capability
from ollamamaster.domain.prompt_rule import Prompt
from ollamamaster.domain.tokens import (
    IMAGE_TOKENS,
    MESSAGE_TOKENS,
    TEMPLATE_TOKENS,
    estimate_tokens,
    looks_like_code,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.prefix import Prefix


class TaskType(StrEnum):
    """What kind of work a prompt is."""

    CODE = "code"
    MATH = "math"
    REASONING = "reasoning"
    QA = "qa"
    CHAT = "chat"
    WRITING = "writing"
    DOCUMENT = "document"
    VISION = "vision"
    EMBEDDING = "embedding"
    TOOLS = "tools"


@dataclass(frozen=True, slots=True)
class Range:
    """A quantity that is not known exactly: 20, 50 and 80 of 100 cases lie below these."""

    p20: float
    p50: float
    p80: float

    def times(self, factor: float) -> Range:
        return Range(self.p20 * factor, self.p50 * factor, self.p80 * factor)

    def at_most(self, limit: float) -> Range:
        return Range(min(self.p20, limit), min(self.p50, limit), min(self.p80, limit))


@dataclass(frozen=True, slots=True)
class Question:
    """What the person gives: the prompt, what is attached, and what they insist on.

    `documents` are the texts of attached files; `options` are Ollama's, of which `num_predict`
    bounds the answer. `unseen_tokens` is the length of texts that are not there yet. In a
    conversation `earlier` are the texts of all messages before it, `asked_before` the last
    prompt among them, and `prefix` tells who has read them.
    """

    prompt: str
    system: str = ""
    documents: tuple[str, ...] = ()
    images: int = 0
    think: bool | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    unseen_tokens: int = 0
    earlier: tuple[str, ...] = ()
    asked_before: str = ""
    prefix: Prefix | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A question as it was understood. `evidence` names rules and counts, no words of the prompt.

    `context_tokens` is what prompt and answer need together, with a margin for both estimates;
    `output_limit` bounds the answer with its thoughts; with `length_said` a person told how long
    the answer is to be, so no other length is learnt for it. `prefix` is the part of the prompt
    that an instance has read before.
    """

    type: TaskType
    complexity: float
    prompt_tokens: int
    output_tokens: Range
    needs: frozenset[str]
    context_tokens: int
    evidence: tuple[str, ...] = ()
    no_thinking: bool = False
    output_limit: int | None = None
    length_said: bool = False
    prefix: Prefix | None = None


# Tokens of an answer before anything is learnt. Medians follow the public conversation traces
# (about 200 tokens over all), the order of the types is common experience.
OUTPUT_TOKENS: Mapping[TaskType, Range] = {
    TaskType.CODE: Range(150, 400, 900),
    TaskType.MATH: Range(120, 350, 800),
    TaskType.REASONING: Range(150, 450, 1000),
    TaskType.QA: Range(15, 60, 220),
    TaskType.CHAT: Range(15, 60, 200),
    TaskType.WRITING: Range(200, 500, 1000),
    TaskType.DOCUMENT: Range(150, 400, 900),
    TaskType.VISION: Range(40, 120, 350),
    TaskType.EMBEDDING: Range(0, 0, 0),
    TaskType.TOOLS: Range(20, 80, 300),
}

# Where a type's complexity begins: greetings and facts are easy, proofs are not.
_BASE_COMPLEXITY: Mapping[TaskType, float] = {
    TaskType.CODE: 0.45,
    TaskType.MATH: 0.45,
    TaskType.REASONING: 0.50,
    TaskType.QA: 0.15,
    TaskType.CHAT: 0.10,
    TaskType.WRITING: 0.30,
    TaskType.DOCUMENT: 0.45,
    TaskType.VISION: 0.35,
    TaskType.EMBEDDING: 0.0,
    TaskType.TOOLS: 0.40,
}

# Nearly as easy as a fact; of two-digit products the smallest models know only some.
_OF_A_SUM = 0.25

# A document of this many tokens (four pages of 500) is what the task is about, not an aside.
_LONG_DOCUMENT_TOKENS = 2000

# Rules look at this many characters (130 words) from each end of a prompt, where the wish usually
# stands; three times as many would take more than a millisecond.
_RULE_WINDOW = 800

# Length counts by doublings from one line with its template on: over six public prompt sets it
# tells a little of what is hard (a mean APGR of 0.55). From 4,096 tokens on it is the reading that
# is hard, which depends on the model (ability.py).
_SHORT_PROMPT = 32
_DOUBLINGS = 7

# The prompt's estimate is off by a fifth at times; a refused prompt costs a second attempt.
PROMPT_MARGIN = 1.2

# Sure signs first: a code block beats everything, a wish at the beginning beats the words of what
# it is about, and what only looks like a question comes last.
_RULES = (
    (TaskType.CODE, task_rules.CODE),
    (TaskType.DOCUMENT, task_rules.DOCUMENT_WISH),
    (TaskType.WRITING, task_rules.WRITING_WISH),
    (TaskType.TOOLS, task_rules.TOOLS_WISH),
    (TaskType.CODE, task_rules.CODING_TOPIC),
    (TaskType.MATH, task_rules.MATH),
    (TaskType.DOCUMENT, task_rules.DOCUMENT),
    (TaskType.MATH, task_rules.QUANTITIES),
    (TaskType.WRITING, task_rules.WRITING),
    (TaskType.TOOLS, task_rules.LIVE),
    (TaskType.REASONING, task_rules.REASONING),
    (TaskType.CHAT, task_rules.GREETING),
    (TaskType.CHAT, task_rules.REACTION),
    (TaskType.CHAT, task_rules.PERSONAL),
    (TaskType.DOCUMENT, task_rules.PASTED),
    (TaskType.REASONING, task_rules.RIDDLE),
    (TaskType.QA, task_rules.QUESTION),
    (TaskType.QA, task_rules.LOOKUP),
)


def analyse(question: Question) -> Task:
    """Understand a question. Pure, and fast on long documents: rules look at samples."""
    own_tokens = _prompt_tokens(question)
    earlier_tokens = sum(estimate_tokens(text) + MESSAGE_TOKENS for text in question.earlier)
    prompt_tokens = own_tokens + earlier_tokens
    window = _window(question.prompt)
    prompt = Prompt(window)
    # what was said before makes a prompt longer, and neither harder nor a document
    task_type, evidence = _type(question, prompt, own_tokens)
    complexity, reasons = _complexity(window, prompt, task_type, own_tokens)
    if earlier_tokens:
        reasons.append(f"{earlier_tokens} tokens of conversation before")
    said = said_length(window) if task_type is not TaskType.EMBEDDING else None
    if task_type is TaskType.MATH and is_small_sum(window):
        complexity, said, reasons = _OF_A_SUM, SUM_TOKENS, ["one sum of small numbers"]
    elif said is not None:
        reasons.append(f"asks for about {said[1]:.0f} tokens")
    output = _output(question, OUTPUT_TOKENS[task_type] if said is None else Range(*said))
    needs = {Capability.EMBEDDING if task_type is TaskType.EMBEDDING else Capability.COMPLETION}
    if question.images:
        needs.add(Capability.VISION)
    if question.think:
        needs.add(Capability.THINKING)
    return Task(
        type=task_type,
        complexity=complexity,
        prompt_tokens=prompt_tokens,
        output_tokens=output,
        needs=frozenset(needs),
        context_tokens=round(prompt_tokens * PROMPT_MARGIN + output.p80),
        evidence=(*evidence, *reasons),
        no_thinking=question.think is False,
        output_limit=_limit(question),
        length_said=said is not None,
        prefix=question.prefix,
    )


def _prompt_tokens(question: Question) -> int:
    texts = (question.prompt, question.system, *question.documents)
    read = sum(map(estimate_tokens, texts)) + question.unseen_tokens
    return read + question.images * IMAGE_TOKENS + TEMPLATE_TOKENS


def _window(prompt: str) -> str:
    if len(prompt) <= 2 * _RULE_WINDOW:
        return prompt
    return f"{prompt[:_RULE_WINDOW]}\n{prompt[-_RULE_WINDOW:]}"


def _type(question: Question, prompt: Prompt, prompt_tokens: int) -> tuple[TaskType, list[str]]:
    if question.images:
        return TaskType.VISION, ["1 image" if question.images == 1 else f"{question.images} images"]
    attached = sum(map(estimate_tokens, question.documents)) + question.unseen_tokens
    beginning = question.documents[0][:4000] if question.documents else ""
    if attached >= _LONG_DOCUMENT_TOKENS and not looks_like_code(beginning):
        return TaskType.DOCUMENT, [f"{attached} tokens attached"]
    if found := _by_rules(prompt):
        task_type, rule, count = found
        return task_type, [f"{rule}: {count}"]
    if prompt_tokens >= _LONG_DOCUMENT_TOKENS:
        return TaskType.DOCUMENT, [f"{prompt_tokens} tokens of text"]
    if question.asked_before and (found := _by_rules(Prompt(_window(question.asked_before)))):
        # "and now shorter" is the kind of work that it was before
        return found[0], [f"no rule matched; the prompt before: {found[1]}"]
    return TaskType.CHAT, ["no rule matched"]


def _by_rules(prompt: Prompt) -> tuple[TaskType, str, int] | None:
    """The first rule that matches: its type, its name, and how often."""
    for task_type, rule in _RULES:
        if found := rule.count(prompt):
            return task_type, rule.name, found
    return None


def _complexity(
    window: str, prompt: Prompt, task_type: TaskType, prompt_tokens: int
) -> tuple[float, list[str]]:
    hard, easy = task_rules.HARD.count(prompt), task_rules.EASY.count(prompt)
    demands = window.count("?") + window.count("\n- ") + window.count(";")
    doublings = math.log2(max(1.0, prompt_tokens / _SHORT_PROMPT))
    score = (
        _BASE_COMPLEXITY[task_type]
        + 0.12 * min(hard, 3)
        - 0.10 * min(easy, 2)
        + 0.03 * min(max(0, demands - 1), 4)
        + 0.03 * min(doublings, _DOUBLINGS)
    )
    reasons = [f"hard words: {hard}"] if hard else []
    reasons += [f"easy words: {easy}"] if easy else []
    reasons += [f"separate demands: {demands}"] if demands > 1 else []
    return round(min(1.0, max(0.0, score)), 3), [*reasons, f"{prompt_tokens} tokens in"]


def _output(question: Question, expected: Range) -> Range:
    limit = _limit(question)
    return expected if limit is None else expected.at_most(limit)


def _limit(question: Question) -> int | None:
    limit = question.options.get("num_predict")
    return limit if isinstance(limit, int) and limit > 0 else None
