"""Which model does the person mean?"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from ollamamaster.domain.models import ModelName
from ollamamaster.domain.plain_text import one_line
from ollamamaster.errors import ModelUnknownError

if TYPE_CHECKING:
    from ollamamaster.domain.snapshot import Fleet

# Below this likeness a name is another word, not a slip of the finger.
_NEAR = 0.6
_SUGGESTIONS = 4


@dataclass(frozen=True, slots=True)
class MeantModel:
    """The full name that was meant and, when it is not what was typed, a sentence that says so."""

    name: str
    note: str | None = None


def meant_model(text: str, fleet: Fleet) -> MeantModel:
    """The model of the fleet that `text` names.

    No tag means `:latest`; when that is missing and exactly one tag exists, that one. Raises
    ModelUnknownError with near misses and where they are.
    """
    wanted = ModelName.parse(text)
    names = {m.name for instance in fleet for m in instance.models}
    if wanted in names:
        return MeantModel(str(wanted))
    tags = sorted(n for n in names if n.name == wanted.name)
    tag_given = text.strip().endswith(f":{wanted.tag}")
    if not tag_given and len(tags) == 1:
        return MeantModel(
            str(tags[0]), f"there is no {wanted}; using {one_line(str(tags[0]))}, its only tag"
        )
    raise ModelUnknownError(f"no instance has {text}", hint=_near_hint(wanted, fleet))


def _near_hint(wanted: ModelName, fleet: Fleet) -> str | None:
    where: dict[ModelName, list[str]] = {}
    for instance in fleet:
        for model in instance.models:
            where.setdefault(model.name, []).append(instance.name)
    near = sorted(where, key=lambda name: (-_likeness(wanted, name), name))
    near = [name for name in near if _likeness(wanted, name) >= _NEAR][:_SUGGESTIONS]
    if not near:
        return None
    return "near: " + " · ".join(
        f"{one_line(str(name))} ({', '.join(where[name])})" for name in near
    )


def _likeness(wanted: ModelName, name: ModelName) -> float:
    """How alike the names are; the tag counts less, because people leave it out."""
    whole = SequenceMatcher(None, str(wanted).lower(), str(name).lower()).ratio()
    stem = SequenceMatcher(None, wanted.name.lower(), name.name.lower()).ratio()
    return max(whole, stem)
