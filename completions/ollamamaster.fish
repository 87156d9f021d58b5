# Completion of ollamamaster for fish. Generated; do not edit.

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
            contains -- "$path $word"  \
                'discover --ports' \
                'discover --timeout' \
                'discover --concurrency' \
                'models --tier' \
                'models --capability' \
                'models --instance' \
                'route -f' \
                'route --file' \
                'route --long' \
                'route --system' \
                'route -m' \
                'route --model' \
                'route --performance' \
                'route --max-time' \
                'route --instance' \
                'route --format' \
                'route --option' \
                'route --keep-alive' \
                'route --priority' \
                'route --session' \
                'chat --session' \
                'chat -f' \
                'chat --file' \
                'chat --long' \
                'chat --system' \
                'chat -m' \
                'chat --model' \
                'chat --performance' \
                'chat --max-time' \
                'chat --instance' \
                'chat --format' \
                'chat --option' \
                'chat --keep-alive' \
                'chat --priority' \
                'session export --format' \
                'session export -o' \
                'session export --output' \
                'assess --requirement' \
                'assess -f' \
                'assess --file' \
                'compare -m' \
                'compare --models' \
                'compare --judge' \
                'compare --criteria' \
                'compare -f' \
                'compare --file' \
                'compare --system' \
                'compare --max-time' \
                'pull --instance' \
                'workflow run --input' \
                'workflow run --input-file' \
                'workflow run --resume' \
                'workflow new --from' \
                'workflow runs --limit' \
                'workflow runs --forget' \
                'serve-mcp --transport' \
                'serve-mcp --host' \
                'serve-mcp --port' \
                'serve-mcp --allowed-host' \
                'install-mcp --scope' \
                'install-mcp --name' \
                'history list --limit' \
                'history list -m' \
                'history list --model' \
                'history list --instance' \
                'history list --outcome' \
                'history list --since' \
                'history replay --policy' \
                'history replay --limit' \
                'history clear --before' \
                'history export --format' \
                'history export -o' \
                'history export --output' \
                'sandbox run --fleet' \
                'sandbox run --speed' \
                'sandbox run --seed' \
                'sandbox up --fleet' \
                'sandbox up --speed' \
                'sandbox up --seed'
            and set value yes
        else if test $next = 1; and contains -- (string trim -- "$path $word")  \
                'discover' \
                'models' \
                'route' \
                'chat' \
                'session' \
                'session list' \
                'session show' \
                'session delete' \
                'session export' \
                'session rename' \
                'assess' \
                'compare' \
                'pull' \
                'workflow' \
                'workflow run' \
                'workflow check' \
                'workflow list' \
                'workflow show' \
                'workflow new' \
                'workflow allow' \
                'workflow runs' \
                'serve-mcp' \
                'install-mcp' \
                'history' \
                'history list' \
                'history show' \
                'history stats' \
                'history replay' \
                'history path' \
                'history clear' \
                'history export' \
                'config' \
                'config init' \
                'config path' \
                'config show' \
                'config check' \
                'sandbox' \
                'sandbox run' \
                'sandbox up' \
                'completion' \
                'help'
            set path (string trim -- "$path $word")
        else
            set next (math $next + 1)
        end
    end
    if test $dashes = yes; and contains -- "$path"  \
                'sandbox run'
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

complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a discover -d 'Find Ollama instances on this machine and on networks you name'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a models -d 'List the models of the fleet and where each one is'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a route -d 'Answer a prompt on the model and instance that will do it best'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a chat -d 'Talk with the fleet on a terminal'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a session -d 'Look at conversations that are kept, rename and delete them'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a assess -d 'Tell whether the fleet can do a task, and how long it takes'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a compare -d 'Let several models answer one prompt side by side'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a pull -d 'Download a model onto an instance'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a workflow -d 'Run steps that hand their results on: models, several at once, and tools'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a serve-mcp -d 'Serve the fleet to Claude and other MCP hosts'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a install-mcp -d 'Tell Claude or another MCP host to start the server'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a history -d 'Look at past requests: how fast, how well foreseen, and decided again'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a config -d 'Create, show and check config.toml'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a sandbox -d 'Try everything on a simulated fleet, without Ollama or a GPU'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a completion -d 'Print the completion script of a shell'
complete -c ollamamaster -n '__ollamamaster_at \'\' 1' -a help -d 'Explain exit codes, JSON, files, targets and the environment'
complete -c ollamamaster -n '__ollamamaster_at \'\'' -l version -d 'Print the version'
complete -c ollamamaster -n '__ollamamaster_at \'\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -a '(__ollamamaster_known instances)'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -l lan -d 'Also the private networks this machine is attached to'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -l ports -x -d 'Ports to look at, such as 11434-11499,8080'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -l timeout -x -d 'For one port; 0.5 on loopback and 1.0 elsewhere'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -l concurrency -x -d 'Ports tried at once; 4096'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -l watch -d 'Keep going and report changes'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -l forget -d 'Drop instances that are not seen'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -l no-save -d 'Do not write inventory.toml'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -l yes -d 'Scan more than 1,024 addresses'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -l allow-public -d 'Scan a public range of addresses'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'discover\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'models\' 1' -a '(__ollamamaster_known models)'
complete -c ollamamaster -n '__ollamamaster_at \'models\'' -l tier -x -a 'fast balanced powerful' -d 'Only models of this tier'
complete -c ollamamaster -n '__ollamamaster_at \'models\'' -l capability -x -a 'completion tools insert vision embedding thinking image audio' -d 'Only models that can do this, such as vision'
complete -c ollamamaster -n '__ollamamaster_at \'models\'' -l loaded -d 'Only models in memory now'
complete -c ollamamaster -n '__ollamamaster_at \'models\'' -l instance -x -a '(__ollamamaster_known instances)' -d 'Only this instance: its id, an alias or its label'
complete -c ollamamaster -n '__ollamamaster_at \'models\'' -l refresh -d 'Ask every instance first'
complete -c ollamamaster -n '__ollamamaster_at \'models\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'models\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'models\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'models\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'models\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'models\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'route\'' -s f -l file -r -F -d 'A text, PDF, HTML page or image; repeatable, also a glob'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l recursive -d 'A folder given by --file is read with all below it'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l long -x -a 'ask split fail' -d 'When texts fit no model: ask, read them in parts, or fail'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l system -x -d 'The system prompt'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -s m -l model -x -a '(__ollamamaster_known models)' -d 'Only this model; no tag is :latest'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l performance -x -a 'fast balanced powerful' -d 'What counts: time, both, or the best answer'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l max-time -x -d 'Deadline for the whole route'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l instance -x -a '(__ollamamaster_known instances)' -d 'Only this instance: its id, an alias or its label'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l local-only -d 'Nothing leaves this machine and your own network'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l format -r -F -a 'json' -d 'json, or the file of a JSON schema'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l option -x -d 'An option of Ollama\'s, such as seed=1'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l think -l no-think -d 'Whether the model thinks first'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l keep-alive -x -d 'How long the model stays in memory: 10m, 0, -1 for ever'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l pull -d 'Download the model if nobody has it; needs --model'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l stream -l no-stream -d 'As it comes (the rule on a terminal), or whole'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l priority -x -a 'low normal high' -d 'Who goes first of your requests that wait for room'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l no-hedge -d 'Never ask a second instance when the first is late'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l session -x -a '(__ollamamaster_known sessions)' -d 'Go on with this conversation, which is kept'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l no-summary -d 'Never summarise older turns; fail when they do not fit'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l explain -d 'Show the decision and send nothing'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'route\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l session -x -a '(__ollamamaster_known sessions)' -d 'Go on with this conversation, which is kept'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l no-store -d 'Keep nothing of it when the chat ends'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -s f -l file -r -F -d 'A text, PDF, HTML page or image; repeatable, also a glob'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l recursive -d 'A folder given by --file is read with all below it'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l long -x -a 'ask split fail' -d 'When texts fit no model: ask, read them in parts, or fail'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l system -x -d 'The system prompt'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -s m -l model -x -a '(__ollamamaster_known models)' -d 'Only this model; no tag is :latest'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l performance -x -a 'fast balanced powerful' -d 'What counts: time, both, or the best answer'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l max-time -x -d 'Deadline for the whole route'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l instance -x -a '(__ollamamaster_known instances)' -d 'Only this instance: its id, an alias or its label'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l local-only -d 'Nothing leaves this machine and your own network'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l format -r -F -a 'json' -d 'json, or the file of a JSON schema'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l option -x -d 'An option of Ollama\'s, such as seed=1'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l think -l no-think -d 'Whether the model thinks first'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l keep-alive -x -d 'How long the model stays in memory: 10m, 0, -1 for ever'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l pull -d 'Download the model if nobody has it; needs --model'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l stream -l no-stream -d 'As it comes (the rule on a terminal), or whole'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l priority -x -a 'low normal high' -d 'Who goes first of your requests that wait for room'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l no-hedge -d 'Never ask a second instance when the first is late'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l no-summary -d 'Never summarise older turns; fail when they do not fit'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'chat\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'session\' 1' -a list -d 'List the sessions, the latest first'
complete -c ollamamaster -n '__ollamamaster_at \'session\' 1' -a show -d 'Show all messages of a session, and the summaries that are sent for the older ones'
complete -c ollamamaster -n '__ollamamaster_at \'session\' 1' -a delete -d 'Delete a session, and really: its texts are overwritten in the file'
complete -c ollamamaster -n '__ollamamaster_at \'session\' 1' -a export -d 'Write a session out, the oldest message first'
complete -c ollamamaster -n '__ollamamaster_at \'session\' 1' -a rename -d 'Give a session another name'
complete -c ollamamaster -n '__ollamamaster_at \'session\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'session list\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'session list\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'session list\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'session list\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'session list\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'session list\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'session show\' 1' -a '(__ollamamaster_known sessions)'
complete -c ollamamaster -n '__ollamamaster_at \'session show\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'session show\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'session show\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'session show\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'session show\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'session show\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'session delete\' 1' -a '(__ollamamaster_known sessions)'
complete -c ollamamaster -n '__ollamamaster_at \'session delete\'' -l yes -d 'Do not ask'
complete -c ollamamaster -n '__ollamamaster_at \'session delete\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'session delete\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'session delete\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'session delete\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'session delete\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'session delete\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'session export\' 1' -a '(__ollamamaster_known sessions)'
complete -c ollamamaster -n '__ollamamaster_at \'session export\'' -l format -x -a 'jsonl markdown' -d 'One JSON object a message, or Markdown to read'
complete -c ollamamaster -n '__ollamamaster_at \'session export\'' -s o -l output -r -F -d 'Write there, not on stdout'
complete -c ollamamaster -n '__ollamamaster_at \'session export\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'session export\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'session export\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'session export\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'session export\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'session export\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'session rename\' 1' -a '(__ollamamaster_known sessions)'
complete -c ollamamaster -n '__ollamamaster_at \'session rename\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'session rename\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'session rename\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'session rename\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'session rename\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'session rename\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'assess\'' -l requirement -x -d 'What must hold, such as latency=100ms; repeatable'
complete -c ollamamaster -n '__ollamamaster_at \'assess\'' -s f -l file -r -F -d 'What it is about; repeatable, also a glob'
complete -c ollamamaster -n '__ollamamaster_at \'assess\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'assess\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'assess\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'assess\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'assess\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'assess\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -s m -l models -x -a '(__ollamamaster_known models)' -d 'These models, separated by commas'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -l per-tier -d 'The best model of each tier, however few that are'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -l instances -d 'One model on every instance that has it: a race'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -l judge -x -a '(__ollamamaster_known models)' -d 'This model scores the answers, without knowing whose'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -l criteria -x -d 'What the judge judges by'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -l vote -d 'Print the answer that most of them give'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -l strict -d 'Exit code 8 when any of them, or the judge, failed'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -s f -l file -r -F -d 'A text or an image; repeatable, also a glob'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -l system -x -d 'The system prompt'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -l max-time -x -d 'Deadline for the whole comparison'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'compare\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'pull\' 1' -a '(__ollamamaster_known models)'
complete -c ollamamaster -n '__ollamamaster_at \'pull\'' -l instance -x -a '(__ollamamaster_known instances)' -d 'Only this instance: its id, an alias or its label'
complete -c ollamamaster -n '__ollamamaster_at \'pull\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'pull\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'pull\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'pull\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'pull\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'pull\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'workflow\' 1' -a run -d 'Run a workflow, and print its output'
complete -c ollamamaster -n '__ollamamaster_at \'workflow\' 1' -a check -d 'Find every mistake before anything runs, and tell how long a run will take'
complete -c ollamamaster -n '__ollamamaster_at \'workflow\' 1' -a list -d 'List your workflows'
complete -c ollamamaster -n '__ollamamaster_at \'workflow\' 1' -a show -d 'Draw the graph of a workflow, with where its steps would run and how long they take'
complete -c ollamamaster -n '__ollamamaster_at \'workflow\' 1' -a new -d 'Write a new workflow: a commented starter, or a copy of a ready-made one'
complete -c ollamamaster -n '__ollamamaster_at \'workflow\' 1' -a allow -d 'Allow the MCP servers of a workflow, as they are now'
complete -c ollamamaster -n '__ollamamaster_at \'workflow\' 1' -a runs -d 'List past runs, the newest first'
complete -c ollamamaster -n '__ollamamaster_at \'workflow\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'workflow run\' 1' -F -a '(__ollamamaster_known workflows)'
complete -c ollamamaster -n '__ollamamaster_at \'workflow run\'' -l input -x -d 'An input of the workflow; repeatable'
complete -c ollamamaster -n '__ollamamaster_at \'workflow run\'' -l input-file -x -d 'An input whose value is a file\'s text'
complete -c ollamamaster -n '__ollamamaster_at \'workflow run\'' -l dry-run -d 'Check everything, start its servers, and stop there'
complete -c ollamamaster -n '__ollamamaster_at \'workflow run\'' -l resume -x -d 'Go on with a run; what is finished stays'
complete -c ollamamaster -n '__ollamamaster_at \'workflow run\'' -l changed-ok -d 'Go on although the file changed since'
complete -c ollamamaster -n '__ollamamaster_at \'workflow run\'' -l yes -d 'Allow its MCP servers, as workflow allow does; do not ask'
complete -c ollamamaster -n '__ollamamaster_at \'workflow run\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'workflow run\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'workflow run\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'workflow run\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'workflow run\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'workflow run\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'workflow check\' 1' -F -a '(__ollamamaster_known workflows)'
complete -c ollamamaster -n '__ollamamaster_at \'workflow check\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'workflow check\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'workflow check\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'workflow check\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'workflow check\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'workflow check\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'workflow list\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'workflow list\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'workflow list\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'workflow list\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'workflow list\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'workflow list\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'workflow show\' 1' -F -a '(__ollamamaster_known workflows)'
complete -c ollamamaster -n '__ollamamaster_at \'workflow show\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'workflow show\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'workflow show\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'workflow show\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'workflow show\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'workflow show\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'workflow new\'' -l from -x -a 'code-review consensus document-insights research-and-remember translate-and-check' -d 'Begin with one of the ready-made workflows'
complete -c ollamamaster -n '__ollamamaster_at \'workflow new\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'workflow new\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'workflow new\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'workflow new\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'workflow new\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'workflow new\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'workflow allow\' 1' -F -a '(__ollamamaster_known workflows)'
complete -c ollamamaster -n '__ollamamaster_at \'workflow allow\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'workflow allow\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'workflow allow\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'workflow allow\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'workflow allow\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'workflow allow\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'workflow runs\'' -l limit -x -d 'The latest so many'
complete -c ollamamaster -n '__ollamamaster_at \'workflow runs\'' -l forget -x -d 'Delete this run and its texts first'
complete -c ollamamaster -n '__ollamamaster_at \'workflow runs\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'workflow runs\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'workflow runs\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'workflow runs\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'workflow runs\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'workflow runs\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'serve-mcp\'' -l transport -x -a 'stdio http' -d 'stdio for a host that starts it, http for several'
complete -c ollamamaster -n '__ollamamaster_at \'serve-mcp\'' -l host -x -d 'Where http listens; other machines need a token'
complete -c ollamamaster -n '__ollamamaster_at \'serve-mcp\'' -l port -x -d 'The port of http; 0 takes any'
complete -c ollamamaster -n '__ollamamaster_at \'serve-mcp\'' -l allowed-host -x -d 'A name by which http may be called; repeatable'
complete -c ollamamaster -n '__ollamamaster_at \'serve-mcp\'' -l read-only -d 'Without the tools that change or end anything'
complete -c ollamamaster -n '__ollamamaster_at \'serve-mcp\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'serve-mcp\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'serve-mcp\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'serve-mcp\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'serve-mcp\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'serve-mcp\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'install-mcp\' 1' -a 'claude-code claude-desktop cursor vscode'
complete -c ollamamaster -n '__ollamamaster_at \'install-mcp\'' -l scope -x -a 'user project' -d 'user: everywhere; project: in this folder'
complete -c ollamamaster -n '__ollamamaster_at \'install-mcp\'' -l print -d 'Print what would stand in the file; change nothing'
complete -c ollamamaster -n '__ollamamaster_at \'install-mcp\'' -l remove -d 'Take it out of the file again'
complete -c ollamamaster -n '__ollamamaster_at \'install-mcp\'' -l name -x -d 'What the host calls the server'
complete -c ollamamaster -n '__ollamamaster_at \'install-mcp\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'install-mcp\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'install-mcp\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'install-mcp\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'install-mcp\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'install-mcp\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'history\' 1' -a list -d 'List past requests, the newest first'
complete -c ollamamaster -n '__ollamamaster_at \'history\' 1' -a show -d 'Show one request: its attempts, what was expected, and the decision as it was'
complete -c ollamamaster -n '__ollamamaster_at \'history\' 1' -a stats -d 'Show how fast each model is on each instance, and how well estimates came true'
complete -c ollamamaster -n '__ollamamaster_at \'history\' 1' -a replay -d 'Decide past requests again, and show what would be different. Nothing is sent'
complete -c ollamamaster -n '__ollamamaster_at \'history\' 1' -a path -d 'Print where history.db is'
complete -c ollamamaster -n '__ollamamaster_at \'history\' 1' -a clear -d 'Delete past requests, and really: the texts are overwritten in the file'
complete -c ollamamaster -n '__ollamamaster_at \'history\' 1' -a export -d 'Write every past request out, the oldest first'
complete -c ollamamaster -n '__ollamamaster_at \'history\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'history list\'' -l limit -x -d 'At most so many'
complete -c ollamamaster -n '__ollamamaster_at \'history list\'' -s m -l model -x -a '(__ollamamaster_known models)' -d 'Only this model; no tag is :latest'
complete -c ollamamaster -n '__ollamamaster_at \'history list\'' -l instance -x -a '(__ollamamaster_known instances)' -d 'Only this instance: its id, an alias or its label'
complete -c ollamamaster -n '__ollamamaster_at \'history list\'' -l outcome -x -a 'ok connect_error timeout busy model_missing bad_request http_error stream_broken bad_response cancelled' -d 'Only this outcome, such as ok or all_failed'
complete -c ollamamaster -n '__ollamamaster_at \'history list\'' -l since -x -d 'Not older than this: 2h, 7d, 2026-11-01'
complete -c ollamamaster -n '__ollamamaster_at \'history list\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'history list\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'history list\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'history list\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'history list\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'history list\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'history show\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'history show\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'history show\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'history show\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'history show\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'history show\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'history stats\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'history stats\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'history stats\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'history stats\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'history stats\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'history stats\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'history replay\'' -l policy -r -F -d 'Settings of this file, not of config.toml'
complete -c ollamamaster -n '__ollamamaster_at \'history replay\'' -l limit -x -d 'The latest so many'
complete -c ollamamaster -n '__ollamamaster_at \'history replay\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'history replay\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'history replay\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'history replay\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'history replay\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'history replay\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'history path\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'history path\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'history path\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'history path\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'history path\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'history path\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'history clear\'' -l before -x -d 'Only what is older: 30d, 4w, 2026-11-01'
complete -c ollamamaster -n '__ollamamaster_at \'history clear\'' -l learnt -d 'Also forget what was learnt of speeds, all of it'
complete -c ollamamaster -n '__ollamamaster_at \'history clear\'' -l yes -d 'Do not ask'
complete -c ollamamaster -n '__ollamamaster_at \'history clear\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'history clear\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'history clear\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'history clear\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'history clear\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'history clear\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'history export\'' -l format -x -a 'csv jsonl' -d 'One line a request, or a table of attempts'
complete -c ollamamaster -n '__ollamamaster_at \'history export\'' -s o -l output -r -F -d 'Write there, not on stdout'
complete -c ollamamaster -n '__ollamamaster_at \'history export\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'history export\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'history export\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'history export\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'history export\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'history export\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'config\' 1' -a init -d 'Write a commented config.toml'
complete -c ollamamaster -n '__ollamamaster_at \'config\' 1' -a path -d 'Print where config.toml is'
complete -c ollamamaster -n '__ollamamaster_at \'config\' 1' -a show -d 'Show each setting and where it comes from'
complete -c ollamamaster -n '__ollamamaster_at \'config\' 1' -a check -d 'List every mistake in the configuration'
complete -c ollamamaster -n '__ollamamaster_at \'config\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'config init\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'config init\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'config init\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'config init\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'config init\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'config init\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'config path\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'config path\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'config path\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'config path\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'config path\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'config path\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'config show\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'config show\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'config show\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'config show\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'config show\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'config show\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'config check\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'config check\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'config check\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'config check\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'config check\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'config check\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'sandbox\' 1' -a run -d 'Run a command that sees a simulated fleet and nothing else'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox\' 1' -a up -d 'Keep a simulated fleet running until Ctrl-C'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'sandbox run --\'' -a '(__ollamamaster_other)'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox run\'' -l fleet -r -F -a 'home duo lab' -d 'home, duo, lab, or the path of a .toml file'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox run\'' -l speed -x -d 'Simulated time runs N times as fast'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox run\'' -l seed -x -d 'The same seed gives the same answers'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox run\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox run\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox run\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox run\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox run\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox run\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'sandbox up\'' -l fleet -r -F -a 'home duo lab' -d 'home, duo, lab, or the path of a .toml file'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox up\'' -l speed -x -d 'Simulated time runs N times as fast'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox up\'' -l seed -x -d 'The same seed gives the same answers'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox up\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox up\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox up\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox up\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox up\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'sandbox up\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'completion\' 1' -a 'bash zsh fish powershell'
complete -c ollamamaster -n '__ollamamaster_at \'completion\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'completion\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'completion\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'completion\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'completion\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'completion\'' -s h -l help -d 'Show this message and exit'

complete -c ollamamaster -n '__ollamamaster_at \'help\' 1' -a 'exit-codes json environment files targets exposure discover models route chat session assess compare pull workflow serve-mcp install-mcp history config sandbox completion help'
complete -c ollamamaster -n '__ollamamaster_at \'help\'' -l json -d 'Print one JSON document, also on failure'
complete -c ollamamaster -n '__ollamamaster_at \'help\'' -s q -l quiet -d 'No notes on stderr; results and errors stay'
complete -c ollamamaster -n '__ollamamaster_at \'help\'' -s v -l verbose -d 'Say more on stderr'
complete -c ollamamaster -n '__ollamamaster_at \'help\'' -l debug -d 'Show a traceback when something unforeseen fails'
complete -c ollamamaster -n '__ollamamaster_at \'help\'' -l no-color -d 'No colours; NO_COLOR does the same'
complete -c ollamamaster -n '__ollamamaster_at \'help\'' -s h -l help -d 'Show this message and exit'
