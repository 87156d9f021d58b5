"""`ollamamaster route` as scripts run it: streams, files, options, exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from fleets import known
from program import PATIENCE_S, command, home_for, run, running, wait_until

from ollamamaster.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from program import Done

    from ollamamaster.simulator.sandbox import SimulatedFleet

MODEL = "llama3.2:3b"
SHORT = ("-m", MODEL, "--option", "num_predict=8")
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals are a POSIX matter")


@pytest.fixture
def duo(fresh: SimulatedFleet) -> SimulatedFleet:
    return fresh


def error_of(done: Done) -> tuple[str, int]:
    (error,) = done.envelope["errors"]
    return error["code"], done.code


# ---- the answer


def test_a_pipe_gets_the_answer_in_one_piece_and_nothing_else(env: dict[str, str]) -> None:
    done = run("route", "hello", *SHORT, env=env)
    assert done.code == 0
    assert done.out.startswith("[simulated]")
    assert done.out.endswith("\n")
    assert done.err == ""


def test_the_same_prompt_and_seed_give_the_same_answer_streamed_or_not(
    env: dict[str, str],
) -> None:
    whole = run("route", "hello", *SHORT, env=env)
    streamed = run("route", "hello", *SHORT, "--stream", env=env)
    assert (streamed.code, streamed.out) == (0, whole.out)


def test_the_json_of_a_success_is_one_envelope(env: dict[str, str]) -> None:
    done = run("route", "hello", *SHORT, "--json", env=env)
    assert done.err == ""
    assert done.envelope["schema"] == "ollamamaster/1"
    assert (done.envelope["command"], done.envelope["status"]) == ("route", "ok")
    data = done.data
    assert data["model"] == MODEL
    assert data["attempts"][0]["outcome"] == "ok"
    assert data["usage"]["output_tokens"] == 8
    assert data["decision"]["chosen"]["instance"] == data["instance"]
    assert None not in data["timing"].values()


def test_ndjson_has_attempts_and_tokens_and_ends_with_the_envelope(env: dict[str, str]) -> None:
    *events, last = run("route", "hello", *SHORT, "--json", "--stream", env=env).lines
    assert (events[0]["type"], events[0]["outcome"]) == ("attempt", None)
    assert (events[-1]["type"], events[-1]["outcome"]) == ("attempt", "ok")
    text = "".join(e["text"] for e in events if e["type"] == "token")
    assert last["data"]["response"] == text
    assert last["status"] == "ok"


def test_a_restart_voids_the_tokens_before_it(duo: SimulatedFleet, env: dict[str, str]) -> None:
    for instance in duo:
        instance.fault("truncate_stream")
    *events, last = run("route", "hello", "--json", "--stream", env=env).lines
    kinds = [e["type"] for e in events]
    assert "restart" in kinds
    lost = events[kinds.index("restart")]
    assert set(lost) == {"type", "instance", "model"}
    after = events[len(kinds) - kinds[::-1].index("restart") :]
    text = "".join(e["text"] for e in after if e["type"] == "token")
    assert last["data"]["response"] == text


def test_a_quiet_route_says_nothing_on_stderr_but_errors(env: dict[str, str]) -> None:
    tagless = ("-m", "llava", "--option", "num_predict=3")
    assert "its only tag" in run("route", "hi", *tagless, env=env).err
    assert run("route", "hi", *tagless, "-q", env=env).err == ""
    assert run("route", "hi", "-m", "nothing", "-q", env=env).err.startswith("error:")


# ---- the prompt


def prompts(done: Done) -> int:
    tokens: int = done.data["usage"]["prompt_tokens"]
    return tokens


def test_the_prompt_is_the_argument_standard_input_or_both(env: dict[str, str]) -> None:
    long = "word " * 100
    argument = run("route", long, *SHORT, "--json", env=env)
    piped = run("route", *SHORT, "--json", env=env, text=long)
    dash = run("route", "-", *SHORT, "--json", env=env, text=long)
    both = run("route", long, *SHORT, "--json", env=env, text=long)
    assert prompts(argument) == prompts(piped) == prompts(dash)
    assert prompts(both) > 1.5 * prompts(argument)
    assert argument.data["response"] == piped.data["response"] == dash.data["response"]


def test_standard_input_comes_after_a_blank_line(env: dict[str, str]) -> None:
    both = run("route", "a", *SHORT, "--json", env=env, text="b\n")
    typed = run("route", "a\n\nb", *SHORT, "--json", env=env)
    assert both.data["response"] == typed.data["response"]


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_no_prompt_is_a_usage_error(text: str | None, env: dict[str, str]) -> None:
    done = run("route", "--json", env=env, text=text)
    assert error_of(done) == ("prompt_missing", ExitCode.USAGE)
    assert done.data is None


@pytest.mark.parametrize("prompt", ["", "  "])
def test_an_empty_prompt_is_a_usage_error(prompt: str, env: dict[str, str]) -> None:
    assert error_of(run("route", prompt, "--json", env=env)) == ("prompt_missing", 2)


def test_a_prompt_that_is_no_text_is_refused(env: dict[str, str]) -> None:
    done = run("route", "--json", env=env, text=b"\xff\xfe\xfd\x00\x80")
    assert error_of(done) == ("file_unusable", ExitCode.USAGE)


def test_it_says_that_it_reads_standard_input_when_nothing_comes(env: dict[str, str]) -> None:
    with running("route", *SHORT, env=env, stdin=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert b"standard input" in process.stderr.readline()
        out, _ = process.communicate(b"hello", PATIENCE_S)
    assert process.returncode == 0
    assert out.startswith(b"[simulated]")


# ---- files


def test_a_text_file_becomes_context(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("word " * 400, "utf-8")
    bare = run("route", "hi", *SHORT, "--json", env=env)
    done = run("route", "hi", "-f", str(tmp_path / "notes.md"), *SHORT, "--json", env=env)
    assert prompts(done) > prompts(bare) + 300


def test_a_glob_attaches_every_match(env: dict[str, str], tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("word " * 400, "utf-8")
    one = run("route", "hi", "-f", str(tmp_path / "a.md"), *SHORT, "--json", env=env)
    both = run("route", "hi", "-f", str(tmp_path / "*.md"), *SHORT, "--json", env=env)
    assert prompts(both) > 1.7 * prompts(one)


def test_an_image_goes_to_a_vision_model(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(PNG)
    done = run("route", "what is this?", "-f", str(tmp_path / "photo.png"), "--json", env=env)
    assert done.data["model"] == "llava:7b"
    assert done.data["decision"]["task"]["needs"] == ["completion", "vision"]
    assert {c["model"] for c in done.data["decision"]["ranked"]} == {"llava:7b"}


def test_an_image_for_a_model_without_vision_is_no_candidate(
    env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "photo.png").write_bytes(PNG)
    done = run("route", "?", "-f", str(tmp_path / "photo.png"), "-m", MODEL, "--json", env=env)
    assert error_of(done) == ("no_candidate", ExitCode.NO_CANDIDATE)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(200_000_000)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("absent.txt", lambda _path: None),
        ("folder", Path.mkdir),
        ("program.bin", lambda path: path.write_bytes(b"\x7fELF\x00\x00")),
        ("latin.txt", lambda path: path.write_bytes("naïve".encode("latin-1"))),
        ("huge.txt", _sparse),
        ("*.nothing", lambda _path: None),
    ],
)
def test_a_file_that_cannot_be_used_is_exit_2_and_named(
    name: str, make: Any, env: dict[str, str], tmp_path: Path
) -> None:
    make(tmp_path / name)
    done = run("route", "hi", "-f", str(tmp_path / name), "--json", env=env)
    assert error_of(done) == ("file_unusable", ExitCode.USAGE)
    assert name in done.envelope["errors"][0]["message"]


# ---- options


def test_a_format_gives_json(env: dict[str, str], tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
        "required": ["city", "people"],
    }
    (tmp_path / "schema.json").write_text(json.dumps(schema), "utf-8")
    free = run("route", "hi", "-m", MODEL, "--format", "json", env=env)
    assert isinstance(json.loads(free.out), dict)
    shaped = run("route", "hi", "-m", MODEL, "--format", str(tmp_path / "schema.json"), env=env)
    assert set(json.loads(shaped.out)) == {"city", "people"}


@pytest.mark.parametrize("content", ["{", "[1]", None])
def test_a_format_that_is_no_schema_is_exit_2(
    content: str | None, env: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "schema.json"
    if content is not None:
        path.write_text(content, "utf-8")
    done = run("route", "hi", "--format", str(path), "--json", env=env)
    assert error_of(done) == ("file_unusable", ExitCode.USAGE)


def test_an_inline_schema_is_told_to_be_no_file(env: dict[str, str]) -> None:
    done = run("route", "hi", "--format", json.dumps({"x": "y" * 5000}), "--json", env=env)
    assert error_of(done) == ("file_unusable", ExitCode.USAGE)


def test_a_wrong_option_for_ollama_is_a_bad_request(
    duo: SimulatedFleet, env: dict[str, str]
) -> None:
    done = run("route", "hi", "--option", "num_ctx=many", "--json", env=env)
    assert error_of(done) == ("bad_request", ExitCode.USAGE)
    assert done.envelope["errors"][0]["instance"] in {i.id for i in duo}
    assert [a["outcome"] for a in done.data["attempts"]] == ["bad_request"]


@pytest.mark.parametrize(
    "wrong",
    [
        ("--option", "novalue"),
        ("--max-time", "soon"),
        ("--instance", "nowhere"),
        # An unset variable of a script must not send the prompt anywhere else.
        ("--instance", ""),
        ("--pull",),
        ("one", "too", "many"),
    ],
)
def test_a_wrong_option_is_a_usage_error(wrong: tuple[str, ...], env: dict[str, str]) -> None:
    done = run("route", "hi", *wrong, "--json", env=env)
    assert error_of(done) == ("usage", ExitCode.USAGE)


def test_keep_alive_0_leaves_nothing_in_memory(duo: SimulatedFleet, env: dict[str, str]) -> None:
    assert run("route", "hi", *SHORT, "--keep-alive", "0", env=env).code == 0
    wait_until(lambda: [len(i.state()["resident"]) for i in duo] == [0, 0], "the model is unloaded")


def test_thinking_on_a_model_without_it_is_no_candidate(env: dict[str, str]) -> None:
    done = run("route", "hi", "-m", MODEL, "--think", "--json", env=env)
    assert error_of(done) == ("no_candidate", ExitCode.NO_CANDIDATE)
    assert "thinking" in done.envelope["errors"][0]["hint"]


def test_an_explanation_sends_nothing(duo: SimulatedFleet, env: dict[str, str]) -> None:
    served = [i.state()["served"] for i in duo]
    done = run("route", "hi", "--explain", "--json", env=env)
    assert done.code == 0
    assert set(done.data) == {"decision", "plan"}
    assert done.data["decision"]["chosen"] is not None
    assert [i.state()["served"] for i in duo] == served


def test_an_explanation_that_chose_nobody_is_exit_0(env: dict[str, str]) -> None:
    done = run("route", "hi", "-m", MODEL, "--think", "--explain", "--json", env=env)
    assert done.code == 0
    assert done.data["decision"]["chosen"] is None
    reasons = {r["reason"] for r in done.data["decision"]["rejected"]}
    assert reasons == {"capability_missing", "not_requested"}


def test_an_explanation_in_a_pipe_is_tab_separated(env: dict[str, str]) -> None:
    rows = [line.split("\t") for line in run("route", "hi", "--explain", env=env).out.splitlines()]
    ranks = [row[0] for row in rows]
    assert ranks[0] == "1"
    assert "-" in ranks


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("route", "hi", "--max-time", "soon"), "'soon' is not a number."),
        (("discover", "--concurrency", "few"), "'few' is not a whole number."),
        (("history", "list", "--limit", "all"), "'all' is not a whole number."),
    ],
)
def test_a_wrong_number_is_told_in_a_persons_words(
    words: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    done = run(*words, env=nowhere(tmp_path))
    assert done.code == ExitCode.USAGE
    assert told in done.err


# ---- names


def test_an_unknown_model_is_exit_4_with_near_misses_and_the_way_to_get_it(
    env: dict[str, str],
) -> None:
    done = run("route", "hi", "-m", "llama3.2:33b", "--json", env=env)
    assert error_of(done) == ("model_unknown", ExitCode.NO_CANDIDATE)
    hint = done.envelope["errors"][0]["hint"]
    assert re.search(r"near: llama3\.2:3b \((a, b|b, a)\)", hint)
    assert "ollamamaster pull llama3.2:33b, or add --pull" in hint


def test_an_instance_is_asked_for_by_its_label(duo: SimulatedFleet, env: dict[str, str]) -> None:
    done = run("route", "hi", *SHORT, "--instance", "b", "--json", env=env)
    assert done.data["instance"] == duo["b"].id


# ---- no instance


def nowhere(tmp_path: Path, **instances: dict[str, Any]) -> dict[str, str]:
    """A home whose config looks at nothing but these instances."""
    home = tmp_path / "nowhere"
    home.mkdir()
    config = {"discovery": {"loopback": False}, "instances": instances}
    (home / "config.toml").write_text(tomli_w.dumps(config), "utf-8")
    return {**os.environ, "OLLAMAMASTER_HOME": str(home)}


def test_no_instance_is_exit_3_with_three_next_steps(tmp_path: Path) -> None:
    done = run("route", "hi", env=nowhere(tmp_path))
    assert (done.code, done.out) == (ExitCode.NO_INSTANCE, "")
    for step in ("ollama serve", "ollamamaster discover HOST", "ollamamaster sandbox run"):
        assert step in done.err


def test_a_configured_instance_that_never_answered_is_no_instance(tmp_path: Path) -> None:
    env = nowhere(tmp_path, **{"127.0.0.1:1": {"label": "gone"}})
    assert error_of(run("route", "hi", "--json", env=env)) == ("no_instance", 3)


def test_an_instance_that_went_away_is_no_instance(
    duo: SimulatedFleet, env: dict[str, str]
) -> None:
    for instance in duo:
        instance.stop()
    done = run("route", "hi", *SHORT, "--json", env=env)
    assert error_of(done) == ("no_instance", ExitCode.NO_INSTANCE)
    assert {a["outcome"] for a in done.data["attempts"]} <= {"connect_error"}
    hint = done.envelope["errors"][0]["hint"]
    assert hint.endswith("start one, or look for others: ollamamaster discover")


def test_a_first_route_looks_for_instances_by_itself_and_says_so(
    duo: SimulatedFleet, tmp_path: Path
) -> None:
    env = home_for(duo, tmp_path / "fresh")
    (tmp_path / "fresh" / "inventory.toml").unlink()
    first, next_one = (run("route", "hi", *SHORT, env=env) for _ in range(2))
    assert (first.code, next_one.code) == (0, 0)
    assert first.err == "no inventory yet: looking for Ollama\n"
    assert next_one.err == ""
    assert first.out.startswith("[simulated]")


def test_what_answers_discover_is_known_to_the_next_command(
    duo: SimulatedFleet, tmp_path: Path
) -> None:
    env = home_for(duo, tmp_path / "fresh")
    (tmp_path / "fresh" / "inventory.toml").unlink()
    assert run("route", "hi", *SHORT, env=env).code == 0
    listed = run("models", "--json", env=env).data["models"]
    assert {place["id"] for m in listed for place in m["instances"]} == {i.id for i in duo}


# ---- many at once


@pytest.mark.parametrize("count", [2, 20])
def test_commands_at_once_lose_no_instance_and_break_no_file(
    count: int, duo: SimulatedFleet, tmp_path: Path
) -> None:
    home = tmp_path / "shared"
    env = home_for(duo, home)
    (home / "inventory.toml").unlink()
    kinds = (("route", "hi", *SHORT), ("discover",), ("models", "--refresh"))
    with ThreadPoolExecutor(count) as pool:
        done = list(pool.map(lambda n: run(*kinds[n % len(kinds)], env=env), range(count)))
    assert [d.code for d in done] == [0] * count, [d.err for d in done if d.code]
    inventory = tomllib.loads((home / "inventory.toml").read_text("utf-8"))
    found = json.dumps(inventory, default=str)
    assert [i.id for i in duo if i.id not in found] == [], [d.out for d in done]
    assert not list(home.glob("*broken*"))


# ---- the person goes


@POSIX
def test_a_reader_that_has_gone_is_no_error(env: dict[str, str]) -> None:
    with running("route", "tell me a story", "-m", MODEL, "--stream", env=env) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == b""


@POSIX
def test_a_reader_of_both_streams_that_has_gone_is_no_error(env: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            command("route", "hi", "-m", "llava", "--option", "num_predict=3"),
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            env=env,
            timeout=PATIENCE_S,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.returncode == 0


@POSIX
def test_a_stdout_that_was_closed_is_no_error(env: dict[str, str]) -> None:
    # Only a shell closes a stream for its child.
    shell = ["sh", "-c", 'exec "$@" >&-', "sh", *command("--version")]
    done = subprocess.run(shell, env=env, capture_output=True, check=False, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (0, b"")


# ---- who answers what, on the fleet of a home


@pytest.fixture(scope="module")
def of_the_home() -> Iterator[SimulatedFleet]:
    with known("home", speed=50.0) as found:
        yield found


@pytest.fixture
def household(of_the_home: SimulatedFleet) -> SimulatedFleet:
    """Machines of a home, with nothing in memory."""
    for instance in of_the_home:
        instance.restart()
    return of_the_home


def chosen(*arguments: str, env: dict[str, str]) -> dict[str, Any]:
    candidate: dict[str, Any] = run("route", *arguments, "--explain", "--json", env=env).data[
        "decision"
    ]["chosen"]
    return candidate


def tiers(env: dict[str, str]) -> dict[str, dict[str, Any]]:
    return {m["name"]: m for m in run("models", "--json", env=env).data["models"]}


def test_a_question_of_fact_goes_to_a_small_model_on_this_machine(
    household: SimulatedFleet, tmp_path: Path
) -> None:
    env = home_for(household, tmp_path / "home")
    candidate = chosen("What is the capital of France?", env=env)
    assert candidate["instance"] == household["laptop"].id
    assert tiers(env)[candidate["model"]]["tier"] == "fast"


def test_fifty_pages_go_to_a_large_model_on_a_gpu_with_context_enough(
    household: SimulatedFleet, tmp_path: Path
) -> None:
    env = home_for(household, tmp_path / "home")
    report = tmp_path / "report.txt"
    # A page is 500 tokens of about four characters.
    report.write_text("The results of the third quarter were mixed. " * (50 * 500 * 4 // 45))
    done = run("route", "insights?", "-f", str(report), "--explain", "--json", env=env)
    task, candidate = done.data["decision"]["task"], done.data["decision"]["chosen"]
    model = tiers(env)[candidate["model"]]
    assert task["type"] == "document"
    assert task["prompt_tokens"] > 20_000
    assert candidate["instance"] in {household[n].id for n in ("gaming-pc", "workshop")}
    assert model["tier"] == "powerful"
    assert model["context_length"] >= task["context_tokens"]


def test_images_only_ever_go_to_vision_models(household: SimulatedFleet, tmp_path: Path) -> None:
    env = home_for(household, tmp_path / "home")
    (tmp_path / "photo.png").write_bytes(PNG)
    asked = ("what is on this picture?", "-f", str(tmp_path / "photo.png"))
    done = run("route", *asked, "--explain", "--json", env=env)
    known = tiers(env)
    ranked = {c["model"] for c in done.data["decision"]["ranked"]}
    assert ranked == {n for n, m in known.items() if "vision" in m["capabilities"]}


def test_a_prompt_with_an_impossible_limit_uses_the_fastest_with_a_warning(
    household: SimulatedFleet, tmp_path: Path
) -> None:
    env = home_for(household, tmp_path / "home")
    # Sooner than any estimate, later than the decision on any machine; the sandbox is faster.
    done = run("route", "hi", "--max-time", "2", "--json", env=env)
    assert "using the fastest" in done.err
    assert min(c["estimate"]["p80_s"] for c in done.data["decision"]["ranked"]) > 2


def test_who_insists_on_what_is_known_to_be_slow_is_refused_at_once(
    household: SimulatedFleet, tmp_path: Path
) -> None:
    env = home_for(household, tmp_path / "home")
    config = tomllib.loads((tmp_path / "home" / "config.toml").read_text("utf-8"))
    for table in config["instances"].values():
        table["bandwidth_gb_s"] = 60.0
    (tmp_path / "home" / "config.toml").write_text(tomli_w.dumps(config), "utf-8")
    served = [i.state()["served"] for i in household]
    done = run("route", "hi", "-m", "gemma3:27b", "--max-time", "0.5", "--json", env=env)
    assert error_of(done) == ("time_limit", ExitCode.TIME_LIMIT)
    assert done.data["attempts"] == []
    assert [i.state()["served"] for i in household] == served
