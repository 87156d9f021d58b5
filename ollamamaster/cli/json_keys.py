"""Which keys has the `data` of each command? For people; a test holds it to the real output."""

from __future__ import annotations

from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.changes import What
from ollamamaster.domain.comparison import Method
from ollamamaster.domain.instances import GpuSource, Locality, Status
from ollamamaster.domain.models import Capability, Tier
from ollamamaster.domain.settings import Performance
from ollamamaster.domain.task import TaskType
from ollamamaster.domain.workflow_problems import Mistake
from ollamamaster.domain.workflow_run import RunStatus, StepStatus
from ollamamaster.errors import Outcome

ENVELOPE = "schema command status exit_code data errors"
ERROR = "code message hint instance"

# A path is a place in `data`, "" itself, and [] each entry of a list; then the keys there. A key
# of capitals is a block, below.
DATA: dict[str, dict[str, str]] = {
    "discover": {
        "": "instances scan counts",
        "instances[]": (
            "id url host port aliases locality status version latency_ms gpu models loaded labels "
            "first_seen last_seen"
        ),
        "instances[].gpu": "count source vram_total vram_used",
        "instances[].loaded[]": "model size size_vram context_length expires_at",
        "scan": "hosts ports probes open duration_s identify_s",
        "counts": "local lan remote up down models",
    },
    "models": {
        "": "models count",
        "models[]": (
            "name family parameter_size quantization size_bytes tier context_length capabilities "
            "cloud instances"
        ),
        "models[].instances[]": "id status loaded size_vram",
    },
    "route": {
        "": (
            "response thinking model instance done_reason decision attempts usage timing estimate "
            "parts"
        ),
        "decision": "DECISION",
        "attempts[]": "model instance outcome error seconds",
        "usage": "prompt_tokens output_tokens",
        "timing": ("total_s first_token_s queue_s load_s prompt_s generation_s tokens_per_s"),
        "estimate": "p20_s p50_s p80_s",
        "parts[]": "name level model instance outcome error seconds",
    },
    "route --explain": {
        "": "decision plan",
        "decision": "DECISION",
        "plan": "parts part_tokens seconds readers",
        "plan.readers[]": "model instance parts each_s",
    },
    "session list": {"": "sessions", "sessions[]": "name turns tokens model updated_at"},
    "session show": {
        "": "name messages summaries",
        "messages[]": "role content model at images",
        "summaries[]": "text turns model at",
    },
    "session delete": {"": "deleted"},
    "session export": {"": "path messages"},
    "session rename": {"": "name before"},
    "assess": {
        "": (
            "can_handle confidence recommended approach command run estimate alternatives missing "
            "reasons requirements understood"
        ),
        "recommended": "CANDIDATE",
        "estimate": "p20_s p50_s p80_s",
        "alternatives[]": "CANDIDATE",
        "requirements[]": "key asks verdict figure value limit source chance",
        "missing[]": "code what fix",
    },
    "compare": {
        "": "prompt results agreement judge vote fastest seconds plan",
        "results[]": ("model instance outcome response thinking timing usage estimate error"),
        "results[].timing": (
            "total_s first_token_s queue_s load_s prompt_s generation_s tokens_per_s"
        ),
        "results[].usage": "prompt_tokens output_tokens",
        "results[].estimate": "p20_s p50_s p80_s",
        "agreement": "groups score method",
        "judge": "model criteria scores winner order_dependent rounds",
        "judge.rounds[]": "order scores reason error instance seconds",
        "plan[]": "index model instance starts_in_s done_in_s behind",
    },
    "pull": {"": "model instance size_bytes seconds"},
    "workflow run": {
        "": "run_id workflow output steps seconds expected_seconds",
        "steps[]": "id status text data model instance seconds error",
    },
    "workflow check": {
        "": "workflow steps order expected_seconds problems",
        "steps[]": "id does waits_for places expected_seconds",
        "steps[].places[]": "model instance",
        "problems[]": "line code message hint",
    },
    "workflow show": {
        "": "workflow steps order expected_seconds problems",
        "steps[]": "id does waits_for places expected_seconds",
        "steps[].places[]": "model instance",
    },
    "workflow list": {
        "": "workflows",
        "workflows[]": "name description inputs path problems",
        "workflows[].inputs[]": "name description type required default choices",
    },
    "workflow new": {"": "path"},
    "workflow allow": {"": "workflow allowed", "allowed[]": "server runs"},
    "workflow runs": {
        "": "runs",
        "runs[]": "run_id workflow status started_at seconds",
    },
    "install-mcp": {"": "host path name entry changed backup"},
    "history list": {
        "": "requests",
        "requests[]": "id at who task_type model instance outcome seconds",
    },
    "history show": {
        "": (
            "id at who task_type model instance outcome seconds waited_s estimate prompt answer "
            "decision attempts"
        ),
        "estimate": "p20_s p50_s p80_s",
        "decision": "DECISION",
        "attempts[]": (
            "model instance outcome error seconds started_at usage timing estimate resident "
            "others limited thought num_ctx"
        ),
        "attempts[].usage": "prompt_tokens output_tokens",
        "attempts[].timing": (
            "total_s first_token_s queue_s load_s prompt_s generation_s tokens_per_s"
        ),
        "attempts[].estimate": "p20_s p50_s p80_s",
    },
    "history stats": {
        "": "pairs estimates",
        "pairs[]": (
            "instance model requests failures decode_tokens_per_s prefill_tokens_per_s load_s "
            "first_token_s"
        ),
        "estimates": "count p80_coverage median_error",
    },
    "history replay": {
        "": "replayed changed total_delta_s",
        "changed[]": "id from to delta_s",
        "changed[].from": "CANDIDATE",
        "changed[].to": "CANDIDATE",
    },
    "history path": {"": "path"},
    "history clear": {"": "deleted"},
    "history export": {"": "path requests"},
    "config init": {"": "path"},
    "config path": {"": "path"},
    "config show": {"": "values", "values[]": "key value origin"},
    "config check": {"": "problems", "problems[]": "line key message hint"},
    "sandbox up": {"": "home instances", "instances[]": "name id"},
    "help": {"": "topic text"},
}
BLOCKS: dict[str, dict[str, str]] = {
    "DECISION": {
        "": "task performance chosen ranked rejected",
        "task": "type complexity prompt_tokens output_tokens needs context_tokens evidence",
        "task.output_tokens": "p20 p50 p80",
        "chosen": "CANDIDATE",
        "ranked[]": "CANDIDATE",
        "rejected[]": "model instance reason detail",
    },
    "CANDIDATE": {
        "": (
            "model instance score terms estimate output_tokens decode_tokens_per_s resident judged"
        ),
        "estimate": "p20_s p50_s p80_s wait_s load_s prompt_s generation_s",
    },
}
# Tables whose keys are not ours, or grow: labels, the parts of a score, values of config.toml,
# what an MCP host is told, what a model or a tool said as JSON.
OPEN = ("labels", "terms", "value", "entry", "data", "default")

# `--json --stream` and `--json --watch` print these before the envelope, one a line.
LINES = {
    "waiting": "type instance position starts_in_s",
    "attempt": "type model instance outcome error seconds",
    "part": "type name level model instance outcome error seconds",
    "token": "type text",
    "thinking": "type text",
    "restart": "type instance model",
    "change": "type at instance what model",
}
# The keys that hold one of a few words.
WORDS = {
    "status": ("ok", "partial", "error"),
    "instances[].status": tuple(map(str, Status)),
    "locality": tuple(map(str, Locality)),
    "gpu.source": tuple(map(str, GpuSource)),
    "tier": tuple(map(str, Tier)),
    "capabilities": tuple(map(str, Capability)),
    "task.type": tuple(map(str, TaskType)),
    "performance": tuple(map(str, Performance)),
    "outcome": tuple(map(str, Outcome)),
    "steps[].status": tuple(map(str, StepStatus)),
    "runs[].status": tuple(map(str, RunStatus)),
    "problems[].code": tuple(map(str, Mistake)),
    "reason": tuple(map(str, Reason)),
    "what": tuple(map(str, What)),
    "agreement.method": tuple(map(str, Method)),
}


def paths_of(shape: dict[str, str], prefix: str = "") -> dict[str, set[str]]:
    """Each path with its keys, blocks written out."""
    found: dict[str, set[str]] = {}
    for path, keys in shape.items():
        here = ".".join(filter(None, [prefix, path]))
        if keys in BLOCKS:
            found |= paths_of(BLOCKS[keys], here)
        else:
            found[here] = set(keys.split())
    return found
