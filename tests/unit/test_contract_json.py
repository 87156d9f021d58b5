"""The JSON that scripts depend on, spelled out by hand: every key, and null for what is unknown."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from strategies import demands, fleets, tasks

from ollamamaster.cli.output import Output, error_entry
from ollamamaster.contract.decision import candidate_data, decision_data, estimate_data
from ollamamaster.contract.discover import change_data, discover_data, instance_data
from ollamamaster.contract.models import models_data
from ollamamaster.contract.route import attempt_data, part_data, route_data
from ollamamaster.contract.times import rfc3339
from ollamamaster.domain.answers import Usage
from ollamamaster.domain.candidates import Wish
from ollamamaster.domain.catalogue import ModelQuery, catalogue
from ollamamaster.domain.changes import Change, What
from ollamamaster.domain.instances import (
    Gpu,
    GpuSource,
    Instance,
    InstanceAddress,
    InstanceSettings,
    Locality,
    Status,
)
from ollamamaster.domain.models import GB, LoadedModel, Model, ModelName
from ollamamaster.domain.probes import ScanReport
from ollamamaster.domain.routing import Attempt, PartResult, RouteResult, Timing
from ollamamaster.domain.selection import Decision, Demand, decide
from ollamamaster.domain.settings import Settings
from ollamamaster.domain.snapshot import Fleet
from ollamamaster.domain.task import Question, Task, analyse
from ollamamaster.errors import AllFailedError, FailedError, NoInstanceError, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PHI = Model(
    ModelName("phi4"),
    digest="abc",
    size_bytes=9 * GB,
    family="phi3",
    parameter_size="14.7B",
    quantization="Q4_K_M",
    context_length=16_384,
    capabilities=frozenset({"tools", "completion"}),
)
FULL = Instance(
    InstanceAddress("127.0.0.1"),
    aliases=("[::1]:11434",),
    locality=Locality.LOCAL,
    status=Status.UP,
    version="0.33.0",
    latency_ms=1.23456,
    gpu=Gpu(1, GpuSource.CONFIG, 24 * GB, 9 * GB),
    models=(PHI,),
    loaded=(LoadedModel(ModelName("phi4"), "abc", 10 * GB, 9 * GB, 8192, NOON),),
    labels={"site": "home"},
    settings=InstanceSettings(bandwidth_gb_s=1000.0),
    first_seen=NOON,
    last_seen=NOON,
)
BARE = Instance(InstanceAddress("gw.lan", 443, "https", "/a"), models=(Model(ModelName("x")),))
FLEET = Fleet((FULL, BARE), NOON)
DECISION = decide(analyse(Question("hello")), FLEET, Settings(), Wish(), Demand())

INSTANCE_KEYS = {
    "id",
    "url",
    "host",
    "port",
    "aliases",
    "locality",
    "status",
    "version",
    "latency_ms",
    "gpu",
    "models",
    "loaded",
    "labels",
    "first_seen",
    "last_seen",
}
CANDIDATE_KEYS = {
    "model",
    "instance",
    "score",
    "terms",
    "estimate",
    "output_tokens",
    "decode_tokens_per_s",
    "resident",
    "judged",
}
ROUTE_KEYS = {
    "response",
    "thinking",
    "model",
    "instance",
    "done_reason",
    "decision",
    "attempts",
    "usage",
    "timing",
    "estimate",
    "parts",
}


def test_an_instance_has_all_its_keys() -> None:
    assert instance_data(FULL) == {
        "id": "127.0.0.1:11434",
        "url": "http://127.0.0.1:11434",
        "host": "127.0.0.1",
        "port": 11434,
        "aliases": ["[::1]:11434"],
        "locality": "local",
        "status": "up",
        "version": "0.33.0",
        "latency_ms": 1.235,
        "gpu": {
            "count": 1,
            "source": "config",
            "vram_total": 24_000_000_000,
            "vram_used": 9_000_000_000,
        },
        "models": ["phi4:latest"],
        "loaded": [
            {
                "model": "phi4:latest",
                "size": 10_000_000_000,
                "size_vram": 9_000_000_000,
                "context_length": 8192,
                "expires_at": "2026-11-22T12:00:00Z",
            }
        ],
        "labels": {"site": "home"},
        "first_seen": "2026-11-22T12:00:00Z",
        "last_seen": "2026-11-22T12:00:00Z",
    }


def test_what_is_unknown_of_an_instance_is_null() -> None:
    data = instance_data(BARE)
    assert set(data) == INSTANCE_KEYS
    assert data["id"] == "gw.lan:443/a"
    assert data["url"] == "https://gw.lan:443/a"
    assert data["gpu"] == {
        "count": None,
        "source": "unknown",
        "vram_total": None,
        "vram_used": None,
    }
    nulls = {key for key, value in data.items() if value is None}
    assert nulls == {"version", "latency_ms", "first_seen", "last_seen"}


def test_discover_has_instances_scan_and_counts() -> None:
    data = discover_data(FLEET, ScanReport(1, 66, 66, 2, 0.1234567, 0.2))
    assert set(data) == {"instances", "scan", "counts"}
    assert data["scan"] == {
        "hosts": 1,
        "ports": 66,
        "probes": 66,
        "open": 2,
        "duration_s": 0.1235,
        "identify_s": 0.2,
    }
    assert data["counts"] == {
        "local": 1,
        "lan": 0,
        "remote": 1,
        "up": 1,
        "down": 1,
        "models": 1,
    }


def test_a_change_has_its_type_moment_place_and_model() -> None:
    assert change_data(Change(NOON, "127.0.0.1:11434", What.LOADED, "phi4:latest")) == {
        "type": "change",
        "at": "2026-11-22T12:00:00Z",
        "instance": "127.0.0.1:11434",
        "what": "loaded",
        "model": "phi4:latest",
    }


def test_models_has_every_model_with_its_places() -> None:
    assert models_data(catalogue(FLEET, ModelQuery(), Settings())) == {
        "models": [
            {
                "name": "phi4:latest",
                "family": "phi3",
                "parameter_size": "14.7B",
                "quantization": "Q4_K_M",
                "size_bytes": 9_000_000_000,
                "tier": "balanced",
                "context_length": 16_384,
                "capabilities": ["completion", "tools"],
                "cloud": False,
                "instances": [
                    {
                        "id": "127.0.0.1:11434",
                        "status": "up",
                        "loaded": True,
                        "size_vram": 9_000_000_000,
                    }
                ],
            },
            {
                "name": "x:latest",
                "family": None,
                "parameter_size": None,
                "quantization": None,
                "size_bytes": None,
                "tier": "balanced",
                "context_length": None,
                "capabilities": None,
                "cloud": False,
                "instances": [
                    {"id": "gw.lan:443/a", "status": "down", "loaded": False, "size_vram": None}
                ],
            },
        ],
        "count": 2,
    }


def test_a_decision_has_its_task_and_everyone_in_it() -> None:
    data = decision_data(DECISION)
    assert data is not None
    assert set(data) == {"task", "performance", "chosen", "ranked", "rejected"}
    assert data["task"] == {
        "type": "chat",
        "complexity": 0.1,
        "prompt_tokens": 17,
        "output_tokens": {"p20": 15, "p50": 60, "p80": 200},
        "needs": ["completion"],
        "context_tokens": 220,
        "evidence": ["small talk: 1", "17 tokens in"],
    }
    assert data["performance"] == "balanced"
    assert data["chosen"] == data["ranked"][0]
    assert data["rejected"] == [
        {
            "model": "x:latest",
            "instance": "gw.lan:443/a",
            "reason": "instance_down",
            "detail": "the instance is down",
        }
    ]


def test_a_candidate_has_its_score_terms_and_estimate() -> None:
    data = candidate_data(DECISION.ranked[0])
    assert set(data) == CANDIDATE_KEYS
    assert set(data["terms"]) == {"quality", "time", "locality", "cost", "region"}
    assert set(data["estimate"]) == {
        "p20_s",
        "p50_s",
        "p80_s",
        "wait_s",
        "load_s",
        "prompt_s",
        "generation_s",
    }
    assert (data["model"], data["instance"]) == ("phi4:latest", "127.0.0.1:11434")
    assert data["resident"] is True
    assert data["decode_tokens_per_s"] > 0
    assert data["score"] == pytest.approx(sum(data["terms"].values()), abs=0.001)


def test_a_rate_that_is_only_a_prior_is_null() -> None:
    guessed = Fleet((replace(FULL, settings=InstanceSettings()),))
    decision = decide(DECISION.task, guessed, Settings(), Wish(), Demand())
    assert candidate_data(decision.ranked[0])["decode_tokens_per_s"] is None


def test_a_decision_that_chose_nobody_says_null() -> None:
    empty = decision_data(Decision(DECISION.task, Demand(), (), ()))
    assert empty is not None
    assert (empty["chosen"], empty["ranked"], empty["rejected"]) == (None, [], [])


def test_a_finished_route_has_all_its_keys() -> None:
    candidate = DECISION.ranked[0]
    data = route_data(
        RouteResult(
            response="hello",
            thinking="hm",
            model=candidate.model,
            instance=candidate.instance,
            done_reason="stop",
            decision=DECISION,
            attempts=(Attempt("phi4:latest", "127.0.0.1:11434", Outcome.OK, None, 1.23456),),
            usage=Usage(prompt_tokens=3, output_tokens=2),
            timing=Timing(1.0, 0.5, 0.0, 0.2, 0.1, 0.7, 2.857142),
            estimate=candidate.estimate,
        )
    )
    assert set(data) == ROUTE_KEYS
    assert data["attempts"] == [
        {
            "model": "phi4:latest",
            "instance": "127.0.0.1:11434",
            "outcome": "ok",
            "error": None,
            "seconds": 1.2346,
        }
    ]
    assert data["usage"] == {"prompt_tokens": 3, "output_tokens": 2}
    assert data["timing"] == {
        "total_s": 1.0,
        "first_token_s": 0.5,
        "queue_s": 0.0,
        "load_s": 0.2,
        "prompt_s": 0.1,
        "generation_s": 0.7,
        "tokens_per_s": 2.8571,
    }
    assert set(data["estimate"]) == {"p20_s", "p50_s", "p80_s"}


def test_what_is_unknown_of_a_route_is_null_and_never_0() -> None:
    data = route_data(RouteResult("", None, None, None, None, None, (), Usage(), Timing(), None))
    assert set(data) == ROUTE_KEYS
    assert data["usage"] == {"prompt_tokens": None, "output_tokens": None}
    assert set(data["timing"].values()) == {None}
    nulls = {key for key, value in data.items() if value is None}
    known = {"response", "attempts", "usage", "timing"}
    assert nulls == ROUTE_KEYS - known


def test_a_part_of_a_long_text_has_its_keys() -> None:
    failed = AllFailedError("every candidate failed")
    part = PartResult("a.pdf, page 1", 0, None, None, Outcome.TIMEOUT, failed, 1.23456)
    assert part_data(part) == {
        "name": "a.pdf, page 1",
        "level": 0,
        "model": None,
        "instance": None,
        "outcome": "timeout",
        "error": "every candidate failed",
        "seconds": 1.2346,
    }


def test_an_attempt_that_runs_has_no_outcome_yet() -> None:
    assert attempt_data(Attempt("m:latest", "127.0.0.1:11434")) == {
        "model": "m:latest",
        "instance": "127.0.0.1:11434",
        "outcome": None,
        "error": None,
        "seconds": None,
    }


def test_no_estimate_is_null() -> None:
    assert estimate_data(None) is None


@settings(max_examples=30)
@given(fleets(), tasks(), demands())
def test_every_decision_is_json_with_the_same_keys(
    fleet: Fleet, task: Task, demand: Demand
) -> None:
    data = decision_data(decide(task, fleet, Settings(), Wish(), demand))
    assert data is not None
    again = json.loads(json.dumps(data, allow_nan=False))
    assert again == data
    assert all(set(c) == CANDIDATE_KEYS for c in data["ranked"])
    assert all(set(r) == {"model", "instance", "reason", "detail"} for r in data["rejected"])


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "2026-11-22T12:00:00Z"),
        (NOON.astimezone(timezone(timedelta(hours=2))), "2026-11-22T12:00:00Z"),
        (NOON.replace(microsecond=120), "2026-11-22T12:00:00.000120Z"),
        (None, None),
    ],
)
def test_a_moment_is_rfc_3339_in_utc(moment: datetime | None, text: str | None) -> None:
    assert rfc3339(moment) == text


def envelope(capsys: pytest.CaptureFixture[str]) -> Mapping[str, Any]:
    captured = capsys.readouterr()
    assert captured.out.endswith("\n")
    assert captured.err == ""
    document: Mapping[str, Any] = json.loads(captured.out)
    return document


def test_the_envelope_of_a_success(capsys: pytest.CaptureFixture[str]) -> None:
    Output(command="models", json=True).envelope({"count": 0})
    assert envelope(capsys) == {
        "schema": "ollamamaster/1",
        "command": "models",
        "status": "ok",
        "exit_code": 0,
        "data": {"count": 0},
        "errors": [],
    }


def test_the_envelope_of_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    code = Output(command="route", json=True).fail(NoInstanceError("none", hint="start one"))
    assert code == 3
    assert envelope(capsys) == {
        "schema": "ollamamaster/1",
        "command": "route",
        "status": "error",
        "exit_code": 3,
        "data": None,
        "errors": [
            {"code": "no_instance", "message": "none", "hint": "start one", "instance": None}
        ],
    }


def test_a_failure_with_something_to_show_is_partial(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(command="route", json=True)
    output.fail(NoInstanceError("gone"), data={"response": "half"}, partial=True)
    told = envelope(capsys)
    assert (told["status"], told["data"]) == ("partial", {"response": "half"})


def test_there_is_one_envelope_whatever_happens_after_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = Output(command="route", json=True)
    output.envelope(None)
    output.fail(NoInstanceError("late"))
    assert envelope(capsys)["status"] == "ok"


def test_what_cannot_be_written_as_json_leaves_room_for_the_envelope_of_that(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = Output(command="route", json=True)
    with pytest.raises(ValueError, match="JSON"):
        output.envelope({"seconds": float("nan")})
    output.fail(FailedError("it cannot be written"))
    assert envelope(capsys)["errors"][0]["code"] == "failed"


def test_json_is_ascii_so_that_nothing_in_it_acts(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=True).envelope({"name": "\x1b[31mröd\u202e\x9b"})
    out = capsys.readouterr().out
    assert out.isascii()
    assert out.rstrip("\n").isprintable()
    assert json.loads(out)["data"]["name"] == "\x1b[31mröd\u202e\x9b"


def test_an_error_names_its_instance() -> None:
    assert error_entry(NoInstanceError("x", instance="127.0.0.1:1"))["instance"] == "127.0.0.1:1"
