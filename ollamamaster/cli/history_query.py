"""Which past requests does a person ask for? The options of `history list`, checked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ollamamaster.cli import moments
from ollamamaster.domain.history import HistoryQuery
from ollamamaster.domain.instances import InstanceAddress
from ollamamaster.domain.models import ModelName
from ollamamaster.errors import ErrorCode, Outcome, UsageError

if TYPE_CHECKING:
    from ollamamaster.bootstrap import Application


def query_of(
    application: Application,
    limit: int,
    model: str | None,
    instance: str | None,
    outcome: str | None,
    since: str | None,
) -> HistoryQuery:
    """The query; models and instances need not be known any more. Raises UsageError."""
    return HistoryQuery(
        limit,
        None if model is None else str(ModelName.parse(model)),
        None if instance is None else _instance_id(application, instance),
        None if outcome is None else _outcome(outcome),
        None if since is None else moments.moment(since, time.time(), option="--since"),
    )


def _instance_id(application: Application, text: str) -> str:
    """The id that is meant, also of an instance that is not known any more."""
    try:
        return application.fleet().find(text).id
    except UsageError as unknown:
        try:
            return InstanceAddress.parse(text).id
        except UsageError:
            raise unknown from None


def _outcome(word: str) -> str:
    """Raises UsageError for a word that is no outcome."""
    # a route ends as its attempt did, or with the code of its error
    known = list(dict.fromkeys([*map(str, Outcome), *map(str, ErrorCode)]))
    if word not in known:
        raise UsageError(f"--outcome: there is no {word!r}", hint=", ".join(known))
    return word
