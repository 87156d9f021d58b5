"""The console script: `ollamamaster`, or `python -m ollamamaster`."""

from __future__ import annotations


def main() -> None:
    """Run the command line and end the process with its exit code."""
    import os

    try:
        from ollamamaster.cli.app import run

        code = run()
    except KeyboardInterrupt:
        # Ctrl-C while the program is still being read, or just ends.
        code = 130
    # Everything is written and closed. What the interpreter would still do takes longer than
    # some commands, and it would wait for threads that ask name servers which never answer.
    os._exit(code)


if __name__ == "__main__":
    main()
