"""The options of `route`, checked and turned into a request."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.prompt import read_prompt
from ollamamaster.domain.routing import Long, RouteRequest
from ollamamaster.domain.tickets import Priority
from ollamamaster.errors import FileUnusableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ollamamaster.domain.routing import Document
    from ollamamaster.domain.settings import Performance, Settings

# The largest schemas that people write are a few hundred kB.
_MAX_SCHEMA_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class RouteFlags:
    """What was typed."""

    prompt: str | None
    files: tuple[str, ...]
    system: str | None
    model: str | None
    performance: Performance | None
    max_time: float | None
    instance: str | None
    local_only: bool
    format: str | None
    options: tuple[str, ...]
    think: bool | None
    keep_alive: str | None
    pull: bool
    stream: bool | None
    explain: bool
    priority: Priority = Priority.NORMAL
    hedge: bool = True
    session: str | None = None
    summary: bool = True
    recursive: bool = False
    long: Long = Long.ASK

    def request(self, settings: Settings) -> RouteRequest:
        """The request; reads the files and standard input.

        Raises UsageError and its kin naming the option that is wrong.
        """
        checked = self.with_prompt(settings, "")
        read = read_prompt(self.prompt, OUTPUT.note)
        return replace(checked, prompt=read.text, piped=read.piped if read.typed else "")

    def with_prompt(self, settings: Settings, prompt: str) -> RouteRequest:
        """The request with this prompt; reads the files. Raises as `request`."""
        if self.model is not None and not self.model.strip():
            raise UsageError("--model: the name is missing")
        if self.pull and self.model is None:
            raise UsageError("--pull needs --model: which one is to be downloaded?")
        limit = self.max_time if self.max_time is not None else settings.route.max_time_s
        if limit is not None and not 0 < limit < float("inf"):
            raise UsageError(f"--max-time: {limit:g} is no number of seconds above 0")
        if self.session is not None:
            from ollamamaster.domain.conversation import own_name

            own_name(self.session)
        keep_alive, wanted = _keep_alive(self.keep_alive), _format(self.format)
        options = dict(map(_option, self.options))
        documents, images = self._attached()
        return RouteRequest(
            prompt=prompt,
            system=self.system,
            documents=documents,
            images=images,
            model=self.model,
            instance=self.instance,
            local_only=self.local_only or settings.route.local_only,
            performance=self.performance or settings.route.performance,
            max_time_s=limit,
            format=wanted,
            options=options,
            think=self.think,
            keep_alive=keep_alive,
            pull=self.pull,
            priority=self.priority,
            hedge=self.hedge,
            long=self.long,
        )

    def _attached(self) -> tuple[tuple[Document, ...], tuple[bytes, ...]]:
        if not self.files:
            # most prompts come without, and nothing that reads files is loaded then
            return (), ()
        from ollamamaster.cli.files_read import tell_of_files
        from ollamamaster.storage.attachments import read_attachments

        attached = read_attachments(self.files, recursive=self.recursive)
        tell_of_files(attached)
        return attached.documents, attached.images


def _option(text: str) -> tuple[str, Any]:
    """`seed=1` as a key and a value; what is JSON is read as such, the rest is text."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"--option: {text!r} is not KEY=VALUE")
    try:
        return key.strip(), json.loads(value)
    except (ValueError, RecursionError):
        return key.strip(), value


def _keep_alive(text: str | None) -> str | int | None:
    if text is None:
        return None
    from ollamamaster.domain.keep_alive import keep_alive

    try:
        return keep_alive(text)
    except ValueError as error:
        raise UsageError(f"--keep-alive: {error}") from None


def _format(text: str | None) -> str | Mapping[str, Any] | None:
    if text is None or text == "json":
        return text
    from ollamamaster.storage.attachments import content_of

    try:
        schema = json.loads(content_of(Path(text), _MAX_SCHEMA_BYTES))
    except FileUnusableError as error:
        raise FileUnusableError(
            f"--format is json or the file of a JSON schema; {error.message}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise FileUnusableError(f"--format: {text} is no JSON: {error}") from None
    if not isinstance(schema, dict):
        raise FileUnusableError(f"--format: {text} is no JSON schema, which is an object")
    return schema
