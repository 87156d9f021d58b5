"""A conversation on a terminal: what is typed is a message, or a command that begins with /."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from ollamamaster.bootstrap import Application
from ollamamaster.cli.chat_input import Typed
from ollamamaster.cli.interrupts import TerminatedInterrupt, go_on, run_async
from ollamamaster.cli.output import OUTPUT
from ollamamaster.cli.question import asked, may_ask
from ollamamaster.cli.route_run import answer, failed, in_parts, listener_for, show_answer
from ollamamaster.domain.conversation import Conversation, own_name
from ollamamaster.domain.routing import Long
from ollamamaster.errors import OllamaMasterError, TooLongError, UsageError

if TYPE_CHECKING:
    from ollamamaster.cli.route_flags import RouteFlags
    from ollamamaster.domain.long_reading import ReadingPlan
    from ollamamaster.domain.routing import RouteRequest
    from ollamamaster.domain.selection import Decision
    from ollamamaster.services.session import SessionService
    from ollamamaster.storage.sessions import SessionTable
    from ollamamaster.storage.turns import TurnTable

# The name in memory of a conversation that has none.
_UNNAMED = "chat"
_AUTO = "auto"

HELP = """\
a line is sent when you press Enter; one that ends with \\ goes on in the next line
\"\"\"             begins and ends a message of several lines
/model NAME     use this model from now on; /model auto chooses for each turn
/explain        why this model and this machine, for the last turn
/explain TEXT   what would be done with this prompt; nothing is sent
/retry          ask the last prompt again, and forget its answer
/save NAME      keep the conversation as a session of this name, and go on there
/help           this list
/quit           end; Ctrl-D does the same
Ctrl-C          stops an answer, or clears the line
a message that begins with / is typed with two of them"""


def run_chat(flags: RouteFlags, *, store: bool) -> int:
    """Carry out `chat`; returns the exit code. Raises UsageError where nobody can type."""
    if OUTPUT.json:
        raise UsageError("chat has no --json", hint="route --session NAME --json")
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "chat needs a terminal", hint='in a script: ollamamaster route --session NAME "PROMPT"'
        )
    return Chat(flags, store=store).run()


class Chat:
    """One conversation, until the person ends it."""

    def __init__(self, flags: RouteFlags, *, store: bool) -> None:
        application = Application(note=OUTPUT.note_once)
        self._flags = flags
        self._application = application
        # all options are checked before anything is typed; files go with the first message that is
        # answered
        self._knows_files = False
        self._base = flags.with_prompt(application.settings, "")
        self._decision: Decision | None = None
        self._last: RouteRequest | None = None
        self._answered_at: float | None = None
        self._name = _UNNAMED
        self._sessions: SessionTable
        self._turns: TurnTable
        conversation = None
        if flags.session is not None:
            conversation = application.sessions.load(flags.session)
            self._name = flags.session
        self._is_kept = store and flags.session is not None
        if self._is_kept:
            self._sessions, self._turns = application.sessions, application.turns
        else:
            self._sessions, self._turns = _in_memory(application)
            if conversation is not None:
                self._sessions.save(conversation)
        earlier = conversation.turns if conversation is not None else ()
        self._typed = Typed(turn.prompt for turn in earlier)
        self._greet(len(earlier))

    def run(self) -> int:
        """Talk until the end of the input; returns the exit code."""
        while True:
            go_on()
            try:
                message = self._typed.message()
            except UnicodeDecodeError:
                OUTPUT.note("that was no UTF-8 text; nothing is sent")
                continue
            except TerminatedInterrupt:
                raise
            except KeyboardInterrupt:
                OUTPUT.line("")
                OUTPUT.note("Ctrl-D or /quit ends the chat")
                continue
            if message is None:
                OUTPUT.line("")
                return 0
            if not message.strip():
                continue
            if message.startswith("/") and not message.startswith("//"):
                if self._commanded(message):
                    return 0
            else:
                self._say(message.removeprefix("/") if message.startswith("//") else message)

    def _greet(self, turns: int) -> None:
        about = f"session {self._name}, {_turns(turns)} so far" if turns else "a new conversation"
        kept = "" if self._is_kept else ", not kept"
        OUTPUT.note(f"{about}{kept} · /help says how, Ctrl-D ends")

    # ---- a turn

    def _say(self, message: str) -> None:
        self._ask(self._request(message))

    def _request(self, prompt: str) -> RouteRequest:
        request = replace(self._base, prompt=prompt)
        return replace(request, documents=(), images=()) if self._knows_files else request

    def _ask(self, request: RouteRequest) -> None:
        """One turn. An error, or Ctrl-C, ends the turn and not the chat."""
        # connections belong to the loop of one turn, and the inventory may have changed
        application = Application(note=OUTPUT.note_once)
        self._last, self._answered_at = request, None
        service = self._service(application)
        run = service.begin(self._name, request, summarise=self._flags.summary)
        listener = listener_for(self._flags)
        too_long: TooLongError | None = None
        try:
            result = run_async(answer(application, run, listener))
            show_answer(result, listener)
            self._knows_files = True
            self._answered_at = self._sessions.last_at(self._name)
        except TerminatedInterrupt:
            raise
        except KeyboardInterrupt:
            listener.status.clear()
            listener.end_line()
            OUTPUT.note("stopped; this turn is not kept (/retry asks again)")
        except OllamaMasterError as error:
            listener.status.clear()
            if isinstance(error, TooLongError) and request.long is Long.ASK and may_ask():
                too_long = error
            else:
                failed(error, run, listener)
        finally:
            self._decision = self._decision if run.decision is None else run.decision
        if too_long is not None:
            self._ask_in_parts(request, too_long)

    def _ask_in_parts(self, request: RouteRequest, error: TooLongError) -> None:
        try:
            agreed = asked(in_parts(error))
        except TerminatedInterrupt:
            raise
        except KeyboardInterrupt:
            OUTPUT.line("")
            return
        if agreed:
            self._ask(replace(request, long=Long.SPLIT))
        else:
            # or the question would come with every message
            self._knows_files = True
            OUTPUT.note("the next message goes without it; /retry asks again")

    def _service(self, application: Application) -> SessionService:
        from ollamamaster.services.session import SessionService

        return SessionService(application.route_service(), self._sessions, self._turns)

    # ---- commands

    def _commanded(self, message: str) -> bool:
        """Carry out a command; whether it ends the chat."""
        word, _, rest = message.strip().partition(" ")
        commands = {
            "/model": self._model,
            "/explain": self._explain,
            "/retry": self._retry,
            "/save": self._save,
            "/help": self._help,
        }
        if word in {"/quit", "/exit", "/bye"}:
            return True
        if word not in commands:
            OUTPUT.note(f"there is no {word}; /help lists what there is, and // sends it as text")
            return False
        try:
            commands[word](rest.strip())
        except TerminatedInterrupt:
            raise
        except KeyboardInterrupt:
            OUTPUT.note(f"{word} stopped")
        except OllamaMasterError as error:
            OUTPUT.fail(error)
        return False

    def _model(self, name: str) -> None:
        if name == _AUTO:
            self._base = replace(self._base, model=None)
        elif name:
            from ollamamaster.domain.names import meant_model

            fleet = self._application.fleet()
            if len(fleet) and not self._base.pull:
                meant = meant_model(name, fleet)
                if meant.note:
                    OUTPUT.note(meant.note)
                name = meant.name
            self._base = replace(self._base, model=name)
        OUTPUT.note(f"model: {self._base.model or 'chosen for each turn'}")

    def _explain(self, prompt: str) -> None:
        decision, plan = self._foreseen(prompt) if prompt else (self._decision, None)
        if decision is None:
            raise UsageError("nothing was asked yet", hint="/explain TEXT")
        from ollamamaster.cli.render.explain import render_decision

        names = {instance.id: instance.name for instance in self._application.fleet()}
        prices = self._application.settings.route.price_per_doubling
        price = prices[decision.demand.performance]
        render_decision(OUTPUT.console, decision, price, names, plan=plan, sent=not prompt)

    def _foreseen(self, prompt: str) -> tuple[Decision, ReadingPlan | None]:
        application = Application(note=OUTPUT.note_once)
        service, request = self._service(application), self._request(prompt)

        async def decide() -> tuple[Decision, ReadingPlan | None]:
            try:
                fleet = await application.fleet_service().first()
                return await service.explain(self._name, request, fleet, OUTPUT.note)
            finally:
                await application.ollama.aclose()

        return run_async(decide())

    def _retry(self, _rest: str) -> None:
        if self._last is None:
            raise UsageError("nothing was asked yet")
        if self._answered_at is not None:
            self._sessions.drop_last(self._name, self._answered_at)
        self._ask(replace(self._last, model=self._base.model))

    def _save(self, name: str) -> None:
        """Keep what was said until now under this name; the next turns follow it there."""
        if not name:
            raise UsageError("the name is missing", hint="/save NAME")
        new = own_name(name)
        conversation = self._sessions.load(self._name) or Conversation(new)
        self._application.sessions.save(replace(conversation, name=new))
        self._sessions, self._turns = self._application.sessions, self._application.turns
        self._name, self._is_kept = new, True
        OUTPUT.note(f"kept as session {new}, {_turns(len(conversation.turns))}; it goes on there")

    def _help(self, _rest: str) -> None:
        for line in HELP.splitlines():
            OUTPUT.line(line)


def _turns(count: int) -> str:
    return "1 turn" if count == 1 else f"{count} turns"


def _in_memory(application: Application) -> tuple[SessionTable, TurnTable]:
    from ollamamaster.storage.history import HistoryInMemory
    from ollamamaster.storage.sessions import SessionTable
    from ollamamaster.storage.turns import TurnTable

    path = application.paths.history
    database = HistoryInMemory(path, note=OUTPUT.note_once)
    return SessionTable(database), TurnTable(database, path)
