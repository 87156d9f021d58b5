"""Which resources can be read and subscribed to, and what completes their names?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import mcp_types
from mcp.server.subscriptions import ListenHandler
from mcp.shared.exceptions import MCPError

from ollamamaster.domain.references import as_text as as_plain
from ollamamaster.domain.sendable import sendable
from ollamamaster.errors import NoInstanceError, OllamaMasterError
from ollamamaster.mcp_server.contents import (
    INSTANCES,
    MODELS,
    RUNS,
    STATS,
    WORKFLOWS,
    as_text,
    fleet_contents,
    model_uri,
    stats_text,
    workflow_text,
)
from ollamamaster.mcp_server.failures import refusal_of
from ollamamaster.mcp_server.long_call import reply_of
from ollamamaster.mcp_server.reply import RefusedError

if TYPE_CHECKING:
    from mcp.server import ServerRequestContext

    from ollamamaster.mcp_server.served import Served

    Context = ServerRequestContext[Served, Any]
    Page = mcp_types.PaginatedRequestParams | None

_JSON = "application/json"
# The protocol's limit for one completion.
_MOST_VALUES = 100

_RESOURCES = (
    (INSTANCES, "instances", "Every Ollama instance with its models and what is in memory."),
    (MODELS, "models", "Every model of the fleet, and the instances that have it."),
    (STATS, "history", "How fast each model was on each instance, and how well estimates held."),
)
_TEMPLATES = (
    (f"{MODELS}/{{name}}", "model", "One model of the fleet; its name is percent-encoded."),
    (f"{RUNS}/{{id}}", "run", "One run: its result, or the text so far and the time left."),
    (f"{WORKFLOWS}/{{name}}", "workflow", "One of the person's workflows: inputs and steps."),
)


@dataclass
class Resources:
    """The fleet and the runs as resources."""

    served: Served

    def __post_init__(self) -> None:
        self._listening = ListenHandler(self.served.announcer.bus)

    async def listed(self, _ctx: Context, _page: Page) -> mcp_types.ListResourcesResult:
        return mcp_types.ListResourcesResult(
            resources=[
                mcp_types.Resource(uri=uri, name=name, description=about, mime_type=_JSON)
                for uri, name, about in _RESOURCES
            ]
        )

    async def templates(self, _ctx: Context, _page: Page) -> mcp_types.ListResourceTemplatesResult:
        return mcp_types.ListResourceTemplatesResult(
            resource_templates=[
                mcp_types.ResourceTemplate(
                    uri_template=uri, name=name, description=about, mime_type=_JSON
                )
                for uri, name, about in _TEMPLATES
            ]
        )

    async def read(
        self, _ctx: Context, params: mcp_types.ReadResourceRequestParams
    ) -> mcp_types.ReadResourceResult:
        uri = str(params.uri)
        try:
            text = await self._text(uri)
        except OllamaMasterError as error:
            raise MCPError(
                code=mcp_types.INTERNAL_ERROR, message=str(refusal_of(error)), data={"uri": uri}
            ) from None
        if text is None:
            raise MCPError(
                code=mcp_types.INVALID_PARAMS,
                message=f"there is no resource {uri[:200]!r}",
                data={"uri": uri},
            )
        content = mcp_types.TextResourceContents(uri=uri, mime_type=_JSON, text=sendable(text))
        return mcp_types.ReadResourceResult(contents=[content])

    async def _text(self, uri: str) -> str | None:
        if uri == STATS:
            return stats_text(self.served.application)
        if uri.startswith(f"{WORKFLOWS}/"):
            return await asyncio.to_thread(workflow_text, uri, self.served.application)
        return self._run(uri) if uri.startswith(f"{RUNS}/") else await self._of_fleet(uri)

    async def _of_fleet(self, uri: str) -> str | None:
        try:
            fleet = await self.served.live.fleet()
        except NoInstanceError:
            fleet = self.served.live.known()
        found = fleet_contents(fleet, self.served.application)
        # However the host encodes a name, it is the same one.
        head, _, name = uri.partition(f"{MODELS}/")
        return found.get(model_uri(unquote(name)) if name and not head else uri)

    def _run(self, uri: str) -> str | None:
        try:
            run = self.served.runs.find(unquote(uri.removeprefix(f"{RUNS}/")))
            return as_text(reply_of(self.served.runs, run).data)
        except RefusedError as refusal:
            raise MCPError(
                code=mcp_types.INVALID_PARAMS, message=str(refusal), data={"uri": uri}
            ) from None

    async def subscribe(
        self, ctx: Context, params: mcp_types.SubscribeRequestParams
    ) -> mcp_types.EmptyResult:
        self._from_now_on()
        self.served.announcer.subscribe(ctx.session, str(params.uri))
        self._from_now_on()
        return mcp_types.EmptyResult()

    async def listen(
        self, ctx: Context, params: mcp_types.SubscriptionsListenRequestParams
    ) -> mcp_types.SubscriptionsListenResult:
        """The one stream of changes of the newest revision."""
        self._from_now_on()
        with self.served.announcer.listening(params.notifications.resource_subscriptions or ()):
            self._from_now_on()
            return await self._listening(ctx, params)

    def _from_now_on(self) -> None:
        """What a subscriber could have read until now is no news to it.

        Before it is known as one, so that it is not told; and after, for what is only looked at
        since it wants it.
        """
        self.served.live.want()
        self.served.live.announce()

    async def unsubscribe(
        self, ctx: Context, params: mcp_types.UnsubscribeRequestParams
    ) -> mcp_types.EmptyResult:
        self.served.announcer.unsubscribe(ctx.session, str(params.uri))
        return mcp_types.EmptyResult()

    async def complete(
        self, _ctx: Context, params: mcp_types.CompleteRequestParams
    ) -> mcp_types.CompleteResult:
        """Names of models and workflows, ids of instances and runs, choices of inputs."""
        before, typed = _last_of(params.argument)
        values = [
            before + v for v in self._known(params.argument.name, params.ref) if typed in v.lower()
        ]
        values.sort(key=lambda v: (not v.lower().startswith(before.lower() + typed), v))
        return mcp_types.CompleteResult(
            completion=mcp_types.Completion(
                values=values[:_MOST_VALUES],
                total=len(values),
                has_more=len(values) > _MOST_VALUES,
            )
        )

    def _known(
        self,
        argument: str,
        ref: mcp_types.PromptReference | mcp_types.ResourceTemplateReference,
    ) -> set[str]:
        fleet = self.served.live.known()
        uri = ref.uri if isinstance(ref, mcp_types.ResourceTemplateReference) else ""
        if uri.startswith(f"{WORKFLOWS}/") or argument == "workflow":
            return set(self.served.application.workflow_files.names())
        if uri.startswith(f"{RUNS}/"):
            return {run.id for run in self.served.runs}
        if isinstance(ref, mcp_types.PromptReference) and (choices := self._choices(argument, ref)):
            return choices
        if argument in {"model", "models"} or uri.startswith(f"{MODELS}/"):
            return {sendable(str(model.name)) for i in fleet for model in i.models}
        if argument == "instance":
            return {instance.id for instance in fleet}
        return set()

    def _choices(self, argument: str, ref: mcp_types.PromptReference) -> set[str]:
        """What the input of a workflow may be, where its prompt is filled in."""
        try:
            workflow = self.served.workflows.named(ref.name)
        except OllamaMasterError:
            return set()
        inputs = (each for each in workflow.inputs if each.name == argument)
        return {sendable(as_plain(choice)) for each in inputs for choice in each.choices}


def _last_of(argument: mcp_types.CompletionArgument) -> tuple[str, str]:
    """What is typed already of names with commas between them, and the beginning of the last."""
    if argument.name != "models":
        return "", argument.value.lower()
    before, comma, typed = argument.value.rpartition(",")
    blanks = typed[: len(typed) - len(typed.lstrip())]
    return before + comma + blanks, typed.lstrip().lower()
