"""What can be completed: instances, models, sessions, workflows? From files, never an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ollamamaster.bootstrap import Application
from ollamamaster.errors import ConfigInvalidError, StateUnusableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ollamamaster.domain.snapshot import Fleet


def known_models() -> list[str]:
    """The names of all models of the inventory, sorted."""
    return _typeable(str(model.name) for instance in _fleet() for model in instance.models)


def known_instances() -> list[str]:
    """The ids of all instances, and the labels that belong to one instance only, sorted."""
    fleet = _fleet()
    labels = [instance.settings.label for instance in fleet if instance.settings.label]
    return _typeable(
        [instance.id for instance in fleet] + [x for x in labels if labels.count(x) == 1]
    )


def known_sessions() -> list[str]:
    """The names of all sessions, sorted."""
    try:
        return _typeable(session.name for session in Application().sessions.listed())
    except (ConfigInvalidError, StateUnusableError):
        return []


def known_workflows() -> list[str]:
    """The names of the person's workflows, sorted."""
    try:
        return list(Application().workflow_files.names())
    except (ConfigInvalidError, OSError):
        return []


def _fleet() -> Fleet:
    """The inventory with the settings, as far as they can be read; it is only looked at.

    The service would set a damaged inventory aside with a note. Nobody pressed Tab for that.
    """
    from ollamamaster.domain.snapshot import Fleet, with_settings
    from ollamamaster.storage.inventory_text import DamagedError, from_text
    from ollamamaster.storage.regular_file import content_of_regular

    application = Application()
    try:
        fleet = from_text(content_of_regular(application.paths.inventory))
    except (ConfigInvalidError, OSError, DamagedError):
        fleet = Fleet()
    try:
        return with_settings(fleet, application.settings)
    except ConfigInvalidError:
        return fleet


def _typeable(names: Iterable[str]) -> list[str]:
    """Without what cannot be typed (a newline would also be two names) or is read as an option.

    Names come from instances, so anything may be in them; the scripts quote what is left.
    """
    return sorted({name for name in names if name.isprintable() and name.lstrip("-") == name != ""})
