"""Which model does the person mean?"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ollamamaster.domain.models import ModelName
from ollamamaster.domain.plain_text import one_line
from ollamamaster.errors import ModelUnknownError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollamamaster.domain.snapshot import Fleet

# Below this likeness a name is another word, not a slip of the finger.
_NEAR = 0.6
_SUGGESTIONS = 4
_NO_TAG = "latest"
# Comparing is slow, and an instance may list what it likes: longer names are no slips.
_LONGEST = 100
_MOST = 1000


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


def is_known(text: str, fleet: Fleet) -> bool:
    """Whether `text` names a model of the fleet."""
    try:
        meant_model(text, fleet)
    except ModelUnknownError:
        return False
    return True


def _near_hint(wanted: ModelName, fleet: Fleet) -> str | None:
    where: dict[ModelName, list[str]] = {}
    for instance in fleet:
        for model in instance.models:
            where.setdefault(model.name, []).append(instance.name)
    near = _near(wanted, where)
    if not near:
        return None
    return "near: " + " · ".join(f"{name} ({', '.join(where[name])})" for name in near)


def _near(wanted: ModelName, known: Iterable[ModelName]) -> list[ModelName]:
    """The names most alike, without the tag first, because people leave it out."""
    judged = [name for name in known if len(str(name)) <= _LONGEST][:_MOST]
    whole = {str(name).lower(): name for name in judged}
    stems: dict[str, list[ModelName]] = {}
    for name in sorted(judged):
        stems.setdefault(name.name.lower(), []).append(name)
    by_stem = get_close_matches(wanted.name.lower(), stems, _SUGGESTIONS, _NEAR)
    # the tag that stands for none makes every pair of short names alike
    whole_name = "" if wanted.tag == _NO_TAG else str(wanted).lower()
    by_name = get_close_matches(whole_name, whole, _SUGGESTIONS, _NEAR)
    near = [name for stem in by_stem for name in stems[stem]] + [whole[name] for name in by_name]
    return list(dict.fromkeys(near))[:_SUGGESTIONS]
