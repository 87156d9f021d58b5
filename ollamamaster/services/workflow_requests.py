"""What a model step asks, once its references are filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ollamamaster.domain.records import Who
from ollamamaster.domain.references import Root, Template, as_text, fill_tree
from ollamamaster.domain.routing import RouteRequest
from ollamamaster.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ollamamaster.domain.references import Scope
    from ollamamaster.domain.settings import Settings
    from ollamamaster.domain.workflow import ModelWork
    from ollamamaster.ports import Attached


def route_request(
    work: ModelWork,
    scope: Scope,
    settings: Settings,
    attach: Callable[[Iterable[tuple[str, bool]]], Attached],
    *,
    person: bool,
) -> RouteRequest:
    """The request of a step. With `person` the inputs were given by the person, not by an agent.

    Raises MissingDataError, FileUnusableError, UsageError.
    """
    preferred = settings.route
    options = fill_tree(work.options, scope) or {}
    attached = attach(files_of(work, scope, person=person)) if work.files else None
    return RouteRequest(
        prompt=work.prompt.text(scope),
        system=None if work.system is None else work.system.text(scope),
        documents=attached.documents if attached else (),
        images=attached.images if attached else (),
        model=named(work.model, scope),
        instance=named(work.instance, scope),
        local_only=preferred.local_only,
        performance=work.performance or preferred.performance,
        max_time_s=work.max_time_s if work.max_time_s is not None else preferred.max_time_s,
        format=fill_tree(work.format, scope),
        options=options,
        think=work.think,
        hedge=preferred.hedge,
        who=Who.WORKFLOW,
    )


def files_of(work: ModelWork, scope: Scope, *, person: bool) -> list[tuple[str, bool]]:
    """The paths of a step, and whether each was chosen by the person."""
    return [(each.text(scope), _chosen(each, person=person)) for each in work.files]


def models_of(work: ModelWork, scope: Scope) -> tuple[str, ...] | None:
    """The models that answer side by side; None for a step of one model. Raises UsageError."""
    if work.models is None:
        return None
    if isinstance(work.models, Template):
        value: Any = work.models.fill(scope)
        if not isinstance(value, list) or not value:
            raise UsageError("models refers to what is no list of models")
        return tuple(map(as_text, value))
    return tuple(each.text(scope) for each in work.models)


def named(template: Template | None, scope: Scope) -> str | None:
    """The name, None for an empty one: an input that was left empty asks for nothing."""
    text = "" if template is None else template.text(scope).strip()
    return text or None


def _chosen(path: Template, *, person: bool) -> bool:
    roots = {reference.root for reference in path.references}
    return not roots or (person and roots == {Root.INPUTS})
