"""What does an agent read when something fails, and what should it do next?"""

from __future__ import annotations

from ollamamaster.domain.plain_text import one_line
from ollamamaster.errors import ErrorCode, OllamaMasterError
from ollamamaster.mcp_server.reply import RefusedError

# Messages of instances are anything; more than this of one tells nobody more.
_LONGEST_MESSAGE = 1000

_NEXT = {
    ErrorCode.NO_INSTANCE: (
        "call discover_instances with refresh=true, or ask the person to start Ollama "
        "(`ollama serve`) or to name its host"
    ),
    ErrorCode.NO_CANDIDATE: (
        "call list_models to see what the fleet can do, and ask without `model`, without `files`, "
        "or with a shorter prompt"
    ),
    ErrorCode.MODEL_UNKNOWN: (
        "call list_models for the names there are, or name none; the person can download "
        "one with `ollamamaster pull NAME`"
    ),
    ErrorCode.ALL_FAILED: "try once more, or name another model of list_models",
    ErrorCode.TIME_LIMIT: "raise `max_time`, or ask with performance=fast or a smaller task",
    ErrorCode.BAD_REQUEST: "change the request; another model would refuse it as well",
    ErrorCode.CONFIG_INVALID: "ask the person to run `ollamamaster config check`",
    ErrorCode.STATE_UNUSABLE: "ask the person whether the disk is full or the folder is readable",
    ErrorCode.FILE_UNUSABLE: "name other files, or put their text into the prompt",
    ErrorCode.SERVER_FAILED: (
        "tell the person that this MCP server of the workflow does not start; "
        "`ollamamaster workflow check NAME` shows them why"
    ),
    ErrorCode.USAGE: "call it again with other arguments",
    ErrorCode.WORKFLOW_INVALID: "ask the person to run `ollamamaster workflow check NAME`",
    ErrorCode.STEP_FAILED: "tell the person which step failed, and why",
    ErrorCode.NOT_ALLOWED: "ask the person, who alone can allow it",
    ErrorCode.FAILED: "try once more, and tell the person if it fails again",
    ErrorCode.PROMPT_MISSING: "give a prompt that is not empty",
}


def refusal_of(error: OllamaMasterError) -> RefusedError:
    """The error as an agent should read it: what happened, and the next step with our tools."""
    said = [_sentence(one_line(error.message, _LONGEST_MESSAGE))]
    said += [
        _sentence(one_line(line)) for line in (error.hint or "").splitlines() if _for_all(line)
    ]
    if error.code in _NEXT:
        said.append(f"Next: {_NEXT[error.code]}.")
    return RefusedError(" ".join(said))


def _for_all(hint: str) -> bool:
    """Whether a hint makes sense to someone who has no command line in front of them."""
    return bool(hint.strip()) and "--" not in hint and "ollamamaster" not in hint


def _sentence(text: str) -> str:
    # A name of a model or an instance is a name as it is.
    if text.partition(" ")[0].isalpha():
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
