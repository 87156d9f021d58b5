"""The contract: the sandbox answers as a real Ollama 0.24 was recorded to answer."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from program import PATIENCE_S, wait_until

from ollamamaster.simulator.fleet import parse_fleet
from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ollamamaster.simulator.sandbox import SimulatedInstance

GOLDEN = Path(__file__).parents[1] / "golden"
RECORDINGS = {file.stem: file for file in sorted((GOLDEN / "ollama-wire").glob("*.json"))}

# Every recorded case can be replayed; one that could not would stand here with its reason.
CANNOT_BE_EXPRESSED: dict[str, str] = {}

# A prompt that slow_fleet reads for longer than any test needs.
WORK = "much to read " * 1_000

# Values, beside keys and types, that a client acts upon.
ACTED_UPON = frozenset(
    [
        "model",
        "name",
        "done",
        "done_reason",
        "role",
        "error",
        "status",
        "object",
        "owned_by",
        "finish_reason",
        "stop_reason",
        "type",
        "capabilities",
        "family",
        "format",
        "quantization_level",
        "parameter_size",
        "param",
        "code",
    ]
)
# Lengths, and whether a body comes in chunks, follow from what is said, which differs.
HEADERS = ("content-type", "allow", "cache-control")


@dataclass(frozen=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes
    complete: bool


@pytest.fixture
def fleet() -> Iterator[SimulatedFleet]:
    with SimulatedFleet.start(GOLDEN / "fleet.toml", speed=100.0) as running:
        yield running


@pytest.fixture
def slow_fleet() -> Iterator[SimulatedFleet]:
    with SimulatedFleet.start(GOLDEN / "fleet.toml", speed=1.0) as running:
        yield running


def ask(instance: SimulatedInstance, method: str, path: str, body: bytes | None) -> Answered:
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=PATIENCE_S)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        try:
            return Answered(response.status, headers, response.read(), complete=True)
        except http.client.IncompleteRead as cut:
            return Answered(response.status, headers, cut.partial, complete=False)
    finally:
        connection.close()


def post(instance: SimulatedInstance, path: str, **document: Any) -> Answered:
    return ask(instance, "POST", path, json.dumps(document).encode())


def load(instance: SimulatedInstance, model: str, **more: Any) -> None:
    assert post(instance, "/api/generate", model=model, stream=False, **more).status == 200


class Pending:
    """Requests that are sent and not waited for."""

    def __init__(self, instance: SimulatedInstance) -> None:
        self._instance = instance
        self._connections: list[http.client.HTTPConnection] = []

    def send(self, path: str, **document: Any) -> None:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._instance.port, timeout=PATIENCE_S
        )
        connection.request("POST", path, json.dumps(document))
        self._connections.append(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.close()


def small_is_loaded(instance: SimulatedInstance) -> None:
    load(instance, "fleet-small")


def tiny_is_pinned(instance: SimulatedInstance) -> None:
    load(instance, "fleet-tiny", keep_alive=-1)
    load(instance, "fleet-small")


def small_has_a_long_context(instance: SimulatedInstance) -> None:
    load(instance, "fleet-tiny", keep_alive="10m")
    load(instance, "fleet-small", options={"num_ctx": 8192})


def tiny_has_its_longest_context(instance: SimulatedInstance) -> None:
    load(instance, "fleet-small")
    load(instance, "fleet-tiny", options={"num_ctx": 100000})


def model_dies(instance: SimulatedInstance) -> None:
    instance.fault("error_in_stream", tokens=5)


def server_dies(instance: SimulatedInstance) -> None:
    instance.fault("truncate_stream", tokens=4)


BEFORE: dict[str, Callable[[SimulatedInstance], None]] = {
    "ps-loaded": small_is_loaded,
    "ps-forever": tiny_is_pinned,
    "ps-num-ctx": small_has_a_long_context,
    "ps-num-ctx-over-model": tiny_has_its_longest_context,
    "stream-model-died": model_dies,
    "model-died": model_dies,
    "stream-server-died": server_dies,
}
BUSY = ("busy-503", "busy-503-stream", "ps-while-busy")


def recorded(name: str) -> dict[str, Any]:
    case = json.loads(RECORDINGS[name].read_text("utf-8"))
    assert isinstance(case, dict)
    return case


def body_of(request: dict[str, Any]) -> bytes | None:
    if "json" not in request:
        return str(request["raw"]).encode() if "raw" in request else None
    return json.dumps(_lengthened(request["json"])).encode()


def _lengthened(document: Any) -> Any:
    """A prompt that was shortened in the recording, as long as its note says (8,000 tokens)."""
    if isinstance(document, dict):
        return {key: _lengthened(value) for key, value in document.items()}
    if isinstance(document, list):
        return [_lengthened(value) for value in document]
    if isinstance(document, str) and len(document) > 2000:
        return "the world is big and the sea is old " * 900
    return document


def outline(document: Any, key: str = "") -> Any:
    """Keys in their order and types of the values; the values themselves where they matter."""
    if isinstance(document, dict):
        return [(name, outline(value, name)) for name, value in document.items()]
    if isinstance(document, list):
        items = [v for v in document if not (isinstance(v, str) and v.startswith("... "))]
        kinds: list[Any] = []
        for item in items:
            kind = outline(item, key)
            if kind not in kinds:
                kinds.append(kind)
        return ["list of", *sorted(kinds, key=repr)]
    if key in ACTED_UPON or document is None:
        return document
    return type(document).__name__


def sent_event(line: str) -> Any:
    if line.startswith("data: {"):
        return ("data", outline(json.loads(line.removeprefix("data: "))))
    return line


@pytest.mark.parametrize("name", sorted(set(RECORDINGS) - set(CANNOT_BE_EXPRESSED) - set(BUSY)))
def test_a_recorded_case_is_answered_alike(name: str, fleet: SimulatedFleet) -> None:
    case, instance = recorded(name), fleet["ollama"]
    if name in BEFORE:
        BEFORE[name](instance)
    request = case["request"]
    answered = ask(instance, request["method"], request["path"], body_of(request))
    compare(answered, case["response"])
    assert answered.complete == (name != "stream-server-died")


def compare(answered: Answered, response: dict[str, Any]) -> None:
    assert answered.status == response["status"]
    for header in HEADERS:
        assert answered.headers.get(header) == response["headers"].get(header)
    if "lines" in response:
        lines = answered.body.decode().removesuffix("\n").split("\n")
        if isinstance(response["lines"][0], str):
            expected = [sent_event(line) for line in response["lines"]]
            assert [sent_event(line) for line in lines] == expected
        else:
            expected = [outline(line) for line in response["lines"]]
            assert [outline(json.loads(line)) for line in lines] == expected
    elif "json" in response:
        assert outline(json.loads(answered.body)) == outline(response["json"])
    else:
        assert answered.body.decode() == response["text"]


def test_a_case_that_is_left_out_is_a_recorded_one() -> None:
    assert set(CANNOT_BE_EXPRESSED) <= set(RECORDINGS)
    assert set(BEFORE) | set(BUSY) <= set(RECORDINGS)


@pytest.mark.parametrize("name", ["busy-503", "busy-503-stream"])
def test_a_full_queue_is_refused_as_recorded(name: str, slow_fleet: SimulatedFleet) -> None:
    instance, case = slow_fleet["cramped"], recorded(name)
    request = case["request"]
    with Pending(instance) as pending:
        pending.send("/api/generate", model="fleet-small", prompt=WORK)
        wait_until(lambda: instance.state()["running"] == 1, "it runs")
        for waiting in (1, 2):
            pending.send("/api/generate", model="fleet-medium", prompt="x")
            wait_until(
                lambda waiting=waiting: instance.state()["waiting"] == waiting,  # type: ignore[misc]
                f"{waiting} wait",
            )
        answered = ask(instance, request["method"], request["path"], body_of(request))
    compare(answered, case["response"])


def test_a_busy_instance_lists_its_models_as_recorded(slow_fleet: SimulatedFleet) -> None:
    instance, case = slow_fleet["ollama"], recorded("ps-while-busy")
    with Pending(instance) as pending:
        pending.send("/api/generate", model="fleet-small", prompt=WORK)
        wait_until(lambda: instance.state()["running"] == 1, "it runs")
        answered = ask(instance, "GET", "/api/ps", None)
    compare(answered, case["response"])


def usage(instance: SimulatedInstance, prompt: str, **options: Any) -> dict[str, Any]:
    answered = post(
        instance,
        "/api/generate",
        model="fleet-small",
        prompt=prompt,
        stream=False,
        options={"num_predict": 8, **options},
    )
    document = json.loads(answered.body)
    assert isinstance(document, dict)
    return document


def test_an_answer_begins_with_the_mark(fleet: SimulatedFleet) -> None:
    assert usage(fleet["ollama"], "hello")["response"].startswith("[simulated]")


def test_the_parts_and_the_slot_wait_make_the_total(fleet: SimulatedFleet) -> None:
    done = usage(fleet["ollama"], "hello")
    parts = done["load_duration"] + done["prompt_eval_duration"] + done["eval_duration"]
    assert 0 <= done["total_duration"] - parts < 10


def test_the_total_is_what_the_client_waited_also_at_high_speed(fleet: SimulatedFleet) -> None:
    began = time.perf_counter_ns()
    total = usage(fleet["ollama"], "hello")["total_duration"]
    assert total <= time.perf_counter_ns() - began


def test_the_same_prompt_again_is_read_in_a_tenth_of_the_time(fleet: SimulatedFleet) -> None:
    first = usage(fleet["ollama"], "the world is big " * 50)
    again = usage(fleet["ollama"], "the world is big " * 50)
    assert again["prompt_eval_count"] == first["prompt_eval_count"]
    assert again["prompt_eval_duration"] == pytest.approx(first["prompt_eval_duration"] / 10, 0.01)


def test_the_same_seed_gives_the_same_answer_elsewhere(fleet: SimulatedFleet) -> None:
    assert usage(fleet["ollama"], "a")["response"] == usage(fleet["cramped"], "a")["response"]


def test_leaving_num_ctx_out_goes_back_to_the_default(fleet: SimulatedFleet) -> None:
    usage(fleet["ollama"], "a", num_ctx=8192)
    usage(fleet["ollama"], "a")
    assert fleet["ollama"].state()["resident"][0]["context_length"] == 4096


def test_the_expiry_of_a_pinned_model_stays_until_it_is_used_again(fleet: SimulatedFleet) -> None:
    def expiry() -> datetime:
        listed = json.loads(ask(instance, "GET", "/api/ps", None).body)["models"]
        pinned = next(m for m in listed if m["name"] == "fleet-tiny:latest")
        return datetime.fromisoformat(pinned["expires_at"])

    instance = next(iter(fleet))
    tiny_is_pinned(instance)
    first, since = expiry(), time.monotonic()
    wait_until(lambda: time.monotonic() > since + 1, "a second goes by")
    assert expiry() - first < timedelta(seconds=0.5)


def test_closing_the_connection_frees_the_slot(slow_fleet: SimulatedFleet) -> None:
    instance = slow_fleet["ollama"]
    with Pending(instance) as pending:
        pending.send("/api/generate", model="fleet-small", prompt=WORK)
        wait_until(lambda: instance.state()["running"] == 1, "it runs")
    wait_until(lambda: instance.state()["running"] == 0, "it runs no more")
    assert instance.state()["cancelled"] == 1


def test_closing_the_connection_during_a_load_throws_the_load_away(
    slow_fleet: SimulatedFleet,
) -> None:
    instance = slow_fleet["ollama"]
    with Pending(instance) as pending:
        pending.send("/api/generate", model="fleet-medium", prompt="x", stream=False)
        wait_until(lambda: instance.state()["loading"] == "fleet-medium:latest", "it loads")
    wait_until(lambda: instance.state()["cancelled"] == 1, "it is cancelled")
    state = instance.state()
    assert (state["loading"], state["loads"], state["resident"]) == (None, 0, [])


def test_a_schema_has_its_mark_in_the_first_text(fleet: SimulatedFleet) -> None:
    schema = {
        "type": "object",
        "properties": {
            "n": {"type": "integer"},
            "kind": {"enum": ["x"]},
            "why": {"type": "string"},
        },
    }
    answered = post(
        fleet["ollama"],
        "/api/generate",
        model="fleet-small",
        prompt="x",
        stream=False,
        format=schema,
    )
    value = json.loads(json.loads(answered.body)["response"])
    assert value == {"n": 1, "kind": "x", "why": "[simulated] text"}


def test_a_model_that_thinks_does_so_before_it_answers() -> None:
    with SimulatedFleet.start("home", speed=1000.0) as fleet:
        answered = post(fleet["gaming-pc"], "/api/generate", model="qwen3:8b", prompt="hi")
    lines = [json.loads(line) for line in answered.body.splitlines()]
    thought = ["thinking" in line for line in lines[:-1]]
    assert thought == sorted(thought, reverse=True)
    assert {True, False} == set(thought)


def test_a_model_of_the_fleet_file_can_be_pulled() -> None:
    with SimulatedFleet.start("duo", speed=1000.0) as fleet:
        answered = post(fleet["a"], "/api/pull", model="qwen3:8b")
        tags = json.loads(ask(fleet["a"], "GET", "/api/tags", None).body)
    statuses = [json.loads(line)["status"] for line in answered.body.splitlines()]
    assert (statuses[0], statuses[-1]) == ("pulling manifest", "success")
    assert "qwen3:8b" in {model["name"] for model in tags["models"]}


def test_texts_that_share_words_have_vectors_that_are_near(fleet: SimulatedFleet) -> None:
    texts = ["the old sea", "the sea is old", "seven brave machines"]
    answered = post(fleet["ollama"], "/api/embed", model="fleet-small", input=texts)
    one, near, far = json.loads(answered.body)["embeddings"]

    def similar(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    assert similar(one, one) == pytest.approx(1, abs=1e-6)
    assert similar(one, near) > similar(one, far) + 0.3


def test_the_older_path_for_embeddings_gives_the_same_vector(fleet: SimulatedFleet) -> None:
    new = post(fleet["ollama"], "/api/embed", model="fleet-tiny", input="hi")
    old = post(fleet["ollama"], "/api/embeddings", model="fleet-tiny", prompt="hi")
    assert json.loads(old.body)["embedding"] == json.loads(new.body)["embeddings"][0]


def test_a_model_for_embeddings_does_not_answer() -> None:
    with SimulatedFleet.start("duo") as fleet:
        answered = post(fleet["a"], "/api/chat", model="nomic-embed-text", messages=[])
    assert (answered.status, json.loads(answered.body)["error"]) == (
        400,
        '"nomic-embed-text" does not support chat',
    )


def test_a_model_larger_than_the_machine_is_a_500() -> None:
    text = (GOLDEN / "fleet.toml").read_text("utf-8").replace("ram_gb = 16", "ram_gb = 0.1")
    with SimulatedFleet.start(parse_fleet(text, name="test")) as fleet:
        answered = post(fleet["ollama"], "/api/generate", model="fleet-medium", prompt="x")
    assert answered.status == 500
    assert "requires more system memory" in json.loads(answered.body)["error"]


def test_a_head_request_has_no_body(fleet: SimulatedFleet) -> None:
    for path in ("/api/version", "/api/tags"):
        assert ask(fleet["ollama"], "HEAD", path, None).body == b""


def test_what_is_no_http_is_a_400(fleet: SimulatedFleet) -> None:
    with socket.create_connection(
        ("127.0.0.1", fleet["ollama"].port), timeout=PATIENCE_S
    ) as client:
        client.sendall(b"\x16\x03\x01 this is no http\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 400")
        assert client.recv(1000) == b""


def test_a_request_may_come_in_pieces_and_two_at_once(fleet: SimulatedFleet) -> None:
    request = b"GET /api/version HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(
        ("127.0.0.1", fleet["ollama"].port), timeout=PATIENCE_S
    ) as client:
        for byte in request:
            client.sendall(bytes([byte]))
        client.sendall(request + request.replace(b"Host", b"Connection: close\r\nHost"))
        received = b""
        while data := client.recv(4096):
            received += data
    assert received.count(b'{"version":"0.24.0-sandbox"}') == 3


def test_a_stream_of_openai_that_breaks_says_so_in_an_event(fleet: SimulatedFleet) -> None:
    fleet["ollama"].fault("error_in_stream", tokens=1)
    answered = post(
        fleet["ollama"],
        "/v1/chat/completions",
        model="fleet-tiny",
        stream=True,
        messages=[{"role": "user", "content": "hi"}],
    )
    last = answered.body.decode().rstrip().splitlines()[-1]
    assert "unexpected EOF" in json.loads(last.removeprefix("data: "))["error"]["message"]


def test_a_deleted_model_is_gone(fleet: SimulatedFleet) -> None:
    instance = fleet["ollama"]
    assert ask(instance, "DELETE", "/api/delete", b'{"model":"fleet-tiny"}').status == 200
    assert post(instance, "/api/show", model="fleet-tiny").status == 404


def test_one_connection_serves_many_requests(fleet: SimulatedFleet) -> None:
    with contextlib.closing(
        http.client.HTTPConnection("127.0.0.1", fleet["ollama"].port, timeout=PATIENCE_S)
    ) as connection:
        connection.connect()
        own = connection.sock.getsockname()
        for path in ("/api/version", "/api/tags", "/api/ps"):
            connection.request("GET", path)
            assert connection.getresponse().read()
            assert connection.sock.getsockname() == own
