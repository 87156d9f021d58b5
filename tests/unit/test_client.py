from __future__ import annotations

import asyncio
import json
import logging
import os
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ollamamaster.domain.answers import AnswerRequest, Chunk, Message
from ollamamaster.domain.instances import Endpoint, InstanceAddress
from ollamamaster.domain.models import Model, ModelName
from ollamamaster.errors import AttemptError, Outcome
from ollamamaster.ollama.client import OllamaClient
from ollamamaster.ollama.connections import Connections, is_public
from ollamamaster.ollama.failures import UnusableEndpointError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ollamamaster.ports import OllamaAPI

pytestmark = pytest.mark.anyio

RECORDED = Path(__file__).parents[1] / "golden" / "ollama-wire"
HERE = Endpoint(InstanceAddress("127.0.0.1"))
HELLO = AnswerRequest("fleet-tiny", "hello")


class Body(httpx.AsyncByteStream):
    """A body that is read once, as from a socket; `fails` is raised at its end."""

    def __init__(self, *pieces: bytes, fails: Exception | None = None) -> None:
        self._pieces = pieces
        self._fails = fails

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._fails is not None:
            raise self._fails


def says(*pieces: bytes, status: int = 200, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, stream=Body(*pieces), headers=named)


def replay(case: str) -> httpx.Response:
    response = json.loads((RECORDED / f"{case}.json").read_text("utf-8"))["response"]
    if "lines" in response:
        body = b"".join(json.dumps(line).encode() + b"\n" for line in response["lines"])
    elif "json" in response:
        body = json.dumps(response["json"]).encode()
    else:
        body = response["text"].encode()
    return says(body, status=response["status"], content_type=response["headers"]["content-type"])


def client(answer: Callable[[httpx.Request], httpx.Response] | httpx.Response) -> OllamaClient:
    def handler(request: httpx.Request) -> httpx.Response:
        return answer if isinstance(answer, httpx.Response) else answer(request)

    return OllamaClient(transport=httpx.MockTransport(handler))


async def chunks_of(ollama: OllamaClient, request: AnswerRequest = HELLO) -> list[Chunk]:
    async with aclosing(ollama.answer(HERE, request)) as chunks:
        return [chunk async for chunk in chunks]


async def pulled(response: httpx.Response) -> list[bool]:
    async with aclosing(client(response).pull(HERE, "m")) as lines:
        return [line.done async for line in lines]


async def failure_of(response: httpx.Response) -> AttemptError:
    with pytest.raises(AttemptError) as caught:
        await chunks_of(client(response))
    return caught.value


async def test_the_answer_of_a_real_stream_is_complete() -> None:
    chunks = await chunks_of(client(replay("generate-stream")))
    assert "".join(c.text for c in chunks) == " hN6 wherw act"
    assert [c.done for c in chunks] == [False] * 6 + [True]


async def test_a_conversation_is_sent_to_chat() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return replay("chat-stream")

    await chunks_of(client(handler), AnswerRequest("m", messages=(Message("user", "hi"),)))
    assert asked == ["/api/chat"]


async def test_a_path_prefix_stands_before_every_path() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return replay("version")

    there = Endpoint(InstanceAddress("localhost", 8080, prefix="/gpu/1"))
    await client(handler).version(there, timeout_s=5)
    assert asked == ["http://localhost:8080/gpu/1/api/version"]


@pytest.mark.parametrize("host", ["xn--", "", "x" * 64 + ".invalid"])
async def test_a_host_that_has_no_form_for_the_network_is_a_connect_error(host: str) -> None:
    with pytest.raises(AttemptError) as caught:
        await OllamaClient().version(Endpoint(InstanceAddress(host)), timeout_s=5)
    assert caught.value.outcome is Outcome.CONNECT_ERROR


@pytest.mark.parametrize("host", ["::1", "bücher.example", "a_b", "gpu-1.lan"])
async def test_a_host_of_any_kind_can_be_asked(host: str) -> None:
    there = Endpoint(InstanceAddress(host))
    assert await client(replay("version")).version(there, timeout_s=5) == "0.24.0"


async def test_cookies_are_not_kept() -> None:
    sent: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie"))
        return says(b'{"version":"0.24.0"}', set_cookie="id=1")

    ollama = client(handler)
    await ollama.version(HERE, timeout_s=5)
    await ollama.version(HERE, timeout_s=5)
    assert sent == [None, None]


def test_the_client_is_the_port() -> None:
    api: OllamaAPI = OllamaClient()
    assert callable(api.answer)


async def test_compression_is_declined() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["accept-encoding"])
        return replay("version")

    await client(handler).version(HERE, timeout_s=5)
    assert asked == ["identity"]


@pytest.mark.parametrize(
    ("case", "outcome", "received"),
    [
        ("stream-model-died", Outcome.STREAM_BROKEN, 5),
        ("stream-server-died", Outcome.STREAM_BROKEN, 4),
        ("busy-503-stream", Outcome.BUSY, 0),
        ("chat-missing-model", Outcome.MODEL_MISSING, 0),
        ("generate-bad-option", Outcome.BAD_REQUEST, 0),
        ("root", Outcome.BAD_RESPONSE, 0),
        ("tags", Outcome.STREAM_BROKEN, 0),
    ],
)
async def test_a_recorded_failure_is_told_with_what_had_come(
    case: str, outcome: Outcome, received: int
) -> None:
    error = await failure_of(replay(case))
    assert (error.outcome, error.received, error.instance) == (
        outcome,
        received,
        "127.0.0.1:11434",
    )


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b"", Outcome.STREAM_BROKEN),
        (b'{"response":"a"}\n{"respon', Outcome.STREAM_BROKEN),
        (b"<html><body>login</body></html>", Outcome.BAD_RESPONSE),
        (b"[1,2]\n", Outcome.BAD_RESPONSE),
        (b'{"response":5}\n', Outcome.BAD_RESPONSE),
        (b'{"error":"no"}\n', Outcome.STREAM_BROKEN),
        (b"[" * 100_000, Outcome.BAD_RESPONSE),
        (b"x" * 17_000_000, Outcome.BAD_RESPONSE),
    ],
)
async def test_a_stream_that_is_none_is_refused(body: bytes, outcome: Outcome) -> None:
    assert (await failure_of(says(body))).outcome is outcome


async def test_an_answer_that_never_ends_is_cut_at_the_limit() -> None:
    line = json.dumps({"response": "x" * 1_000_000}).encode() + b"\n"
    error = await failure_of(says(*[line] * 17))
    assert (error.outcome, error.received) == (Outcome.BAD_RESPONSE, 16)


async def test_a_last_line_without_a_newline_is_a_line() -> None:
    chunks = await chunks_of(client(says(b'{"response":"a","done":true}')))
    assert [c.text for c in chunks] == ["a"]


async def test_what_follows_the_last_line_is_not_read() -> None:
    body = b'{"response":"a","done":true}\n{"response":"b"}\n<html>'
    assert [c.text for c in await chunks_of(client(says(body)))] == ["a"]


async def test_a_compressed_answer_is_refused_unopened() -> None:
    error = await failure_of(says(b"\x1f\x8b", content_encoding="gzip"))
    assert error.outcome is Outcome.BAD_RESPONSE


async def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return says(status=307, location="http://localhost:1/")

    with pytest.raises(AttemptError) as caught:
        await client(handler).tags(HERE, timeout_s=5)
    assert (caught.value.outcome, len(asked)) == (Outcome.BAD_RESPONSE, 1)


async def test_a_document_over_the_limit_is_refused() -> None:
    with pytest.raises(AttemptError) as caught:
        await client(says(*[b" " * 1_000_000] * 17)).tags(HERE, timeout_s=30)
    assert caught.value.outcome is Outcome.BAD_RESPONSE


async def test_a_list_of_what_is_in_memory_is_short() -> None:
    body = b'{"models":[]}' + b" " * 300_000
    assert await client(says(body)).tags(HERE, timeout_s=30) == ()
    with pytest.raises(AttemptError) as caught:
        await client(says(body)).ps(HERE, timeout_s=30)
    assert caught.value.outcome is Outcome.BAD_RESPONSE


class Held(httpx.AsyncByteStream):
    """A large body that ends when it is let go."""

    def __init__(self, begun: list[None], full: asyncio.Event, let_go: asyncio.Event) -> None:
        self._begun, self._full, self._let_go = begun, full, let_go

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"models":[]}' + b" " * 200_000
        self._begun.append(None)
        if len(self._begun) == 8:
            self._full.set()
        await self._let_go.wait()
        yield b" "


async def test_large_answers_are_read_a_few_at_a_time_and_no_small_one_waits_for_them() -> None:
    begun: list[None] = []
    full, let_go = asyncio.Event(), asyncio.Event()

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/tags":
            return httpx.Response(200, stream=Held(begun, full, let_go))
        return says(b'{"models":[]}')

    ollama = client(handler)
    asked = [asyncio.create_task(ollama.tags(HERE, timeout_s=30)) for _ in range(20)]
    await full.wait()
    assert await ollama.ps(HERE, timeout_s=30) == ()
    assert len(begun) == 8
    let_go.set()
    assert await asyncio.gather(*asked) == [()] * 20


async def test_options_that_json_cannot_say_are_the_callers_fault() -> None:
    request = AnswerRequest("m", "x", options={"temperature": float("inf")})
    with pytest.raises(AttemptError) as caught:
        await chunks_of(client(replay("generate-stream")), request)
    assert caught.value.outcome is Outcome.BAD_REQUEST


async def test_ollama_is_known_by_its_greeting_and_its_version() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return replay("root" if request.url.path == "/" else "version")

    assert await client(handler).identify(HERE, timeout_s=5) == "0.24.0"


@pytest.mark.parametrize(
    ("root", "version"),
    [
        (b"<h1>It works!</h1>", b'{"version":"0.24.0"}'),
        (b"Ollama is running", b'{"version":""}'),
        (b"Ollama is running", b"<html>"),
        (b"Ollama is running" * 1000, b'{"version":"0.24.0"}'),
    ],
)
async def test_what_only_resembles_ollama_is_not_ollama(root: bytes, version: bytes) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return says(root if request.url.path == "/" else version)

    with pytest.raises(AttemptError) as caught:
        await client(handler).identify(HERE, timeout_s=5)
    assert caught.value.outcome is Outcome.BAD_RESPONSE


async def test_tags_ps_and_show_are_read_from_what_was_recorded() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return replay({"/api/tags": "tags", "/api/ps": "ps-loaded"}.get(request.url.path, "show"))

    ollama = client(handler)
    assert len(await ollama.tags(HERE, timeout_s=5)) == 3
    assert len(await ollama.ps(HERE, timeout_s=5)) == 1
    shown = await ollama.show(HERE, Model(ModelName("fleet-tiny")), timeout_s=5)
    assert shown.context_length == 8192


async def test_a_server_too_old_to_tell_what_is_in_memory_tells_nothing() -> None:
    assert await client(replay("unknown-path")).ps(HERE, timeout_s=5) == ()


async def test_a_pull_ends_with_success() -> None:
    body = b'{"status":"pulling manifest"}\n{"status":"success"}\n'
    assert await pulled(says(body)) == [False, True]


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        ("pull-no-network", Outcome.HTTP_ERROR),
        ("pull-bad-name", Outcome.BAD_REQUEST),
    ],
)
async def test_a_pull_that_fails_raises(response: str, outcome: Outcome) -> None:
    with pytest.raises(AttemptError) as caught:
        await pulled(replay(response))
    assert caught.value.outcome is outcome


async def test_a_pull_that_ends_without_success_is_broken() -> None:
    with pytest.raises(AttemptError) as caught:
        await pulled(says(b'{"status":"x"}\n'))
    assert caught.value.outcome is Outcome.STREAM_BROKEN


async def test_load_and_unload_end_when_the_instance_says_so() -> None:
    sent: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return replay("generate-load-only" if len(sent) == 1 else "generate-unload")

    ollama = client(handler)
    await ollama.load(HERE, "m", num_ctx=8192, keep_alive="1h")
    await ollama.unload(HERE, "m")
    assert [s.get("keep_alive") for s in sent] == ["1h", 0]
    assert sent[0]["options"] == {"num_ctx": 8192}


async def test_embedding_gives_one_vector_a_text() -> None:
    body = json.dumps({"embeddings": [[1.0, 2], [3, 4]], "prompt_eval_count": 9}).encode()
    found = await client(says(body)).embed(HERE, "m", ["a", "b"])
    assert (found.vectors, found.usage.prompt_tokens) == (((1.0, 2.0), (3.0, 4.0)), 9)


async def test_an_old_server_is_asked_for_one_vector_at_a_time() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/embed":
            return replay("unknown-path")
        return says(
            json.dumps({"embedding": [len(json.loads(request.content)["prompt"])]}).encode()
        )

    found = await client(handler).embed(HERE, "m", ["a", "bcd"])
    assert found.vectors == ((1.0,), (3.0,))


async def test_a_model_that_is_missing_is_no_old_server() -> None:
    with pytest.raises(AttemptError) as caught:
        await client(replay("embed-missing")).embed(HERE, "m", ["a"])
    assert caught.value.outcome is Outcome.MODEL_MISSING


async def test_the_token_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPU_TOKEN", "s3cret\n")
    sent: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"])
        return replay("version")

    there = Endpoint(InstanceAddress("127.0.0.1"), token_env="GPU_TOKEN")
    await client(handler).version(there, timeout_s=5)
    assert sent == ["Bearer s3cret"]


@pytest.mark.parametrize("value", [None, "", " ", "s3cret\x00word", "s3cret word", "s3crét"])
async def test_a_token_that_cannot_be_sent_is_told_by_the_name_of_its_variable(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GPU_TOKEN", raising=False)
    if value is not None and "\x00" not in value:
        monkeypatch.setenv("GPU_TOKEN", value)
    there = Endpoint(InstanceAddress("127.0.0.1"), token_env="GPU_TOKEN")
    with pytest.raises(AttemptError) as caught:
        await client(replay("version")).version(there, timeout_s=5)
    assert "GPU_TOKEN" in caught.value.message
    assert "s3cr" not in caught.value.message
    assert not caught.value.connected


async def test_the_token_is_in_no_error_and_no_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GPU_TOKEN", "s3cret")
    there = Endpoint(InstanceAddress("127.0.0.1"), token_env="GPU_TOKEN")

    def handler(request: httpx.Request) -> httpx.Response:
        echo = request.headers["authorization"]
        return says(json.dumps({"error": f"wrong: {echo}"}).encode(), status=401)

    with caplog.at_level(logging.DEBUG), pytest.raises(AttemptError) as caught:
        await client(handler).tags(there, timeout_s=5)
    assert caught.value.message == "wrong: Bearer ***"
    assert "s3cret" not in caplog.text + repr(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize("echo", ["{}", "m-{}:7b", r"\u0073{rest}", r"m-\u{first:04x}{rest}"])
async def test_a_document_with_the_token_in_it_is_refused_without_it(
    echo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "s3cret-w0rd"
    monkeypatch.setenv("GPU_TOKEN", token)
    there = Endpoint(InstanceAddress("127.0.0.1"), token_env="GPU_TOKEN")
    name = echo.format(token, rest=token[1:], first=ord(token[0]))
    body = f'{{"models":[{{"name":"{name}"}}]}}'.encode()
    assert len(await client(says(body)).tags(HERE, timeout_s=5)) == 1
    with pytest.raises(AttemptError) as caught:
        await client(says(body)).tags(there, timeout_s=5)
    assert caught.value.outcome is Outcome.BAD_RESPONSE
    assert "the token" in caught.value.message
    assert token[1:] not in caught.value.message


async def test_a_line_of_a_stream_with_the_token_in_it_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GPU_TOKEN", "s3cret-w0rd")
    there = Endpoint(InstanceAddress("127.0.0.1"), token_env="GPU_TOKEN")
    lines = b'{"response":"a"}\n{"response":"s3cret-w0rd","done":true}\n'
    with pytest.raises(AttemptError) as caught:
        async for _ in client(says(lines)).answer(there, HELLO):
            pass
    assert (caught.value.outcome, caught.value.received) == (Outcome.BAD_RESPONSE, 1)


async def test_a_token_that_is_no_secret_may_be_in_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GPU_TOKEN", "ollama")
    there = Endpoint(InstanceAddress("127.0.0.1"), token_env="GPU_TOKEN")
    body = b'{"models":[{"name":"a","remote_host":"https://ollama.com"}]}'
    assert len(await client(says(body)).tags(there, timeout_s=5)) == 1


async def test_a_ca_file_that_is_missing_is_told(tmp_path: Path) -> None:
    there = Endpoint(InstanceAddress("127.0.0.1", 443, "https"), ca_file=str(tmp_path / "none.pem"))
    with pytest.raises(AttemptError) as caught:
        await client(replay("version")).version(there, timeout_s=5)
    assert "none.pem cannot be read" in caught.value.message


async def test_a_ca_file_without_a_certificate_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate", "utf-8")
    there = Endpoint(InstanceAddress("127.0.0.1", 443, "https"), ca_file=str(tmp_path / "ca.pem"))
    with pytest.raises(AttemptError) as caught:
        await client(replay("version")).version(there, timeout_s=5)
    assert "holds no certificate" in caught.value.message


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """For a proxy of the test's own, without those of whoever runs the tests."""
    for name in [each for each in os.environ if each.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "gpu", "gpu.lan", "10.0.0.7"])
async def test_a_private_instance_is_never_asked_through_a_proxy(
    host: str, proxies: pytest.MonkeyPatch
) -> None:
    proxies.setenv("http_proxy", "http://127.0.0.1:9")
    pool = await Connections().pool(Endpoint(InstanceAddress(host)))
    assert not pool._mounts


async def test_a_public_instance_may_be_asked_through_a_proxy(
    proxies: pytest.MonkeyPatch,
) -> None:
    proxies.setenv("http_proxy", "http://127.0.0.1:9")
    pool = await Connections().pool(Endpoint(InstanceAddress("8.8.8.8")))
    assert pool._mounts


async def test_a_proxy_that_cannot_be_used_is_told_without_its_password(
    proxies: pytest.MonkeyPatch,
) -> None:
    proxies.setenv("http_proxy", "gopher://me:s3cret@127.0.0.1:9")
    with pytest.raises(UnusableEndpointError) as caught:
        await Connections().pool(Endpoint(InstanceAddress("8.8.8.8")))
    assert "s3cret" not in str(caught.value)


@pytest.mark.usefixtures("proxies")
async def test_plain_instances_share_one_pool() -> None:
    connections = Connections()
    pools = {id(await connections.pool(Endpoint(InstanceAddress(h)))) for h in ("a", "b", "::1")}
    assert len(pools) == 1


@pytest.mark.parametrize(
    ("addresses", "public"),
    [
        (["8.8.8.8", "2606:4700::1111"], True),
        (["8.8.8.8", "10.0.0.1"], False),
        (["100.64.0.1"], False),
        (["169.254.1.1"], False),
        ([], False),
    ],
)
def test_a_host_is_public_when_all_its_addresses_are(addresses: list[str], public: bool) -> None:
    assert is_public(addresses) is public
