"""What does a long text cost the model that reads it? Prints the two constants of ability.py.

    python tests/benchmarks/long_texts.py

The scores are those of RULER (Hsieh et al., arXiv 2404.06654; the table of github.com/NVIDIA/RULER
of October 2025, models that claim 32k or more and are open): the mean of thirteen tasks at 4k to
128k tokens. What a doubling of the text costs is the fall of the logit; it is fitted by a constant
and by the share of the claimed length that is reached. Lengths beyond the claimed one are left out.
"""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean

from build_abilities import STRETCH

LENGTHS_K = (4, 8, 16, 32, 64, 128)
# Claimed length in thousands of tokens, then the scores in percent.
RULER = """\
Qwen2.5-14B-1M       1024  97.5 97.1 94.6 94.9 94.9 92.2
Qwen3-14B             128  98.0 97.8 96.4 96.1 94.0 85.1
Qwen3-32B             128  98.4 96.0 96.2 94.4 91.8 85.6
EXAONE-4.0-32B        128  96.3 94.9 93.9 93.6 91.7 88.2
Qwen2.5-7B-1M        1024  96.8 95.3 93.0 91.1 90.4 84.4
Qwen3-30B-A3B         128  96.5 97.0 95.3 92.4 89.1 79.2
Llama3.1-70B          128  96.5 95.8 95.4 94.8 88.4 66.6
Qwen3-8B              128  96.3 96.0 91.8 91.2 82.1 77.4
Mistral-Large-2411    128  96.4 96.3 95.3 94.0 85.9 48.1
Command-R-plus-0824   128  96.0 95.1 94.0 92.4 85.4 64.6
Qwen2-72B             128  96.9 96.1 94.9 94.1 79.8 53.7
Command-R-plus        128  95.6 95.2 94.2 92.0 84.3 63.1
Command-R-0824        128  94.7 93.7 93.1 90.8 86.6 74.7
GLM4-9B              1024  94.7 92.8 92.1 89.9 86.7 83.1
Llama3.1-8B           128  95.5 93.8 91.6 87.4 84.7 77.0
ProLong-8B            512  94.5 92.5 92.3 89.3 83.2 81.6
Command-R             128  93.8 93.3 92.4 89.5 84.9 76.0
MegaBeam-Mistral-7B   512  93.8 92.5 92.0 89.2 83.7 83.7
Mixtral-8x22B          64  95.6 94.9 93.4 90.9 84.7
Yi-34B                200  93.3 92.2 91.3 87.5 83.2 77.3
Qwen3-4B              128  95.1 93.6 91.0 87.8 77.8 66.0
EXAONE-4.0-1.2B        64  87.0 86.7 88.8 81.1 77.4
Phi3-mini             128  92.2 91.5 90.7 87.5 80.6 66.7
Phi3-medium           128  93.3 93.2 91.1 86.8 78.6 46.1
Mixtral-8x7B           32  94.9 92.1 92.5 85.9
FILM-7B                32  92.8 88.2 88.1 86.9
InternLM2.5-7B       1024  88.1 85.5 84.5 82.7 75.5 68.9
Mistral-7B             32  93.6 91.2 87.2 75.4
Mistral-Nemo          128  87.8 87.2 87.7 69.0 46.8 19.0
GLM3-6B               128  87.8 83.4 78.6 69.9 56.0 42.0
DBRX                   32  95.1 93.8 83.6 63.1
Qwen1.5-72B            32  94.9 93.8 78.0 67.8
"""


def main() -> None:
    """Fit and print."""
    falls = [fall for row in RULER.splitlines() for fall in _falls(row)]
    level, slope = _line(falls)
    print(f"{len(RULER.splitlines())} models, {len(falls)} doublings of the text")
    for low, high in pairwise((0.0, 0.1, 0.2, 0.4, 0.8, 1.1)):
        found = [fall for share, fall in falls if low < share <= high]
        print(f"up to {high:4.0%} of the claimed length: {fmean(found):.2f} ({len(found)})")
    print(f"a doubling costs {level:.2f} + {slope:.2f} x share of the limit, in logits")
    # Doublings up to a share of s have the shares s, s/2, s/4 ...: together, as an integral over
    # the logarithm, s / ln 2.
    print(f"on the scale of abilities: {level * STRETCH:.2f} a doubling", end=" ")
    print(f"and {slope / math.log(2) * STRETCH:.2f} for the whole limit")


def _falls(row: str) -> list[tuple[float, float]]:
    _, claimed, *scores = row.split()
    logits = [math.log(float(s) / (100 - float(s))) for s in scores]
    return [
        (length / float(claimed), before - after)
        for length, (before, after) in zip(LENGTHS_K[1:], pairwise(logits), strict=False)
    ]


def _line(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Level and slope by least squares."""
    x, y = fmean(p[0] for p in points), fmean(p[1] for p in points)
    slope = sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)
    return y - slope * x, slope


if __name__ == "__main__":
    main()
