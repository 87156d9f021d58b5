"""Which shape has the structured content of each tool? JSON Schema, as hosts check it."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
YES_NO: Schema = {"type": "boolean"}
OPEN: Schema = {"type": "object"}
# What a tool or a person gave as JSON. Spelled out, because an empty schema looks like a mistake.
ANYTHING: Schema = {"anyOf": [TEXT, NUMBER, YES_NO, OPEN, {"type": "array"}, {"type": "null"}]}


def _or_null(schema: Schema) -> Schema:
    """As `anyOf`: several readers of schemas know no list of types."""
    return {"anyOf": [schema, {"type": "null"}]}


TEXT_OR_NULL = _or_null(TEXT)
WHOLE_OR_NULL = _or_null(WHOLE)
NUMBER_OR_NULL = _or_null(NUMBER)


def _all_of(**keys: Schema) -> Schema:
    """An object with all of these keys."""
    return {"type": "object", "properties": keys, "required": list(keys)}


def _many(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _each(of: Schema, *keys: str) -> dict[str, Schema]:
    """Several keys of one kind."""
    return dict.fromkeys(keys, of)


_ANSWERER = _each(TEXT, "model", "instance")
_ANSWERER_IF_ANY = _each(TEXT_OR_NULL, "model", "instance")
_QUANTILES = _each(NUMBER, "p20_s", "p50_s", "p80_s")
# Of an estimate they are known; of a request only where the instance told them.
_PHASES = ("load_s", "prompt_s", "generation_s")

QUANTILES = _all_of(**_QUANTILES)

CANDIDATE = _all_of(
    **_ANSWERER,
    score=NUMBER,
    terms=OPEN,
    estimate=_all_of(**_QUANTILES, **_each(NUMBER, "wait_s", *_PHASES)),
    output_tokens=WHOLE,
    decode_tokens_per_s=NUMBER_OR_NULL,
    resident=YES_NO,
    judged=NUMBER_OR_NULL,
)

DECISION = _all_of(
    task=_all_of(
        type=TEXT,
        complexity=NUMBER,
        prompt_tokens=WHOLE,
        output_tokens=_all_of(**_each(WHOLE, "p20", "p50", "p80")),
        needs=_many(TEXT),
        context_tokens=WHOLE,
        evidence=_many(TEXT),
    ),
    performance=TEXT,
    chosen=_or_null(CANDIDATE),
    ranked=_many(CANDIDATE),
    rejected=_many(_all_of(**_ANSWERER, reason=TEXT, detail=TEXT)),
)

INSTANCE = _all_of(
    id=TEXT,
    url=TEXT,
    host=TEXT,
    port=WHOLE,
    aliases=_many(TEXT),
    locality=TEXT,
    status=TEXT,
    version=TEXT_OR_NULL,
    latency_ms=NUMBER_OR_NULL,
    gpu=_all_of(
        count=WHOLE_OR_NULL, source=TEXT, vram_total=WHOLE_OR_NULL, vram_used=WHOLE_OR_NULL
    ),
    models=_many(TEXT),
    loaded=_many(
        _all_of(
            model=TEXT,
            size=WHOLE_OR_NULL,
            size_vram=WHOLE_OR_NULL,
            context_length=WHOLE_OR_NULL,
            expires_at=TEXT_OR_NULL,
        )
    ),
    labels=OPEN,
    first_seen=TEXT_OR_NULL,
    last_seen=TEXT_OR_NULL,
)

DISCOVER = _all_of(
    instances=_many(INSTANCE),
    scan=_all_of(
        **_each(WHOLE, "hosts", "ports", "probes", "open"),
        **_each(NUMBER, "duration_s", "identify_s"),
    ),
    counts=_all_of(**_each(WHOLE, "local", "lan", "remote", "up", "down", "models")),
)

MODEL = _all_of(
    name=TEXT,
    family=TEXT_OR_NULL,
    parameter_size=TEXT_OR_NULL,
    quantization=TEXT_OR_NULL,
    size_bytes=WHOLE_OR_NULL,
    tier=TEXT,
    context_length=WHOLE_OR_NULL,
    capabilities=_or_null(_many(TEXT)),
    cloud=YES_NO,
    instances=_many(_all_of(id=TEXT, status=TEXT, loaded=YES_NO, size_vram=WHOLE_OR_NULL)),
)

MODELS = _all_of(models=_many(MODEL), count=WHOLE, total=WHOLE)

_RUN_KEYS = {"status": {"type": "string", "enum": ["done", "running"]}, "run_id": TEXT}
_WHILE_RUNNING = {"partial": TEXT, "elapsed_s": NUMBER, "remaining_s": NUMBER_OR_NULL}


def _run(keys: dict[str, Schema]) -> Schema:
    """The result of a long call: `status` and `run_id` always, the rest when it is there."""
    return {
        "type": "object",
        "properties": {**_RUN_KEYS, **_WHILE_RUNNING, **keys},
        "required": list(_RUN_KEYS),
    }


USAGE = _all_of(**_each(WHOLE_OR_NULL, "prompt_tokens", "output_tokens"))

TIMING = _all_of(
    **_each(NUMBER_OR_NULL, "total_s", "first_token_s", "queue_s", *_PHASES, "tokens_per_s")
)

# How one of several requests came out.
_OUTCOME: dict[str, Schema] = {
    "outcome": TEXT_OR_NULL,
    "error": TEXT_OR_NULL,
    "seconds": NUMBER_OR_NULL,
}

ROUTE = _run(
    {
        "response": TEXT,
        "thinking": TEXT_OR_NULL,
        **_ANSWERER_IF_ANY,
        "done_reason": TEXT_OR_NULL,
        "decision": _or_null(DECISION),
        "attempts": _many(_all_of(**_ANSWERER, **_OUTCOME)),
        "usage": USAGE,
        "timing": TIMING,
        "estimate": _or_null(QUANTILES),
        "parts": _or_null(_many(_all_of(name=TEXT, level=WHOLE, **_ANSWERER_IF_ANY, **_OUTCOME))),
    }
)

COMPARE = _run(
    {
        "prompt": TEXT,
        "results": _many(
            _all_of(
                model=TEXT,
                instance=TEXT_OR_NULL,
                outcome=TEXT,
                response=TEXT_OR_NULL,
                thinking=TEXT_OR_NULL,
                timing=TIMING,
                usage=USAGE,
                estimate=_or_null(QUANTILES),
                error=TEXT_OR_NULL,
            )
        ),
        "agreement": _all_of(groups=_many(_many(WHOLE)), score=NUMBER_OR_NULL, method=TEXT),
        "judge": _or_null(
            _all_of(
                model=TEXT,
                criteria=TEXT,
                scores=_many(NUMBER_OR_NULL),
                winner=WHOLE_OR_NULL,
                order_dependent=YES_NO,
                rounds=_many(
                    _all_of(
                        order=_many(WHOLE),
                        scores=_many(NUMBER_OR_NULL),
                        reason=TEXT_OR_NULL,
                        error=TEXT_OR_NULL,
                        instance=TEXT_OR_NULL,
                        seconds=NUMBER_OR_NULL,
                    )
                ),
            )
        ),
        "vote": WHOLE_OR_NULL,
        "fastest": WHOLE_OR_NULL,
        "seconds": NUMBER,
        "plan": _many(
            _all_of(
                index=WHOLE,
                **_ANSWERER,
                **_each(NUMBER, "starts_in_s", "done_in_s"),
                behind=_many(WHOLE),
            )
        ),
    }
)

WORKFLOWS = _all_of(
    workflows=_many(
        _all_of(
            name=TEXT,
            description=TEXT_OR_NULL,
            inputs=_many(
                _all_of(
                    name=TEXT,
                    description=TEXT,
                    type=TEXT,
                    required=YES_NO,
                    default=ANYTHING,
                    choices=_many(ANYTHING),
                )
            ),
            path=TEXT,
            problems=WHOLE,
        )
    )
)

WORKFLOW = _run(
    {
        "workflow": TEXT,
        "output": TEXT_OR_NULL,
        "steps": _many(
            _all_of(
                id=TEXT,
                status={"type": "string", "enum": ["ok", "failed", "skipped", "cancelled"]},
                text=TEXT,
                data=ANYTHING,
                **_ANSWERER_IF_ANY,
                seconds=NUMBER,
                error=TEXT_OR_NULL,
            )
        ),
        "seconds": NUMBER,
        "expected_seconds": NUMBER_OR_NULL,
    }
)

ASSESS = _all_of(
    can_handle=YES_NO,
    confidence=NUMBER,
    recommended=_or_null(CANDIDATE),
    approach=TEXT,
    command=TEXT_OR_NULL,
    run=TEXT_OR_NULL,
    estimate=_or_null(QUANTILES),
    alternatives=_many(CANDIDATE),
    missing=_many(_all_of(**_each(TEXT, "code", "what", "fix"))),
    reasons=_many(TEXT),
    requirements=_many(
        _all_of(
            **_each(TEXT, "key", "asks", "verdict", "figure", "source"),
            **_each(NUMBER_OR_NULL, "value", "limit", "chance"),
        )
    ),
    understood=_many(TEXT),
)

# Whatever tool began the run, so only what all have in common.
ANY_RUN = _run({})

CANCELLED = _all_of(run_id=TEXT, status={"type": "string", "enum": ["cancelled", "done"]})

STATUS = _all_of(
    instances=_many(
        _all_of(
            id=TEXT,
            label=TEXT_OR_NULL,
            status=TEXT,
            loaded=_many(TEXT),
            running=WHOLE,
            waiting=WHOLE,
            free_in_s=NUMBER_OR_NULL,
        )
    ),
    runs=_many(_all_of(run_id=TEXT, tool=TEXT, status=TEXT, elapsed_s=NUMBER)),
)
