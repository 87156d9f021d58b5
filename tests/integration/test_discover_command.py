"""`ollamamaster discover` as scripts and people run it."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from program import PATIENCE_S, wait_until

from ollamamaster.simulator.sandbox import SimulatedFleet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTHING_HERE = "127.0.0.1:1"


@pytest.fixture
def duo() -> Iterator[SimulatedFleet]:
    with SimulatedFleet.start("duo", speed=50.0, seed=0) as fleet:
        yield fleet


def run(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ollamamaster", "discover", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=env,
    )


def envelope(*arguments: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    done = run("--json", *arguments, env=env)
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    assert answer["exit_code"] == done.returncode
    return answer


def test_the_json_has_every_key_that_scripts_depend_on(duo: SimulatedFleet) -> None:
    answer = envelope(env=duo.environment())
    assert (answer["schema"], answer["command"], answer["status"]) == (
        "ollamamaster/1",
        "discover",
        "ok",
    )
    assert set(answer["data"]) == {"instances", "scan", "counts"}
    assert set(answer["data"]["scan"]) == {
        "hosts", "ports", "probes", "open", "duration_s", "identify_s",
    }  # fmt: skip
    assert answer["data"]["counts"] == {
        "local": 2, "lan": 0, "remote": 0, "up": 2, "down": 0, "models": 4,
    }  # fmt: skip
    for instance in answer["data"]["instances"]:
        assert set(instance) == {
            "id", "url", "host", "port", "aliases", "locality", "status", "version",
            "latency_ms", "gpu", "models", "loaded", "labels", "first_seen", "last_seen",
        }  # fmt: skip
        assert set(instance["gpu"]) == {"count", "source", "vram_total", "vram_used"}
        assert instance["first_seen"].endswith("Z")


def test_in_a_pipe_there_is_one_tab_separated_line_an_instance(duo: SimulatedFleet) -> None:
    done = run(env=duo.environment())
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert {row[0] for row in rows} == {one.id for one in duo}
    assert {tuple(row[1:4]) for row in rows} == {("up", "local", "0.24.0-sandbox")}
    assert all(float(row[4]) > 0 for row in rows)
    assert {tuple(row[5:]) for row in rows} == {("4", "a"), ("4", "b")}
    assert done.stderr == ""


def test_nothing_found_is_exit_3_with_the_scan_in_the_data() -> None:
    answer = envelope(NOTHING_HERE)
    assert answer["exit_code"] == 3
    assert answer["data"]["instances"] == []
    assert [error["code"] for error in answer["errors"]] == ["no_instance"]


def test_what_else_listens_there_is_told_where_no_ollama_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        def refuse() -> None:
            while True:
                try:
                    other.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=refuse, daemon=True).start()
        answer = envelope("127.0.0.1", "--ports", str(port))
    assert answer["data"]["scan"]["open"] == 1
    assert "ports open:       1, with something else" in answer["errors"][0]["hint"]


class _Page(http.server.BaseHTTPRequestHandler):
    """A web page, whatever is asked."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None: ...


@pytest.fixture
def web_page() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_of_each_address_that_is_named_with_its_port_it_is_told_what_is_there(
    web_page: str, duo: SimulatedFleet
) -> None:
    with socket.socket() as silent:
        # taken, so that nobody else listens there
        silent.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{silent.getsockname()[1]}"
        hint = envelope(web_page, nobody, f"https://{web_page}")["errors"][0]["hint"]
        done = run(next(iter(duo)).id, nobody, env=duo.environment())
    assert f"{web_page}: it answers, but not as Ollama does: a web page" in hint
    assert f"{nobody}: connection refused" in hint
    assert f"https://{web_page}: no TLS connection" in hint
    # and where something is found, of the others
    assert done.returncode == 0
    assert done.stderr == f"{nobody}: connection refused\n"


def test_what_ollama_host_names_is_told_where_it_is_no_ollama(web_page: str) -> None:
    env = {**os.environ, "OLLAMA_HOST": web_page, "OLLAMAMASTER_DISCOVERY_LOOPBACK": "false"}
    hint = envelope(env=env)["errors"][0]["hint"]
    assert hint.startswith(f"OLLAMA_HOST, {web_page}: it answers, but not as Ollama does")


def test_what_was_known_is_in_the_data_as_down_when_nothing_is_up(duo: SimulatedFleet) -> None:
    run(env=duo.environment())
    for one in duo:
        one.stop()
    answer = envelope(env=duo.environment())
    assert answer["exit_code"] == 3
    assert {i["status"] for i in answer["data"]["instances"]} == {"down"}
    assert {i["id"] for i in answer["data"]["instances"]} == {one.id for one in duo}
    assert answer["data"]["counts"]["down"] == 2


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["10.0.0.0/99"], "'99'"),
        (["host:80-70"], "'80-70'"),
        (["8.8.8.0/24"], "public range"),
        (["10.0.0.0/16"], "65,536"),
        (["--ports", "x"], "'x'"),
        (["--timeout", "0"], "--timeout"),
        (["--concurrency", "0"], "--concurrency"),
    ],
)
def test_a_wrong_value_is_exit_2_and_names_the_part(arguments: list[str], part: str) -> None:
    answer = envelope(*arguments)
    assert (answer["exit_code"], answer["errors"][0]["code"]) == (2, "usage")
    assert part in answer["errors"][0]["message"]


def test_a_network_is_named_on_stderr_and_quiet_drops_that() -> None:
    arguments = ("127.0.0.0/30", "--ports", "1")
    assert "looking at 127.0.0.0/30" in run(*arguments).stderr
    assert "looking at" not in run(*arguments, "-q").stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_watch_prints_changes_and_ends_with_the_envelope(duo: SimulatedFleet) -> None:
    watching = subprocess.Popen(
        [sys.executable, "-m", "ollamamaster", "discover", "--json", "--watch"],
        stdout=subprocess.PIPE,
        text=True,
        env=duo.environment(),
    )
    try:
        inventory = duo.home / "inventory.toml"
        wait_until(inventory.exists, "the fleet is known")
        duo["a"].stop()
        assert watching.stdout is not None
        change = json.loads(watching.stdout.readline())
        watching.send_signal(signal.SIGINT)
        rest, _ = watching.communicate(timeout=PATIENCE_S)
    finally:
        watching.kill()
        watching.wait()
    assert {**change, "at": None} == {
        "type": "change", "at": None, "instance": duo["a"].id, "what": "down", "model": None,
    }  # fmt: skip
    last = json.loads(rest.splitlines()[-1])
    assert (last["exit_code"], last["status"], watching.returncode) == (130, "partial", 130)
    assert last["data"]["counts"]["down"] == 1


def _can_make_namespaces() -> bool:
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    if not all(map(shutil.which, ("ip", "unshare", "nsenter"))):
        return False
    link = ["ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"]
    try:
        done = subprocess.run(["unshare", "-n", *link], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


# Two machines on one wire, each a namespace; the second one has an instance on its LAN address.
LAN = r"""
set -e
ip link set lo up
ip link add v0 type veth peer name v1
unshare -n sleep 300 & other=$!
trap 'kill $other $served 2>/dev/null || true' EXIT
mine=$(readlink /proc/self/ns/net)
while [ "$(readlink /proc/$other/ns/net)" = "$mine" ]; do :; done
ip link set v1 netns $other
ip addr add 10.99.0.1/28 dev v0 && ip link set v0 up
nsenter -t $other -n ip addr add 10.99.0.2/28 dev v1
nsenter -t $other -n ip link set v1 up
nsenter -t $other -n "$PYTHON" "$SCRIPT" & served=$!
while [ ! -e "$READY" ]; do kill -0 $served; done
"$PYTHON" -m ollamamaster discover --lan --json
"""

INSTANCE = r"""
import http.server, json, os, pathlib
ANSWERS = {"/": "Ollama is running", "/api/version": {"version": "0.24.0"},
           "/api/tags": {"models": []}, "/api/ps": {"models": []}}
class Instance(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        answer = ANSWERS[self.path]
        body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("10.99.0.2", 11440), Instance)
pathlib.Path(os.environ["READY"]).touch()
server.serve_forever()
"""


@pytest.mark.network_namespace
@pytest.mark.skipif(not _can_make_namespaces(), reason="needs root, iproute2 and veth")
def test_lan_finds_an_instance_on_the_network_of_an_interface(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("docker", "tailscale", "nvidia-smi"):
        (programs / name).write_text("#!/bin/sh\nexit 1\n")
        (programs / name).chmod(0o755)
    script = tmp_path / "instance.py"
    script.write_text(INSTANCE)
    environment = {
        **os.environ,
        "PYTHON": sys.executable,
        "SCRIPT": str(script),
        "READY": str(tmp_path / "ready"),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", LAN],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    found = [(i["id"], i["locality"]) for i in answer["data"]["instances"]]
    assert found == [("10.99.0.2:11440", "lan")]
    assert "looking at 10.99.0.0/28 and this machine" in done.stderr
