"""The console script: `ollamamaster`, or `python -m ollamamaster`."""

from __future__ import annotations


def main() -> int:
    """Run the command line; the return value is the exit code."""
    from ollamamaster.cli.app import run

    return run()


if __name__ == "__main__":
    raise SystemExit(main())
