"""`ollamamaster history list|show|stats|replay|path|clear|export`."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from ollamamaster.bootstrap import Application
from ollamamaster.cli import moments, options
from ollamamaster.cli.command import Command, new_typer
from ollamamaster.cli.deletion import note_what_stays
from ollamamaster.cli.export_file import check_export_file
from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.question import agreed, somebody_is_there
from ollamamaster.contract import history as contract
from ollamamaster.errors import NoInstanceError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from ollamamaster.domain.settings import Settings

# More than a history of the largest size has.
_MOST = 1_000_000

app = new_typer()


@app.callback()
def history() -> None:
    """Look at past requests: how fast, how well foreseen, and decided again.

    ollamamaster history list
    ollamamaster history show last
    ollamamaster history stats
    """


@app.command("list", cls=Command)
def list_(
    limit: Annotated[int, Option(metavar="N", min=1, max=_MOST, help="At most so many.")] = 20,
    model: options.Model = None,
    instance: options.Instance = None,
    outcome: Annotated[
        str | None, Option(metavar="WORD", help="Only this outcome, such as ok or all_failed.")
    ] = None,
    since: Annotated[
        str | None, Option(metavar=moments.METAVAR, help="Not older than this: 2h, 7d, 2026-11-01.")
    ] = None,
) -> int:
    """List past requests, the newest first.

    In a pipe: id, time, who asked, task type, model, instance, outcome and seconds, between tabs.

    ollamamaster history list --since 1d --outcome all_failed
    ollamamaster history list --limit 1000 --json | jq '[.data.requests[].seconds] | add'
    """
    from ollamamaster.cli.history_query import query_of

    application = _configured()
    query = query_of(application, limit, model, instance, outcome, since)
    found = application.remembered.listed(query)
    if not found:
        kept = application.remembered.count()
        OUTPUT.note(f"none of the {kept} requests that are kept matches" if kept else _NOTHING)

    def table(console: Console) -> None:
        from ollamamaster.cli.render.history import render_list

        names = {each.id: each.name for each in application.fleet()}
        render_list(console, found, names, time.time())

    def rows() -> list[list[str]]:
        return [_cells(each) for each in contract.list_data(found)["requests"]]

    return OUTPUT.emit(lambda: contract.list_data(found), table=table, rows=rows)


@app.command(cls=Command)
def show(
    request: Annotated[
        str, Argument(metavar="ID", help="The id, or as much of it as no other has; or last.")
    ],
) -> int:
    """Show one request: its attempts, what was expected, and the decision as it was.

    In a pipe: a key and its value a line; then the attempts, and the decision as --explain has it.

    ollamamaster history show last
    ollamamaster history show 20tk3 --json | jq .data.decision.ranked
    """
    from ollamamaster.domain.request_ids import as_typed

    application = _configured()
    beginning = as_typed(request)
    if not beginning:
        raise UsageError("the id is empty", hint="ollamamaster history list")
    record = application.remembered.found(beginning)

    def table(console: Console) -> None:
        from ollamamaster.cli.render.history import render_record

        names = {each.id: each.name for each in application.fleet()}
        prices = application.settings.route.price_per_doubling
        render_record(console, record, names, prices)

    def rows() -> list[list[str]]:
        from ollamamaster.cli.render.history_rows import record_rows

        return list(record_rows(record))

    return OUTPUT.emit(lambda: contract.show_data(record), table=table, rows=rows)


@app.command(cls=Command)
def stats() -> int:
    """Show how fast each model is on each instance, and how well estimates came true.

    Requests and failures are attempts, as one request may need several; what somebody stopped is
    no failure. The rates are the ones that decisions rest on, learnt with the latest counting
    most; the time to the first token is the median. Of answered requests: how many were done
    within the p80 of their estimate (80 % is meant), and how far the p50 was off (median).

    In a pipe: instance, model, requests, failures, tokens a second written and read, seconds of a
    load and to the first token, between tabs.

    ollamamaster history stats
    ollamamaster history stats --json | jq .data.estimates
    """
    application = _readable()
    found = application.history_service().stats(application.past.profiles())
    if not found.pairs:
        OUTPUT.note(_NOTHING)

    def table(console: Console) -> None:
        from ollamamaster.cli.render.history import render_stats

        names = {each.id: each.name for each in application.fleet()}
        render_stats(console, found, names)

    def rows() -> list[list[str]]:
        from ollamamaster.cli.render.history_rows import estimates_line

        if line := estimates_line(found.estimates):
            OUTPUT.note(line)
        return [_cells(each) for each in contract.stats_data(found)["pairs"]]

    return OUTPUT.emit(lambda: contract.stats_data(found), table=table, rows=rows)


@app.command(cls=Command)
def replay(
    policy: Annotated[
        Path | None,
        Option(metavar="FILE", help="Settings of this file, not of config.toml."),
    ] = None,
    limit: Annotated[int, Option(metavar="N", min=1, max=_MOST, help="The latest so many.")] = 200,
) -> int:
    """Decide past requests again, and show what would be different. Nothing is sent.

    Each is decided as it was asked (its model, instance, performance and time limit), but with
    the settings, the inventory and what is learnt of today, and as if nothing else ran. The
    difference is today's p50 of the candidate that would be chosen minus today's p50 of the one
    that was used; when that one is not possible any more, minus its estimate of then. Negative is
    faster.

    In a pipe: id, model and instance used, model and instance now, seconds, between tabs.

    ollamamaster history replay
    ollamamaster history replay --policy stricter.toml --json | jq .data.total_delta_s
    """
    from ollamamaster.domain.knowledge import Knowledge
    from ollamamaster.domain.snapshot import with_settings
    from ollamamaster.storage.abilities import load_abilities

    application = _readable()
    settings = application.settings if policy is None else _settings_of(policy)
    fleet = with_settings(application.inventory.load(), settings)
    if not fleet.instances:
        raise NoInstanceError("no instance is known", hint="ollamamaster discover")
    known = Knowledge(load_abilities(), application.past.profiles())
    found = application.history_service().replay(limit, fleet, settings, known)
    if not found.replayed:
        OUTPUT.note(_NOTHING)

    def table(console: Console) -> None:
        from ollamamaster.cli.render.history import render_replay

        render_replay(console, found)

    def rows() -> list[list[str]]:
        from ollamamaster.cli.render.history_rows import replay_line, replay_rows

        if line := replay_line(found):
            OUTPUT.note(line)
        return list(replay_rows(found))

    return OUTPUT.emit(lambda: contract.replay_data(found), table=table, rows=rows)


@app.command(cls=Command)
def path() -> int:
    """Print where history.db is.

    Whether it is there or not.

    ollamamaster history path
    sqlite3 -readonly "$(ollamamaster history path)" .tables
    """
    return OUTPUT.path(_application().paths.history)


@app.command(cls=Command)
def clear(
    before: Annotated[
        str | None,
        Option(metavar=moments.METAVAR, help="Only what is older: 30d, 4w, 2026-11-01."),
    ] = None,
    learnt: Annotated[
        bool, Option("--learnt", help="Also forget what was learnt of speeds, all of it.")
    ] = False,
    yes: Annotated[bool, Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Delete past requests, and really: the texts are overwritten in the file.

    What they taught of speeds stays, unless --learnt. On a terminal it asks first; elsewhere it
    needs --yes.

    ollamamaster history clear --before 30d
    ollamamaster history clear --learnt --yes
    """
    application = _application()
    remembered = application.remembered
    until = None if before is None else moments.moment(before, time.time(), option="--before")
    if not yes:
        what = _requests(remembered.count(until))
        learned = " and what was learnt of speeds" if learnt else ""
        if not somebody_is_there():
            raise UsageError("clear deletes past requests", hint="--yes says that this is meant")
        if not agreed(f"delete {what}{learned}?"):
            OUTPUT.note("nothing was deleted")
            return OUTPUT.noted({"deleted": 0})
    deleted, gone = remembered.clear(until, learnt=learnt)
    mend = ": clear once more then"
    note_what_stays(application.paths.history, gone=gone, mend=mend)
    OUTPUT.note(f"{_requests(deleted)} deleted{', and what was learnt' if learnt else ''}")
    return OUTPUT.noted({"deleted": deleted})


class ExportFormat(StrEnum):
    """How past requests are written."""

    CSV = "csv"
    JSONL = "jsonl"


@app.command(cls=Command)
def export(
    format: Annotated[  # noqa: A002 (the option is called --format)
        ExportFormat, Option("--format", help="One line a request, or a table of attempts.")
    ] = ExportFormat.JSONL,
    output: options.ExportFile = None,
) -> int:
    """Write every past request out, the oldest first.

    jsonl has on each line what history show --json has as data. csv has a row for each attempt,
    with the request's own figures repeated; a text that a spreadsheet would take for a formula
    begins with an apostrophe. --json needs -o.

    ollamamaster history export > requests.jsonl
    ollamamaster history export --format csv -o requests.csv
    """
    from ollamamaster.cli.history_export import write_export

    check_export_file(output)
    application = _application()
    count = write_export(application.remembered.everything(), format, output)
    if output is not None:
        OUTPUT.note(f"{_requests(count)} written to {output}")
    elif not count:
        OUTPUT.note(_NOTHING)
    data = {"path": None if output is None else str(output), "requests": count}
    return OUTPUT.noted(data)


_NOTHING = "no request is kept yet"


def _application() -> Application:
    return Application(note=OUTPUT.note_once)


def _configured() -> Application:
    """One whose config can be read. Raises ConfigInvalidError.

    Only a terminal is shown what the config says; what is wrong is told in a pipe just the same.
    """
    application = _application()
    _ = application.settings
    return application


def _readable() -> Application:
    """One whose history can be opened too. Raises StateUnusableError.

    What is learnt is only advice to a route, and would be left out with a note.
    """
    application = _configured()
    application.remembered.count()
    return application


def _settings_of(file: Path) -> Settings:
    """The settings of another file. Raises FileUnusableError, ConfigInvalidError."""
    import os

    from ollamamaster.errors import FileUnusableError
    from ollamamaster.storage.config import settings_of_file

    if not file.is_file() and not file.is_fifo():
        other = "is a device, and no file" if file.exists() else "does not exist"
        what = "is a directory" if file.is_dir() else other
        raise FileUnusableError(f"--policy: {file} {what}")
    # a shell gives what another command writes as a pipe
    loaded = settings_of_file(file, os.environ, Path.read_bytes)
    for note in loaded.notes:
        OUTPUT.note(note)
    return loaded.settings


def _requests(count: int) -> str:
    return f"{count} request" if count == 1 else f"{count} requests"


def _cells(entry: dict[str, Any]) -> list[str]:
    return ["" if value is None else str(value) for value in entry.values()]
