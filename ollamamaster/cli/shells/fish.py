"""The completion script of fish, 3.0 or newer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollamamaster.cli.shells.tree import Node, Values

# fish escapes what it inserts, and the lines of a command substitution are only text.
_TEMPLATE = r"""# Completion of ollamamaster for fish. Generated; do not edit.

# Whether the words before the cursor are this command (and the next argument has this number).
function __ollamamaster_at -a wanted number
    set -l words (commandline -opc)
    set -e words[1]
    set -l path ''
    set -l next 1
    set -l value no
    set -l dashes no
    for word in $words
        if test $value = yes
            set value no
        else if test $dashes = yes
            set next (math $next + 1)
        else if test "$word" = --
            set dashes yes
        else if string match -q -- '-?*' $word
            contains -- "$path $word" @TAKES@
            and set value yes
        else if test $next = 1; and contains -- (string trim -- "$path $word") @PATHS@
            set path (string trim -- "$path $word")
        else
            set next (math $next + 1)
        end
    end
    if test $dashes = yes; and contains -- "$path" @DASHES@
        set path "$path --"
    end
    test "$path" = "$wanted"
    and begin
        test -z "$number"; or test "$next" = "$number"
    end
end

# Instances or models of the inventory, as the program itself knows them.
function __ollamamaster_known -a source
    set -l words (commandline -opc)
    set -l program ollamamaster
    if string match -q -- '*/*' $words[1]; and test -x $words[1]
        set program $words[1]
    end
    command $program completion --values $source </dev/null 2>/dev/null
end

# The command line behind `--` is another program's.
function __ollamamaster_other
    set -l words (commandline -opc)
    while set -q words[1]; and test "$words[1]" != --
        set -e words[1]
    end
    set -e words[1]
    set -l line
    set -q words[1]; and set line (string escape -- $words)
    complete -C (string join ' ' -- $line (commandline -ct))
end

complete -c ollamamaster -f
@COMPLETIONS@
"""


def fish_script(tree: Node) -> str:
    """The script: one line an option, an argument, a command."""
    nodes = list(tree.nodes())
    takes = [
        f"{node.name} {text}"
        for node in nodes
        for option in node.options
        if option.metavar
        for text in option.spellings
    ]
    paths = [node.name for node in nodes if node.path]
    dashes = [node.name for node in nodes if node.takes_command_line]
    return (
        _TEMPLATE.replace("@TAKES@", _list(takes))
        .replace("@PATHS@", _list(paths))
        .replace("@DASHES@", _list(dashes))
        .replace("@COMPLETIONS@", "\n".join(line for node in nodes for line in _lines(node)))
    )


def _list(words: list[str]) -> str:
    margin = " \\\n                "
    return margin + margin.join(map(_quoted, words))


def _lines(node: Node) -> Iterator[str]:
    yield ""
    here = f"__ollamamaster_at {_quoted(node.name)}"
    for child in node.children:
        yield _line(f"{here} 1", f"-a {child.path[-1]}", child.summary)
    for number, argument in enumerate(node.arguments, 1):
        where = here if argument.repeats else f"{here} {number}"
        if argument.is_command_line:
            behind = f"__ollamamaster_at {_quoted(node.name + ' --')}"
            yield _line(behind, "-a '(__ollamamaster_other)'", "")
        elif _offered(argument.values):
            files = "-F " if argument.values.files and argument.values.source else ""
            yield _line(where, files + _offered(argument.values), "")
    for option in node.options:
        names = " ".join(
            f"-l {text[2:]}" if text.startswith("--") else f"-s {text[1:]}"
            for text in option.spellings
        )
        if option.metavar:
            kind = "-r -F" if option.values.files else "-x"
            names = " ".join(filter(None, [names, kind, _offered(option.values)]))
        yield _line(here, names, option.help)


def _line(condition: str, what: str, help_text: str) -> str:
    described = f" -d {_quoted(help_text.removesuffix('.'))}" if help_text else ""
    return f"complete -c ollamamaster -n {_quoted(condition)} {what}{described}"


def _offered(values: Values) -> str:
    if values.source:
        return f"-a '(__ollamamaster_known {values.source})'"
    return f"-a {_quoted(' '.join(values.words))}" if values.words else ""


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
