# Completion of ollamamaster for bash. Generated; do not edit.

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
    'discover '[0-9]* | \
        'models --instance' | \
        'route --instance' | \
        'chat --instance' | \
        'pull --instance' | \
        'history list --instance')
        source=instances
        ;;
    'models --tier' | \
        'route --performance' | \
        'chat --performance')
        words='fast balanced powerful'
        ;;
    'models --capability')
        words='completion tools insert vision embedding thinking image audio'
        ;;
    'models 1' | \
        'route -m' | \
        'route --model' | \
        'chat -m' | \
        'chat --model' | \
        'compare -m' | \
        'compare --models' | \
        'compare --judge' | \
        'pull 1' | \
        'history list -m' | \
        'history list --model')
        source=models
        ;;
    'route -f' | \
        'route --file' | \
        'chat -f' | \
        'chat --file' | \
        'session export -o' | \
        'session export --output' | \
        'assess -f' | \
        'assess --file' | \
        'compare -f' | \
        'compare --file' | \
        'history replay --policy' | \
        'history export -o' | \
        'history export --output')
        files=yes
        ;;
    'route --long' | \
        'chat --long')
        words='ask split fail'
        ;;
    'route --format' | \
        'chat --format')
        words='json' files=yes
        ;;
    'route --priority' | \
        'chat --priority')
        words='low normal high'
        ;;
    'route --session' | \
        'chat --session' | \
        'session show 1' | \
        'session delete 1' | \
        'session export 1' | \
        'session rename 1')
        source=sessions
        ;;
    'session export --format')
        words='jsonl markdown'
        ;;
    'workflow run 1' | \
        'workflow check 1' | \
        'workflow show 1' | \
        'workflow allow 1')
        source=workflows files=yes
        ;;
    'workflow new --from')
        words='code-review consensus document-insights research-and-remember translate-and-check'
        ;;
    'serve-mcp --transport')
        words='stdio http'
        ;;
    'install-mcp --scope')
        words='user project'
        ;;
    'install-mcp 1')
        words='claude-code claude-desktop cursor vscode'
        ;;
    'history list --outcome')
        words='ok connect_error timeout busy model_missing bad_request http_error stream_broken bad_response cancelled'
        ;;
    'history export --format')
        words='csv jsonl'
        ;;
    'sandbox run --fleet' | \
        'sandbox up --fleet')
        words='home duo lab' files=yes
        ;;
    'completion 1')
        words='bash zsh fish powershell'
        ;;
    'help 1')
        words='exit-codes json environment files targets exposure discover models route chat session assess compare pull workflow serve-mcp install-mcp history config sandbox completion help'
        ;;
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
    '')
        commands='discover models route chat session assess compare pull workflow serve-mcp install-mcp history config sandbox completion help'
        options='--version -h --help'
        ;;
    'discover')
        options='--lan --ports --timeout --concurrency --watch --forget --no-save --yes --allow-public --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--ports --timeout --concurrency'
        ;;
    'models')
        options='--tier --capability --loaded --instance --refresh --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--tier --capability --instance'
        ;;
    'route')
        options='-f --file --recursive --long --system -m --model --performance --max-time --instance --local-only --format --option --think --no-think --keep-alive --pull --stream --no-stream --priority --no-hedge --session --no-summary --explain --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='-f --file --long --system -m --model --performance --max-time --instance --format --option --keep-alive --priority --session'
        ;;
    'chat')
        options='--session --no-store -f --file --recursive --long --system -m --model --performance --max-time --instance --local-only --format --option --think --no-think --keep-alive --pull --stream --no-stream --priority --no-hedge --no-summary --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--session -f --file --long --system -m --model --performance --max-time --instance --format --option --keep-alive --priority'
        ;;
    'session')
        commands='list show delete export rename'
        options='-h --help'
        ;;
    'session list')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'session show')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'session delete')
        options='--yes --json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'session export')
        options='--format -o --output --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--format -o --output'
        ;;
    'session rename')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'assess')
        options='--requirement -f --file --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--requirement -f --file'
        ;;
    'compare')
        options='-m --models --per-tier --instances --judge --criteria --vote --strict -f --file --system --max-time --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='-m --models --judge --criteria -f --file --system --max-time'
        ;;
    'pull')
        options='--instance --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--instance'
        ;;
    'workflow')
        commands='run check list show new allow runs'
        options='-h --help'
        ;;
    'workflow run')
        options='--input --input-file --dry-run --resume --changed-ok --yes --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--input --input-file --resume'
        ;;
    'workflow check')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'workflow list')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'workflow show')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'workflow new')
        options='--from --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--from'
        ;;
    'workflow allow')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'workflow runs')
        options='--limit --forget --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--limit --forget'
        ;;
    'serve-mcp')
        options='--transport --host --port --allowed-host --read-only --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--transport --host --port --allowed-host'
        ;;
    'install-mcp')
        options='--scope --print --remove --name --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--scope --name'
        ;;
    'history')
        commands='list show stats replay path clear export'
        options='-h --help'
        ;;
    'history list')
        options='--limit -m --model --instance --outcome --since --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--limit -m --model --instance --outcome --since'
        ;;
    'history show')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'history stats')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'history replay')
        options='--policy --limit --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--policy --limit'
        ;;
    'history path')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'history clear')
        options='--before --learnt --yes --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--before'
        ;;
    'history export')
        options='--format -o --output --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--format -o --output'
        ;;
    'config')
        commands='init path show check'
        options='-h --help'
        ;;
    'config init')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'config path')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'config show')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'config check')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'sandbox')
        commands='run up'
        options='-h --help'
        ;;
    'sandbox run')
        options='--fleet --speed --seed --json -q --quiet -v --verbose --debug --no-color -h --help --'
        takes='--fleet --speed --seed'
        ;;
    'sandbox up')
        options='--fleet --speed --seed --json -q --quiet -v --verbose --debug --no-color -h --help'
        takes='--fleet --speed --seed'
        ;;
    'completion')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
    'help')
        options='--json -q --quiet -v --verbose --debug --no-color -h --help'
        ;;
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
            'sandbox run')
                _ollamamaster_other "$@"
                return 0
                ;;
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
