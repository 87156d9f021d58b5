"""The README says what the code does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ollamamaster.cli.app import COMMANDS
from ollamamaster.cli.readme_parts import PARTS, filled
from ollamamaster.domain.settings import Settings
from ollamamaster.storage.reading import read_config

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_generated_parts_are_what_the_code_generates() -> None:
    assert filled(README) == README, "run: python -m ollamamaster.cli.readme_parts README.md"


@pytest.mark.parametrize("name", PARTS)
def test_the_readme_has_a_place_for_each_part(name: str) -> None:
    assert README.count(f"<!-- {name} -->") == 1


def test_the_first_screen_has_exactly_two_set_up_commands() -> None:
    first_screen = README.partition("To keep it:")[0]
    blocks = re.findall(r"```sh\n(.*?)```", first_screen, re.DOTALL)
    assert [len(block.splitlines()) for block in blocks] == [1, 1]
    assert "sandbox run -- ollamamaster route" in blocks[0]
    assert "pytest" in blocks[1]


def test_every_command_in_the_readme_exists() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    words = [
        shlex.split(line.rpartition("| ")[2].replace("(", " ").replace(")", " "), comments=True)
        for block in blocks
        for line in block.splitlines()
        if line.startswith("ollamamaster ")
    ]
    assert words
    assert {line[1] for line in words if len(line) > 1 and line[0] == "ollamamaster"} <= set(
        COMMANDS
    )


def test_the_configuration_in_the_readme_is_valid() -> None:
    example = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert example
    reading = read_config("\n".join(example), {})
    assert reading.problems == ()
    assert reading.settings != Settings()
