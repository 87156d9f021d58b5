"""What other programs say of the neighbourhood, told by programs of the test's own on PATH."""

from __future__ import annotations

import json
import os
import select
import sys
from typing import TYPE_CHECKING

import pytest
from program import PATIENCE_S

from ollamamaster.discovery import gpu, neighbours
from ollamamaster.discovery.gpu import NvidiaSmi
from ollamamaster.discovery.names import SystemNames
from ollamamaster.discovery.neighbours import SystemNeighbours
from ollamamaster.discovery.programs import output_of
from ollamamaster.domain.instances import Gpu, GpuSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts"),
]

GARBAGE = ["", "garbage", "{", "[1]", "null", '{"Ports": 7}', '{"Peer": [1]}', "\x00\xff"]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Put a shell script of this name on PATH, where nothing else but the shell's tools is."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    # A machine that is slow to run these tests is no program that hangs.
    for asking in (gpu, neighbours):
        monkeypatch.setattr(asking, "_TIMEOUT_S", PATIENCE_S)

    def make(name: str, script: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\nPATH=/bin:/usr/bin\n{script}\n")
        path.chmod(0o755)

    return make


def says(text: str) -> str:
    return f"cat <<'END'\n{text}\nEND"


async def test_published_ports_are_looked_at_where_docker_binds_them(
    program: Callable[[str, str], None],
) -> None:
    rows = [
        {"Names": "a", "Ports": "0.0.0.0:11500->11434/tcp, [::]:11500->11434/tcp, 80/tcp"},
        {"Names": "b", "Ports": "127.0.0.1:8000-8001->8000-8001/tcp, 0.0.0.0:53->53/udp"},
        {"Names": "c", "Ports": ":::9000->9000/tcp, 127.0.0.1:99999->1/tcp"},
        {"Names": "d", "Ports": ""},
    ]
    program("docker", says("\n".join(map(json.dumps, rows))))
    assert [at.id for at in await SystemNeighbours().published()] == [
        "127.0.0.1:11500",
        "[::1]:11500",
        "127.0.0.1:8000",
        "127.0.0.1:8001",
        "[::1]:9000",
    ]


async def test_tailscale_peers_that_are_online_are_near(
    program: Callable[[str, str], None],
) -> None:
    status = {
        "Self": {"TailscaleIPs": ["100.64.0.1"], "Online": True},
        "Peer": {
            "k1": {"TailscaleIPs": ["fd7a::2", "100.64.0.2"], "Online": True},
            "k2": {"TailscaleIPs": ["100.64.0.3"], "Online": False},
            "k3": {"TailscaleIPs": None, "Online": True},
            "k4": {"TailscaleIPs": ["nonsense", 7], "Online": True},
        },
    }
    program("tailscale", says(json.dumps(status, indent=2)))
    assert await SystemNeighbours().peers() == ("100.64.0.2",)


@pytest.mark.parametrize("text", GARBAGE)
async def test_what_makes_no_sense_is_passed_over(
    program: Callable[[str, str], None], text: str
) -> None:
    for name in ("docker", "tailscale", "nvidia-smi"):
        program(name, says(text.replace("\x00", "")))
    near = SystemNeighbours()
    assert (await near.published(), await near.peers(), await NvidiaSmi().read()) == ((), (), None)


async def test_programs_that_fail_or_are_absent_tell_nothing(
    program: Callable[[str, str], None],
) -> None:
    program("docker", says('{"Ports": "0.0.0.0:1->1/tcp"}') + "\nexit 1")
    near = SystemNeighbours()
    assert (await near.published(), await near.peers(), await NvidiaSmi().read()) == ((), (), None)


async def test_a_program_that_hangs_is_ended_with_its_children(
    program: Callable[[str, str], None], tmp_path: Path
) -> None:
    fifo = tmp_path / "held by the child"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        program("slow", f"sleep 600 > '{fifo}' & wait")
        assert await output_of("slow", timeout_s=3.0) is None
        poll = select.poll()
        poll.register(reader, select.POLLHUP)
        assert poll.poll(1000 * PATIENCE_S), "the child still holds the pipe"
    finally:
        os.close(reader)


async def test_the_memory_of_all_gpus_is_added_up(program: Callable[[str, str], None]) -> None:
    program("nvidia-smi", says("24564, 1024\n12288, 0"))
    mib = 1024 * 1024
    assert await NvidiaSmi().read() == Gpu(2, GpuSource.NVIDIA_SMI, 36852 * mib, 1024 * mib)


async def test_a_gpu_that_shares_the_memory_of_the_machine_has_no_figure(
    program: Callable[[str, str], None],
) -> None:
    program("nvidia-smi", says("[N/A], [N/A]"))
    assert await NvidiaSmi().read() == Gpu(1, GpuSource.NVIDIA_SMI, None, None)


def test_loopback_belongs_to_this_machine() -> None:
    assert {"127.0.0.1", "::1"} <= SystemNames().own_addresses()


async def test_an_address_needs_no_resolver_and_localhost_is_loopback() -> None:
    found = await SystemNames().resolve(["127.0.0.9", "localhost"], timeout_s=PATIENCE_S)
    assert found["127.0.0.9"] == ("127.0.0.9",)
    assert set(found["localhost"]) <= {"127.0.0.1", "::1"}
    assert found["localhost"]
