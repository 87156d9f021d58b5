"""Which requirements are in the words of a task? English, German, French and Spanish basics.

A figure alone is no requirement: `a man who ran a mile in under 4 minutes` is a story. Each rule
needs the figure, a word that says what it limits, and no sign that the sentence is only about it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ollamamaster.domain import requirement_words as words
from ollamamaster.domain import spoken
from ollamamaster.domain.answer_length import names_a_piece
from ollamamaster.domain.models import Capability
from ollamamaster.domain.quantities import named_duration, named_number, number, seconds_in
from ollamamaster.domain.requirements import Privacy, Reading, Requirements
from ollamamaster.domain.settings import Performance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A page of print, as everywhere in this program.
PAGE_TOKENS = 500
# English prose: three words are four tokens in the vocabularies of Llama 3, Qwen and GPT.
WORD_TOKENS = 4 / 3
# Sentences of written English have some 20 words.
SENTENCE_TOKENS = 27
# Fewer words than that are a figure of speech ("in two words"), not a text to read.
_FEWEST_WORDS_READ = 20
# Someone who talks waits at most a second before the thread is lost (Nielsen, Usability
# Engineering, 1993).
CONVERSATION_LATENCY_S = 1.0
# 150 words a minute, the pace of audiobooks and of ordinary speech, are 3.3 tokens a second.
SPEECH_TOKENS_PER_S = 4.0
# Nobody said how long the documents are: two pages, or 150 words for mails and the like.
_DOCUMENT_TOKENS = 2 * PAGE_TOKENS
_NOTE_TOKENS = 200
# Requirements stand in the wish, not in the text it is about; a wish is shorter than this.
_WINDOW = 4000


def read_requirements(text: str, *, files: int = 0) -> Reading:
    """What a person's words say. `files` is how many files are there, whose size is known."""
    shown = text if len(text) <= 2 * _WINDOW else f"{text[:_WINDOW]}\n{text[-_WINDOW:]}"
    found = Requirements()
    for sentence in _sentences(_plain(shown)):
        for rule in _RULES:
            found = rule(sentence, found)
    return Reading(_work(text), _completed(found, files))


def _plain(text: str) -> str:
    return text.lower().replace("\u2019", "'").replace("\u2011", "-").replace("\u00a0", " ")


def _sentences(text: str) -> Iterator[str]:
    for part in re.split(r"(?<=[.!?;])\s+|\n", text):
        bare = part.strip()
        while match := words.FRAME.match(bare):
            bare = bare[match.end() :].lstrip()
        if bare:
            yield bare


def each_of_them(work: str) -> str:
    """The prompt for one of several: `summarise these 200 documents` names one document."""
    match = _COUNT_ANYWHERE.search(work)
    if match is None or not match["thing"].lower().endswith("s"):
        return ""
    one = f"{work[: match.start()]}this {match['thing'][:-1]}{work[match.end() :]}"
    return _LIMIT_ANYWHERE.sub("", one).strip()


def _work(text: str) -> str:
    """The task without the question about it."""
    work = text.strip()
    if len(work) > _WINDOW:
        return work
    while match := words.FRAME.match(work):
        work = work[match.end() :].lstrip()
    work = words.FRAME_END.sub("", work).strip()
    if work != text.strip():
        work = work.rstrip("? ")
    return "" if words.EMPTY.fullmatch(work) else work


def _note(found: Requirements, evidence: str, **changes: object) -> Requirements:
    return replace(found, evidence=(*found.evidence, evidence), **changes)  # type: ignore[arg-type]


# ---- time


_LATENCY = re.compile(
    rf"{words.LATENCY}\W+(?:[^\W\d]+\W+){{0,4}}?{named_duration('after')}"
    rf"|{named_duration('before')}\s+(?:(?:of|de|an)\s+)?(?:[a-z-]+\s)?{words.LATENCY}"
    rf"|(?:{words.WITHIN})\s+{named_duration('ms')}\s*$",
)
_DEADLINE = re.compile(
    rf"(?P<limit>{words.WITHIN}|{words.IN})(?:\s+|(?<='))(?:the\s+next\s+|den\s+nächsten\s+)?{named_duration()}"
)
# Words that stand before limits and before much else.
_WEAK = frozenset(words.IN.split("|"))
_LABELLED = re.compile(rf"{words.DEADLINE}\W+(?:(?:of|is|von|de)\s+)?{named_duration()}")


def _time(sentence: str, found: Requirements) -> Requirements:
    """A latency or a deadline, whichever the sentence says."""
    about = words.ABOUT.search(sentence)
    match = _LATENCY.search(sentence)
    if match and not about:
        name = next(n for n in ("after", "before", "ms") if match[n])
        seconds = seconds_in(match, name)
        # within 500 ms, nothing but a beginning is possible
        if seconds and (name != "ms" or seconds < 1.0):
            return _note(found, f"first token within {spoken.limit(seconds)}", latency_s=seconds)
    match = _LABELLED.search(sentence)
    if match is None:
        match = next((m for m in _DEADLINE.finditer(sentence) if _limits(sentence, m)), None)
    if match and (seconds := seconds_in(match)):
        return _note(found, f"time limit: {spoken.limit(seconds)}", max_time_s=seconds)
    return found


def _limits(sentence: str, match: re.Match[str]) -> bool:
    """Whether this duration limits the answer, and not something that the answer is about."""
    head, tail = sentence[: match.start()], sentence[match.end() :]
    topic = words.TOPIC.search(head)
    if topic and match["limit"] not in _WEAK:
        head = head[: topic.start()]
    if words.SERVICE.search(head) or words.SERVICE.match(tail.lstrip(" ,")):
        # the last thing said before the figure must be the answer, not a story about one
        service = [m.end() for m in words.SERVICE.finditer(head)]
        story = [m.start() for m in words.SUBORDINATE.finditer(head)]
        return not story or (bool(service) and max(service) > max(story))
    wish = not words.QUESTION.match(head) and not words.SUBORDINATE.search(head)
    # `in 10 minutes` may be anything; at the end of a plain wish it is a limit
    wish = wish and bool(match["limit"] not in _WEAK or words.IMPERATIVE.match(head))
    ends = len(re.findall(r"[^\W\d]+", tail)) <= 2 or bool(words.CONDITION.match(tail))
    days = match["n_unit"].startswith(("d", "t", "j")) and match["n_unit"] != "dos"
    return bool(wish) and ends and not days


# ---- amounts


_PAGES = re.compile(rf"{named_number()}[\s-]*{words.PAGES}\b")
_WORDS = re.compile(rf"{named_number()}[\s-]*{words.WORDS}\b")
_SENTENCES = re.compile(rf"{named_number()}[\s-]*{words.SENTENCES}\b")
_TOKENS = re.compile(
    rf"{named_number()}[\s-]*tokens?\b(?!\s*(?:/|per\b|a\b|pro\b|par\b|por\b)\s*s)"
)
_SPEED = re.compile(rf"{named_number()}\s*(?:tokens?|tok|t)\s*(?:/|per|a|pro|par|por)\s*s\w*")
_CONTEXT = re.compile(
    rf"{named_number()}(?:[\s-]*tokens?)?(?:\s+of)?[\s-]*(?:context|kontext|contexte|contexto)\b"
    rf"|(?:context|kontext|contexte|contexto)\w*(?:\s+(?:window|length|of|von|de))*\s+"
    rf"{named_number('after')}"
)


def _amounts(sentence: str, found: Requirements) -> Requirements:
    context = _CONTEXT.search(sentence)
    if context and not words.ABOUT.search(sentence):
        name = "n" if context["n"] else "after"
        tokens = number(context[name]) or 0
        if tokens >= 512:
            found = _note(found, f"context: {tokens:.0f} tokens", context_tokens=round(tokens))
    if words.HOW_MANY.match(sentence):
        return found
    for pattern, each, unit in (
        (_PAGES, PAGE_TOKENS, "pages"),
        (_WORDS, WORD_TOKENS, "words"),
        (_TOKENS, 1.0, "tokens"),
        (_SENTENCES, SENTENCE_TOKENS, "sentences"),
    ):
        for match in pattern.finditer(sentence):
            inside = context and context.start() <= match.start() < context.end()
            amount = number(match["n"]) or 0
            if not inside and amount > 0:
                found = _amount(sentence, match, amount, each, unit, found)
    speed = _SPEED.search(sentence)
    if speed and (rate := number(speed["n"])) and not words.ABOUT.search(sentence):
        found = _note(found, f"speed: {rate:g} tokens/s", tokens_per_s=rate)
    return found


def _amount(
    sentence: str, match: re.Match[str], amount: float, each: float, unit: str, found: Requirements
) -> Requirements:
    tokens = max(1, round(amount * each))
    said = f"{amount:,.0f} {unit}: {tokens:,} tokens"
    if _is_output(sentence, match):
        return _note(found, f"{said} to write", output_tokens=tokens)
    if unit == "sentences" or (unit == "words" and amount < _FEWEST_WORDS_READ):
        return found
    total = max(tokens, found.input_tokens or 0)
    return _note(found, f"{said} to read", input_tokens=total)


def _is_output(sentence: str, match: re.Match[str]) -> bool:
    """Whether so much is to be written, not read."""
    head = sentence[: match.start()]
    if words.LENGTH_OF_ANSWER.search(head) or names_a_piece(head):
        return True
    if words.OF_THIS.search(head):
        return False
    return bool(words.WRITING.search(head)) and not words.READING.search(head)


# ---- several of a kind, images, sound


_COUNT = re.compile(
    rf"{named_number()}\s+(?:(?!{words.PAGES}\b|{words.WORDS}\b|tokens?\b)[^\W\d][\w-]*\s+"
    rf"|\d[\d.,]*-\w+\s+){{0,2}}?{words.THINGS}\b"
)


_COUNT_ANYWHERE = re.compile(rf"(?i)(?:\b(?:these|those|all|the|my|our|of)\s+)*{_COUNT.pattern}")
_LIMIT_ANYWHERE = re.compile(rf"(?i)[\s,]*\b(?:{words.WITHIN}|{words.IN})\s+{named_duration()}\s*$")


_AT_ONCE = re.compile(rf"{named_number()}\s+{words.AT_ONCE}\b")


def _several(sentence: str, found: Requirements) -> Requirements:
    at_once = _AT_ONCE.search(sentence)
    if at_once and not words.ABOUT.search(sentence) and (users := number(at_once["n"]) or 0) >= 2:
        said = "their length was not said: a short question each"
        found = replace(found, assumed=(*found.assumed, said), input_tokens=0)
        return _note(found, f"{users:.0f} at the same time", count=round(users))
    for match in _COUNT.finditer(sentence):
        amount = number(match["n"]) or 0
        if amount < 2 or amount != int(amount) or words.TOGETHER.search(sentence):
            continue
        head = sentence[: match.start()]
        begins = not head.strip(" :")
        worked_on = words.READING.search(sentence) or words.HOW_LONG.search(sentence)
        made = words.WRITING.search(head) and not words.READING.search(head)
        if made or words.SUBORDINATE_STORY.search(head) or not (begins or worked_on):
            continue
        thing = match["thing"]
        found = _note(found, f"{amount:.0f} tasks of one kind", count=round(amount))
        if words.PICTURE.fullmatch(thing):
            return _note(found, "each an image", images=1)
        if words.NOTE.fullmatch(thing) and found.input_tokens is None:
            said = f"their length was not said: {_NOTE_TOKENS} tokens each"
            return replace(found, assumed=(*found.assumed, said), input_tokens=_NOTE_TOKENS)
        return found
    return found


def _senses(sentence: str, found: Requirements) -> Requirements:
    if words.DRAW.search(sentence):
        return _can(found, Capability.IMAGE, "an image is to be made")
    if not found.images and words.SEEN.search(sentence) and not words.NO_PICTURE.search(sentence):
        return _note(found, "an image is to be looked at", images=1)
    if words.HEARD.search(sentence):
        return _can(found, Capability.AUDIO, "sound is to be heard")
    if words.EMBEDDED.search(sentence) and not words.ABOUT.search(sentence):
        return _can(found, Capability.EMBEDDING, "vectors are to be made")
    if words.TOOLS.search(sentence) and not words.ABOUT.search(sentence):
        return _can(found, Capability.TOOLS, "tools are to be called")
    return found


def _can(found: Requirements, capability: Capability, evidence: str) -> Requirements:
    return _note(found, evidence, capabilities=found.capabilities | {str(capability)})


# ---- manner


def _conversation(sentence: str, found: Requirements) -> Requirements:
    if not words.LIVE_TALK.search(sentence) or words.ABOUT.search(sentence):
        return found
    return _note(found, "a conversation in real time", conversation=True)


def _privacy(sentence: str, found: Requirements) -> Requirements:
    if words.ABOUT.search(sentence):
        return found
    if words.STAY_HERE.search(sentence):
        return _note(found, "stays on this machine", privacy=Privacy.LOCAL)
    if words.STAY_IN.search(sentence) and found.privacy is None:
        return _note(found, "stays in the own network", privacy=Privacy.LAN)
    return found


def _language(sentence: str, found: Requirements) -> Requirements:
    match = words.LANGUAGE.search(sentence)
    if match is None or not words.SPEAKING.search(sentence[: match.end()]):
        return found
    language = words.LANGUAGES[match["language"]]
    return _note(found, f"language: {language}", language=language)


def _same_length(sentence: str, found: Requirements) -> Requirements:
    if found.as_long or not words.AS_LONG.match(sentence) or words.ABOUT.search(sentence):
        return found
    return _note(found, "the answer is as long as the text", as_long=True)


def _hurry(sentence: str, found: Requirements) -> Requirements:
    if words.BEST.search(sentence):
        return _note(found, "the best answer counts", performance=Performance.POWERFUL)
    if words.QUICK.search(sentence):
        return _note(found, "time counts most", performance=Performance.FAST)
    return found


_RULES: tuple[Callable[[str, Requirements], Requirements], ...] = (
    _conversation,
    _time,
    _amounts,
    _several,
    _senses,
    _privacy,
    _language,
    _same_length,
    _hurry,
)


def _completed(found: Requirements, files: int) -> Requirements:
    """With what follows from the words, and with what must be assumed."""
    if found.conversation:
        limit = CONVERSATION_LATENCY_S if found.latency_s is None else found.latency_s
        speed = found.tokens_per_s or SPEECH_TOKENS_PER_S
        found = replace(found, latency_s=limit, tokens_per_s=speed)
    if files:
        return replace(found, input_tokens=None, images=0)
    if found.tasks > 1 and not found.images and found.input_tokens is None:
        said = f"their length was not said: {_DOCUMENT_TOKENS // PAGE_TOKENS} pages each"
        return replace(found, assumed=(*found.assumed, said), input_tokens=_DOCUMENT_TOKENS)
    return found
