"""How is it best done? A sentence that a person would say, and the command that does it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ollamamaster.domain import spoken
from ollamamaster.domain.candidates import Reason
from ollamamaster.domain.findings import Verdict, place
from ollamamaster.domain.instances import Locality
from ollamamaster.domain.models import Capability
from ollamamaster.domain.requirements import Privacy
from ollamamaster.domain.weighing import Run, joint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ollamamaster.domain.batch import Batch
    from ollamamaster.domain.instances import Instance
    from ollamamaster.domain.settings import Performance
    from ollamamaster.domain.weighing import Assessed, Wanted, Weighing, World

# A longer prompt is not written into a command line again.
_QUOTED = 200

# Seconds that are worth a word in a sentence.
_WORTH_SAYING_S = 0.5


def sentence(wanted: Wanted, weighing: Weighing, together: Batch | None) -> str:
    """What to do, or why it cannot be done."""
    best = weighing.best
    if best is None:
        return f"Nothing in the fleet can do it: {obstacle(wanted, weighing)}."
    if not best.fits:
        nearest = f"nearest is {place(best.candidate)}, {_steps(best)}"
        if together is not None:
            nearest = f"nearest is this: {_batch_sentence(wanted, together)}".removesuffix(".")
        lacking = [f.asks for f in best.findings if f.verdict is Verdict.NOT_MET]
        if lacking:
            return f"Not as asked ({' and '.join(lacking)}); {nearest}."
        least = min(best.findings, key=lambda f: f.chance)
        return f"Probably not ({least.asks}); {nearest}."
    if wanted.requirements.conversation:
        first = spoken.duration(best.weighed.timed.prospect.parts.first_token.p50)
        return (
            f"Use {place(best.candidate)} and keep it in memory: answers begin after about {first}."
        )
    if together is not None:
        return _batch_sentence(wanted, together)
    where = {
        Run.LOCAL: "it runs on this machine",
        Run.LAN: "it runs in your network",
        Run.REMOTE: "it runs on a remote machine",
        Run.CLOUD: "it runs in the cloud, so the prompt leaves your machines",
    }[best.run]
    return f"Use {place(best.candidate)}: {where}, {_steps(best)}."


def _steps(assessed: Assessed) -> str:
    estimate, prospect = assessed.candidate.estimate, assessed.candidate.prospect
    parts = []
    if estimate.wait_s >= _WORTH_SAYING_S:
        parts.append(f"waiting {spoken.duration(estimate.wait_s)}")
    if estimate.load_s >= _WORTH_SAYING_S:
        parts.append(f"loading {spoken.duration(estimate.load_s)}")
    if estimate.prompt_s >= _WORTH_SAYING_S:
        parts.append(f"reading {spoken.duration(estimate.prompt_s)}")
    if prospect.output_tokens.p50 > 0 and parts:
        parts.append(f"writing {spoken.duration(estimate.generation_s)}")
    detail = f" ({', '.join(parts)})" if parts else ""
    return (
        f"done in about {spoken.duration(estimate.p50_s)}{detail}, "
        f"at most {spoken.duration(estimate.p80_s)} in four of five cases"
    )


def _batch_sentence(wanted: Wanted, together: Batch) -> str:
    count = wanted.requirements.tasks
    took = f"about {spoken.duration(together.seconds.p50)}"
    if len(together.workers) == 1:
        one = together.workers[0].candidate
        return f"Send all {count:,} to {place(one)}, {together.lanes} at a time: {took}."
    shares = sorted(zip(together.shares, together.workers, strict=True), key=lambda s: -s[0])
    who = ", ".join(f"{place(w.candidate)} does {n:,}" for n, w in shares[:4])
    more = f" and {len(shares) - 4} more machines the rest" if len(shares) > 4 else ""
    machines = spoken.number_of(len(shares), "machine")
    return f"Send all {count:,}, {together.lanes} at a time, over {machines}: {took} ({who}{more})."


def obstacle(wanted: Wanted, weighing: Weighing) -> str:
    """Why no candidate is left, as far as the nearest of them came."""
    rejected = weighing.decision.rejected
    needed = spoken.tokens(wanted.task.context_tokens)
    longest = f"{weighing.longest_context:,}"
    for reason, words in (
        (Reason.INSTANCE_DOWN, "what could do it is down"),
        (Reason.CLOUD_EXCLUDED, "only a cloud model could, and it was not asked for by name"),
        (Reason.LOCALITY_EXCLUDED, "what could do it is elsewhere, and the prompt must stay"),
        (Reason.TOO_LARGE, "what could do it does not fit in memory"),
        (Reason.POLICY_DENIED, "your policy denies what could do it"),
        (
            Reason.CONTEXT_TOO_SMALL,
            f"it needs about {needed} of context, and the longest is {longest}",
        ),
        (
            Reason.CAPABILITY_MISSING,
            f"no model can {spoken.abilities(sorted(_extra(wanted)))}",
        ),
    ):
        if any(r.reason is reason for r in rejected):
            return words
    return "it has no model"


def _extra(wanted: Wanted) -> frozenset[str]:
    needs = frozenset(map(str, wanted.task.needs))
    return needs - {str(Capability.COMPLETION)} or needs


def comparison(weighing: Weighing) -> str | None:
    """What speaks for this machine or for another one, where there is a choice."""
    best = weighing.best
    if best is None:
        return None
    here = [each for each in weighing.assessed if each.run is Run.LOCAL]
    away = [each for each in weighing.assessed if each.run is not Run.LOCAL]
    if not here or not away:
        return None
    on_this = best if best.run is Run.LOCAL else _first(here)
    elsewhere = best if best.run is not Run.LOCAL else _first(away)
    words = "this machine" if best.run is Run.LOCAL else "another machine"
    other = elsewhere.candidate.pair.instance
    there = f"{other.name} ({'in your network' if other.locality is Locality.LAN else 'remote'})"
    return f"best on {words}: {_in_short(on_this)} here; {_in_short(elsewhere)} on {there}"


def _first(assessed: Sequence[Assessed]) -> Assessed:
    return next((each for each in assessed if each.fits), assessed[0])


def _in_short(assessed: Assessed) -> str:
    candidate = assessed.weighed.timed
    right = round(100 * candidate.terms["quality"])
    return f"{candidate.model} takes {spoken.duration(candidate.estimate.p50_s)}, {right} % right"


def command(
    wanted: Wanted,
    world: World,
    weighing: Weighing,
    together: Batch | None,
    *,
    prompt: str,
    files: Sequence[str],
    performance: Performance,
    pinned: bool,
) -> str | None:
    """The command line that does it; with `pinned`, a plain route would choose otherwise."""
    best = weighing.best
    if best is None:
        return None
    if wanted.task.needs & {Capability.EMBEDDING, Capability.IMAGE, Capability.AUDIO}:
        return None
    words = ["ollamamaster", "route"]
    if together is not None:
        source = " ".join(map(shlex.quote, files)) or "FILE..."
        words = ["printf '%s\\0'", source, f"| xargs -0 -P{together.lanes} -I{{}}", *words]
        words += ["-f", "{}"]
    else:
        words += [word for file in files for word in ("-f", shlex.quote(file))]
        if wanted.requirements.images and not files:
            words += ["-f", "IMAGE"]
        elif wanted.requirements.input_tokens and not files:
            words += ["-f", "FILE"]
    shown = prompt if 0 < len(prompt) <= _QUOTED and "\n" not in prompt else "PROMPT"
    words.append(shlex.quote(shown))
    words += _flags(wanted, world, best, performance, together=together is not None, pinned=pinned)
    return " ".join(words)


def _flags(
    wanted: Wanted,
    world: World,
    best: Assessed,
    performance: Performance,
    *,
    together: bool,
    pinned: bool,
) -> Iterator[str]:
    asked = wanted.requirements
    candidate = best.candidate
    if performance is not world.performance:
        yield f"--performance {performance}"
    if asked.max_time_s is not None and not together:
        yield f"--max-time {asked.max_time_s:g}"
    if asked.privacy in {Privacy.LAN, Privacy.LOCAL}:
        yield "--local-only"
    if Capability.THINKING in wanted.task.needs:
        yield "--think"
    if pinned and not together:
        yield f"-m {shlex.quote(candidate.model)}"
    elsewhere = any(i.locality is not Locality.LOCAL for i in world.fleet)
    if (pinned and not together) or (asked.privacy is Privacy.LOCAL and elsewhere):
        yield f"--instance {shlex.quote(called(candidate.pair.instance, world))}"
    if asked.conversation:
        yield "--keep-alive 1h"


def called(instance: Instance, world: World) -> str:
    """What to write behind `--instance`: its label, where no other has the same."""
    label = instance.settings.label
    same = [i for i in world.fleet if i.settings.label == label]
    return label if label and len(same) == 1 else instance.id


def confidence(weighing: Weighing) -> float:
    """Probability that the answer is right: that all holds, for yes; that not all does, for no."""
    best = weighing.best
    if best is None:
        return 0.99
    chance = joint(best.findings)
    return chance if best.fits else 1 - chance
