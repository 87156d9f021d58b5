"""The completion script of bash, 3.2 (macOS) or newer, with or without bash-completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollamamaster.cli.shells.tree import Node, Values

# Names are never evaluated: they are read as lines, compared as text, and quoted by printf %q.
# compgen -W would expand $(...) in a name.
_TEMPLATE = r"""# Completion of ollamamaster for bash. Generated; do not edit.

# The words up to the cursor. bash also cuts at : and =, which model names and --option=value
# contain; pieces without white space between them are put together again.
_ollamamaster_line() {
    local rest=$COMP_LINE trimmed piece i last=0 left=$COMP_POINT
    line=("${COMP_WORDS[0]}")
    rest=${rest#*"${COMP_WORDS[0]}"}
    for ((i = 1; i <= COMP_CWORD; i++)); do
        trimmed=${rest#"${rest%%[![:space:]]*}"}
        piece=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then
            left=$((COMP_POINT - ${#COMP_LINE} + ${#trimmed}))
            piece=${piece:0:left > 0 ? left : 0}
        fi
        if [[ $rest == "$trimmed" && -n $rest$piece && $i -gt 1 ]]; then
            line[last]+=$piece
        else
            line[++last]=$piece
        fi
        rest=${trimmed#"${COMP_WORDS[i]}"}
    done
}

# Offer each argument that continues $value, quoted as the line needs it. $prefix stands before
# the value in its word; $kept is what readline leaves of the word.
_ollamamaster_offer() {
    local each shown
    for each; do
        case $value in
        \'*)
            [[ $each == "${value:1}"* && $each != *\'* ]] && COMPREPLY+=("$each")
            ;;
        \"*)
            # history expansion cannot be quoted in there
            [[ $each == *'!'* ]] && continue
            shown=${each//\\/\\\\}
            shown=${shown//\"/\\\"}
            shown=${shown//\$/\\\$}
            shown=${shown//\`/\\\`}
            [[ $shown == "${value:1}"* ]] && COMPREPLY+=("$shown")
            ;;
        *)
            printf -v shown %q "$each"
            shown=$prefix$shown
            [[ $shown == "$prefix$value"* ]] && COMPREPLY+=("${shown#"$kept"}")
            ;;
        esac
    done
}

# Instances or models of the inventory, as the program itself knows them.
_ollamamaster_known() {
    local program=ollamamaster name
    [[ ${COMP_WORDS[0]} == */* && -x ${COMP_WORDS[0]} ]] && program=${COMP_WORDS[0]}
    while IFS= read -r name; do
        _ollamamaster_offer "$name"
    done < <(command "$program" completion --values "$1" </dev/null 2>/dev/null)
}

# What may stand at a place: an option of a command, or its argument of that number.
_ollamamaster_value() {
    local words='' source='' files=''
    case $1 in
@VALUES@
    esac
    # shellcheck disable=SC2086 # words of our own
    [[ -n $words ]] && _ollamamaster_offer $words
    [[ -n $source ]] && _ollamamaster_known "$source"
    [[ -n $files ]] && _ollamamaster_files
}

# Files, by readline itself where nothing else is offered: it knows ~ and quotes.
_ollamamaster_files() {
    type compopt &>/dev/null || return 0
    if ((${#COMPREPLY[@]} == 0)); then
        compopt -o default 2>/dev/null
        return 0
    fi
    local file
    compopt -o filenames 2>/dev/null
    while IFS= read -r file; do
        COMPREPLY+=("$file")
    done < <(compgen -f -- "$value")
    return 0
}

# The command line behind `--` is another program's.
_ollamamaster_other() {
    local i command
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -- ]] && break
    done
    if declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
    elif ((i + 1 == COMP_CWORD)); then
        while IFS= read -r command; do
            COMPREPLY+=("$command")
        done < <(compgen -c -- "$2")
    else
        type compopt &>/dev/null && compopt -o default 2>/dev/null
    fi
    return 0
}

# What belongs to a command: the commands below it, its options, those of them with a value.
_ollamamaster_command() {
    commands='' options='' takes=''
    case $1 in
@COMMANDS@
    esac
}

_ollamamaster() {
    local path='' option='' dashes='' number=1 i word prefix='' value kept
    local commands options takes IFS=$' \t\n'
    local -a line
    COMPREPLY=()
    _ollamamaster_line
    _ollamamaster_command ''
    for ((i = 1; i < ${#line[@]} - 1; i++)); do
        word=${line[i]}
        if [[ -n $option ]]; then
            option=''
        elif [[ -n $dashes ]]; then
            ((number++))
        elif [[ $word == -- ]]; then
            case $path in
@DASHES@
            esac
            dashes=yes
        elif [[ $word == -?* ]]; then
            [[ " $takes " == *" $word "* ]] && option=$word
        elif [[ $number == 1 && " $commands " == *" $word "* ]]; then
            path=${path:+$path }$word
            _ollamamaster_command "$path"
        else
            ((number++))
        fi
    done
    word=${line[${#line[@]} - 1]}
    value=$word
    kept=${word%"$2"}
    if [[ -n $option ]]; then
        _ollamamaster_value "$path $option"
    elif [[ -z $dashes && $word == --*=* ]]; then
        prefix=${word%%=*}=
        value=${word#*=}
        [[ " $takes " == *" ${word%%=*} "* ]] && _ollamamaster_value "$path ${word%%=*}"
    elif [[ -z $dashes && $word == -* ]]; then
        # shellcheck disable=SC2086 # words of our own
        _ollamamaster_offer $options
    elif [[ -n $commands ]]; then
        # shellcheck disable=SC2086 # words of our own
        ((number == 1)) && _ollamamaster_offer $commands
    else
        _ollamamaster_value "$path $number"
    fi
    return 0
}

if type compopt &>/dev/null; then
    complete -F _ollamamaster ollamamaster
else
    # bash 3.2 cannot ask for files later
    complete -o default -F _ollamamaster ollamamaster
fi
"""


def bash_script(tree: Node) -> str:
    """The script. Names of commands and options, and fixed words, are plain words of ours."""
    return (
        _TEMPLATE.replace("@VALUES@", "\n".join(_values(tree)))
        .replace("@COMMANDS@", "\n".join(_commands(tree)))
        .replace("@DASHES@", "\n".join(_dashes(tree)))
    )


def _commands(tree: Node) -> Iterator[str]:
    for node in tree.nodes():
        options = [text for option in node.options for text in option.spellings]
        takes = [text for o in node.options if o.metavar for text in o.spellings]
        if node.takes_command_line:
            options.append("--")
        yield f"    '{node.name}')"
        if node.children:
            yield f"        commands='{' '.join(child.path[-1] for child in node.children)}'"
        yield f"        options='{' '.join(options)}'"
        if takes:
            yield f"        takes='{' '.join(takes)}'"
        yield "        ;;"


def _values(tree: Node) -> Iterator[str]:
    places: dict[Values, list[str]] = {}
    for node in tree.nodes():
        for option in node.options:
            for spelling in option.spellings if option.metavar else ():
                places.setdefault(option.values, []).append(f"'{node.name} {spelling}'")
        for number, argument in enumerate(node.arguments, 1):
            place = f"'{node.name} '[0-9]*" if argument.repeats else f"'{node.name} {number}'"
            places.setdefault(argument.values, []).append(place)
    for values, where in places.items():
        parts = [f"words='{' '.join(values.words)}'"] if values.words else []
        parts += [f"source={values.source}"] if values.source else []
        parts += ["files=yes"] if values.files else []
        if parts:
            yield "    " + " | \\\n        ".join(where) + ")"
            yield f"        {' '.join(parts)}"
            yield "        ;;"


def _dashes(tree: Node) -> Iterator[str]:
    for node in tree.nodes():
        if node.takes_command_line:
            yield f"            '{node.name}')"
            yield '                _ollamamaster_other "$@"'
            yield "                return 0"
            yield "                ;;"
