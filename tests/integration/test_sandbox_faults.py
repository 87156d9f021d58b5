"""What a client sees of every kind of fault."""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest
from program import PATIENCE_S, wait_until

from ollamamaster.errors import UsageError
from ollamamaster.simulator.fleet import parse_fleet
from ollamamaster.simulator.plan import FaultKind
from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollamamaster.simulator.sandbox import SimulatedInstance

MODEL = "llama3.2:3b"


@pytest.fixture
def fleet() -> Iterator[SimulatedFleet]:
    with SimulatedFleet.start("duo", speed=200.0) as running:
        yield running


@pytest.fixture
def instance(fleet: SimulatedFleet) -> SimulatedInstance:
    return fleet["a"]


def ask(
    instance: SimulatedInstance,
    path: str = "/api/generate",
    *,
    timeout: float = PATIENCE_S,
    **document: Any,
) -> tuple[int, str, bytes, bool]:
    """Status, content type, body, and whether the body was complete."""
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=timeout)
    try:
        if path == "/api/generate":
            body = {"model": MODEL, "prompt": "hi", "options": {"num_predict": 20}, **document}
            connection.request("POST", path, json.dumps(body))
        else:
            connection.request("GET", path)
        response = connection.getresponse()
        kind = response.getheader("content-type", "")
        try:
            return response.status, kind, response.read(), True
        except http.client.IncompleteRead as cut:
            return response.status, kind, cut.partial, False
    finally:
        connection.close()


def answers(instance: SimulatedInstance) -> bool:
    """Whether a whole answer comes."""
    status, _, body, complete = ask(instance)
    return status == 200 and complete and json.loads(body.splitlines()[-1])["done"] is True


def lines(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body.splitlines()]


def listens(instance: SimulatedInstance) -> bool:
    with socket.socket() as probe:
        probe.settimeout(PATIENCE_S)
        return probe.connect_ex(("127.0.0.1", instance.port)) == 0


def until_reset(client: socket.socket) -> bytes:
    """What comes before the connection is reset; a clean end is a failure."""
    received = b""
    try:
        while data := client.recv(65536):
            received += data
    except ConnectionResetError:
        return received
    pytest.fail("the connection ended without a reset")


# ---- the whole instance


def test_refuse_refuses_connections(instance: SimulatedInstance) -> None:
    instance.fault("refuse")
    assert not listens(instance)


def test_refuse_comes_to_its_end(instance: SimulatedInstance) -> None:
    instance.fault("refuse", for_s=0.1)
    wait_until(lambda: listens(instance), "it listens")
    assert answers(instance)


def test_refuse_lets_a_running_answer_come_to_its_end(fleet: SimulatedFleet) -> None:
    instance = fleet["a"]
    with socket.create_connection(("127.0.0.1", instance.port), timeout=PATIENCE_S) as client:
        body = json.dumps({"model": MODEL, "prompt": "hi", "stream": False}).encode()
        head = b"POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        client.sendall(head + body)
        wait_until(lambda: instance.state()["requests"] == 1, "the request is there")
        instance.fault("refuse")
        assert client.recv(65536).startswith(b"HTTP/1.1 200")


def test_hang_takes_connections_and_says_nothing(instance: SimulatedInstance) -> None:
    instance.fault("hang")
    assert listens(instance)
    for path in ("/api/version", "/api/generate"):
        with pytest.raises(TimeoutError):
            ask(instance, path, timeout=0.2)


def test_hang_generate_still_tells_its_version(instance: SimulatedInstance) -> None:
    instance.fault("hang_generate")
    with pytest.raises(TimeoutError):
        ask(instance, timeout=0.2)
    assert ask(instance, "/api/version")[0] == 200


def test_die_resets_what_runs_and_refuses_the_rest(instance: SimulatedInstance) -> None:
    instance.fault("die", tokens=4)
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        ask(instance, stream=False)
    assert not listens(instance)


def test_die_may_strike_in_the_middle_of_an_answer(instance: SimulatedInstance) -> None:
    answers(instance)
    instance.fault("die", tokens=4)
    with socket.create_connection(("127.0.0.1", instance.port), timeout=PATIENCE_S) as client:
        body = json.dumps({"model": MODEL, "prompt": "hi"}).encode()
        head = b"POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        client.sendall(head + body)
        received = until_reset(client)
    assert received.count(b'"done":false') <= 4
    assert b'"done":true' not in received


def test_restart_comes_back_with_nothing_in_memory(instance: SimulatedInstance) -> None:
    assert answers(instance)
    instance.fault("restart", for_s=0.1)
    wait_until(lambda: listens(instance), "it listens")
    assert instance.state()["resident"] == []
    assert answers(instance)


def test_stop_refuses_and_restart_listens_on_the_same_port(instance: SimulatedInstance) -> None:
    port = instance.port
    instance.stop()
    assert not listens(instance)
    instance.restart()
    assert (instance.port, answers(instance)) == (port, True)


def test_stop_resets_an_open_connection(instance: SimulatedInstance) -> None:
    with socket.create_connection(("127.0.0.1", instance.port), timeout=PATIENCE_S) as client:
        client.sendall(b"GET /api/version HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(65536)
        instance.stop()
        with pytest.raises(ConnectionResetError):
            client.recv(65536)


# ---- single requests


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("error_500", 500, "llama runner process has terminated: exit status 2"),
        ("busy_503", 503, "server busy, please try again.  maximum pending requests exceeded"),
        ("not_found", 404, f"model '{MODEL}' not found"),
    ],
)
def test_an_error_has_its_status_and_text(
    kind: str, status: int, text: str, instance: SimulatedInstance
) -> None:
    instance.fault(kind)
    answered = ask(instance)
    assert (answered[0], json.loads(answered[2])) == (status, {"error": text})


def test_garbage_is_html_with_status_200(instance: SimulatedInstance) -> None:
    instance.fault("garbage")
    status, kind, body, _ = ask(instance)
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert b"<html>" in body


def test_truncate_stream_ends_without_the_last_chunk(instance: SimulatedInstance) -> None:
    instance.fault("truncate_stream")
    _, _, body, complete = ask(instance)
    assert (len(lines(body)), complete) == (3, False)


def test_truncate_stream_breaks_a_whole_document_too(instance: SimulatedInstance) -> None:
    instance.fault("truncate_stream")
    _, _, body, complete = ask(instance, stream=False)
    assert (body, complete) == (b'{"model":"', False)


def test_error_in_stream_is_the_last_line(instance: SimulatedInstance) -> None:
    instance.fault("error_in_stream", tokens=2)
    status, _, body, complete = ask(instance)
    assert (status, complete) == (200, True)
    assert [sorted(line) for line in lines(body)][-1] == ["error"]
    assert len(lines(body)) == 3


def test_reset_comes_before_any_byte(instance: SimulatedInstance) -> None:
    instance.fault("reset")
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        ask(instance)


def test_slow_takes_ten_times_as_long() -> None:
    with SimulatedFleet.start("duo", speed=1000.0) as fleet:
        instance = fleet["a"]
        assert answers(instance)
        usual = lines(ask(instance)[2])[-1]["eval_duration"]
        instance.fault("slow")
        assert lines(ask(instance)[2])[-1]["eval_duration"] == pytest.approx(10 * usual, rel=0.01)


def test_slow_drip_never_ends_its_line(instance: SimulatedInstance) -> None:
    instance.fault("slow_drip")
    with socket.create_connection(("127.0.0.1", instance.port), timeout=PATIENCE_S) as client:
        body = json.dumps({"model": MODEL, "prompt": "hi"}).encode()
        head = b"POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        client.sendall(head + body)
        received = b""
        while not received.endswith(b"a\r\n"):
            received += client.recv(65536)
    assert b"\n1\r\na\r\n" in received
    assert b'"done"' not in received


def test_huge_line_is_larger_than_any_client_should_take(instance: SimulatedInstance) -> None:
    instance.fault("huge_line")
    body = ask(instance)[2]
    assert body.count(b"\n") == 1
    assert len(body) > 64 * 1024 * 1024


def test_a_client_that_leaves_a_huge_line_stops_it(instance: SimulatedInstance) -> None:
    instance.fault("huge_line")
    with socket.create_connection(("127.0.0.1", instance.port), timeout=PATIENCE_S) as client:
        client.sendall(b"POST /api/generate HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        assert client.recv(100)
    assert answers(instance)


def test_wrong_json_has_the_keys_with_wrong_types(instance: SimulatedInstance) -> None:
    instance.fault("wrong_json")
    (line,) = lines(ask(instance)[2])
    assert not isinstance(line["response"], str)
    assert not isinstance(line["done"], bool)


def test_control_characters_come_as_they_are(instance: SimulatedInstance) -> None:
    instance.fault("control_characters")
    assert "\x1b]0;title\x07" in lines(ask(instance)[2])[0]["response"]


def test_control_characters_can_stand_in_the_names_of_models(instance: SimulatedInstance) -> None:
    instance.fault("control_characters", path="/api/tags")
    models = json.loads(ask(instance, "/api/tags")[2])["models"]
    assert all("\x1b[31m" in model["name"] for model in models)


def test_every_kind_of_fault_is_tried_here() -> None:
    tried = {
        *("refuse", "hang", "hang_generate", "slow", "error_500", "busy_503", "not_found"),
        *("garbage", "truncate_stream", "error_in_stream", "reset", "slow_drip", "huge_line"),
        *("wrong_json", "control_characters", "die", "restart"),
    }
    assert tried == {str(kind) for kind in FaultKind}


# ---- when


def test_a_fault_strikes_once_unless_told_otherwise(instance: SimulatedInstance) -> None:
    instance.fault("busy_503")
    assert [ask(instance)[0] for _ in range(3)] == [503, 200, 200]


def test_a_fault_without_a_count_stays(instance: SimulatedInstance) -> None:
    instance.fault("busy_503", count=None)
    assert [ask(instance)[0] for _ in range(3)] == [503, 503, 503]
    instance.clear_faults()
    assert answers(instance)


def test_a_fault_lets_the_first_requests_pass(instance: SimulatedInstance) -> None:
    instance.fault("busy_503", after_requests=2)
    assert [ask(instance)[0] for _ in range(4)] == [200, 200, 503, 200]


def test_a_fault_ends_by_itself(instance: SimulatedInstance) -> None:
    instance.fault("busy_503", count=None, for_s=0.1)
    assert ask(instance)[0] == 503
    wait_until(lambda: answers(instance), "it answers")


def test_a_fault_may_begin_later(instance: SimulatedInstance) -> None:
    instance.fault("die", after_s=0.05)
    wait_until(lambda: not listens(instance), "it listens no more")


def test_a_fault_leaves_requests_that_run_no_model_alone(instance: SimulatedInstance) -> None:
    instance.fault("error_500")
    assert ask(instance, "/api/tags")[0] == 200
    assert ask(instance)[0] == 500


def test_a_fault_leaves_the_other_instances_alone(fleet: SimulatedFleet) -> None:
    fleet["a"].fault("error_500")
    assert answers(fleet["b"])


def test_an_unknown_kind_is_a_usage_error(instance: SimulatedInstance) -> None:
    with pytest.raises(UsageError, match="kind must be one of refuse, hang"):
        instance.fault("explode")


def test_a_fault_can_be_set_over_http(instance: SimulatedInstance) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=PATIENCE_S)
    connection.request("POST", "/sandbox/fault", json.dumps({"kind": "busy_503", "count": 1}))
    assert connection.getresponse().status == 200
    connection.close()
    assert ask(instance)[0] == 503


def test_a_wrong_fault_over_http_is_refused(instance: SimulatedInstance) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=PATIENCE_S)
    connection.request("POST", "/sandbox/fault", json.dumps({"kind": "busy_503", "counts": 1}))
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())) == (
        400,
        {"error": "unknown key 'counts'"},
    )
    connection.close()


def test_a_fault_of_the_fleet_file_strikes() -> None:
    text = """
        [[instances]]
        name = "x"
        bandwidth_gb_s = 100
        prefill_tokens_s = 100
        [[faults]]
        instance = "x"
        kind = "garbage"
        path = "/api/version"
        after_requests = 1
        count = 1
    """
    with SimulatedFleet.start(parse_fleet(text, name="test")) as fleet:
        kinds = [ask(fleet["x"], "/api/version")[1] for _ in range(3)]
    assert [kind.partition(";")[0] for kind in kinds] == [
        "application/json",
        "text/html",
        "application/json",
    ]
