"""`ollamamaster compare`."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option


def compare(
    prompt: Annotated[
        str | None, Argument(metavar="[PROMPT]", help="The prompt; - reads standard input.")
    ] = None,
    models: Annotated[
        str | None,
        Option("-m", "--models", metavar="A,B,C", help="These models, separated by commas."),
    ] = None,
    per_tier: Annotated[
        bool, Option("--per-tier", help="The best model of each tier, however few that are.")
    ] = False,
    instances: Annotated[
        bool, Option("--instances", help="One model on every instance that has it: a race.")
    ] = False,
    judge: Annotated[
        str | None,
        Option(metavar="MODEL", help="This model scores the answers, without knowing whose."),
    ] = None,
    criteria: Annotated[
        str | None, Option(metavar="TEXT", help="What the judge judges by.")
    ] = None,
    vote: Annotated[
        bool, Option("--vote", help="Print the answer that most of them give.")
    ] = False,
    strict: Annotated[
        bool, Option("--strict", help="Exit code 8 when any of them, or the judge, failed.")
    ] = False,
    file: Annotated[
        list[str] | None,
        Option("-f", "--file", metavar="PATH", help="A text or an image; repeatable, also a glob."),
    ] = None,
    system: Annotated[str | None, Option(metavar="TEXT", help="The system prompt.")] = None,
    max_time: Annotated[
        float | None, Option(metavar="SECONDS", help="Deadline for the whole comparison.")
    ] = None,
) -> int:
    """Let several models answer one prompt side by side.

    Without --models, the best model of each tier that can do it, and at least two. They run at
    once, each on the machine where it is done soonest; those that share one take turns.

    Told are every answer, what it took, and which answers agree. The judge reads the answers in
    both orders; a verdict that the order turns is told as such. What it decides moves later
    choices a little (route --explain shows by how much).

    One that fails does not stop the others: the exit code is 0 as long as one answers.

    In a pipe: a block for each, headed by ##, model, instance, outcome, seconds and tokens a
    second (and the judge's score), between tabs. With --vote only the answer of most.

    ollamamaster compare "Why is the sky blue?"
    ollamamaster compare "What is 17 * 23?" -m llama3.2:3b,phi4-mini,qwen3:8b --vote
    ollamamaster compare "A slogan for a bakery" --judge gpt-oss:20b --criteria "short and funny"
    ollamamaster compare "Hello" --instances -m llama3.1:8b
    ollamamaster compare -f report.md "The three risks?" --json | jq .data.agreement
    """
    from ollamamaster.cli.compare_run import CompareFlags, run_compare

    return run_compare(
        CompareFlags(
            prompt=prompt,
            models=models,
            per_tier=per_tier,
            instances=instances,
            judge=judge,
            criteria=criteria,
            vote=vote,
            strict=strict,
            files=tuple(file or ()),
            system=system,
            max_time=max_time,
        )
    )
