"""The topics of `ollamamaster help`: what concerns every command, made from the code it is about.

The text is the same everywhere: 80 columns, nothing of this machine in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_WIDTH = 80

TOPICS = {
    "exit-codes": "What the exit codes mean.",
    "json": "What --json prints: the envelope, and the keys of each command.",
    "environment": "The variables of the environment.",
    "files": "Which files there are, where, and who writes them.",
    "targets": "What a TARGET of discover can be, and what is never scanned.",
    "exposure": "An instance that answers your whole network, and how to close it.",
}

FILES = (
    ("config.toml", "Yours. The program only reads it; config init creates it."),
    (
        "inventory.toml",
        (
            "What discovery found. The program writes it, as a whole each time, also when several "
            "run at once. A damaged one is set aside as inventory.toml.broken-TIME and built "
            "anew. Remove it to begin afresh."
        ),
    ),
    ("workflows/", "Yours: a workflow a file; workflow new creates one."),
    (
        "history.db",
        (
            "What is remembered of instances and requests (SQLite). No prompts and no answers, "
            "unless history.store_text is true; and the sessions, which have a name because you "
            "gave them one: ollamamaster session. A run of a workflow keeps its texts for 30 days."
        ),
    ),
)
FOLDERS = (
    ("Linux", "~/.config/ollamamaster; history.db in ~/.local/state/ollamamaster"),
    ("macOS", "~/Library/Application Support/ollamamaster"),
    ("Windows", r"%LOCALAPPDATA%\ollamamaster"),
)


def topic_text(topic: str) -> str:
    """The text of a topic of TOPICS."""
    return _TEXTS[topic]()


def topics_text() -> str:
    """The list of topics."""
    return f"""\
Topics:
{columns(TOPICS.items())}

ollamamaster help TOPIC explains one of them; ollamamaster help COMMAND shows
the help of a command, as ollamamaster COMMAND --help does.
"""


def columns(rows: Iterable[tuple[str, str]], indent: int = 2, most: int = 24) -> str:
    """Rows of a word and its meaning; a word longer than `most` stands on a line of its own."""
    import textwrap

    rows = list(rows)
    width = max(len(word) for word, _ in rows if len(word) <= most or len(rows) == 1)
    width = min(width, most)
    lines: list[str] = []
    for word, meaning in rows:
        margin = " " * (indent + width + 2)
        text = textwrap.wrap(meaning, _WIDTH - len(margin), break_on_hyphens=False) or [""]
        lead = " " * indent + word
        if len(word) > width:
            lines.append(lead)
            lead = ""
        lines.append(lead.ljust(len(margin)) + text[0])
        lines += [margin + line for line in text[1:]]
    return "\n".join(line.rstrip() for line in lines)


def _exit_codes() -> str:
    from ollamamaster.cli.exit_codes import MEANINGS, error_codes

    def meaning(code: int) -> str:
        from ollamamaster.errors import ExitCode

        codes = ", ".join(error_codes(ExitCode(code)))
        return MEANINGS[ExitCode(code)] + (f" [{codes}]" if codes else "")

    return f"""\
The exit code says how a command ended; the same word stands in the errors of
--json, in errors[].code (here in brackets).

{columns((str(int(code)), meaning(code)) for code in MEANINGS)}

The exit code of sandbox run is that of its command: 127 when it is not found,
126 when it cannot be executed, 128 + n when signal n killed it.

  ollamamaster route hello > answer.txt || case $? in
    3) echo "no instance" ;;
    6) echo "too slow" ;;
  esac
"""


def _json() -> str:
    from ollamamaster.cli.json_keys import BLOCKS, DATA, ENVELOPE, ERROR, LINES, WORDS

    def shown(shapes: dict[str, dict[str, str]]) -> str:
        return "\n\n".join(
            f"{name}\n{columns(((path or '.', _listed(keys)) for path, keys in shape.items()))}"
            for name, shape in shapes.items()
        )

    lines = columns((kind, _listed(keys)) for kind, keys in LINES.items())
    words = columns((key, ", ".join(values)) for key, values in WORDS.items())
    return f"""\
With --json a command prints one JSON document on stdout, also when it fails and
when it was called wrongly. chat, completion and sandbox run have no --json.

{columns([("the envelope", _listed(ENVELOPE)), ("errors[]", _listed(ERROR))])}

data is what the command found, null when it failed with nothing to show. A key
is always there, null when its value is not known. Keys are added, never
renamed. Times are RFC 3339 in UTC; keys in _s are seconds, in _ms milliseconds;
sizes are bytes. Paths below are places in data, `.` itself; [] is each entry of
a list.

{shown(DATA)}

{shown(BLOCKS)}

The keys that hold one of a few words
{words}

route --json --stream and discover --json --watch print objects, one a line,
that have a type; the envelope is the last line. A restart voids the tokens
before it.
{lines}

  ollamamaster models --json | jq -r '.data.models[].name'
  ollamamaster route hello --json | jq -r '.data.response // .errors[0].message'
"""


def _listed(keys: str) -> str:
    return ", ".join(keys.split())


def _environment() -> str:
    from ollamamaster.cli.environment import environment

    return f"""\
A flag wins over a variable, a variable over config.toml, and that over the
default. A list is separated by commas. ollamamaster config show tells what is
in force and where it comes from; other variables that begin with OLLAMAMASTER_
are a warning.

{columns(environment())}
"""


def _files() -> str:
    rows, folders = columns(FILES), columns(FOLDERS)
    return f"""\
{rows}

Where they are (on Linux XDG_CONFIG_HOME and XDG_STATE_HOME are honoured):

{folders}

OLLAMAMASTER_HOME names one folder for all of them instead. ollamamaster config
path prints where config.toml is. Only you can read what the program writes. The
token of an instance is never in there: config.toml names the variable that
holds it.
"""


def _targets() -> str:
    from ollamamaster.domain.targets import ASK_ABOVE_ADDRESSES, REFUSE_ABOVE_ADDRESSES

    ask, refuse = f"{ASK_ABOVE_ADDRESSES:,}", f"{REFUSE_ABOVE_ADDRESSES:,}"
    rows = columns(
        [
            ("gaming-pc", "a host: its name, looked at on the ports of the scan"),
            ("192.168.1.7", "an address, IPv4 or IPv6: [fd00::7], fd00::7"),
            ("192.168.1.0/24", "a network: each of its addresses"),
            ("gaming-pc:11434", "a host and a port: asked without a scan"),
            ("gaming-pc:11434-11440", "a host and a range of ports"),
            ("https://gw.lan/a", "a URL, with the path before /api: asked without a scan"),
        ]
    )
    return f"""\
A TARGET says where discover looks:

{rows}

The ports of the scan are 11434-11499; --ports or discovery.ports say otherwise.
In a URL without a port http means 80 and https 443.

Without a TARGET discover looks at this machine's loopback, at OLLAMA_HOST, and
at everything in config.toml and the inventory. --lan adds the private networks
this machine is attached to. A network is never scanned unless you name it by
--lan, a TARGET, or discovery.networks in config.toml.

More than {ask} addresses need --yes; more than {refuse} are refused. A public
range of more than one address needs --allow-public: scan only what is yours.
"""


def _exposure() -> str:
    return """\
Ollama has no password. By default it listens on 127.0.0.1, and only this
machine can use it. With OLLAMA_HOST=0.0.0.0, or "expose Ollama to the network"
in its settings, it answers whoever can reach the machine: everybody on the
network may use its GPU, see which models it has, download others and delete
them. When the router forwards the port, that is everybody on the internet.

If no other machine needs it, close it: let it listen on the loopback, and start
Ollama again.

  Linux     sudo systemctl edit ollama.service, and there
              [Service]
              Environment="OLLAMA_HOST=127.0.0.1"
            then: sudo systemctl restart ollama
  macOS     launchctl setenv OLLAMA_HOST 127.0.0.1, then quit and open Ollama;
            in its settings: expose to the network off
  Windows   remove OLLAMA_HOST from your environment variables, then quit and
            start Ollama; in its settings: expose to the network off
  Docker    docker run -p 127.0.0.1:11434:11434 ... (a port that Docker
            publishes passes by ufw and firewalld)

If your other machines need it, let only them in:

  a firewall    sudo ufw allow from 192.168.1.20 to any port 11434 proto tcp
                sudo ufw deny 11434/tcp
  a tunnel      ssh -N -L 11435:127.0.0.1:11434 gaming-pc: Ollama listens on its
                loopback there, and is 127.0.0.1:11435 here
  a private     WireGuard or Tailscale, with OLLAMA_HOST set to the address that
  network       the machine has in it
  a proxy       one that asks for a token, by https; config.toml names the
                variable that holds it:
                  [instances."https://gpu.example"]
                  token_env = "GPU_TOKEN"

Whether it is closed is seen from another machine: ollamamaster discover HOST
"""


_TEXTS: dict[str, Callable[[], str]] = {
    "exit-codes": _exit_codes,
    "json": _json,
    "environment": _environment,
    "files": _files,
    "targets": _targets,
    "exposure": _exposure,
}
