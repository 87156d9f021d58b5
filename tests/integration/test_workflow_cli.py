"""`ollamamaster workflow` as a person or a script runs it, on a simulated fleet."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from program import ended, on_terminal, run, running, wait_until
from workflows import SERVER, corpus

if TYPE_CHECKING:
    from program import Done

    from ollamamaster.simulator.sandbox import SimulatedFleet

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals and terminals of POSIX")
SHORT = "options = { num_predict = 8 }"


def step(step_id: str, *lines: str) -> str:
    return "\n".join(["[[steps]]", f'id = "{step_id}"', *lines, ""])


def ask(step_id: str, prompt: str, *lines: str) -> str:
    return step(step_id, f"prompt = {json.dumps(prompt)}", SHORT, *lines)


def call(step_id: str, tool: str, arguments: str = "{}", *lines: str) -> str:
    return step(step_id, 'mcp = "corpus"', f'tool = "{tool}"', f"with = {arguments}", *lines)


CORPUS = corpus("search", "say", "tell", "count", "fail_until", "die", "surroundings", "wait_for")


def write(env: dict[str, str], name: str, *parts: str) -> Path:
    """A workflow in the person's folder."""
    folder = Path(env["OLLAMAMASTER_HOME"]) / "workflows"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.toml"
    path.write_text(f'name = "{name}"\n' + "\n".join(parts), "utf-8")
    return path


def error_of(done: Done) -> tuple[int, str]:
    (error,) = done.envelope["errors"]
    return done.code, error["code"]


def steps_of(done: Done) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in done.data["steps"]}


def lines_of(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


# ---- runs


def test_the_output_is_printed_in_a_pipe_and_nothing_else(env: dict[str, str]) -> None:
    write(env, "w", ask("a", "hello"), ask("b", "more of {{ steps.a.text }}"))
    done = run("workflow", "run", "w", env=env)
    assert done.code == 0
    assert done.out.startswith("[simulated]")
    assert done.err == ""


def test_the_envelope_has_every_step(env: dict[str, str]) -> None:
    write(env, "w", ask("a", "hello"), ask("b", "more of {{ steps.a.text }}"))
    done = run("workflow", "run", "w", "--json", env=env)
    data = done.data
    assert data["workflow"] == "w"
    assert data["output"] == steps_of(done)["b"]["text"]
    assert [each["status"] for each in data["steps"]] == ["ok", "ok"]
    assert {each["instance"] for each in data["steps"]} <= {
        i["id"] for i in run("discover", "--no-save", "--json", env=env).data["instances"]
    }
    assert data["seconds"] > 0
    assert data["expected_seconds"] > 0


def test_inputs_are_typed_read_from_files_and_missed(env: dict[str, str], tmp_path: Path) -> None:
    inputs = '[inputs.topic]\n[inputs.n]\ntype = "integer"\ndefault = 3\n'
    write(
        env, "w", inputs, CORPUS, call("a", "say", '{ text = "{{ inputs.topic }} {{ inputs.n }}" }')
    )
    assert run("workflow", "allow", "w", env=env).code == 0
    (tmp_path / "topic.txt").write_text("tides", "utf-8")
    file = f"topic={tmp_path / 'topic.txt'}"
    assert run("workflow", "run", "w", "--input-file", file, env=env).out == "tides 3\n"
    typed = run("workflow", "run", "w", "--input", "topic=a=b", "--input", "n=4", env=env)
    assert typed.out == "a=b 4\n"
    assert error_of(run("workflow", "run", "w", "--json", env=env)) == (2, "usage")
    wrong = ("--input", "topic=x", "--input", "n=four")
    assert error_of(run("workflow", "run", "w", *wrong, "--json", env=env)) == (2, "usage")
    assert run("workflow", "run", "w", "--input", "topic", env=env).code == 2


def test_an_item_runs_once_each_and_the_order_is_kept(env: dict[str, str]) -> None:
    write(
        env,
        "w",
        "[inputs.all]\ntype = 'json'\n",
        CORPUS,
        call("a", "say", '{ text = "<{{ item.name }}>" }', 'for_each = "{{ inputs.all }}"'),
        ask("b", "of {{ item }}", 'for_each = "{{ inputs.all }}"'),
        "[output]\ntext = '{{ steps.a.text }}'",
    )
    names = [{"name": f"n{number}"} for number in range(40)]
    done = run(
        "workflow", "run", "w", "--yes", "--json", "--input", f"all={json.dumps(names)}", env=env
    )
    assert done.data["output"] == "\n\n".join(f"<n{number}>" for number in range(40))
    assert len(steps_of(done)["b"]["data"]) == 40
    nothing = run("workflow", "run", "w", "--json", "--input", "all=[]", env=env)
    assert (nothing.code, nothing.data["output"]) == (0, "")
    no_list = run("workflow", "run", "w", "--json", "--input", 'all="x"', env=env)
    assert error_of(no_list) == (5, "step_failed")


def test_models_answer_side_by_side_and_one_that_is_missing_spoils_nothing(
    env: dict[str, str],
) -> None:
    models = 'models = ["llama3.2:3b", "llama3.1:8b", "no-such-model"]'
    write(env, "w", ask("a", "hello", models), ask("b", "judge {{ steps.a.text }}"))
    done = run("workflow", "run", "w", "--json", env=env)
    step_a = steps_of(done)["a"]
    assert done.code == 0
    assert [each["outcome"] for each in step_a["data"]] == ["ok", "ok", "model_missing"]
    assert step_a["text"].startswith("## llama3.2:3b\n\n[simulated]")
    assert "## llama3.1:8b" in step_a["text"]
    assert step_a["data"][2]["response"] is None


def test_a_step_of_several_models_has_the_results_of_compare(env: dict[str, str]) -> None:
    names = ["llama3.2:3b", "no-such-model"]
    write(env, "w", ask("a", "hello", f"models = {json.dumps(names)}"))
    step_a = steps_of(run("workflow", "run", "w", "--json", env=env))["a"]
    compared = run("compare", "hello", "--models", ",".join(names), "--json", env=env)
    results = compared.data["results"]
    assert [each.keys() for each in step_a["data"]] == [each.keys() for each in results]
    assert [each["error"] for each in step_a["data"]] == [each["error"] for each in results]


def test_a_step_whose_models_all_fail_says_so_of_each(env: dict[str, str]) -> None:
    write(env, "w", ask("a", "hello", 'models = ["no-such-model", "nor-this"]'))
    done = run("workflow", "run", "w", "--json", env=env)
    assert done.code == 4
    assert "no-such-model" in done.envelope["errors"][0]["message"]


def test_an_answer_in_json_has_data_and_decides(env: dict[str, str]) -> None:
    schema = '{ type = "object", properties = { go = { type = "boolean" } }, required = ["go"] }'
    write(
        env,
        "w",
        step("a", 'prompt = "hello"', f"format = {schema}"),
        ask("b", "yes", 'when = "{{ steps.a.data.go }}"'),
        ask("c", "no", 'when = "{{ steps.a.data.stop }}"'),
    )
    done = run("workflow", "run", "w", "--json", env=env)
    found = steps_of(done)
    assert found["a"]["data"] == {"go": True}
    assert (found["b"]["status"], found["c"]["status"]) == ("ok", "skipped")
    assert (found["c"]["text"], found["c"]["data"], done.data["output"]) == ("", None, "")


def test_a_step_is_tried_again_as_often_as_it_says(env: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "tries"
    arguments = f"{{ path = {json.dumps(str(file))}, times = 2 }}"
    path = write(env, "w", CORPUS, call("a", "fail_until", arguments, "retries = 1"))
    failed = run("workflow", "run", "w", "--yes", "--json", env=env)
    assert error_of(failed) == (5, "step_failed")
    assert len(lines_of(file)) == 2
    file.unlink()
    path.write_text(path.read_text("utf-8").replace("retries = 1", "retries = 2"), "utf-8")
    assert run("workflow", "run", "w", env=env).out == "at last\n"


def test_a_failure_that_does_not_end_the_run_is_told(env: dict[str, str]) -> None:
    write(
        env,
        "w",
        ask("a", "{{ inputs.x }}", 'on_error = "continue"'),
        ask("b", "[{{ steps.a.text }}]"),
        '[inputs.x]\ndefault = " "\n',
    )
    done = run("workflow", "run", "w", env=env)
    assert done.code == 0
    assert "a failed, and the run went on: the prompt is empty" in done.err
    assert "run went on" not in run("workflow", "run", "w", "-q", env=env).err


def test_a_server_that_died_is_not_tried_again(env: dict[str, str]) -> None:
    write(env, "w", CORPUS, call("a", "die", "{}", "retries = 2"))
    done = run("workflow", "run", "w", "--yes", "--json", env=env)
    assert error_of(done) == (5, "step_failed")
    assert "the disk is on fire" in steps_of(done)["a"]["error"]
    assert "trying again" not in done.err


def test_data_of_tools_and_models_can_always_be_passed_on(env: dict[str, str]) -> None:
    write(
        env,
        "w",
        CORPUS,
        call("infinite", "tell", """{ text = '[1e999]' }"""),
        call("half", "tell", """{ text = '["\\ud800"]' }"""),
        call("said", "say", '{ text = "{{ steps.half.data.0 }}" }'),
    )
    done = run("workflow", "run", "w", "--yes", "--json", env=env)
    steps = steps_of(done)
    assert (steps["infinite"]["text"], steps["infinite"]["data"]) == ("[1e999]", None)
    assert steps["said"]["text"] == "?"


def test_an_empty_prompt_is_asked_of_nobody(env: dict[str, str]) -> None:
    write(
        env,
        "w",
        ask("a", "hello", 'when = "{{ inputs.x }}"'),
        ask("b", "{{ steps.a.text }}"),
        "[inputs.x]\ntype = 'boolean'\ndefault = false\n",
    )
    done = run("workflow", "run", "w", "--json", env=env)
    assert error_of(done) == (5, "step_failed")
    assert "the prompt is empty" in done.envelope["errors"][0]["message"]


def test_a_failed_step_ends_the_run_with_all_steps_in_the_data(env: dict[str, str]) -> None:
    write(env, "w", CORPUS, call("a", "die"), ask("b", "{{ steps.a.text }}"))
    done = run("workflow", "run", "w", "--yes", "--json", env=env)
    assert error_of(done) == (5, "step_failed")
    (error,) = done.envelope["errors"]
    assert "'a'" in error["message"]
    assert "the disk is on fire" in error["message"]
    assert f"--resume {done.data['run_id']}" in error["hint"]
    found = steps_of(done)
    assert (found["a"]["status"], found["b"]["status"]) == ("failed", "cancelled")
    assert done.data["output"] is None


def test_a_dead_fleet_is_no_instance_and_a_model_that_nobody_has_no_candidate(
    env: dict[str, str], fleet: SimulatedFleet
) -> None:
    write(env, "w", ask("a", "hello", 'model = "llama9"'))
    done = run("workflow", "run", "w", "--json", env=env)
    assert error_of(done) == (4, "model_unknown")
    assert "'a'" in done.envelope["errors"][0]["message"]
    assert run("workflow", "check", "w", env=env).code == 4


@POSIX
def test_without_a_run_there_is_no_table_of_them(env: dict[str, str]) -> None:
    shown = on_terminal("workflow", "runs", env=env)
    assert shown.code == 0
    assert shown.raw.strip() == "no run is remembered"


# ---- before anything runs


def test_a_file_with_mistakes_runs_nothing_and_tells_them_all(env: dict[str, str]) -> None:
    path = write(env, "w", ask("a", "{{ oops }}"), ask("b", "{{ steps.c.text }}", "colour = 1"))
    for word in ("run", "check", "show"):
        done = run("workflow", word, "w", "--json", env=env)
        assert error_of(done) == (7, "workflow_invalid")
        assert f"{path}:" in done.envelope["errors"][0]["message"]
    problems = run("workflow", "check", "w", "--json", env=env).data["problems"]
    assert [each["line"] for each in problems] == [4, 11]
    plain = run("workflow", "check", "w", env=env)
    assert (plain.code, len(plain.out.splitlines())) == (7, 2)


def test_check_and_a_dry_run_tell_order_and_time_and_send_nothing(env: dict[str, str]) -> None:
    write(
        env,
        "w",
        CORPUS,
        call("a", "search", '{ query = "x" }'),
        ask("b", "from {{ steps.a.text }}"),
        ask("c", "beside"),
    )
    assert run("workflow", "allow", "w", env=env).code == 0
    for words in (("check", "w"), ("run", "w", "--dry-run"), ("show", "w")):
        data = run("workflow", *words, "--json", env=env).data
        assert data["order"] == [["a", "c"], ["b"]]
        assert data["problems"] == []
        assert data["expected_seconds"] > 0
        assert {each["id"] for each in data["steps"] if each["places"]} == {"b", "c"}
    assert run("history", "list", "--json", env=env).data["requests"] == []
    assert run("workflow", "runs", "--json", env=env).data == {"runs": []}


def test_a_tool_that_is_not_there_and_a_missing_argument_are_told_before(
    env: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "calls"
    first = call("a", "count", f"{{ path = {json.dumps(str(file))} }}")
    write(
        env,
        "w",
        CORPUS.replace('"say"', '"sing"'),
        first,
        call("b", "search", "{ qery = 'x' }"),
        call("c", "sing"),
    )
    done = run("workflow", "run", "w", "--yes", "--json", env=env)
    assert error_of(done) == (7, "workflow_invalid")
    codes = [p["code"] for p in run("workflow", "check", "w", "--json", env=env).data["problems"]]
    assert codes == ["argument_missing", "tool_missing"]
    assert lines_of(file) == []


def test_a_server_that_does_not_start_fails_before_any_step(env: dict[str, str]) -> None:
    write(env, "w", CORPUS.replace(SERVER, "no-such-file.py"), call("a", "say", '{ text = "x" }'))
    done = run("workflow", "run", "w", "--yes", "--json", env=env)
    assert error_of(done) == (1, "server_failed")
    assert "no-such-file" in done.envelope["errors"][0]["hint"]
    assert done.envelope["data"] is None


# ---- trust


def test_a_server_that_was_never_allowed_is_refused_and_not_started(
    env: dict[str, str], tmp_path: Path
) -> None:
    mark = tmp_path / "started"
    program = f"open({str(mark)!r}, 'w')"
    server = (
        f'[mcp.s]\ncommand = {json.dumps(sys.executable)}\nargs = ["-c", {json.dumps(program)}]\n'
    )
    path = write(env, "w", server, 'tools = ["t"]', step("a", 'mcp = "s"', 'tool = "t"'))
    for words in (("run", "w"), ("run", str(path)), ("check", "w"), ("run", "w", "--dry-run")):
        done = run("workflow", *words, "--json", env=env)
        assert error_of(done) == (1, "not_allowed")
        (error,) = done.envelope["errors"]
        assert error["hint"] == f"to allow it: ollamamaster workflow allow {path}"
    assert not mark.exists()
    assert run("workflow", "runs", "--json", env=env).data == {"runs": []}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("args = [", 'args = ["-u", '),
        ("tools =", 'env = { A = "1" }\ntools ='),
        (json.dumps(sys.executable), '"python3"'),
    ],
)
def test_a_change_of_what_runs_asks_again(env: dict[str, str], before: str, after: str) -> None:
    path = write(env, "w", CORPUS, call("a", "say", '{ text = "x" }'))
    assert run("workflow", "allow", "w", env=env).code == 0
    assert run("workflow", "run", "w", env=env).out == "x\n"
    path.write_text(path.read_text("utf-8").replace(before, after, 1), "utf-8")
    done = run("workflow", "run", "w", "--json", env=env)
    assert error_of(done) == (1, "not_allowed")


def test_a_change_of_a_step_asks_nothing(env: dict[str, str]) -> None:
    path = write(env, "w", CORPUS, call("a", "say", '{ text = "x" }'))
    assert run("workflow", "allow", "w", env=env).code == 0
    path.write_text(path.read_text("utf-8").replace('"x"', '"y"'), "utf-8")
    assert run("workflow", "run", "w", env=env).out == "y\n"


def test_what_was_allowed_here_is_not_allowed_for_a_file_elsewhere(
    env: dict[str, str], tmp_path: Path
) -> None:
    path = write(env, "w", CORPUS, call("a", "say", '{ text = "x" }'))
    assert run("workflow", "allow", "w", env=env).code == 0
    elsewhere = tmp_path / "downloads" / "w.toml"
    elsewhere.parent.mkdir()
    elsewhere.write_text(path.read_text("utf-8"), "utf-8")
    done = run("workflow", "run", str(elsewhere), "--json", env=env)
    assert error_of(done) == (1, "not_allowed")


@POSIX
@pytest.mark.parametrize(("typed", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\n", 1)])
def test_a_person_is_asked_once_with_what_would_run(
    env: dict[str, str], typed: bytes, code: int
) -> None:
    write(env, "w", CORPUS, call("a", "say", '{ text = "spoken" }'))
    first = on_terminal("workflow", "run", "w", env=env, typed=typed, columns=300)
    assert first.code == code
    assert "tool_server.py" in first.raw
    assert "[y/N]" in first.raw
    second = on_terminal("workflow", "run", "w", env=env, typed=b"n\n")
    assert second.code == code
    assert ("[y/N]" in second.raw) == (code == 1)
    assert ("spoken" in second.raw) == (code == 0)


def test_what_a_tool_says_becomes_no_reference_no_tool_and_no_path(
    env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("the secret", "utf-8")
    attack = f"{{{{{{{{ inputs.key }}}} [mcp.x] {tmp_path / 'secret.txt'}"
    write(
        env,
        "w",
        "[inputs.key]\n",
        CORPUS,
        call("a", "say", f"{{ text = {json.dumps(attack)} }}"),
        call("b", "say", '{ text = "{{ steps.a.text }}" }'),
    )
    done = run("workflow", "run", "w", "--yes", "--input", "key=k3y", env=env)
    assert done.out == attack.replace("{{{{", "{{") + "\n"
    path = json.dumps(str(tmp_path / "secret.txt"))
    write(
        env,
        "x",
        CORPUS,
        call("a", "say", f"{{ text = {path} }}"),
        ask("b", "hello", 'files = ["{{ steps.a.text }}"]'),
    )
    refused = run("workflow", "run", "x", "--yes", "--json", env=env)
    assert error_of(refused) == (5, "step_failed")
    assert "not below the folder" in refused.envelope["errors"][0]["message"]


def test_files_are_those_beside_the_workflow(env: dict[str, str]) -> None:
    path = write(env, "w", ask("a", "hello", 'files = ["notes.txt"]'))
    done = run("workflow", "run", "w", "--json", env=env)
    assert error_of(done) == (2, "file_unusable")
    (path.parent / "notes.txt").write_text("a note", "utf-8")
    assert run("workflow", "run", "w", env=env).code == 0


@pytest.mark.parametrize(
    ("typed", "code"), [("nobody", 2), ("./nobody.toml", 2), ("../w", 2), ("", 2)]
)
def test_what_is_not_there_is_a_usage_error(env: dict[str, str], typed: str, code: int) -> None:
    assert run("workflow", "run", typed, env=env).code == code


# ---- going on


def counting(env: dict[str, str], tmp_path: Path, last: str) -> tuple[Path, Path]:
    """Three steps that count, the last of which is `last`."""
    file = tmp_path / "calls"
    path = json.dumps(str(file))
    parts = [
        call("a", "count", f'{{ path = {path}, word = "a" }}'),
        call("b", "count", f'{{ path = {path}, word = "b {{{{ steps.a.text }}}}" }}'),
        last,
    ]
    return write(env, "w", "[inputs.x]\n", CORPUS, *parts), file


def test_going_on_runs_nothing_that_is_finished(env: dict[str, str], tmp_path: Path) -> None:
    tries = json.dumps(str(tmp_path / "tries"))
    last = call("c", "fail_until", f"{{ path = {tries}, times = 1 }}", 'after = ["b"]')
    _, file = counting(env, tmp_path, last)
    failed = run("workflow", "run", "w", "--yes", "--input", "x=1", "--json", env=env)
    assert error_of(failed) == (5, "step_failed")
    run_id = failed.data["run_id"]
    again = run("workflow", "run", "w", "--resume", run_id, "--json", env=env)
    assert (again.code, again.data["run_id"]) == (0, run_id)
    assert again.data["output"] == "at last"
    assert [each["status"] for each in again.data["steps"]] == ["ok", "ok", "ok"]
    assert lines_of(file) == ["a", "b 1"]
    # a finished run runs nothing, also without the name
    done = run("workflow", "run", "--resume", run_id, "--json", env=env)
    assert done.data["output"] == "at last"
    assert lines_of(file) == ["a", "b 1"]
    assert len(lines_of(tmp_path / "tries")) == 2
    assert [r["status"] for r in run("workflow", "runs", "--json", env=env).data["runs"]] == ["ok"]


@POSIX
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_was_killed_goes_on_where_it_was(
    env: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    gate = tmp_path / "gate"
    waits = call("c", "wait_for", f"{{ path = {json.dumps(str(gate))} }}", 'after = ["b"]')
    path, file = counting(env, tmp_path, waits)
    with running("workflow", "run", "w", "--yes", "--input", "x=1", "-v", env=env) as process:
        wait_until(lambda: len(lines_of(file)) == 2, "the second step has run")
        database = Path(env["OLLAMAMASTER_HOME"]) / "history.db"
        wait_until(lambda: _finished(database) == 2, "both are recorded")
        running_now = run("workflow", "runs", "--json", env=env).data["runs"]
        assert [each["status"] for each in running_now] == ["running"]
        run_id = running_now[0]["run_id"]
        busy = run("workflow", "run", "--resume", run_id, "--json", env=env)
        assert error_of(busy) == (2, "usage")
        process.send_signal(number)
        done = ended(process)
    if number is signal.SIGINT:
        assert done.code == 130
        assert f"--resume {run_id}" in done.err
    (listed,) = run("workflow", "runs", "--json", env=env).data["runs"]
    assert listed["status"] == "stopped"
    gate.touch()
    path.write_text(path.read_text("utf-8") + "\n# changed\n", "utf-8")
    changed = run("workflow", "run", "--resume", run_id, "--json", env=env)
    assert error_of(changed) == (2, "usage")
    assert "--changed-ok" in changed.envelope["errors"][0]["hint"]
    again = run("workflow", "run", "--resume", run_id, "--changed-ok", "--json", env=env)
    assert (again.code, again.data["run_id"]) == (0, run_id)
    assert lines_of(file) == ["a", "b 1"]


# Minds neither the end of its input nor SIGTERM, and reads nothing more after the first call.
STUBBORN = """
import json, os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for message in map(json.loads, sys.stdin):
    match message["method"]:
        case "initialize":
            version = message["params"]["protocolVersion"]
            about = {"name": "stubborn", "version": "1"}
            result = {"protocolVersion": version, "capabilities": {}, "serverInfo": about}
        case "tools/list":
            result = {"tools": [{"name": "t", "inputSchema": {"type": "object"}}]}
        case "tools/call":
            open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
            signal.pause()
        case _:
            continue
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"""


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_minds_nothing_is_killed_when_the_run_is_stopped(
    env: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    file = tmp_path / "pid"
    (tmp_path / "stubborn.py").write_text(STUBBORN, "utf-8")
    arguments = [str(tmp_path / "stubborn.py"), str(file)]
    server = f"""
[mcp.s]
command = {json.dumps(sys.executable)}
args = {json.dumps(arguments)}
tools = ["t"]
"""
    # more than a pipe holds: what is to be written cannot be
    calls = [
        step(f"x{n}", 'mcp = "s"', 'tool = "t"', f'with = {{ a = "{"y" * 300_000}" }}')
        for n in range(3)
    ]
    write(env, "w", server, *calls)
    with running("workflow", "run", "w", "--yes", env=env) as process:
        wait_until(lambda: len(lines_of(file)) == 1, "the server has told its number")
        process.send_signal(number)
        assert ended(process).code == 128 + number
    pid = int(lines_of(file)[0])
    wait_until(lambda: _is_gone(pid), "the server is gone")


@POSIX
def test_a_run_that_is_killed_leaves_no_server_behind(env: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "pid"
    path = json.dumps(str(file))
    write(
        env,
        "w",
        CORPUS,
        call("a", "surroundings"),
        call("b", "count", f'{{ path = {path}, word = "pid {{{{ steps.a.data.pid }}}}" }}'),
        call("c", "wait_for", f"{{ path = {json.dumps(str(tmp_path / 'no'))} }}", 'after = ["b"]'),
    )
    with running("workflow", "run", "w", "--yes", env=env) as process:
        wait_until(lambda: len(lines_of(file)) == 1, "the server has told its number")
        process.kill()
        process.wait()
    server = int(lines_of(file)[0].removeprefix("pid "))
    wait_until(lambda: _is_gone(server), "the server is gone")


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and b") Z " in stat.read_bytes()


def test_a_run_goes_on_where_nothing_can_be_remembered(env: dict[str, str]) -> None:
    write(env, "w", ask("a", "hello"))
    home = Path(env["OLLAMAMASTER_HOME"])
    for file in home.glob("history.db*"):
        file.unlink()
    (home / "history.db").mkdir()
    done = run("workflow", "run", "w", env=env)
    assert done.code == 0
    assert "goes on without" in done.err
    assert error_of(run("workflow", "runs", "--json", env=env)) == (7, "state_unusable")


def _finished(database: Path) -> int:
    connection = sqlite3.connect(database)
    try:
        found = connection.execute("SELECT count(*) FROM workflow_steps").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()
    return int(found)


def test_going_on_with_what_is_no_run_or_another_workflow_is_refused(env: dict[str, str]) -> None:
    write(env, "w", ask("a", "hello"))
    write(env, "v", ask("a", "hello"))
    run_id = run("workflow", "run", "w", "--json", env=env).data["run_id"]
    for words in (
        ("--resume", "00000"),
        ("v", "--resume", run_id),
        ("w", "--resume", run_id, "--input", "x=1"),
        ("w", "--changed-ok"),
        (),
    ):
        assert run("workflow", "run", *words, env=env).code == 2


def test_going_on_leaves_an_input_behind_that_the_file_has_no_more(env: dict[str, str]) -> None:
    last = ask("b", "more of {{ steps.a.data.nothing }}")
    path = write(env, "w", '[inputs.x]\ndefault = "1"\n', ask("a", "hello"), last)
    failed = run("workflow", "run", "w", "--json", env=env)
    assert error_of(failed) == (5, "step_failed")
    text = path.read_text("utf-8").replace('[inputs.x]\ndefault = "1"\n', "")
    path.write_text(text.replace("data.nothing", "text"), "utf-8")
    run_id = failed.data["run_id"]
    again = run("workflow", "run", "--resume", run_id, "--changed-ok", "--json", env=env)
    assert (again.code, again.data["run_id"]) == (0, run_id)


def test_a_forgotten_run_is_gone_from_the_file_too(env: dict[str, str]) -> None:
    write(env, "w", "[inputs.x]\n", CORPUS, call("a", "say", '{ text = "{{ inputs.x }}" }'))
    secret = "xyzzy-plugh-42"
    assert run("workflow", "run", "w", "--yes", "--input", f"x={secret}", env=env).code == 0
    home = Path(env["OLLAMAMASTER_HOME"])

    def kept() -> bool:
        return any(secret.encode() in file.read_bytes() for file in home.glob("history.db*"))

    assert kept()
    (listed,) = run("workflow", "runs", "--json", env=env).data["runs"]
    done = run("workflow", "runs", "--forget", listed["run_id"], "--json", env=env)
    assert done.data == {"runs": []}
    assert not kept()
    assert run("workflow", "runs", "--forget", listed["run_id"], env=env).code == 2


# ---- files


def test_new_writes_what_list_lists_and_check_accepts(env: dict[str, str]) -> None:
    assert run("workflow", "list", "--json", env=env).data == {"workflows": []}
    path = Path(run("workflow", "new", "mine", env=env).out.strip())
    assert path == Path(env["OLLAMAMASTER_HOME"]) / "workflows" / "mine.toml"
    (listed,) = run("workflow", "list", "--json", env=env).data["workflows"]
    assert (listed["name"], listed["path"], listed["problems"]) == ("mine", str(path), 0)
    assert [each["name"] for each in listed["inputs"]] == ["topic", "length"]
    assert run("workflow", "check", "mine", env=env).code == 0
    assert run("workflow", "new", "mine", env=env).code == 2
    assert run("workflow", "new", "No Name", env=env).code == 2
    assert run("workflow", "new", "other", "--from", "nothing", env=env).code == 2


def test_a_broken_file_is_listed_with_its_mistakes(env: dict[str, str]) -> None:
    write(env, "w", "oops")
    (listed,) = run("workflow", "list", "--json", env=env).data["workflows"]
    assert (listed["name"], listed["description"], listed["problems"]) == ("w", None, 1)


@POSIX
def test_a_terminal_shows_each_step_and_the_graph(env: dict[str, str]) -> None:
    write(env, "w", ask("first", "hello"), ask("second", "more of {{ steps.first.text }}"))
    screen = on_terminal("workflow", "run", "w", env=env)
    assert screen.code == 0
    for words in ("expected", "✓", "took", "longest: first → second", "[simulated]"):
        assert words in screen.raw
    graph = on_terminal("workflow", "show", "w", env=env)
    assert "● " in graph.raw
    assert "← first" in graph.raw
    narrow = on_terminal("workflow", "run", "w", env=env, columns=28)
    assert narrow.code == 0
    # what runs where is cut first, and never the mark or the name
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", narrow.raw).replace("\r", "\n").splitlines()
    (last,) = [line for line in lines if line.startswith("✓ second")][-1:]
    assert re.fullmatch(r"✓ second \S.*… +\S+ s", last.rstrip())
    assert len(last) <= 28


@POSIX
def test_ctrl_c_on_a_terminal_leaves_the_steps_and_how_to_go_on(
    env: dict[str, str], tmp_path: Path
) -> None:
    gate = json.dumps(str(tmp_path / "gate"))
    held = call("held", "wait_for", f"{{ path = {gate} }}", 'after = ["first"]')
    write(env, "w", CORPUS, ask("first", "hello"), held)
    assert run("workflow", "allow", "w", env=env).code == 0

    def is_held(raw: str) -> bool:
        return "✓" in raw.rpartition("first")[0].rpartition("held")[2]

    screen = on_terminal("workflow", "run", "w", env=env, stopped_when=is_held)
    assert screen.code == 130
    assert screen.raw.rfind("\x1b[?25h") > screen.raw.rfind("\x1b[?25l")
    (run_id,) = [r["run_id"] for r in run("workflow", "runs", "--json", env=env).data["runs"]]
    assert f"workflow run --resume {run_id}" in screen.raw
    (tmp_path / "gate").touch()
    again = run("workflow", "run", "--resume", run_id, "--json", env=env)
    assert again.data["output"] == "it is there"


@pytest.mark.parametrize("text", ['{"x": 1e999}', "[NaN]", "[" * 900 + "]" * 900])
def test_what_a_tool_says_that_no_json_can_hold_is_text(env: dict[str, str], text: str) -> None:
    write(env, "w", CORPUS, call("said", "say", f"{{ text = {json.dumps(text)} }}"))
    done = run("workflow", "run", "w", "--yes", "--json", env=env)
    assert done.code == 0
    assert steps_of(done)["said"]["text"] == text


def test_a_run_whose_model_names_no_path_fails_in_that_step(env: dict[str, str]) -> None:
    said = call("name", "say", r'{ text = "a\u0000b" }')
    write(env, "w", CORPUS, said, ask("reads", "Sum it up", 'files = ["{{ steps.name.text }}"]'))
    done = run("workflow", "run", "w", "--yes", "--json", env=env)
    assert error_of(done) == (5, "step_failed")
    assert "is no path" in steps_of(done)["reads"]["error"]
