"""Conversations from one command to the next, on simulated instances over real sockets."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fleets import known, narrow_fleet
from program import Done, ended, home_for, on_terminal, run, running, wait_until
from routes import Heard, asked, request

from ollamamaster.domain.conversation import mcp_name
from ollamamaster.errors import ExitCode
from ollamamaster.ollama.client import OllamaClient

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncGenerator, Iterator

    from ollamamaster.bootstrap import Application
    from ollamamaster.domain.answers import AnswerRequest, Chunk
    from ollamamaster.domain.instances import Endpoint
    from ollamamaster.simulator.sandbox import SimulatedFleet, SimulatedInstance

MODEL = "llama3.2:3b"
SHORT = ("-m", MODEL, "--option", "num_predict=12")

NARROWLY = ("-m", "narrow:8b", "--option", "num_predict=20", "--session", "x")
LONG_TALK = ("--option", "num_ctx=16384", "--option", "num_predict=120", "--no-hedge")
WORDS = "The lighthouse of Kiipsaare leans a little more each year. " * 16


# A model on two machines that are nearly alike, and one on two that are not. Reading takes them
# seconds, so that what the computer of the tests is busy with does not decide who is the quicker.
APART = """
[[instances]]
name = "here"
ram_gb = 64
bandwidth_gb_s = 100
prefill_tokens_s = 300
load_gb_s = 50
models = ["steady:2b", "moving:2b"]

[[instances]]
name = "quicker"
ram_gb = 64
bandwidth_gb_s = 130
prefill_tokens_s = 390
load_gb_s = 50
models = ["steady:2b"]

[[instances]]
name = "racer"
ram_gb = 64
bandwidth_gb_s = 500
prefill_tokens_s = 7500
load_gb_s = 50
models = ["moving:2b"]

[[models]]
name = "steady:2b"
size_gb = 1.5
parameters_b = 2.0
context = 32768

[[models]]
name = "moving:2b"
size_gb = 1.5
parameters_b = 2.0
context = 32768
"""


# One machine whose model holds a long talk, and one whose model does not.
UNEQUAL = """
[[instances]]
name = "wide"
ram_gb = 64
bandwidth_gb_s = 500
prefill_tokens_s = 20000
models = ["wide:2b"]

[[instances]]
name = "thin"
ram_gb = 64
bandwidth_gb_s = 500
prefill_tokens_s = 20000
models = ["thin:2b"]

[[models]]
name = "wide:2b"
size_gb = 1.5
parameters_b = 2.0
context = 32768

[[models]]
name = "thin:2b"
size_gb = 1.5
parameters_b = 2.0
context = 4096
"""


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedFleet]:
    """Machines whose speed is known, with their models in memory."""
    path = tmp_path_factory.mktemp("fleet") / "apart.toml"
    path.write_text(APART, "utf-8")
    with known(path, speed=2.0) as found:
        env = found.environment()
        places = {"steady:2b": ("here", "quicker"), "moving:2b": ("here", "racer")}
        for model, names in places.items():
            for name in names:
                for number in range(2):
                    where = ("-m", model, "--instance", found[name].id)
                    done = run("route", f"{number}. {WORDS}", *where, *LONG_TALK, env=env)
                    assert done.code == 0, done.err
        yield found


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedFleet]:
    # a context that holds about two of the prompts below
    path = narrow_fleet(tmp_path_factory.mktemp("fleet"), context=1000)
    # So slow that what the machine is busy with does not decide which model is the faster one.
    with known(path, speed=3.0) as found:
        yield found


def fresh(fleet: SimulatedFleet, folder: Path) -> dict[str, str]:
    """A home of its own, to which what the test before did would look like the use of others."""
    for instance in fleet:
        instance.restart()
    return home_for(fleet, folder)


@pytest.fixture
def env(fleet: SimulatedFleet, tmp_path: Path) -> dict[str, str]:
    return fresh(fleet, tmp_path / "home")


@pytest.fixture
def narrow_env(narrow: SimulatedFleet, tmp_path: Path) -> dict[str, str]:
    return fresh(narrow, tmp_path / "home")


def say(prompt: str, *more: str, env: dict[str, str], session: str = "x") -> Done:
    done = run("route", prompt, "--session", session, *SHORT, *more, env=env)
    assert done.code == 0, done.err
    return done


def shown(env: dict[str, str], session: str = "x") -> Any:
    return run("session", "show", session, "--json", env=env).data


def prompts(env: dict[str, str]) -> list[str]:
    return [m["content"] for m in shown(env)["messages"] if m["role"] == "user"]


# ---- from one command to the next


def test_the_next_turn_reads_what_was_said_before(env: dict[str, str]) -> None:
    first = say("Tell me about the lighthouse", "--json", env=env).data
    second = say("And now?", "--json", env=env).data
    assert second["usage"]["prompt_tokens"] > first["usage"]["prompt_tokens"]
    assert [(m["role"], m["content"], m["model"]) for m in shown(env)["messages"]] == [
        ("user", "Tell me about the lighthouse", None),
        ("assistant", first["response"], MODEL),
        ("user", "And now?", None),
        ("assistant", second["response"], MODEL),
    ]


def test_an_attached_file_is_part_of_the_conversation(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Kiipsaare", "utf-8")
    say("Summarise", "-f", str(tmp_path / "notes.txt"), env=env)
    assert "Kiipsaare" in prompts(env)[0]


def test_sessions_are_listed_renamed_exported_and_deleted(
    env: dict[str, str], tmp_path: Path
) -> None:
    say("hello", env=env)
    assert run("session", "list", env=env).out.startswith("x\t1\t")
    assert run("completion", "--values", "sessions", env=env).out == "x\n"
    assert run("session", "rename", "x", "y", env=env).code == 0
    lines = run("session", "export", "y", env=env).out.splitlines()
    assert [json.loads(line)["role"] for line in lines] == ["user", "assistant"]
    file = tmp_path / "y.md"
    assert run("session", "export", "y", "--format", "markdown", "-o", str(file), env=env).code == 0
    assert file.read_text("utf-8").startswith("# y\n\n## user · ")
    assert run("session", "delete", "y", env=env).code == 0
    assert run("session", "list", env=env).out == ""


def test_what_is_deleted_is_in_no_byte_of_any_file_also_where_history_keeps_texts(
    env: dict[str, str], tmp_path: Path
) -> None:
    env = {**env, "OLLAMAMASTER_HISTORY_STORE_TEXT": "true"}
    say("xylophone", env=env)
    say("and the second xylophone", env=env)
    home = tmp_path / "home"

    def held() -> bytes:
        return b"".join(file.read_bytes() for file in home.iterdir() if file.is_file())

    assert b"xylophone" in held()
    assert run("session", "delete", "x", env=env).code == 0
    assert b"xylophone" not in held()


@pytest.mark.parametrize(
    "arguments",
    [
        ("session", "show", "nobody"),
        ("session", "delete", "nobody"),
        ("session", "export", "nobody"),
        ("session", "rename", "nobody", "somebody"),
        ("route", "hi", "--session", "mcp:x"),
        ("route", "hi", "--session", ""),
    ],
)
def test_a_session_that_cannot_be_is_a_usage_error(
    arguments: tuple[str, ...], env: dict[str, str]
) -> None:
    done = run(*arguments, "--json", env=env)
    assert done.code == ExitCode.USAGE
    assert done.envelope["errors"][0]["code"] == "usage"


def test_a_database_that_cannot_be_used_is_an_error_of_state(
    env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "home" / "history.db").mkdir()
    for arguments in (("session", "list"), ("route", "hi", "--session", "x")):
        done = run(*arguments, "--json", env=env)
        assert done.code == ExitCode.INVALID
        assert done.envelope["errors"][0]["code"] == "state_unusable"


def test_explain_counts_the_conversation_and_sends_nothing(env: dict[str, str]) -> None:
    say("Tell me about the lighthouse " * 20, env=env)
    done = run("route", "go on", "--session", "x", "--explain", "--json", env=env)
    task = done.data["decision"]["task"]
    assert task["prompt_tokens"] > 100
    assert len(prompts(env)) == 1


def test_explain_tells_of_a_summary_only_where_no_model_has_room(
    narrow_env: dict[str, str],
) -> None:
    for number in range(3):
        say(f"{number}. {WORDS}", "-m", "quick:1b", env=narrow_env)
    asked = ("route", f"more. {WORDS}", "--session", "x", "--explain")
    anywhere = run(*asked, env=narrow_env)
    assert "context_too_small" in anywhere.out
    assert "quick:1b" in anywhere.out
    assert "summarised" not in anywhere.err
    assert "would be summarised" in run(*asked, "-m", "narrow:8b", env=narrow_env).err


def test_a_turn_that_fails_is_not_kept(env: dict[str, str]) -> None:
    say("hello", env=env)
    failed = run("route", "again", "--session", "x", "-m", "no-such-model", env=env)
    assert failed.code == ExitCode.NO_CANDIDATE
    assert prompts(env) == ["hello"]


def test_a_conversation_survives_the_loss_of_its_instance(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    before = say("hello", "--json", env=env).data["instance"]
    lost = next(instance for instance in fleet if instance.id == before)
    lost.stop()
    try:
        after = say("and now?", "--json", env=env).data
    finally:
        lost.restart()
    assert after["instance"] != lost.id
    assert prompts(env) == ["hello", "and now?"]


def talk(apart: SimulatedFleet, prompt: str, *more: str) -> tuple[str, Any]:
    """Where the prompt was answered, and everything about it."""
    done = run("route", prompt, *LONG_TALK, "--json", *more, env=apart.environment())
    assert done.code == 0, done.err
    names = {apart[name].id: name for name in ("here", "quicker", "racer")}
    return names[done.data["instance"]], done.data


def test_a_conversation_stays_where_it_was_read_though_another_machine_is_a_bit_quicker(
    apart: SimulatedFleet,
) -> None:
    asked = ("-m", "steady:2b")
    told = ("--session", "stays", "--instance", apart["here"].id)
    # what nobody has read goes to the quicker one
    place, fresh = talk(apart, f"Once. {WORDS * 20}", *asked)
    assert place == "quicker"
    assert talk(apart, f"Tell me. {WORDS * 20}", *asked, *told)[0] == "here"
    for prompt in ("And then?", "And after that?"):
        place, again = talk(apart, prompt, *asked, "--session", "stays")
        assert place == "here"
        # and there most of it is in memory
        assert again["usage"]["prompt_tokens"] > fresh["usage"]["prompt_tokens"]
        assert again["timing"]["prompt_s"] < fresh["timing"]["prompt_s"] / 2


def test_a_conversation_moves_where_staying_costs_more(apart: SimulatedFleet) -> None:
    asked = ("-m", "moving:2b", "--session", "moves")
    told = ("--instance", apart["here"].id)
    assert talk(apart, f"Tell me. {WORDS * 4}", *asked, *told)[0] == "here"
    assert talk(apart, "And then?", *asked)[0] == "racer"
    kept = run("session", "show", "moves", "--json", env=apart.environment()).data
    assert len(kept["messages"]) == 4


def test_when_the_machine_with_room_for_it_is_lost_the_conversation_is_summarised_for_another(
    tmp_path: Path,
) -> None:
    path = tmp_path / "unequal.toml"
    path.write_text(UNEQUAL, "utf-8")
    with known(path, speed=50.0) as fleet:
        env = fleet.environment()
        # one turn that alone is several times what the other machine reads at once
        first = run("route", f"Tell me. {WORDS * 60}", "--session", "x", "--json", env=env)
        assert first.data["model"] == "wide:2b"
        fleet["wide"].stop()
        done = run("route", "And now?", "--session", "x", "--json", env=env)
        assert (done.code, done.data["model"]) == (0, "thin:2b")
        assert "summary by thin:2b: [simulated]" in done.err
        assert len(shown(env)["messages"]) == 4


# ---- several at once


@contextmanager
def speaking(
    fleet: SimulatedFleet, env: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], SimulatedInstance]]:
    """A turn under way, and the instance that keeps it waiting for its answer."""
    before = {instance: instance.state()["requests"] for instance in fleet}

    def at_it() -> list[SimulatedInstance]:
        return [i for i, count in before.items() if i.state()["requests"] > count]

    for instance in fleet:
        instance.fault("hang_generate", count=1)
    with running("route", "--session", "x", "-m", MODEL, "first", env=env) as first:
        wait_until(lambda: bool(at_it()), "the first turn waits for its answer")
        for instance in fleet:
            instance.clear_faults()
        yield first, at_it()[0]


def test_two_turns_at_once_follow_one_another(fleet: SimulatedFleet, env: dict[str, str]) -> None:
    second_turn = ("route", "--session", "x", *SHORT, "second", "--json")
    with speaking(fleet, env) as (first, silent), running(*second_turn, env=env) as second:
        assert second.stderr is not None
        assert any(b"another turn of the session x is under way" in line for line in second.stderr)
        # so that the first one is answered elsewhere
        silent.restart()
        done = ended(second)
        assert ended(first).code == 0
    assert done.code == 0
    assert done.data["usage"]["prompt_tokens"] > 100
    assert done.data["timing"]["total_s"] >= done.data["timing"]["queue_s"] > 0
    assert prompts(env) == ["first", "second"]


def test_the_deadline_counts_the_wait_for_the_turn_and_nothing_is_deleted_meanwhile(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    say("hello", env=env)
    with speaking(fleet, env):
        late = run("route", "--session", "x", *SHORT, "second", "--max-time", "0.3", env=env)
        busy = [
            run("session", *words, env=env) for words in (("delete", "x"), ("rename", "x", "y"))
        ]
    assert late.code == ExitCode.TIME_LIMIT
    assert "the time limit of 0.3 s passed" in late.err
    assert [done.code for done in busy] == [ExitCode.FAILED, ExitCode.FAILED]
    assert prompts(env) == ["hello"]


@pytest.mark.skipif(os.name == "nt", reason="signals are a POSIX matter")
def test_a_turn_that_is_killed_leaves_nothing_and_holds_up_nobody(
    fleet: SimulatedFleet, env: dict[str, str]
) -> None:
    say("hello", env=env)
    with speaking(fleet, env) as (killed, _):
        killed.kill()
        killed.wait()
    done = say("again", env=env)
    assert "another turn" not in done.err
    assert prompts(env) == ["hello", "again"]


def forbid(env: dict[str, str], change: str) -> None:
    """From now on the file of this home refuses such a change."""
    with closing(sqlite3.connect(Path(env["OLLAMAMASTER_HOME"], "history.db"))) as database:
        database.execute(f"CREATE TRIGGER no BEFORE {change} BEGIN SELECT RAISE(ABORT, 'no'); END")


def test_an_answer_is_not_lost_because_the_end_of_the_turn_cannot_be_written(
    env: dict[str, str],
) -> None:
    say("hello", env=env)
    forbid(env, "DELETE ON turn_line")
    assert say("again", env=env).out.startswith("[simulated]")
    assert prompts(env) == ["hello", "again"]


# ---- what no longer fits


def overflowed(env: dict[str, str], *more: str) -> tuple[Done, int]:
    """The first turn that says that something is summarised, or fails, and how many it is."""
    for number in range(1, 10):
        done = run("route", f"{number}. {WORDS}", *NARROWLY, *more, env=env)
        if done.code or "summarising" in done.err:
            return done, number
    raise AssertionError("it always fitted")


def test_what_no_longer_fits_is_summarised_for_all_to_see_and_kept(
    narrow_env: dict[str, str],
) -> None:
    done, number = overflowed(narrow_env)
    assert done.code == 0, done.err
    assert "the conversation no longer fits its context: summarising turn" in done.err
    assert "summary by quick:1b: [simulated]" in done.err
    kept = shown(narrow_env)
    # nothing is lost: the turns are all there, and beside them what is sent for the older ones
    assert len(kept["messages"]) == 2 * number
    (summary,) = kept["summaries"]
    assert summary["model"] == "quick:1b"
    assert 1 <= summary["turns"] < number


def test_a_summary_that_cannot_be_kept_loses_no_answer(narrow_env: dict[str, str]) -> None:
    done = run("route", f"0. {WORDS}", *NARROWLY, env=narrow_env)
    assert done.code == 0, done.err
    forbid(narrow_env, "INSERT ON session_summaries")
    done, _ = overflowed(narrow_env)
    assert (done.code, done.out.count("[simulated]")) == (0, 1)
    assert "this summary is not kept: " in done.err
    assert shown(narrow_env)["summaries"] == []


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals are POSIX")
def test_while_older_turns_are_summarised_the_status_line_says_by_whom(
    narrow_env: dict[str, str],
) -> None:
    for number in range(1, 10):
        done = on_terminal("route", f"{number}. {WORDS}", *NARROWLY, env=narrow_env)
        if "summarising turn" in done.raw:
            break
    assert "\r\x1b[2Ksummarising · quick:1b on here" in done.raw
    assert "summary by quick:1b: " in done.raw


def test_the_conversation_goes_on_and_on(narrow_env: dict[str, str]) -> None:
    overflowed(narrow_env)
    for number in range(4):
        done = run("route", f"more {number}. {WORDS}", *NARROWLY, env=narrow_env)
        assert done.code == 0, done.err
    summaries = shown(narrow_env)["summaries"]
    covered = [summary["turns"] for summary in summaries]
    assert covered == sorted(set(covered))
    assert len(covered) >= 2


@pytest.mark.parametrize("how", ["option", "config"])
def test_without_summaries_what_no_longer_fits_is_refused_with_a_hint(
    how: str, narrow_env: dict[str, str]
) -> None:
    off = ("--no-summary",) if how == "option" else ()
    if how == "config":
        narrow_env = {**narrow_env, "OLLAMAMASTER_SESSIONS_SUMMARISE": "false"}
    done, number = overflowed(narrow_env, *off)
    assert done.code == ExitCode.NO_CANDIDATE
    assert "--no-summary" in done.err
    kept = shown(narrow_env)
    assert (len(kept["messages"]), kept["summaries"]) == (2 * (number - 1), [])


def test_a_prompt_that_alone_is_too_long_is_refused_and_nothing_is_summarised(
    narrow_env: dict[str, str],
) -> None:
    assert run("route", "hello", *NARROWLY, env=narrow_env).code == 0
    done = run("route", WORDS * 10, *NARROWLY, env=narrow_env)
    assert done.code == ExitCode.NO_CANDIDATE
    assert "summarising" not in done.err
    assert shown(narrow_env)["summaries"] == []


def test_a_context_that_the_person_sets_is_kept_to(env: dict[str, str]) -> None:
    for number in range(3):
        done = say(f"{number}. {WORDS}", "--option", "num_ctx=800", env=env)
    assert "summarising" in done.err


# ---- what is sent, and the face of MCP


class Recording:
    """A client that remembers what it is asked for."""

    def __init__(self) -> None:
        self.inner = OllamaClient()
        self.requests: list[AnswerRequest] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def answer(self, endpoint: Endpoint, request: AnswerRequest) -> AsyncGenerator[Chunk, None]:
        self.requests.append(request)
        return self.inner.answer(endpoint, request)


@pytest.fixture
def application(application: Application) -> Application:
    vars(application)["ollama"] = Recording()
    return application


async def spoken(application: Application, name: str, prompt: str, **wishes: Any) -> AnswerRequest:
    """Say this, and return what was sent."""
    fleet, heard = await asked(application), Heard()

    async def find() -> Any:
        return fleet

    turn = application.session_service().begin(name, request(prompt=prompt, **wishes))
    await turn.complete(find, heard, heard)
    return application.ollama.requests[-1]  # type: ignore[attr-defined,no-any-return]


@pytest.mark.anyio
async def test_a_conversation_is_sent_as_messages_in_their_order(application: Application) -> None:
    first = await spoken(application, "x", "one", system="Be brief.")
    second = await spoken(application, "x", "two")
    assert [(m.role, m.content) for m in first.messages] == [("user", "one")]
    assert [m.role for m in second.messages] == ["user", "assistant", "user"]
    assert (second.messages[0].content, second.messages[2].content) == ("one", "two")
    # what was said of the whole conversation counts until something else is said
    assert second.system == "Be brief."


@pytest.mark.anyio
async def test_a_decision_knows_who_has_read_the_conversation(application: Application) -> None:
    fleet, heard = await asked(application), Heard()

    async def find() -> Any:
        return fleet

    service = application.session_service()
    first = await service.begin("x", request(prompt="one")).complete(find, heard, heard)
    turn = service.begin("x", request(prompt="two"))
    await turn.complete(find, heard, heard)
    assert turn.decision is not None
    prefix = turn.decision.task.prefix
    assert prefix is not None
    assert prefix.pair == (first.model, first.instance)
    read, written = first.usage.prompt_tokens, first.usage.output_tokens
    assert prefix.tokens == (read or 0) + (written or 0) > 0


@pytest.mark.anyio
async def test_mcp_sessions_are_the_same_in_a_name_space_of_their_own(
    application: Application, env: dict[str, str]
) -> None:
    await spoken(application, mcp_name("x"), "from outside")
    second = await spoken(application, mcp_name("x"), "again")
    assert len(second.messages) == 3
    assert (await spoken(application, "x", "mine")).messages[0].content == "mine"
    names = [s["name"] for s in run("session", "list", "--json", env=env).data["sessions"]]
    assert sorted(names) == ["mcp:x", "x"]
