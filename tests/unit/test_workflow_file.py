"""What a workflow file says, and where what is wrong with it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.references import Reference, Root
from ollamamaster.domain.workflow import InputType, ModelWork, OnError, ToolWork, waves
from ollamamaster.domain.workflow_problems import Mistake, WorkflowProblem, WorkflowReading
from ollamamaster.errors import FileUnusableError, UsageError
from ollamamaster.storage.key_lines import key_lines, numbered_key_lines
from ollamamaster.storage.workflow_file import read_workflow
from ollamamaster.storage.workflow_files import READY_MADE, WorkflowFiles, ready_made_names

PATH = Path("/home/me/w.toml")
STEP = '[[steps]]\nid = "a"\nprompt = "hi"\n'

WHOLE = '''name = "w"
description = "Everything there is"

[inputs.topic]
description = "What to research"
[inputs.depth]
default = "short"
choices = ["short", "long"]
[inputs.chapters]
type = "json"
default = []

[mcp.files]
command = "npx"
args = ["-y", "server", "."]
env = { TOKEN = "t" }
tools = ["read_text_file"]
[mcp.far]
url = "https://tools.example/mcp"
headers = { Authorization = "Bearer x" }

[[steps]]
id = "source"
mcp = "files"
tool = "read_text_file"
with = { path = "notes.txt" }

[[steps]]
id = "digest"
performance = "fast"
system = "You summarise."
prompt = """Summarise {{ inputs.topic }}: {{ steps.source.text }}"""
max_time = 20
think = false
options = { seed = 1 }
files = ["more.txt"]

[[steps]]
id = "opinions"
models = ["llama3.2:3b", "qwen3:8b"]
prompt = "Is this right? {{ steps.digest.text }}"

[[steps]]
id = "each"
for_each = "{{ inputs.chapters }}"
prompt = "Summarise: {{ item }}"

[[steps]]
id = "answer"
format = { type = "object" }
prompt = "From {{ steps.opinions.text }} and {{ steps.each.text }}"
after = ["digest"]
when = "{{ steps.digest.text }}"
on_error = "continue"
retries = 2

[output]
text = "{{ steps.answer.text }}"
'''


def read(text: str, path: Path = PATH) -> WorkflowReading:
    return read_workflow(text, path)


def problems(text: str) -> list[WorkflowProblem]:
    return list(read(text).problems)


def only(text: str) -> WorkflowProblem:
    (problem,) = problems(text)
    return problem


def named(steps: str) -> str:
    return f'name = "w"\n{steps}'


def test_every_key_there_is_is_read() -> None:
    reading = read(WHOLE)
    workflow = reading.workflow
    assert reading.problems == ()
    assert workflow is not None
    assert [each.name for each in workflow.inputs] == ["topic", "depth", "chapters"]
    assert workflow.inputs[0].required
    assert workflow.inputs[2].type is InputType.JSON
    assert workflow.server("files").env == {"TOKEN": "t"}
    assert workflow.server("far").url == "https://tools.example/mcp"
    source, digest, opinions, each, answer = workflow.steps
    assert isinstance(source.work, ToolWork)
    assert isinstance(digest.work, ModelWork)
    assert digest.work.max_time_s == 20
    assert isinstance(opinions.work, ModelWork)
    assert opinions.work.models is not None
    assert each.for_each is not None
    assert (answer.on_error, answer.retries, answer.after) == (OnError.CONTINUE, 2, ("digest",))
    assert waves(workflow.steps) == (
        ("source", "each"),
        ("digest",),
        ("opinions",),
        ("answer",),
    )
    assert workflow.folder == str(PATH.parent)


def test_the_output_is_the_text_of_the_last_step_where_nothing_else_is_said() -> None:
    workflow = read(named(STEP)).workflow
    assert workflow is not None
    assert list(workflow.result.references) == [Reference(Root.STEPS, "a")]


@pytest.mark.parametrize(
    ("line", "text", "code", "says"),
    [
        (2, named("key = = 1\n" + STEP), Mistake.TOML, "Invalid"),
        (2, named("colour = 1\n" + STEP), Mistake.UNKNOWN_KEY, "colour"),
        (5, named(STEP + 'promt = "x"'), Mistake.UNKNOWN_KEY, "steps.a.promt"),
        (2, named('[[steps]]\nid = "a"'), Mistake.MISSING_KEY, "prompt"),
        (3, named('[[steps]]\nid = "a b"\nprompt = "x"'), Mistake.WRONG_VALUE, "no name"),
        (2, named('[[steps]]\nprompt = "x"'), Mistake.MISSING_KEY, "id"),
        (6, named(STEP + '[[steps]]\nid = "a"\nprompt = "x"'), Mistake.WRONG_NAME, "two steps"),
        (2, named(STEP + 'tool = "t"'), Mistake.MISSING_KEY, "one of the two"),
        (5, named(STEP + "with = { a = 1 }"), Mistake.WRONG_VALUE, "does not go with"),
        (5, named(STEP + "retries = -1"), Mistake.WRONG_VALUE, "retries"),
        (5, named(STEP + 'performance = "faster"'), Mistake.WRONG_VALUE, "fast, balanced"),
        (5, named(STEP + 'after = ["b"]'), Mistake.UNKNOWN_STEP, "'b'"),
        (5, named(STEP + 'system = "{{ steps.b.text }}"'), Mistake.REFERENCE, "no step 'b'"),
        (5, named(STEP + 'system = "{{ inputs.b }}"'), Mistake.REFERENCE, "no input 'b'"),
        (5, named(STEP + 'system = "{{ item }}"'), Mistake.REFERENCE, "for_each"),
        (5, named(STEP + 'system = "{{ 1 + 1 }}"'), Mistake.REFERENCE, "no reference"),
        (5, named(STEP + 'options = { a = "{{ x }}" }'), Mistake.REFERENCE, "no reference"),
        (5, named(STEP + "options = { at = 2026-01-01 }"), Mistake.WRONG_VALUE, "quotes"),
        (None, named(STEP + f"options = {{ n = {'1' * 5000} }}"), Mistake.TOML, "digits"),
        (None, named(STEP + f"options{'.a' * 200} = 1"), Mistake.TOML, "nested"),
        (None, named(STEP + f"options{'.a' * 5000} = 1"), Mistake.TOML, "nested"),
        (4, named("[inputs.n]\ntype = 'integer'\ndefault = 'x'\n" + STEP), None, "whole number"),
        (4, named("[inputs.n]\nchoices = ['a']\ndefault = 'b'\n" + STEP), None, "choices"),
        (2, named("[mcp.s]\ntools = []\n" + STEP), Mistake.MISSING_KEY, "command or a url"),
        (3, named("[mcp.s]\nurl = 'ftp://x'\n" + STEP), Mistake.WRONG_VALUE, "http"),
        (4, named("[mcp.s]\ncommand = 'x'\nargs = ['{{ inputs.a }}']\n" + STEP), None, "not read"),
        (6, named(STEP + "[output]\ntext = '{{ steps.b.text }}'"), Mistake.REFERENCE, "no step"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    line: int | None, text: str, code: Mistake | None, says: str
) -> None:
    problem = only(text)
    assert says in problem.message
    if code is not None:
        assert problem.code is code
    assert problem.line == line


def test_an_unknown_key_is_told_with_the_nearest_known_one() -> None:
    assert only(named(STEP + 'promt = "x"')).hint == "did you mean prompt?"
    assert only(named('descripton = "x"\n' + STEP)).hint == "did you mean description?"


def test_a_ring_is_told_in_its_order() -> None:
    text = named(
        STEP.replace("hi", "{{ steps.b.text }}")
        + STEP.replace("a", "b").replace("hi", "{{ steps.a.text }}")
    )
    problem = only(text)
    assert problem.code is Mistake.CYCLE
    assert "a -> b -> a" in problem.message


def test_a_step_that_waits_for_itself_is_a_ring() -> None:
    assert only(named(STEP + 'after = ["a"]')).code is Mistake.CYCLE


def test_the_name_must_be_that_of_the_file() -> None:
    assert only('name = "other"\n' + STEP).code is Mistake.WRONG_NAME
    assert only(STEP).code is Mistake.MISSING_KEY
    assert 'name = "w"' in (only(STEP).hint or "")


def test_all_mistakes_are_told_at_once_in_the_order_of_lines() -> None:
    found = problems(named('x = 1\n[[steps]]\nid = "a"\nprompt = "{{ oops }}"\ny = 2\n'))
    assert [each.line for each in found] == [2, 5, 6]


def test_a_tool_that_the_table_does_not_list_may_not_be_called() -> None:
    text = named('[mcp.m]\ncommand = "x"\n[[steps]]\nid = "a"\nmcp = "m"\ntool = "t"\n')
    problem = only(text)
    assert (problem.code, problem.line) == (Mistake.TOOL_NOT_ALLOWED, 7)


def test_a_server_that_is_not_there_is_told_with_those_that_are() -> None:
    text = named(
        '[mcp.memory]\ncommand = "x"\ntools = ["t"]\n[[steps]]\nid = "a"\nmcp = "memry"\ntool = "t"'
    )
    problem = only(text)
    assert (problem.code, problem.hint) == (Mistake.UNKNOWN_SERVER, "did you mean memory?")


def test_each_step_has_lines_of_its_own() -> None:
    text = named(STEP + STEP.replace('"a"', '"b"') + "[[steps.nested]]\nx = 1\n")
    lines = numbered_key_lines(text)
    assert lines["steps", 0, "id"] == 3
    assert lines["steps", 1, "id"] == 6
    assert lines["steps", 1, "nested", 0, "x"] == 9
    assert key_lines(text)["steps", "id"] == 3


@given(st.text(max_size=200))
def test_no_text_at_all_makes_the_reader_raise(text: str) -> None:
    reading = read(text)
    assert reading.problems or reading.workflow is not None


@given(st.text(st.characters(exclude_characters="\0"), max_size=60))
def test_no_prompt_makes_the_reader_raise(prompt: str) -> None:
    quoted = "".join(f"\\U{ord(c):08x}" for c in prompt if not "\ud800" <= c <= "\udfff")
    reading = read(named(f'[[steps]]\nid = "a"\nprompt = "{quoted}"\n'))
    codes = {each.code for each in reading.problems}
    assert codes <= {Mistake.REFERENCE, Mistake.WRONG_VALUE}


@pytest.mark.parametrize("name", [*ready_made_names(), "starter"])
def test_what_comes_with_the_program_has_no_mistakes(name: str, tmp_path: Path) -> None:
    files = WorkflowFiles(tmp_path / "workflows")
    path = files.create("mine", None if name == "starter" else name)
    reading = files.named("mine")
    assert reading.problems == ()
    text = path.read_text("utf-8")
    assert "FOLDER" not in text
    assert f"workflow run {name}" not in text
    assert len(ready_made_names()) == 5


def test_a_new_file_never_replaces_one(tmp_path: Path) -> None:
    files = WorkflowFiles(tmp_path)
    files.create("mine", None)
    with pytest.raises(UsageError, match="is there already"):
        files.create("mine", None)


@pytest.mark.parametrize("name", ["", "..", "../x", "A", "a b", "a" * 65, "a.toml", "/etc/passwd"])
def test_a_name_is_never_a_path(name: str, tmp_path: Path) -> None:
    files = WorkflowFiles(tmp_path / "workflows")
    (tmp_path / "x.toml").write_text(named(STEP))
    with pytest.raises(UsageError):
        files.named(name)
    with pytest.raises(UsageError):
        files.create(name, None)


def test_what_was_typed_is_a_name_or_a_path(tmp_path: Path) -> None:
    files = WorkflowFiles(tmp_path / "workflows")
    files.create("mine", None)
    (tmp_path / "w.toml").write_text(named(STEP))
    assert files.typed("mine").problems == ()
    assert files.typed(str(tmp_path / "w.toml")).problems == ()
    with pytest.raises(UsageError, match="no workflow 'other'"):
        files.typed("other")
    with pytest.raises(FileUnusableError, match="does not exist"):
        files.typed("./other.toml")
    with pytest.raises(FileUnusableError, match="directory"):
        files.typed(str(tmp_path))


@pytest.mark.parametrize("path", ["~nobody-of-this-name/w.toml", "x" * 5000 + ".toml"])
def test_a_path_that_no_system_has_does_not_exist(path: str, tmp_path: Path) -> None:
    with pytest.raises(FileUnusableError, match="does not exist"):
        WorkflowFiles(tmp_path).typed(path)


def test_a_file_that_is_no_text_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "w.toml").write_bytes(b'name = "w"\n\xff\xfe')
    reading = WorkflowFiles(tmp_path).named("w")
    assert [(p.code, p.line) for p in reading.problems] == [(Mistake.TOML, 2)]


def test_a_file_that_cannot_be_read_spoils_no_list(tmp_path: Path) -> None:
    (tmp_path / "big.toml").write_bytes(b"#" * 4_000_001)
    (tmp_path / "gone.toml").symlink_to(tmp_path / "nowhere.toml")
    files = WorkflowFiles(tmp_path)
    said = {name: files.named(name).problems[0].message for name in files.names()}
    assert "larger than 4 MB" in said["big"]
    assert "cannot be read" in said["gone"]


def test_ready_made_workflows_pin_the_versions_of_their_servers() -> None:
    for name in ready_made_names():
        workflow = read_workflow(
            (READY_MADE / f"{name}.toml").read_text("utf-8"), READY_MADE / f"{name}.toml"
        ).workflow
        assert workflow is not None
        for server in workflow.servers:
            assert any("@" in argument.lstrip("@") for argument in server.args)
