"""What is chosen: a model on an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.models import LoadedModel, Model


class Pair(NamedTuple):
    """A model on an instance. `model` has what the config says of it."""

    model: Model
    instance: Instance

    @property
    def key(self) -> tuple[str, str]:
        return self.model.name.text, self.instance.id

    @property
    def loaded(self) -> LoadedModel | None:
        """The model in the instance's memory, if it is there."""
        return self.instance.loaded_model(self.model.name.text)
