"""The completion script of zsh: to be autoloaded from site-functions, or to be sourced."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollamamaster.cli.shells.tree import Argument, Node, Option, Values

# `#compdef` must be the first line for compinit. compadd quotes what it inserts, and nothing
# that comes from the inventory is ever evaluated.
_TEMPLATE = r"""#compdef ollamamaster

# Completion of ollamamaster for zsh. Generated; do not edit.

# Instances or models of the inventory, as the program itself knows them.
_ollamamaster_known() {
  local program=ollamamaster
  local -a known
  [[ $_ollamamaster_program == */* && -x $_ollamamaster_program ]] &&
    program=$_ollamamaster_program
  known=(${(f)"$(command $program completion --values $argv[-1] </dev/null 2>/dev/null)"})
  compadd "${(@)argv[1,-2]}" -a known
}

_ollamamaster_words_or_files() {
  _alternative "words:value:($*)" 'files:file:_files'
}

# The command line behind `--`, which _arguments sometimes leaves there, is another program's.
_ollamamaster_other() {
  if [[ $words[1] == -- ]] && ((CURRENT > 1)); then
    shift words
    ((CURRENT--))
  fi
  _normal
}
@FUNCTIONS@

# The guard: autoloaded, this file is the function's body and is called now; sourced, it is not.
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _ollamamaster "$@"
else
  compdef _ollamamaster ollamamaster
fi
"""


def zsh_script(tree: Node) -> str:
    """The script: one function a command, each by _arguments."""
    functions = "\n".join(line for node in tree.nodes() for line in _function(node))
    return _TEMPLATE.replace("@FUNCTIONS@", functions)


def _function(node: Node) -> Iterator[str]:
    specs = [_option(option) for option in node.options]
    yield ""
    yield f"{_name(node)}() {{"
    if not node.children:
        specs += [_argument(argument, number) for number, argument in enumerate(node.arguments, 1)]
        yield from _arguments("-s -S", specs)
        yield "}"
        return
    if not node.path:
        yield "  local _ollamamaster_program=$words[1]"
    yield "  local context state state_descr line curcontext=$curcontext ret=1"
    yield "  typeset -A opt_args"
    # `commands` is a table of zsh's own, which what completes `sandbox run --` needs
    yield "  local -a below"
    specs += ["'1: :->command'", "'*:: :->argument'"]
    yield from _arguments("-C -S", specs, " && ret=0")
    yield "  case $state in"
    yield "    command)"
    yield "      below=("
    for child in node.children:
        yield f"        {_quoted(child.path[-1] + ':' + _plain(child.summary))}"
    yield "      )"
    yield "      _describe -t commands command below && ret=0"
    yield "      ;;"
    yield "    argument)"
    yield "      curcontext=${curcontext%:*}-$line[1]:"
    yield "      case $line[1] in"
    for child in node.children:
        yield f"        {child.path[-1]}) {_name(child)} && ret=0 ;;"
    yield "      esac"
    yield "      ;;"
    yield "  esac"
    yield "  return ret"
    yield "}"


def _arguments(flags: str, specs: list[str], end: str = "") -> Iterator[str]:
    yield f"  _arguments {flags} \\"
    for spec in specs[:-1]:
        yield f"    {spec} \\"
    yield f"    {specs[-1]}{end}"


def _option(option: Option) -> str:
    texts = option.spellings
    value = f":{_escaped(option.metavar)}:{_action(option.values)}" if option.metavar else ""
    help_text = f"[{_escaped(_plain(option.help))}]"
    spelled = [text + _value_mark(text) if option.metavar else text for text in texts]
    if option.repeats:
        names = spelled[0] if len(spelled) == 1 else f"{{{','.join(spelled)}}}"
        return f"'*'{names}{_quoted(help_text + value)}"
    if len(texts) == 1:
        return _quoted(spelled[0] + help_text + value)
    return f"'({' '.join(texts)})'{{{','.join(spelled)}}}{_quoted(help_text + value)}"


def _value_mark(text: str) -> str:
    """`--model=x` or `--model x`; `-mx` or `-m x`."""
    return "=" if text.startswith("--") else "+"


def _argument(argument: Argument, number: int) -> str:
    metavar = argument.metavar.split()[0].strip("[].")
    if argument.is_command_line:
        return _quoted(f"*::{metavar}: _ollamamaster_other")
    place = "*" if argument.repeats else str(number)
    return _quoted(f"{place}:{metavar}:{_action(argument.values)}")


def _action(values: Values) -> str:
    words = " ".join(values.words)
    if values.words and values.files:
        # with a space in front nothing is added to its arguments
        return f" _ollamamaster_words_or_files {words}"
    if values.words:
        return f"({words})"
    if values.source and values.files:
        return f"{{_ollamamaster_known {values.source}; _files}}"
    if values.source:
        return f"_ollamamaster_known {values.source}"
    return "_files" if values.files else " "


def _name(node: Node) -> str:
    return "_".join(("_ollamamaster", *node.path)).replace("-", "_")


def _plain(text: str) -> str:
    return text.removesuffix(".")


def _escaped(text: str) -> str:
    """Text inside a spec of _arguments, where a colon and brackets mean something."""
    for character in "\\:[]":
        text = text.replace(character, "\\" + character)
    return text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
