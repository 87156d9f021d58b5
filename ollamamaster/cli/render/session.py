"""Sessions: the list, and the messages of one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ollamamaster.domain.plain_text import cleaned, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from ollamamaster.domain.conversation import Conversation, PastSession

# Below this the model of the last turn goes.
_WIDE = 70


def render_list(console: Console, sessions: Sequence[PastSession]) -> None:
    """One line a session."""
    if not sessions:
        return
    wide = console.width >= _WIDE
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("name", overflow="fold")
    table.add_column("turns", justify="right")
    table.add_column("tokens", justify="right")
    if wide:
        table.add_column("model")
    table.add_column("last used", no_wrap=True)
    for each in sessions:
        model = [one_line(each.model or "-")] if wide else []
        cells = [one_line(each.name), f"{each.turns}", f"{each.tokens:,}", *model]
        table.add_row(*cells, _when(each.updated_at))
    console.print(table)


def render_conversation(console: Console, conversation: Conversation) -> None:
    """Every message, and after which one a summary stands for all before it."""
    if conversation.system is not None:
        _message(console, "system", conversation.system)
    # a summary that was followed by another before any turn came counts for nothing
    summaries = {summary.turns: summary for summary in conversation.summaries}
    for number, turn in enumerate(conversation.turns, 1):
        images = f" · {len(turn.images)} images" if turn.images else ""
        _message(console, f"you · {_when(turn.asked_at)}{images}", turn.prompt)
        who = f"{one_line(turn.model)} on {one_line(turn.instance)}"
        _message(console, f"{who} · {_when(turn.at)}", turn.answer)
        if number in summaries:
            summary = summaries[number]
            title = f"summary of all above, by {one_line(summary.model)} · {_when(summary.at)}"
            _message(console, title, summary.text)


def _message(console: Console, title: str, text: str) -> None:
    console.print(Text(title, style="bold"))
    console.print(Text(cleaned(text).rstrip("\n")))
    console.print()


def _when(at: float) -> str:
    try:
        return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}"
    except (OverflowError, ValueError, OSError):
        return "?"
