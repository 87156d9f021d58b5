"""How is what was learnt written down? Rows of figures under keys of three texts.

A row is a small JSON object; who stores it need not know more. What reads one takes a damaged
figure as if it were not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from ollamamaster.domain.measures import KEPT, Measure, measure, number
from ollamamaster.domain.task import TaskType

if TYPE_CHECKING:
    from collections.abc import Mapping

Key: TypeAlias = tuple[str, str, str]
Row: TypeAlias = "Mapping[str, Any]"
Rows: TypeAlias = "Mapping[Key, Row]"

# What can be at all: seconds up to eleven days, tokens up to the longest context times a hundred.
SECONDS = 0.0, 1e6
TOKENS = 0.0, 1e8

# In graphics memory, in main memory, or spilled, which is a cliff of a factor of 50: two shares
# that differ by more than this are not compared.
_SAME_SHARE = 0.1


def calibration_key(task_type: str) -> Key:
    """Where it stands how the estimates for a kind of task came true: some vary more."""
    return "calibration", task_type, ""


def pair_key(instance: str, model: str) -> Key:
    """Where the figures of a model on an instance are."""
    return "pair", instance, model


def instance_key(instance: str) -> Key:
    """Where the figures of an instance are."""
    return "instance", instance, ""


def length_key(task_type: str, model: str, *, quiet: bool = False) -> Key:
    """Where the lengths of answers are; `quiet` are those of which no thoughts were wanted.

    Without a model, those of all models that wrote no thoughts.
    """
    return "quiet" if quiet else "length", task_type, model


def tokens_key(task_type: str, model: str) -> Key:
    """Where a model's token counts are compared; an image is no text."""
    return "tokens", "vision" if task_type == TaskType.VISION else "text", model


def judged_key(task_type: str, model: str) -> Key:
    """Where it stands how a model did in judged comparisons of a kind of task."""
    return "judged", task_type, model


def sampled(
    row: Row,
    name: str,
    sample: tuple[float, float, float | None],
    *,
    noise: float,
    quantile: float = 0.5,
) -> Row:
    """The row with one more sample of (value, trust, share in graphics memory) of a quantity."""
    kept = [*samples_in(row, name), sample][-KEPT:]
    alike = [(value, trust) for value, trust, share in kept if _same(share, sample[2])]
    together = measure(alike, noise=noise, quantile=quantile)
    return {
        **row,
        name: {
            "samples": [list(s) for s in kept],
            "median": together.median,
            "sigma": together.sigma,
            "count": together.count,
            "in_vram": sample[2],
        },
    }


def samples_in(row: Row, name: str) -> list[tuple[float, float, float | None]]:
    """The kept samples of a quantity, the oldest first: value, trust, share in graphics memory."""
    stored = row.get(name)
    samples = stored.get("samples") if isinstance(stored, dict) else None
    found = []
    for entry in samples if isinstance(samples, list) else ():
        match entry:
            case [value, trust, share] if (
                number(value, 1e-9, 1e9) is not None
                and number(trust, 1e-6, 1) is not None
                and (share is None or number(share, 0, 1) is not None)
            ):
                found.append((float(value), float(trust), share))
    return found


def _same(share: float | None, other: float | None) -> bool:
    return share is None or other is None or abs(share - other) <= _SAME_SHARE


def measured(row: Row, name: str, in_vram: float | None = None) -> Measure | None:
    """What a row says of a quantity; None where nothing, or only of another share `in_vram`."""
    stored = row.get(name)
    if not isinstance(stored, dict):
        return None
    # Read for every pair of the fleet before every decision, so no `number` thrice.
    median, sigma, count = stored.get("median"), stored.get("sigma"), stored.get("count")
    if not (type(median) is type(sigma) is type(count) is float):
        return None
    if not (1e-9 <= median <= 1e9 and 1e-3 <= sigma <= 10 and 1e-6 <= count <= KEPT):
        return None
    share = stored.get("in_vram")
    if isinstance(share, float) and not _same(share, in_vram):
        return None
    return Measure(median, sigma, count)


def lengths_in(row: Row) -> list[tuple[float, bool]]:
    """The answers of a row, oldest first: tokens, and whether they were cut short."""
    answers = row.get("answers")
    found = []
    for entry in answers if isinstance(answers, list) else ():
        match entry:
            case [length, bool(cut)] if (tokens := number(length, 1, TOKENS[1])) is not None:
                found.append((tokens, cut))
    return found


def failures_in(row: Row) -> tuple[int, int]:
    """How many of the last requests failed, and how many there were."""
    ended = row.get("ended")
    text = ended if isinstance(ended, str) else ""
    return text.count("x"), len(text)
