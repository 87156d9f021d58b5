"""How does Ctrl-C or SIGTERM end a command: at once, with the running generation cancelled?"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ollamamaster.errors import InterruptedByPersonError, TerminatedError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ollamamaster.errors import OllamaMasterError

Result = TypeVar("Result")

# Cancelling takes milliseconds; whoever pressed Ctrl-C does not wait longer for what hangs.
PATIENCE_S = 2.0

_raised: list[KeyboardInterrupt] = []


class TerminatedInterrupt(KeyboardInterrupt):
    """SIGTERM; it takes the same way out as Ctrl-C, with another exit code."""


def stopped_by(interrupt: KeyboardInterrupt) -> OllamaMasterError:
    """The error that reports an interrupt."""
    if isinstance(interrupt, TerminatedInterrupt):
        return TerminatedError("terminated")
    return InterruptedByPersonError("interrupted")


def stop_by_exception() -> None:
    """From now on Ctrl-C, SIGTERM and a closed terminal raise in the main thread.

    The first raises KeyboardInterrupt, the others TerminatedInterrupt. Where Python cannot hand
    that on, in the middle of an import, it is obeyed at the next step.
    """
    sys.unraisablehook = _unraisable
    for number in _terminating():
        signal.signal(number, _raise)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _raise)


def lost() -> KeyboardInterrupt | None:
    """The interrupt that was raised and has ended nothing yet, perhaps because of an import."""
    return _raised[-1] if _raised else None


def go_on() -> None:
    """Say that Ctrl-C was obeyed and does not end the program. Raises what does."""
    interrupt = lost()
    _raised.clear()
    if isinstance(interrupt, TerminatedInterrupt):
        raise interrupt


def _terminating() -> list[signal.Signals]:
    """The signals that end a command; a hang-up that is ignored (`nohup`) stays ignored."""
    hang_up: signal.Signals | None = getattr(signal, "SIGHUP", None)
    if hang_up is None or signal.getsignal(hang_up) is signal.SIG_IGN:
        return [signal.SIGTERM]
    return [signal.SIGTERM, hang_up]


def _raise(number: int, _frame: Any) -> NoReturn:
    _raised.append(_interrupt(number))
    raise _raised[-1]


def _unraisable(what: sys.UnraisableHookArgs) -> None:
    if not isinstance(what.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(what)


def _interrupt(number: int) -> KeyboardInterrupt:
    return KeyboardInterrupt() if number == signal.SIGINT else TerminatedInterrupt()


def end_within(seconds: float, code: int) -> threading.Timer:
    """From now on the process lives so long at most; its sockets close with it."""
    last_resort = threading.Timer(seconds, os._exit, (code,))
    last_resort.daemon = True
    last_resort.start()
    return last_resort


def run_async(work: Coroutine[Any, Any, Result], patience_s: float = PATIENCE_S) -> Result:
    """Run a coroutine to its end; Ctrl-C and SIGTERM cancel it and raise their exception.

    The loop's thread pool is not waited for: a thread that asks a dead name server would keep
    the person waiting for minutes. Nor is anything else for long: a second signal, or
    `patience_s` after the first, ends the process.
    """
    import asyncio

    stopped: list[KeyboardInterrupt] = []
    last_resorts: list[threading.Timer] = []
    runner = asyncio.Runner()
    loop = runner.get_loop()

    def stop(number: int, _frame: Any) -> None:
        interrupt = _interrupt(number)
        code = int(stopped_by(interrupt).exit_code)
        if stopped:
            os._exit(code)
        stopped.append(interrupt)
        last_resorts.append(end_within(patience_s, code))
        loop.call_soon_threadsafe(cancel)

    def cancel() -> None:
        task.cancel()

    numbers = (signal.SIGINT, *_terminating())
    before = {number: signal.signal(number, stop) for number in numbers}
    task = loop.create_task(work)
    if interrupted := lost():
        _raised.clear()
        stopped.append(interrupted)
        task.cancel()
    try:
        return loop.run_until_complete(task)
    except asyncio.CancelledError:
        if stopped:
            raise stopped[0] from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _close(loop)
        for last_resort in last_resorts:
            last_resort.cancel()


def _close(loop: Any) -> None:
    import asyncio

    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
