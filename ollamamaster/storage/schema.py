"""All of config.toml, once: every table and key, its type, its meaning.

Reading, `config show`, `config check`, `config init` and the variables of the environment are
made from TABLES. A key is called as the field of the settings class it fills, and that field's
default is the key's.
"""

from __future__ import annotations

import os
import re
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any

from ollamamaster.domain.instances import InstanceSettings, Locality
from ollamamaster.domain.models import Capability, Tier, TierLimits
from ollamamaster.domain.settings import (
    CloudUse,
    DiscoverySettings,
    HistorySettings,
    McpSettings,
    ModelSettings,
    Performance,
    PolicySettings,
    RouteSettings,
    SessionSettings,
)
from ollamamaster.storage.kinds import (
    SWITCH,
    TEXT,
    VARIABLE,
    Kind,
    checked_text,
    choice,
    number,
    quoted,
    several,
    table,
)
from ollamamaster.storage.paths import HOME_VARIABLE, PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

# Variables of that prefix that are no key of config.toml.
OTHER_VARIABLES = {
    HOME_VARIABLE: "one folder for config.toml, inventory.toml, history.db and workflows/",
    "OLLAMAMASTER_MCP_TOKEN": "the token that callers of the MCP server over HTTP must show",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `example` is TOML for the starter file where the default is nothing.

    `unset` says what happens without a value.
    """

    name: str
    kind: Kind
    meaning: str
    example: str | None = None
    unset: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One table and the settings class it fills.

    `named_by` says what the tables inside are named by, with an example: each is an instance or
    a model. With `environment` each key that a variable can hold has one.
    """

    name: str
    settings: type
    meaning: str
    keys: tuple[Key, ...]
    named_by: str | None = None
    environment: bool = True

    def key(self, name: str) -> Key | None:
        return next((key for key in self.keys if key.name == name), None)

    def default(self, key: Key) -> Any:
        """The default of the field that the key fills."""
        of = next(field for field in fields(self.settings) if field.name == key.name)
        return of.default if of.default_factory is MISSING else of.default_factory()

    def variable(self, key: Key) -> str | None:
        """The variable of the environment that sets this key, None where there is none."""
        if not self.environment or key.kind.from_text is None:
            return None
        return f"{PREFIX}{self.name}_{key.name}".upper()


def variables() -> Iterator[tuple[str, Table, Key]]:
    """Every variable that sets a key."""
    for of in TABLES:
        for key in of.keys:
            name = of.variable(key)
            if name is not None:
                yield name, of, key


def _ports(value: Any) -> str:
    from ollamamaster.domain.targets import parse_ports
    from ollamamaster.errors import UsageError

    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ValueError(f"{quoted(value)} is not a port or a range of ports")  # noqa: TRY004 - every reader raises ValueError
    text = str(value).strip()
    try:
        parse_ports(text)
    except UsageError as error:
        raise ValueError(error.message) from error
    return text


def _target(text: str) -> str:
    from ollamamaster.domain.targets import Target

    Target.parse(text)
    return text


def _absolute(text: str) -> str:
    path = os.path.expanduser(text)  # noqa: PTH111 - stays a text: a setting is no Path
    if not os.path.isabs(path):  # noqa: PTH117 - see above
        raise ValueError(f"{quoted(text)} must be absolute, or begin with ~")
    return path


_RULE = r"(model|instance):.+|label:[^=]+=.*"


def _rule(text: str) -> str:
    if re.fullmatch(_RULE, text):
        return text
    raise ValueError(f"{quoted(text)} is not model:GLOB, instance:GLOB or label:KEY=GLOB")


def _keep_alive(value: Any) -> str | int:
    from ollamamaster.domain.keep_alive import keep_alive

    if isinstance(value, int | str) and not isinstance(value, bool):
        return keep_alive(str(value))
    raise ValueError(f"{quoted(value)} is not a duration such as '10m', nor seconds")


def _task_types() -> tuple[str, ...]:
    from ollamamaster.domain.task import TaskType

    return tuple(str(each) for each in TaskType)


def _task_type(text: str) -> str:
    if text in _task_types():
        return text
    raise ValueError(f"{quoted(text)} is none of {', '.join(_task_types())}")


def _capability(text: str) -> str:
    try:
        return str(Capability(text))
    except ValueError:
        raise ValueError(f"{quoted(text)} is none of {', '.join(Capability)}") from None


def _set_of(kind: Kind) -> Kind:
    return Kind(kind.words, lambda value: frozenset(kind.read(value)), kind.from_text)


_FRACTION = number(0, 1)
_WEIGHT = number(-1, 1)
_FOLDER = checked_text("an absolute path, or one that begins with ~", _absolute)
_RULES = several(checked_text("a rule", _rule), "a list of rules")
_TASKS = several(checked_text("a task type", _task_type), "a list of task types")
_CAPABILITIES = _set_of(
    several(checked_text("a capability", _capability), "a list of capabilities")
)
_TARGETS = several(checked_text("a target", _target), "a list of networks and hosts")
_PORTS = several(Kind("ports", _ports), 'ports such as "11434-11499", or a list', or_one=True)

TABLES = (
    Table(
        "discovery",
        DiscoverySettings,
        "where to look for instances",
        (
            Key("ports", _PORTS, "the ports to try on each host"),
            Key("loopback", SWITCH, "look at this machine's loopback"),
            Key(
                "networks",
                _TARGETS,
                "networks, hosts and URLs to look at each time",
            ),
            Key(
                "timeout_s",
                number(0, 60, above=True),
                "seconds that a port has to answer",
                "1.0",
                "0.5 on loopback, 1.0 elsewhere",
            ),
            Key(
                "concurrency",
                number(1, 65535, whole=True),
                "connections tried at once, within what the system allows",
            ),
        ),
    ),
    Table(
        "instances",
        InstanceSettings,
        "a known instance, by its id or URL",
        (
            Key("label", TEXT, "what to call it", '"big"'),
            Key("labels", table(TEXT, "a table of texts"), "for rules", '{ room = "cellar" }'),
            Key("locality", choice(Locality), "overrides what its address says", '"lan"'),
            Key(
                "slots",
                number(1, whole=True),
                "requests it serves at once; learnt where not set",
                "1",
            ),
            Key("vram_gb", number(0), "memory of its GPUs together, in GB", "24"),
            Key("gpu_count", number(0, whole=True), "how many GPUs it has", "1"),
            Key("bandwidth_gb_s", number(0, above=True), "memory bandwidth, in GB/s", "1008"),
            Key("token_env", VARIABLE, "the variable that holds its token", '"GPU_BOX_TOKEN"'),
            Key("ca_file", _FOLDER, "the certificate that signs its https", '"~/certs/lan.pem"'),
            Key("connect_timeout_s", number(0, 600, above=True), "seconds to connect"),
            Key("cost_per_hour", number(0), "what an hour of it costs (not used yet)", "0.25"),
            Key("region", TEXT, "where it stands (not used yet)", '"eu"'),
            Key("disabled", SWITCH, "leave it out"),
        ),
        'instances."gpu-box.lan:11434"',
        environment=False,
    ),
    Table(
        "models",
        ModelSettings,
        "what you know of a model; no tag means :latest",
        (
            Key("tier", choice(Tier), "overrides what its size says", '"powerful"'),
            Key("capabilities", _CAPABILITIES, "what it can do", '["completion", "tools"]'),
            Key("preferred_tasks", _TASKS, "what to prefer it for", '["code"]'),
            Key(
                "ability",
                table(number(0, 100), "a table of points", _task_types),
                "how good it is at a task type, from 0 to 100",
                "{ code = 70, math = 55 }",
            ),
            Key("context", number(1, whole=True), "the longest context, in tokens", "32768"),
            Key("allow", SWITCH, "false never uses it"),
            Key(
                "keep_alive",
                Kind("a duration such as '10m', or seconds", _keep_alive),
                "how long it stays in memory after a request",
                '"10m"',
            ),
        ),
        'models."phi4:latest"',
        environment=False,
    ),
    Table(
        "tiers",
        TierLimits,
        "where the tiers begin, by size on disk in GB (10^9 bytes)",
        (
            Key("fast_below_gb", number(0), "smaller is fast"),
            Key("powerful_above_gb", number(0), "larger is powerful"),
        ),
    ),
    Table(
        "route",
        RouteSettings,
        "defaults of route",
        (
            Key("performance", choice(Performance), "fast, balanced or powerful"),
            Key(
                "price_per_doubling",
                table(_FRACTION, "a table of fractions", lambda: tuple(map(str, Performance))),
                "the chance of success that twice the time must buy",
            ),
            Key(
                "max_time_s",
                number(0, above=True),
                "deadline for a whole route, in seconds",
                "120",
                "none",
            ),
            Key("hedge", SWITCH, "try a second instance when the first is late"),
            Key("local_only", SWITCH, "never leave the machines of locality local and lan"),
            Key("cloud", choice(CloudUse), "cloud models: by_name, allow or never"),
        ),
    ),
    Table(
        "policy",
        PolicySettings,
        "your rules: model:GLOB, instance:GLOB or label:KEY=GLOB; deny wins",
        (
            Key("allow", _RULES, "only what one of these matches; an empty list allows all"),
            Key("deny", _RULES, "never what one of these matches"),
            Key(
                "weights",
                table(_WEIGHT, "a table of fractions", lambda: ("locality", "cost", "region")),
                "how much each counts, as fractions of the chance of success",
                "{ locality = 0.02 }",
            ),
        ),
        environment=False,
    ),
    Table(
        "history",
        HistorySettings,
        "what is remembered",
        (
            Key("store_text", SWITCH, "keep prompts and answers"),
            Key("keep_days", number(0), "days that requests are kept; 0 keeps none"),
            Key("max_mb", number(1), "largest size of history.db, in MB"),
        ),
    ),
    Table(
        "mcp",
        McpSettings,
        "defaults of the MCP server",
        (
            Key(
                "detach_after_s",
                number(0),
                "when a long call goes on by itself",
            ),
            Key(
                "file_roots",
                several(_FOLDER, "a list of folders"),
                "what it may read",
            ),
        ),
    ),
    Table(
        "sessions",
        SessionSettings,
        "conversations that have a name",
        (
            Key("summarise", SWITCH, "summarise what no longer fits the context"),
            Key("keep_days", number(0), "days that a session is kept; 0 for ever"),
        ),
    ),
)
