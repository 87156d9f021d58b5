"""How does Ctrl-C or SIGTERM end a command: at once, with the running generation cancelled?"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ollamamaster.errors import InterruptedByPersonError, TerminatedError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ollamamaster.errors import OllamaMasterError

Result = TypeVar("Result")


class TerminatedInterrupt(KeyboardInterrupt):
    """SIGTERM; it takes the same way out as Ctrl-C, with another exit code."""


def stopped_by(interrupt: KeyboardInterrupt) -> OllamaMasterError:
    """The error that reports an interrupt."""
    if isinstance(interrupt, TerminatedInterrupt):
        return TerminatedError("terminated")
    return InterruptedByPersonError("interrupted")


def terminate_by_exception() -> None:
    """From now on SIGTERM raises TerminatedInterrupt in the main thread."""
    signal.signal(signal.SIGTERM, _raise)


def _raise(_number: int, _frame: Any) -> NoReturn:
    raise TerminatedInterrupt


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end; Ctrl-C and SIGTERM cancel it and raise their exception.

    The loop's thread pool is not waited for: a thread that asks a dead name server would keep
    the person waiting for minutes.
    """
    import asyncio

    stopped_by: list[type[KeyboardInterrupt]] = []
    runner = asyncio.Runner()
    loop = runner.get_loop()

    def stop(number: int, _frame: Any) -> None:
        stopped_by.append(TerminatedInterrupt if number == signal.SIGTERM else KeyboardInterrupt)
        loop.call_soon_threadsafe(task.cancel)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    task = loop.create_task(work)
    try:
        return loop.run_until_complete(task)
    except asyncio.CancelledError:
        if stopped_by:
            raise stopped_by[0] from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _close(loop)


def _close(loop: Any) -> None:
    import asyncio

    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
