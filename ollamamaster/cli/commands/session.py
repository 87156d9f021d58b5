"""`ollamamaster session list|show|delete|export|rename`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from ollamamaster.bootstrap import Application
from ollamamaster.cli import options
from ollamamaster.cli.command import Command, new_typer
from ollamamaster.cli.deletion import note_what_stays
from ollamamaster.cli.export_file import check_export_file
from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.question import agreed, somebody_is_there
from ollamamaster.cli.session_export import ExportFormat
from ollamamaster.contract import session as contract
from ollamamaster.errors import FailedError

if TYPE_CHECKING:
    from rich.console import Console

    from ollamamaster.domain.conversation import Conversation

app = new_typer()

Session = Annotated[str, Argument(metavar="NAME", help="The name of the session.")]


@app.callback()
def session() -> None:
    """Look at conversations that are kept, rename and delete them.

    A conversation begins, and goes on, with route --session NAME or chat --session NAME.

    ollamamaster session list
    ollamamaster session show holiday
    """


@app.command("list", cls=Command)
def list_() -> int:
    """List the sessions, the latest first.

    Tokens are what is sent of it before the next prompt. Those that begin with mcp: are of MCP
    clients.

    In a pipe: name, turns, tokens, model and time of the last turn, between tabs.

    ollamamaster session list
    ollamamaster session list --json | jq -r '.data.sessions[].name'
    """
    found = _application().sessions.listed()
    if not found:
        OUTPUT.note("no session is kept yet")

    def table(console: Console) -> None:
        from ollamamaster.cli.render.session import render_list

        render_list(console, found)

    def rows() -> list[list[str]]:
        entries = contract.list_data(found)["sessions"]
        return [["" if v is None else str(v) for v in entry.values()] for entry in entries]

    return OUTPUT.emit(lambda: contract.list_data(found), table=table, rows=rows)


@app.command(cls=Command)
def show(session: Session) -> int:
    """Show all messages of a session, and the summaries that are sent for the older ones.

    In a pipe: role, text, model and time of each message, between tabs.

    ollamamaster session show holiday
    ollamamaster session show holiday --json | jq -r '.data.messages[-1].content'
    """
    found = _loaded(_application(), session)

    def table(console: Console) -> None:
        from ollamamaster.cli.render.session import render_conversation

        render_conversation(console, found)

    def rows() -> list[list[str]]:
        columns = ("role", "content", "model", "at")
        return [[str(m[key] or "") for key in columns] for m in contract.messages(found)]

    return OUTPUT.emit(lambda: contract.show_data(found), table=table, rows=rows)


@app.command(cls=Command)
def delete(
    session: Session, yes: Annotated[bool, Option("--yes", help="Do not ask.")] = False
) -> int:
    """Delete a session, and really: its texts are overwritten in the file.

    On a terminal it asks first.

    ollamamaster session delete holiday --yes
    """
    application = _application()
    found = _loaded(application, session)
    _check_free(application, session)
    doubted = not yes and somebody_is_there()
    if doubted and not agreed(f"delete {session} ({_turns(found)})?"):
        OUTPUT.note("nothing was deleted")
        return OUTPUT.noted({"deleted": []})
    gone = application.sessions.delete(session)
    note_what_stays(application.paths.history, gone=gone)
    OUTPUT.note(f"{session} deleted ({_turns(found)})")
    return OUTPUT.noted({"deleted": [session]})


@app.command(cls=Command)
def export(
    session: Session,
    format: Annotated[  # noqa: A002 (the option is called --format)
        ExportFormat, Option("--format", help="One JSON object a message, or Markdown to read.")
    ] = ExportFormat.JSONL,
    output: options.ExportFile = None,
) -> int:
    """Write a session out, the oldest message first.

    jsonl has on each line role, content, model, at, and how many images there were. --json needs
    -o.

    ollamamaster session export holiday --format markdown -o holiday.md
    ollamamaster session export holiday | jq -r .content
    """
    from ollamamaster.cli.session_export import write_export

    check_export_file(output)
    count = write_export(_loaded(_application(), session), format, output)
    if output is not None:
        OUTPUT.note(f"{count} messages written to {output}")
    data = {"path": None if output is None else str(output), "messages": count}
    return OUTPUT.noted(data)


@app.command(cls=Command)
def rename(
    session: Session,
    new: Annotated[str, Argument(metavar="NEW", help="The new name, which nothing has yet.")],
) -> int:
    """Give a session another name.

    ollamamaster session rename holiday lisbon
    """
    from ollamamaster.domain.conversation import own_name

    application = _application()
    _check_free(application, session)
    application.sessions.rename(session, own_name(new))
    OUTPUT.note(f"{session} is now {new}")
    return OUTPUT.noted({"name": new, "before": session})


def _application() -> Application:
    return Application(note=OUTPUT.note_once)


def _loaded(application: Application, name: str) -> Conversation:
    """Raises UsageError when there is none of that name."""
    from ollamamaster.storage.sessions import unknown

    found = application.sessions.load(name)
    if found is None:
        raise unknown(name)
    return found


def _check_free(application: Application, name: str) -> None:
    if not application.turns.is_free(name):
        raise FailedError(
            f"a turn of {name} is under way", hint="wait until it is answered, or stop it"
        )


def _turns(conversation: Conversation) -> str:
    count = len(conversation.turns)
    return "1 turn" if count == 1 else f"{count} turns"
