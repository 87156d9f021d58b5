"""Reads the text of config.toml and the variables of the environment by the schema.

Nothing stops at the first mistake: each is collected with its line, so that a person can mend
them all at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.instances import InstanceAddress
from ollamamaster.domain.models import ModelName
from ollamamaster.domain.settings import Settings
from ollamamaster.errors import UsageError
from ollamamaster.storage.kinds import quoted
from ollamamaster.storage.paths import PREFIX
from ollamamaster.storage.problems import Problem, dotted, nearest
from ollamamaster.storage.schema import OTHER_VARIABLES, TABLES, variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ollamamaster.storage.kinds import Kind
    from ollamamaster.storage.schema import Key, Table

Path = tuple[str, ...]

# Patterns are texts, compiled when they are needed: most commands never see a mistake.
# What people call a secret that they are about to write down where it does not belong.
_SECRETS = r"(api|auth|access|bearer)?_?(token|key|secret|password|authorization)"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read; `settings` are complete only where there are no problems."""

    settings: Settings
    origins: Callable[[], Mapping[str, str]]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def read_config(text: str, environ: Mapping[str, str]) -> Reading:
    """Read both; never raises."""
    reader = _Reader(text)
    document = reader.document()
    settings = reader.settings(document, reader.environment(environ))
    problems = sorted(reader.problems, key=lambda problem: problem.line or 0)
    return Reading(settings, reader.origins, tuple(problems), tuple(reader.notes))


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self._variables: dict[Path, str] = {}
        # each key that was given, as it is called and as it is written
        self._given: dict[Path, Path] = {}

    @cached_property
    def _lines(self) -> Mapping[Path, int]:
        from ollamamaster.storage.key_lines import key_lines

        return key_lines(self._text)

    def origins(self) -> Mapping[str, str]:
        """Where each value that was given comes from, by dotted key."""
        in_file = {
            dotted(called): f"config.toml:{self._line(written)}"
            for called, written in self._given.items()
        }
        return in_file | {dotted(key): name for key, name in self._variables.items()}

    def document(self) -> Mapping[str, Any]:
        """The text as TOML; empty where it is none."""
        import tomllib

        try:
            return tomllib.loads(self._text)
        except (ValueError, RecursionError) as error:
            self.problems.append(_not_toml(error, self._text))
            return {}

    def environment(self, environ: Mapping[str, str]) -> Mapping[tuple[str, str], Any]:
        """The values of variables, by table and key. An empty variable is as good as none."""
        known = {name: (table, key) for name, table, key in variables()}
        found: dict[tuple[str, str], Any] = {}
        for name, text in sorted(environ.items()):
            if name in known and text.strip():
                table, key = known[name]
                try:
                    value = key.kind.read(_from_text(key, text.strip()))
                except ValueError as error:
                    self.problems.append(
                        Problem(name, str(error), hint=_must_be(key.kind, text, error))
                    )
                    continue
                found[table.name, key.name] = value
                self._variables[table.name, key.name] = name
            elif name.startswith(PREFIX) and name not in known and name not in OTHER_VARIABLES:
                own = (each.removeprefix(PREFIX) for each in (*known, *OTHER_VARIABLES))
                meant = nearest(name.removeprefix(PREFIX), own)
                did_you = f"; did you mean {PREFIX}{meant}?" if meant else ""
                self.notes.append(f"the variable {name} means nothing to ollamamaster{did_you}")
        return found

    def settings(
        self, document: Mapping[str, Any], environment: Mapping[tuple[str, str], Any]
    ) -> Settings:
        parts: dict[str, Any] = {}
        for table in TABLES:
            given = self._table((table.name,), document.get(table.name, {}))
            if table.named_by is None:
                values = self._values((table.name,), table, given)
                own = {key: v for (of, key), v in environment.items() if of == table.name}
                parts[table.name] = table.settings(**values | own)
            else:
                parts[table.name] = self._named(table, given)
        known = {table.name: table for table in TABLES}
        for name in document.keys() - known.keys():
            self._unknown((name,), known, _belongs_to)
        self._tiers(parts["tiers"].fast_below_gb, parts["tiers"].powerful_above_gb)
        return Settings(**parts)

    def _table(self, path: Path, value: Any) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._problem(path, f"{quoted(value)} stands where a table belongs", f"[{dotted(path)}]")
        return {}

    def _named(self, table: Table, given: Mapping[str, Any]) -> Mapping[Any, Any]:
        """Tables named by an instance or a model, each in its normal form."""
        found: dict[Any, Any] = {}
        written: dict[str, str] = {}
        for raw, value in given.items():
            path = (table.name, raw)
            try:
                name = _named_by(table, raw)
            except UsageError as error:
                self._problem(_without_user(path), _message_without_user(raw, error), at=path)
                continue
            spelling = str(getattr(name, "id", name))
            if spelling in written:
                self._problem(path, f"is the same as {quoted(written[spelling])} above")
                continue
            written[spelling] = raw
            held = self._table(path, value)
            values = self._values(path, table, held, called=(table.name, spelling))
            found[name] = table.settings(**values)
        return found

    def _values(
        self,
        path: Path,
        table: Table,
        given: Mapping[str, Any],
        called: Path | None = None,
    ) -> dict[str, Any]:
        """The good values of one table, by key; `called` is its path in normal form."""
        found: dict[str, Any] = {}
        for name, raw in given.items():
            key = table.key(name)
            here = (*path, name)
            if key is None:
                self._unknown(here, {each.name: each for each in table.keys}, _meant_in(table, raw))
                continue
            before = len(self.problems)
            value = self._value(here, key.kind, raw)
            if len(self.problems) == before:
                default = table.default(key)
                found[name] = {**default, **value} if isinstance(default, dict) else value
                self._given[*(called or path), name] = here
        return found

    def _value(self, path: Path, kind: Kind, raw: Any) -> Any:
        try:
            value = kind.read(raw)
        except ValueError as error:
            self._problem(path, str(error), _must_be(kind, raw, error))
            return None
        if kind.entries is None:
            return value
        names = kind.names() if kind.names else None
        found = {}
        for name, entry in value.items():
            if names is not None and name not in names:
                self._unknown((*path, name), dict.fromkeys(names), None)
            else:
                found[name] = self._value((*path, name), kind.entries, entry)
        return found

    def _tiers(self, fast: float, powerful: float) -> None:
        if fast > powerful:
            message = f"{powerful:g} is less than tiers.fast_below_gb, which is {fast:g}"
            self._problem(("tiers", "powerful_above_gb"), message)

    def _unknown(
        self,
        path: Path,
        known: Mapping[str, Any],
        guess: Callable[[str], str | None] | None,
    ) -> None:
        name = path[-1]
        hint = guess(name) if guess else None
        meant = None if hint else nearest(name, known)
        if meant:
            hint = f"did you mean {dotted((*path[:-1], meant))}?"
        self._problem(path, "there is no such key", hint or f"known are {', '.join(known)}")

    def _problem(
        self,
        path: Path,
        message: str,
        hint: str | None = None,
        at: Path | None = None,
    ) -> None:
        self.problems.append(Problem(dotted(path), message, self._line(at or path), hint))

    def _line(self, path: Path) -> int | None:
        """The line of the key, else of the innermost table around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return None


def _from_text(key: Key, text: str) -> Any:
    return key.kind.from_text(text) if key.kind.from_text else text


def _must_be(kind: Kind, raw: Any, error: ValueError) -> str | None:
    """What belongs there, unless the message says it; in a list it is one item that is wrong."""
    said = kind.words in str(error) or isinstance(raw, list)
    return None if said else f"it must be {kind.words}"


def _named_by(table: Table, raw: str) -> InstanceAddress | str:
    if table.name == "instances":
        return InstanceAddress.parse(raw)
    if not raw.strip():
        raise UsageError("the name of a model is missing")
    return str(ModelName.parse(raw))


def _without_user(path: Path) -> Path:
    """The path without what stands before an @, which may be a password."""
    return tuple("..." + part[part.rindex("@") :] if "@" in part else part for part in path)


def _message_without_user(raw: str, error: UsageError) -> str:
    if "@" in raw:
        return "no user is possible in an address; a token is named by token_env"
    return error.message


def _belongs_to(name: str) -> str | None:
    """For a key outside of its table: where it belongs."""
    tables = [table.name for table in TABLES if table.key(name) and table.named_by is None]
    return f"it belongs in [{tables[0]}]" if tables else None


def _meant_in(table: Table, raw: Any) -> Callable[[str], str | None]:
    """For a key that its table does not have: a secret, a name without quotes, another table's."""

    def guess(name: str) -> str | None:
        if table.key("token_env") and re.fullmatch(_SECRETS, name.lower()):
            return 'a secret does not belong in a file: token_env = "NAME" names its variable'
        if table.named_by and isinstance(raw, dict):
            return f"a name with a dot or a colon needs quotes: [{table.named_by}]"
        if nearest(name, [key.name for key in table.keys]):
            return None
        return _belongs_to(name)

    return guess


_PLACE = r" \(at (?:line (\d+), column \d+|end of document)\)$"
_TABLE_NAME = r"\s*\[+\s*(instances|models)\s*\."


def _not_toml(error: Exception, text: str) -> Problem:
    """A syntax error with its line, and a hint for the two that people make most."""
    message = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
    place = re.search(_PLACE, message)
    lines: Iterable[str] = text.split("\n")
    written = list(lines)
    line = int(place[1]) if place and place[1] else len(written) if place else None
    at = written[line - 1] if line else ""
    hint = None
    if re.match(_TABLE_NAME, at):
        hint = 'a name with a dot or a colon needs quotes: [instances."gpu-box.lan:11434"]'
    elif "\\" in at:
        hint = "in double quotes a backslash is written twice; single quotes take it as it is"
    return Problem("", f"this is not TOML: {re.sub(_PLACE, '', message)}", line, hint)
