"""The console script: `ollamamaster`, or `python -m ollamamaster`."""

from __future__ import annotations

# Python's 700 is from a time of little memory. A route makes some 90,000 objects that stay; so many
# take 20 to 40 MB, which what goes on for long may use before it looks for garbage.
OBJECTS_BETWEEN_COLLECTIONS = 200_000


def main() -> None:
    """Run the command line and end the process with its exit code."""
    import gc
    import os

    # Loading modules makes objects that stay; looking through them for garbage again and again
    # would take a tenth of a start.
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
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
