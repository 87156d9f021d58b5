"""`ollamamaster workflow run|check|list|show|new|allow|runs`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from typer import Argument, Option

from ollamamaster.cli.command import Command, new_typer
from ollamamaster.errors import UsageError

app = new_typer()

# More than anyone reads, and still one look into the file.
_MOST = 10_000


class ReadyMade(StrEnum):
    """The workflows that come with the program."""

    CODE_REVIEW = "code-review"
    CONSENSUS = "consensus"
    DOCUMENT_INSIGHTS = "document-insights"
    RESEARCH_AND_REMEMBER = "research-and-remember"
    TRANSLATE_AND_CHECK = "translate-and-check"


Workflow = Annotated[
    str, Argument(metavar="NAME|PATH", help="The name of a workflow, or the path of its file.")
]
Input = Annotated[
    list[str] | None,
    Option("--input", metavar="NAME=VALUE", help="An input of the workflow; repeatable."),
]
InputFile = Annotated[
    list[str] | None,
    Option("--input-file", metavar="NAME=PATH", help="An input whose value is a file's text."),
]
Yes = Annotated[
    bool, Option("--yes", help="Allow its MCP servers, as workflow allow does; do not ask.")
]


@app.callback()
def workflow() -> None:
    """Run steps that hand their results on: models, several at once, and tools.

    ollamamaster workflow new digest
    ollamamaster workflow run digest --input topic="tidal power"
    ollamamaster workflow new research --from research-and-remember
    """


@app.command(cls=Command)
def run(
    workflow: Annotated[
        str | None,
        Argument(metavar="[NAME|PATH]", help="The name of a workflow, or the path of its file."),
    ] = None,
    inputs: Input = None,
    input_file: InputFile = None,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Check everything, start its servers, and stop there.")
    ] = False,
    resume: Annotated[
        str | None,
        Option("--resume", metavar="RUN_ID", help="Go on with a run; what is finished stays."),
    ] = None,
    changed_ok: Annotated[
        bool, Option("--changed-ok", help="Go on although the file changed since.")
    ] = False,
    yes: Yes = False,
) -> int:
    """Run a workflow, and print its output.

    Steps that are ready run at the same time, on different machines. When a step fails, those
    that run finish and the rest is cancelled: exit code 5, and --resume goes on from there.

    A run is kept, with its texts, for 30 days; see workflow runs.

    ollamamaster workflow run research --input topic="tidal power"
    ollamamaster workflow run ./review.toml --input-file code=change.diff --json | jq .data.output
    ollamamaster workflow run --resume 6f2k9q0abcde
    """
    from ollamamaster.cli.workflow_command import WorkflowCommand, without_inputs
    from ollamamaster.cli.workflow_inputs import typed_inputs

    texts = typed_inputs(inputs or (), input_file or ())
    if changed_ok and resume is None:
        raise UsageError("--changed-ok belongs to --resume")
    if resume is not None:
        if dry_run:
            raise UsageError("--dry-run and --resume do not go together")
        without_inputs(texts)
        return WorkflowCommand().resume(workflow, resume, changed_ok=changed_ok, yes=yes)
    if workflow is None:
        raise UsageError("which workflow?", hint="ollamamaster workflow list")
    if dry_run:
        return WorkflowCommand().check(workflow, texts, yes=yes)
    return WorkflowCommand().run(workflow, texts, yes=yes)


@app.command(cls=Command)
def check(workflow: Workflow) -> int:
    """Find every mistake before anything runs, and tell how long a run will take.

    Keys, references and rings, with their lines; then its MCP servers are started and asked for
    their tools, and a model is looked for in the fleet for every step. Nothing is sent to a
    model. Exit code 7 when something is wrong in the file, 4 when no model fits a step, 1 when a
    server was never allowed.

    In a pipe, the problems: line, code, message, hint, between tabs; where there are none, the
    steps: wave, id, what it does, what it waits for, expected seconds.

    ollamamaster workflow check research
    ollamamaster workflow check ./review.toml --json | jq '.data.problems'
    """
    from ollamamaster.cli.workflow_command import WorkflowCommand

    return WorkflowCommand().check(workflow, None, yes=False)


@app.command("list", cls=Command)
def list_() -> int:
    """List your workflows.

    They are the files of the folder workflows beside config.toml. In a pipe: name, description,
    path, between tabs.

    ollamamaster workflow list
    ollamamaster workflow list --json | jq -r '.data.workflows[].name'
    """
    from ollamamaster.cli.workflow_command import WorkflowCommand

    return WorkflowCommand().list()


@app.command(cls=Command)
def show(workflow: Workflow) -> int:
    """Draw the graph of a workflow, with where its steps would run and how long they take.

    No server is started and nothing is sent to a model.

    ollamamaster workflow show research
    """
    from ollamamaster.cli.workflow_command import WorkflowCommand

    return WorkflowCommand().show(workflow)


@app.command(cls=Command)
def new(
    name: Annotated[str, Argument(metavar="NAME", help="Lower-case letters, digits and -.")],
    from_: Annotated[
        ReadyMade | None, Option("--from", help="Begin with one of the ready-made workflows.")
    ] = None,
) -> int:
    """Write a new workflow: a commented starter, or a copy of a ready-made one.

    ollamamaster workflow new digest
    ollamamaster workflow new review --from code-review
    """
    from ollamamaster.cli.workflow_command import WorkflowCommand

    return WorkflowCommand().new(name, None if from_ is None else str(from_))


@app.command(cls=Command)
def allow(workflow: Workflow) -> int:
    """Allow the MCP servers of a workflow, as they are now.

    A server is a program that runs on this machine, or a URL that gets what the steps send. What
    is remembered is a hash of its command, arguments, environment, URL, headers and folder, so
    that a change asks again.

    ollamamaster workflow show research
    ollamamaster workflow allow research
    """
    from ollamamaster.cli.workflow_command import WorkflowCommand

    return WorkflowCommand().allow(workflow)


@app.command(cls=Command)
def runs(
    limit: Annotated[int, Option(metavar="N", min=1, max=_MOST, help="The latest so many.")] = 20,
    forget: Annotated[
        str | None, Option(metavar="RUN_ID", help="Delete this run and its texts first.")
    ] = None,
) -> int:
    """List past runs, the newest first.

    A run and its texts are kept for 30 days. One that is stopped was interrupted, and can be
    resumed as one that failed can. In a pipe: id, workflow, status, start, seconds, between tabs.

    ollamamaster workflow runs
    ollamamaster workflow runs --forget 6f2k9q0abcde
    """
    from ollamamaster.cli.workflow_command import WorkflowCommand

    return WorkflowCommand().runs(limit, forget)
