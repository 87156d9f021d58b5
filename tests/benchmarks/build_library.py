"""Writes `ollamamaster/data/library.toml`: what can be pulled, how large it is, what it can do.

    python tests/benchmarks/build_library.py MODELS.csv > ollamamaster/data/library.toml

MODELS.csv has the columns name, parameters_b, active_parameters_b, default_quantization, size_gb,
context_length and capabilities (separated by `|`). The public originals are the pages of
https://ollama.com/library and their copy in auditomatic/ollama-models-registry on GitHub.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

_HEADER = """\
# What can be pulled from Ollama's library, and what does it take?
#
# Written by tests/benchmarks/build_library.py; change that, not this. Figures are those of the
# default quantization of each tag, from https://ollama.com/library. How able the models are
# stands in models.toml.
#
# Gigabytes on disk, billions of parameters, active ones (0: all), longest context, quantization,
# capabilities.

[models]
columns = "gb billions active context quantization capabilities"
"""


def main(path: str) -> None:
    """Print the file."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    print(_HEADER, end="")
    for row in sorted(rows, key=lambda row: row["name"]):
        cells = (
            row["size_gb"],
            row["parameters_b"],
            row["active_parameters_b"] or "0",
            row["context_length"],
            row["default_quantization"],
            row["capabilities"].replace("|", ","),
        )
        if all(cells):
            print(f'"{row["name"]}" = "{" ".join(cells)}"')


if __name__ == "__main__":
    main(sys.argv[1])
