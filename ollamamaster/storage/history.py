"""The database of what is remembered: its tables."""

from __future__ import annotations

from ollamamaster.storage.database import Database, InMemory

# `number` is the order in which they entered; `options` and `runs_on` are JSON; `instance` is the
# one it runs on, NULL while it waits. `place` tells a process number of this boot and namespace
# from the same number of another.
TICKETS = """
    CREATE TABLE tickets (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        place TEXT NOT NULL,
        pid INTEGER NOT NULL,
        started REAL NOT NULL,
        entered_at REAL NOT NULL,
        price REAL NOT NULL,
        priority INTEGER NOT NULL,
        options TEXT NOT NULL,
        overtaken_s REAL NOT NULL,
        runs_on TEXT,
        instance TEXT,
        started_at REAL,
        most_others INTEGER NOT NULL
    )
    """

# One finished route. `number` is the order in which they ended; `model` and `instance` are those
# that answered, or were tried last; `expected_…` is the estimate before it; `decision` is JSON,
# compressed.
_REQUESTS = """
    CREATE TABLE requests (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        at REAL NOT NULL,
        who TEXT NOT NULL,
        task_type TEXT NOT NULL,
        complexity REAL,
        prompt_tokens INTEGER,
        model TEXT,
        instance TEXT,
        outcome TEXT NOT NULL,
        seconds REAL NOT NULL,
        waited_s REAL NOT NULL,
        expected_p20_s REAL,
        expected_p50_s REAL,
        expected_p80_s REAL,
        expected_wait_s REAL,
        expected_load_s REAL,
        expected_prompt_s REAL,
        expected_generation_s REAL,
        decision BLOB
    )
    """
# Durations without a prefix are ours, those of `said_…` are Ollama's.
_ATTEMPTS = """
    CREATE TABLE attempts (
        request INTEGER NOT NULL,
        place INTEGER NOT NULL,
        model TEXT NOT NULL,
        instance TEXT NOT NULL,
        outcome TEXT NOT NULL,
        error TEXT,
        started_at REAL NOT NULL,
        seconds REAL NOT NULL,
        first_token_s REAL,
        prompt_tokens INTEGER,
        output_tokens INTEGER,
        said_total_s REAL,
        said_load_s REAL,
        said_prompt_s REAL,
        said_generation_s REAL,
        expected_p20_s REAL,
        expected_p50_s REAL,
        expected_p80_s REAL,
        expected_wait_s REAL,
        expected_load_s REAL,
        expected_prompt_s REAL,
        expected_generation_s REAL,
        size_bytes INTEGER,
        active_fraction REAL NOT NULL,
        in_vram REAL,
        resident INTEGER NOT NULL,
        others INTEGER NOT NULL,
        limited INTEGER NOT NULL,
        thought INTEGER NOT NULL,
        num_ctx INTEGER,
        PRIMARY KEY (request, place)
    ) WITHOUT ROWID
    """
# Only where the person set history.store_text.
_TEXTS = "CREATE TABLE texts (request INTEGER PRIMARY KEY, prompt TEXT, answer TEXT)"
# What was learnt: a small JSON object under three texts that only learning understands.
_PROFILES = """
    CREATE TABLE profiles (
        kind TEXT NOT NULL,
        a TEXT NOT NULL,
        b TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (kind, a, b)
    ) WITHOUT ROWID
    """

# One row a turn that is under way or waits; the lowest number of a session has it. `place` as in
# the tickets.
TURN_LINE = """
    CREATE TABLE turn_line (
        number INTEGER PRIMARY KEY,
        session TEXT NOT NULL,
        place TEXT NOT NULL,
        pid INTEGER NOT NULL,
        started REAL NOT NULL
    )
    """
# A conversation that the person gave a name. `cached_tokens` is what the instance of the last turn
# holds of it, `bytes` the size of all that belongs to it.
_SESSIONS = """
    CREATE TABLE sessions (
        number INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        system TEXT,
        updated_at REAL NOT NULL,
        tokens INTEGER NOT NULL,
        cached_tokens INTEGER,
        bytes INTEGER NOT NULL
    )
    """
# In the order of their numbers.
_SESSION_TURNS = """
    CREATE TABLE session_turns (
        number INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,
        prompt TEXT NOT NULL,
        answer TEXT NOT NULL,
        model TEXT NOT NULL,
        instance TEXT NOT NULL,
        asked_at REAL NOT NULL,
        at REAL NOT NULL
    )
    """
_SESSION_IMAGES = """
    CREATE TABLE session_images (
        turn INTEGER NOT NULL,
        place INTEGER NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (turn, place)
    )
    """
# `turns` is how many of the oldest turns it stands for.
_SESSION_SUMMARIES = """
    CREATE TABLE session_summaries (
        number INTEGER PRIMARY KEY,
        session INTEGER NOT NULL,
        text TEXT NOT NULL,
        turns INTEGER NOT NULL,
        model TEXT NOT NULL,
        at REAL NOT NULL
    )
    """
# One run of a workflow. `inputs` is JSON; `digest` is that of the file when it began; the last
# three tell its process, as in `tickets`.
_WORKFLOW_RUNS = """
    CREATE TABLE workflow_runs (
        id TEXT PRIMARY KEY,
        workflow TEXT NOT NULL,
        path TEXT NOT NULL,
        digest TEXT NOT NULL,
        inputs TEXT NOT NULL,
        status TEXT NOT NULL,
        started_at REAL NOT NULL,
        seconds REAL,
        output TEXT,
        place TEXT NOT NULL,
        pid INTEGER NOT NULL,
        process_started REAL NOT NULL
    )
    """
# What each step gave; `data` is JSON.
_WORKFLOW_STEPS = """
    CREATE TABLE workflow_steps (
        run TEXT NOT NULL,
        step TEXT NOT NULL,
        status TEXT NOT NULL,
        text TEXT NOT NULL,
        data TEXT NOT NULL,
        model TEXT,
        instance TEXT,
        seconds REAL NOT NULL,
        error TEXT,
        UNIQUE (run, step)
    )
    """
# Whether a person began the run, and gave its inputs. Only persons could have gone on with those
# that were begun before this was told, and they are taken for theirs.
_WORKFLOW_RUNS_OF_PERSONS = "ALTER TABLE workflow_runs ADD COLUMN person INTEGER NOT NULL DEFAULT 1"
# The servers of workflows that the person allowed; a hash tells what exactly.
_ALLOWED_SERVERS = """
    CREATE TABLE allowed_servers (
        fingerprint TEXT PRIMARY KEY,
        workflow TEXT NOT NULL,
        at REAL NOT NULL
    ) WITHOUT ROWID
    """

# Each is one statement, applied once, in this order. One that was released is never changed: what
# is to be different is a new one at the end.
MIGRATIONS = (
    """
    CREATE TABLE liveness (
        instance TEXT PRIMARY KEY,
        failures INTEGER NOT NULL,
        skip_s REAL NOT NULL,
        skipped_until REAL NOT NULL
    ) WITHOUT ROWID
    """,
    TICKETS,
    _REQUESTS,
    "CREATE INDEX requests_by_time ON requests (at)",
    _ATTEMPTS,
    _TEXTS,
    _PROFILES,
    TURN_LINE,
    _SESSIONS,
    _SESSION_TURNS,
    "CREATE INDEX session_turns_by_session ON session_turns (session)",
    _SESSION_IMAGES,
    _SESSION_SUMMARIES,
    _WORKFLOW_RUNS,
    _WORKFLOW_STEPS,
    _ALLOWED_SERVERS,
    _WORKFLOW_RUNS_OF_PERSONS,
)


class HistoryDatabase(Database):
    """`history.db`."""

    migrations = MIGRATIONS


class HistoryInMemory(InMemory, HistoryDatabase):
    """The tables of `history.db` for this process alone."""


class TicketDatabase(Database):
    """What processes tell each other, where `history.db` is on a disk other machines use too."""

    migrations = (TICKETS, TURN_LINE)


class TicketsInMemory(InMemory, TicketDatabase):
    """Tickets that only this process sees."""
