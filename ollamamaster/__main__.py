"""The console script: `ollamamaster`, or `python -m ollamamaster`."""

from __future__ import annotations


def main() -> int:
    """Run the command line; the return value is the exit code."""
    try:
        from ollamamaster.cli.app import run

        return run()
    except KeyboardInterrupt:
        # Ctrl-C while the program is still being read, or already ends.
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
