"""A real Ollama, when there is one; skipped when not.

`OLLAMAMASTER_LIVE` names its address (127.0.0.1:11434 without it). The smallest model it has is
used; one that does not complete text (an embedding model) is passed over.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from ollamamaster.domain.answers import AnswerRequest
from ollamamaster.domain.instances import Endpoint, InstanceAddress
from ollamamaster.errors import AttemptError
from ollamamaster.ollama.client import OllamaClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ollamamaster.domain.models import Model

pytestmark = pytest.mark.anyio

LIVE = Endpoint(InstanceAddress.parse(os.environ.get("OLLAMAMASTER_LIVE", "127.0.0.1:11434")))


@pytest.fixture
async def ollama() -> AsyncIterator[OllamaClient]:
    client = OllamaClient()
    try:
        await client.identify(LIVE, timeout_s=2)
    except AttemptError as error:
        await client.aclose()
        pytest.skip(f"no Ollama at {LIVE.address.id}: {error.message}")
    yield client
    await client.aclose()


@pytest.fixture
async def model(ollama: OllamaClient) -> Model:
    found = await ollama.tags(LIVE, timeout_s=10)
    for one in sorted((m for m in found if not m.cloud), key=lambda m: m.size_bytes or 0):
        shown = await ollama.show(LIVE, one, timeout_s=10)
        if "completion" in (shown.capabilities or ()):
            return shown
    pytest.skip("it has no model that completes text")


def asks(model: Model, prompt: str, predict: int) -> AnswerRequest:
    return AnswerRequest(
        str(model.name), prompt, num_ctx=2048, options={"num_predict": predict, "seed": 1}
    )


async def test_a_real_version_is_read(ollama: OllamaClient) -> None:
    assert (await ollama.version(LIVE, timeout_s=5))[0].isdigit()


async def test_a_real_model_has_a_context_and_a_shape(model: Model) -> None:
    assert model.context_length
    assert model.shape is not None
    assert model.shape.kv_bytes_per_token()


async def test_a_real_answer_ends_with_usage(ollama: OllamaClient, model: Model) -> None:
    async with aclosing(ollama.answer(LIVE, asks(model, "Say hello.", 8))) as chunks:
        received = [chunk async for chunk in chunks]
    assert received[-1].done
    assert received[-1].usage.prompt_tokens


async def test_a_model_that_answered_is_in_memory(ollama: OllamaClient, model: Model) -> None:
    await ollama.load(LIVE, str(model.name), num_ctx=2048, keep_alive="1m")
    assert model.name in {loaded.name for loaded in await ollama.ps(LIVE, timeout_s=5)}


async def test_a_prompt_longer_than_the_context_is_refused(
    ollama: OllamaClient, model: Model
) -> None:
    version = [int(n) for n in (await ollama.version(LIVE, timeout_s=5)).split("-")[0].split(".")]
    if version < [0, 12, 6]:
        pytest.skip("this server truncates whatever it is told")
    request = asks(model, "the sea is old and the world is big " * 2000, 1)
    with pytest.raises(AttemptError) as caught:
        async with aclosing(ollama.answer(LIVE, request)) as chunks:
            await anext(chunks)
    assert caught.value.context_exceeded


async def test_a_real_generation_ends_when_its_stream_is_closed(
    ollama: OllamaClient, model: Model
) -> None:
    async with aclosing(ollama.answer(LIVE, asks(model, "Count for ever.", 1500))) as chunks:
        await anext(chunks)
    # With one slot the next answer would wait for all 1500 tokens if the first one went on.
    async with asyncio.timeout(60), aclosing(ollama.answer(LIVE, asks(model, "Hi", 1))) as chunks:
        received = [chunk async for chunk in chunks]
    wait = received[-1].usage.slot_wait_s
    assert wait is not None
    assert wait < 5
