# Completion of ollamamaster for PowerShell. Generated; do not edit.

Register-ArgumentCompleter -Native -CommandName 'ollamamaster' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $tree = @{
        '' = @{
            Commands = [ordered]@{
                'discover' = 'Find Ollama instances on this machine and on networks you name.'
                'models' = 'List the models of the fleet and where each one is.'
                'route' = 'Answer a prompt on the model and instance that will do it best.'
                'chat' = 'Talk with the fleet on a terminal.'
                'session' = 'Look at conversations that are kept, rename and delete them.'
                'assess' = 'Tell whether the fleet can do a task, and how long it takes.'
                'compare' = 'Let several models answer one prompt side by side.'
                'pull' = 'Download a model onto an instance.'
                'workflow' = 'Run steps that hand their results on: models, several at once, and tools.'
                'serve-mcp' = 'Serve the fleet to Claude and other MCP hosts.'
                'install-mcp' = 'Tell Claude or another MCP host to start the server.'
                'history' = 'Look at past requests: how fast, how well foreseen, and decided again.'
                'config' = 'Create, show and check config.toml.'
                'sandbox' = 'Try everything on a simulated fleet, without Ollama or a GPU.'
                'completion' = 'Print the completion script of a shell.'
                'help' = 'Explain exit codes, JSON, files, targets and the environment.'
            }
            Options = [ordered]@{
                '--version' = 'Print the version.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'discover' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--lan' = 'Also the private networks this machine is attached to.'
                '--ports' = 'Ports to look at, such as 11434-11499,8080.'
                '--timeout' = 'For one port; 0.5 on loopback and 1.0 elsewhere.'
                '--concurrency' = 'Ports tried at once; 4096.'
                '--watch' = 'Keep going and report changes.'
                '--forget' = 'Drop instances that are not seen.'
                '--no-save' = 'Do not write inventory.toml.'
                '--yes' = 'Scan more than 1,024 addresses.'
                '--allow-public' = 'Scan a public range of addresses.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--ports' = @{ Words = @(); Source = ''; Files = $false }
                '--timeout' = @{ Words = @(); Source = ''; Files = $false }
                '--concurrency' = @{ Words = @(); Source = ''; Files = $false }
            }
            Arguments = @(@{ Words = @(); Source = 'instances'; Files = $false })
            Repeats = $true
            CommandLine = $false
        }
        'models' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--tier' = 'Only models of this tier.'
                '--capability' = 'Only models that can do this, such as vision.'
                '--loaded' = 'Only models in memory now.'
                '--instance' = 'Only this instance: its id, an alias or its label.'
                '--refresh' = 'Ask every instance first.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--tier' = @{ Words = @('fast', 'balanced', 'powerful'); Source = ''; Files = $false }
                '--capability' = @{ Words = @('completion', 'tools', 'insert', 'vision', 'embedding', 'thinking', 'image', 'audio'); Source = ''; Files = $false }
                '--instance' = @{ Words = @(); Source = 'instances'; Files = $false }
            }
            Arguments = @(@{ Words = @(); Source = 'models'; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
        'route' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '-f' = 'A text, PDF, HTML page or image; repeatable, also a glob.'
                '--file' = 'A text, PDF, HTML page or image; repeatable, also a glob.'
                '--recursive' = 'A folder given by --file is read with all below it.'
                '--long' = 'When texts fit no model: ask, read them in parts, or fail.'
                '--system' = 'The system prompt.'
                '-m' = 'Only this model; no tag is :latest.'
                '--model' = 'Only this model; no tag is :latest.'
                '--performance' = 'What counts: time, both, or the best answer.'
                '--max-time' = 'Deadline for the whole route.'
                '--instance' = 'Only this instance: its id, an alias or its label.'
                '--local-only' = 'Nothing leaves this machine and your own network.'
                '--format' = 'json, or the file of a JSON schema.'
                '--option' = 'An option of Ollama''s, such as seed=1.'
                '--think' = 'Whether the model thinks first.'
                '--no-think' = 'Whether the model thinks first.'
                '--keep-alive' = 'How long the model stays in memory: 10m, 0, -1 for ever.'
                '--pull' = 'Download the model if nobody has it; needs --model.'
                '--stream' = 'As it comes (the rule on a terminal), or whole.'
                '--no-stream' = 'As it comes (the rule on a terminal), or whole.'
                '--priority' = 'Who goes first of your requests that wait for room.'
                '--no-hedge' = 'Never ask a second instance when the first is late.'
                '--session' = 'Go on with this conversation, which is kept.'
                '--no-summary' = 'Never summarise older turns; fail when they do not fit.'
                '--explain' = 'Show the decision and send nothing.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '-f' = @{ Words = @(); Source = ''; Files = $true }
                '--file' = @{ Words = @(); Source = ''; Files = $true }
                '--long' = @{ Words = @('ask', 'split', 'fail'); Source = ''; Files = $false }
                '--system' = @{ Words = @(); Source = ''; Files = $false }
                '-m' = @{ Words = @(); Source = 'models'; Files = $false }
                '--model' = @{ Words = @(); Source = 'models'; Files = $false }
                '--performance' = @{ Words = @('fast', 'balanced', 'powerful'); Source = ''; Files = $false }
                '--max-time' = @{ Words = @(); Source = ''; Files = $false }
                '--instance' = @{ Words = @(); Source = 'instances'; Files = $false }
                '--format' = @{ Words = @('json'); Source = ''; Files = $true }
                '--option' = @{ Words = @(); Source = ''; Files = $false }
                '--keep-alive' = @{ Words = @(); Source = ''; Files = $false }
                '--priority' = @{ Words = @('low', 'normal', 'high'); Source = ''; Files = $false }
                '--session' = @{ Words = @(); Source = 'sessions'; Files = $false }
            }
            Arguments = @(@{ Words = @(); Source = ''; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
        'chat' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--session' = 'Go on with this conversation, which is kept.'
                '--no-store' = 'Keep nothing of it when the chat ends.'
                '-f' = 'A text, PDF, HTML page or image; repeatable, also a glob.'
                '--file' = 'A text, PDF, HTML page or image; repeatable, also a glob.'
                '--recursive' = 'A folder given by --file is read with all below it.'
                '--long' = 'When texts fit no model: ask, read them in parts, or fail.'
                '--system' = 'The system prompt.'
                '-m' = 'Only this model; no tag is :latest.'
                '--model' = 'Only this model; no tag is :latest.'
                '--performance' = 'What counts: time, both, or the best answer.'
                '--max-time' = 'Deadline for the whole route.'
                '--instance' = 'Only this instance: its id, an alias or its label.'
                '--local-only' = 'Nothing leaves this machine and your own network.'
                '--format' = 'json, or the file of a JSON schema.'
                '--option' = 'An option of Ollama''s, such as seed=1.'
                '--think' = 'Whether the model thinks first.'
                '--no-think' = 'Whether the model thinks first.'
                '--keep-alive' = 'How long the model stays in memory: 10m, 0, -1 for ever.'
                '--pull' = 'Download the model if nobody has it; needs --model.'
                '--stream' = 'As it comes (the rule on a terminal), or whole.'
                '--no-stream' = 'As it comes (the rule on a terminal), or whole.'
                '--priority' = 'Who goes first of your requests that wait for room.'
                '--no-hedge' = 'Never ask a second instance when the first is late.'
                '--no-summary' = 'Never summarise older turns; fail when they do not fit.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--session' = @{ Words = @(); Source = 'sessions'; Files = $false }
                '-f' = @{ Words = @(); Source = ''; Files = $true }
                '--file' = @{ Words = @(); Source = ''; Files = $true }
                '--long' = @{ Words = @('ask', 'split', 'fail'); Source = ''; Files = $false }
                '--system' = @{ Words = @(); Source = ''; Files = $false }
                '-m' = @{ Words = @(); Source = 'models'; Files = $false }
                '--model' = @{ Words = @(); Source = 'models'; Files = $false }
                '--performance' = @{ Words = @('fast', 'balanced', 'powerful'); Source = ''; Files = $false }
                '--max-time' = @{ Words = @(); Source = ''; Files = $false }
                '--instance' = @{ Words = @(); Source = 'instances'; Files = $false }
                '--format' = @{ Words = @('json'); Source = ''; Files = $true }
                '--option' = @{ Words = @(); Source = ''; Files = $false }
                '--keep-alive' = @{ Words = @(); Source = ''; Files = $false }
                '--priority' = @{ Words = @('low', 'normal', 'high'); Source = ''; Files = $false }
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'session' = @{
            Commands = [ordered]@{
                'list' = 'List the sessions, the latest first.'
                'show' = 'Show all messages of a session, and the summaries that are sent for the older ones.'
                'delete' = 'Delete a session, and really: its texts are overwritten in the file.'
                'export' = 'Write a session out, the oldest message first.'
                'rename' = 'Give a session another name.'
            }
            Options = [ordered]@{
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'session list' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'session show' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @(@{ Words = @(); Source = 'sessions'; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
        'session delete' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--yes' = 'Do not ask.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @(@{ Words = @(); Source = 'sessions'; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
        'session export' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--format' = 'One JSON object a message, or Markdown to read.'
                '-o' = 'Write there, not on stdout.'
                '--output' = 'Write there, not on stdout.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--format' = @{ Words = @('jsonl', 'markdown'); Source = ''; Files = $false }
                '-o' = @{ Words = @(); Source = ''; Files = $true }
                '--output' = @{ Words = @(); Source = ''; Files = $true }
            }
            Arguments = @(@{ Words = @(); Source = 'sessions'; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
        'session rename' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @(@{ Words = @(); Source = 'sessions'; Files = $false }, @{ Words = @(); Source = ''; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
        'assess' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--requirement' = 'What must hold, such as latency=100ms; repeatable.'
                '-f' = 'What it is about; repeatable, also a glob.'
                '--file' = 'What it is about; repeatable, also a glob.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--requirement' = @{ Words = @(); Source = ''; Files = $false }
                '-f' = @{ Words = @(); Source = ''; Files = $true }
                '--file' = @{ Words = @(); Source = ''; Files = $true }
            }
            Arguments = @(@{ Words = @(); Source = ''; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
        'compare' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '-m' = 'These models, separated by commas.'
                '--models' = 'These models, separated by commas.'
                '--per-tier' = 'The best model of each tier, however few that are.'
                '--instances' = 'One model on every instance that has it: a race.'
                '--judge' = 'This model scores the answers, without knowing whose.'
                '--criteria' = 'What the judge judges by.'
                '--vote' = 'Print the answer that most of them give.'
                '--strict' = 'Exit code 8 when any of them, or the judge, failed.'
                '-f' = 'A text or an image; repeatable, also a glob.'
                '--file' = 'A text or an image; repeatable, also a glob.'
                '--system' = 'The system prompt.'
                '--max-time' = 'Deadline for the whole comparison.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '-m' = @{ Words = @(); Source = 'models'; Files = $false }
                '--models' = @{ Words = @(); Source = 'models'; Files = $false }
                '--judge' = @{ Words = @(); Source = 'models'; Files = $false }
                '--criteria' = @{ Words = @(); Source = ''; Files = $false }
                '-f' = @{ Words = @(); Source = ''; Files = $true }
                '--file' = @{ Words = @(); Source = ''; Files = $true }
                '--system' = @{ Words = @(); Source = ''; Files = $false }
                '--max-time' = @{ Words = @(); Source = ''; Files = $false }
            }
            Arguments = @(@{ Words = @(); Source = ''; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
        'pull' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--instance' = 'Only this instance: its id, an alias or its label.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--instance' = @{ Words = @(); Source = 'instances'; Files = $false }
            }
            Arguments = @(@{ Words = @(); Source = 'models'; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
        'workflow' = @{
            Commands = [ordered]@{
                'run' = 'Run a workflow, and print its output.'
                'check' = 'Find every mistake before anything runs, and tell how long a run will take.'
                'list' = 'List your workflows.'
                'show' = 'Draw the graph of a workflow, with where its steps would run and how long they take.'
                'new' = 'Write a new workflow: a commented starter, or a copy of a ready-made one.'
                'allow' = 'Allow the MCP servers of a workflow, as they are now.'
                'runs' = 'List past runs, the newest first.'
            }
            Options = [ordered]@{
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'workflow run' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--input' = 'An input of the workflow; repeatable.'
                '--input-file' = 'An input whose value is a file''s text.'
                '--dry-run' = 'Check everything, start its servers, and stop there.'
                '--resume' = 'Go on with a run; what is finished stays.'
                '--changed-ok' = 'Go on although the file changed since.'
                '--yes' = 'Allow its MCP servers, as workflow allow does; do not ask.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--input' = @{ Words = @(); Source = ''; Files = $false }
                '--input-file' = @{ Words = @(); Source = ''; Files = $false }
                '--resume' = @{ Words = @(); Source = ''; Files = $false }
            }
            Arguments = @(@{ Words = @(); Source = 'workflows'; Files = $true })
            Repeats = $false
            CommandLine = $false
        }
        'workflow check' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @(@{ Words = @(); Source = 'workflows'; Files = $true })
            Repeats = $false
            CommandLine = $false
        }
        'workflow list' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'workflow show' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @(@{ Words = @(); Source = 'workflows'; Files = $true })
            Repeats = $false
            CommandLine = $false
        }
        'workflow new' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--from' = 'Begin with one of the ready-made workflows.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--from' = @{ Words = @('code-review', 'consensus', 'document-insights', 'research-and-remember', 'translate-and-check'); Source = ''; Files = $false }
            }
            Arguments = @(@{ Words = @(); Source = ''; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
        'workflow allow' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @(@{ Words = @(); Source = 'workflows'; Files = $true })
            Repeats = $false
            CommandLine = $false
        }
        'workflow runs' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--limit' = 'The latest so many.'
                '--forget' = 'Delete this run and its texts first.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--limit' = @{ Words = @(); Source = ''; Files = $false }
                '--forget' = @{ Words = @(); Source = ''; Files = $false }
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'serve-mcp' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--transport' = 'stdio for a host that starts it, http for several.'
                '--host' = 'Where http listens; other machines need a token.'
                '--port' = 'The port of http; 0 takes any.'
                '--allowed-host' = 'A name by which http may be called; repeatable.'
                '--read-only' = 'Without the tools that change or end anything.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--transport' = @{ Words = @('stdio', 'http'); Source = ''; Files = $false }
                '--host' = @{ Words = @(); Source = ''; Files = $false }
                '--port' = @{ Words = @(); Source = ''; Files = $false }
                '--allowed-host' = @{ Words = @(); Source = ''; Files = $false }
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'install-mcp' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--scope' = 'user: everywhere; project: in this folder.'
                '--print' = 'Print what would stand in the file; change nothing.'
                '--remove' = 'Take it out of the file again.'
                '--name' = 'What the host calls the server.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--scope' = @{ Words = @('user', 'project'); Source = ''; Files = $false }
                '--name' = @{ Words = @(); Source = ''; Files = $false }
            }
            Arguments = @(@{ Words = @('claude-code', 'claude-desktop', 'cursor', 'vscode'); Source = ''; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
        'history' = @{
            Commands = [ordered]@{
                'list' = 'List past requests, the newest first.'
                'show' = 'Show one request: its attempts, what was expected, and the decision as it was.'
                'stats' = 'Show how fast each model is on each instance, and how well estimates came true.'
                'replay' = 'Decide past requests again, and show what would be different. Nothing is sent.'
                'path' = 'Print where history.db is.'
                'clear' = 'Delete past requests, and really: the texts are overwritten in the file.'
                'export' = 'Write every past request out, the oldest first.'
            }
            Options = [ordered]@{
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'history list' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--limit' = 'At most so many.'
                '-m' = 'Only this model; no tag is :latest.'
                '--model' = 'Only this model; no tag is :latest.'
                '--instance' = 'Only this instance: its id, an alias or its label.'
                '--outcome' = 'Only this outcome, such as ok or all_failed.'
                '--since' = 'Not older than this: 2h, 7d, 2026-11-01.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--limit' = @{ Words = @(); Source = ''; Files = $false }
                '-m' = @{ Words = @(); Source = 'models'; Files = $false }
                '--model' = @{ Words = @(); Source = 'models'; Files = $false }
                '--instance' = @{ Words = @(); Source = 'instances'; Files = $false }
                '--outcome' = @{ Words = @('ok', 'connect_error', 'timeout', 'busy', 'model_missing', 'bad_request', 'http_error', 'stream_broken', 'bad_response', 'cancelled'); Source = ''; Files = $false }
                '--since' = @{ Words = @(); Source = ''; Files = $false }
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'history show' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @(@{ Words = @(); Source = ''; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
        'history stats' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'history replay' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--policy' = 'Settings of this file, not of config.toml.'
                '--limit' = 'The latest so many.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--policy' = @{ Words = @(); Source = ''; Files = $true }
                '--limit' = @{ Words = @(); Source = ''; Files = $false }
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'history path' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'history clear' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--before' = 'Only what is older: 30d, 4w, 2026-11-01.'
                '--learnt' = 'Also forget what was learnt of speeds, all of it.'
                '--yes' = 'Do not ask.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--before' = @{ Words = @(); Source = ''; Files = $false }
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'history export' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--format' = 'One line a request, or a table of attempts.'
                '-o' = 'Write there, not on stdout.'
                '--output' = 'Write there, not on stdout.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--format' = @{ Words = @('csv', 'jsonl'); Source = ''; Files = $false }
                '-o' = @{ Words = @(); Source = ''; Files = $true }
                '--output' = @{ Words = @(); Source = ''; Files = $true }
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'config' = @{
            Commands = [ordered]@{
                'init' = 'Write a commented config.toml.'
                'path' = 'Print where config.toml is.'
                'show' = 'Show each setting and where it comes from.'
                'check' = 'List every mistake in the configuration.'
            }
            Options = [ordered]@{
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'config init' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'config path' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'config show' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'config check' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'sandbox' = @{
            Commands = [ordered]@{
                'run' = 'Run a command that sees a simulated fleet and nothing else.'
                'up' = 'Keep a simulated fleet running until Ctrl-C.'
            }
            Options = [ordered]@{
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'sandbox run' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--fleet' = 'home, duo, lab, or the path of a .toml file.'
                '--speed' = 'Simulated time runs N times as fast.'
                '--seed' = 'The same seed gives the same answers.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--fleet' = @{ Words = @('home', 'duo', 'lab'); Source = ''; Files = $true }
                '--speed' = @{ Words = @(); Source = ''; Files = $false }
                '--seed' = @{ Words = @(); Source = ''; Files = $false }
            }
            Arguments = @(@{ Words = @(); Source = ''; Files = $false })
            Repeats = $true
            CommandLine = $true
        }
        'sandbox up' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--fleet' = 'home, duo, lab, or the path of a .toml file.'
                '--speed' = 'Simulated time runs N times as fast.'
                '--seed' = 'The same seed gives the same answers.'
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
                '--fleet' = @{ Words = @('home', 'duo', 'lab'); Source = ''; Files = $true }
                '--speed' = @{ Words = @(); Source = ''; Files = $false }
                '--seed' = @{ Words = @(); Source = ''; Files = $false }
            }
            Arguments = @()
            Repeats = $false
            CommandLine = $false
        }
        'completion' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @(@{ Words = @('bash', 'zsh', 'fish', 'powershell'); Source = ''; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
        'help' = @{
            Commands = [ordered]@{
            }
            Options = [ordered]@{
                '--json' = 'Print one JSON document, also on failure.'
                '-q' = 'No notes on stderr; results and errors stay.'
                '--quiet' = 'No notes on stderr; results and errors stay.'
                '-v' = 'Say more on stderr.'
                '--verbose' = 'Say more on stderr.'
                '--debug' = 'Show a traceback when something unforeseen fails.'
                '--no-color' = 'No colours; NO_COLOR does the same.'
                '-h' = 'Show this message and exit.'
                '--help' = 'Show this message and exit.'
            }
            Takes = @{
            }
            Arguments = @(@{ Words = @('exit-codes', 'json', 'environment', 'files', 'targets', 'exposure', 'discover', 'models', 'route', 'chat', 'session', 'assess', 'compare', 'pull', 'workflow', 'serve-mcp', 'install-mcp', 'history', 'config', 'sandbox', 'completion', 'help'); Source = ''; Files = $false })
            Repeats = $false
            CommandLine = $false
        }
    }

    function Get-Quoted([string] $text) {
        if ($text -match '^[A-Za-z0-9_./:+\\-][A-Za-z0-9_./:+=\\-]*$') { return $text }
        return "'" + ($text -replace "(['\u2018\u2019\u201a\u201b])", '$1$1') + "'"
    }

    function Get-Offer([string] $text, [string] $help, [string] $prefix, [string] $kind) {
        if (-not $help) { $help = $text }
        $inserted = $prefix + (Get-Quoted $text)
        [System.Management.Automation.CompletionResult]::new($inserted, $text, $kind, $help)
    }

    function Get-Known([string] $source) {
        $program = 'ollamamaster'
        $typed = $commandAst.CommandElements[0].Extent.Text
        if ($typed -match '[\\/]' -and (Test-Path -LiteralPath $typed -PathType Leaf)) {
            $program = $typed
        }
        try { & $program completion --values $source 2>$null } catch { }
    }

    function Get-Values($place, [string] $typed, [string] $prefix) {
        if ($null -eq $place) { return }
        $names = @($place.Words)
        if ($place.Source) { $names += @(Get-Known $place.Source) }
        $start = $typed.Trim("'", '"')
        foreach ($name in $names) {
            if ($name -and $name.StartsWith($start, [StringComparison]::OrdinalIgnoreCase)) {
                Get-Offer $name '' $prefix 'ParameterValue'
            }
        }
        if ($place.Files -and -not $prefix) {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($typed)
        }
    }

    $path = ''
    $option = ''
    $dashes = $false
    $number = 1
    foreach ($element in @($commandAst.CommandElements | Select-Object -Skip 1)) {
        # the word under the cursor is not there yet
        if ($element.Extent.EndOffset -ge $cursorPosition) { break }
        $word = $element.Extent.Text
        $at = $tree[$path]
        if ($option) { $option = '' }
        elseif ($dashes) { $number++ }
        elseif ($word -eq '--') {
            if ($at.CommandLine) { return }
            $dashes = $true
        }
        elseif ($word -match '^-.') {
            if ($at.Takes.ContainsKey($word)) { $option = $word }
        }
        elseif ($number -eq 1 -and $at.Commands.Contains($word)) {
            $path = "$path $word".Trim()
        }
        else { $number++ }
    }

    $at = $tree[$path]
    if ($option) {
        Get-Values $at.Takes[$option] $wordToComplete ''
    }
    elseif (-not $dashes -and $wordToComplete -match '^(--[^=]+)=(.*)$') {
        $name = $Matches[1]
        $typed = $Matches[2]
        Get-Values $at.Takes[$name] $typed "$name="
    }
    elseif (-not $dashes -and $wordToComplete.StartsWith('-')) {
        foreach ($name in $at.Options.Keys) {
            if ($name.StartsWith($wordToComplete)) {
                Get-Offer $name $at.Options[$name] '' 'ParameterName'
            }
        }
    }
    elseif ($at.Commands.Count) {
        foreach ($name in $at.Commands.Keys) {
            if ($number -eq 1 -and $name.StartsWith($wordToComplete)) {
                Get-Offer $name $at.Commands[$name] '' 'Command'
            }
        }
    }
    elseif ($at.Arguments.Count -ge $number) {
        Get-Values $at.Arguments[$number - 1] $wordToComplete ''
    }
    elseif ($at.Repeats) {
        Get-Values $at.Arguments[-1] $wordToComplete ''
    }
}
