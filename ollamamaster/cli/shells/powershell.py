"""The completion script of PowerShell, 5.1 or newer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ollamamaster.cli.shells.tree import Node, Values

# A name is inserted in single quotes when it is more than a plain word: nothing in there is
# expanded. PowerShell also takes the typographic quotes for single quotes.
_TEMPLATE = r"""# Completion of ollamamaster for PowerShell. Generated; do not edit.

Register-ArgumentCompleter -Native -CommandName 'ollamamaster' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $tree = @{
@TREE@
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
"""


def powershell_script(tree: Node) -> str:
    """The script: the tree as a hash table, and the walk through it."""
    lines = "\n".join(line for node in tree.nodes() for line in _entry(node))
    return _TEMPLATE.replace("@TREE@", lines)


def _entry(node: Node) -> Iterator[str]:
    yield f"        {_quoted(node.name)} = @{{"
    yield "            Commands = [ordered]@{"
    for child in node.children:
        yield f"                {_quoted(child.path[-1])} = {_quoted(child.summary)}"
    yield "            }"
    yield "            Options = [ordered]@{"
    for option in node.options:
        for text in option.spellings:
            yield f"                {_quoted(text)} = {_quoted(option.help)}"
    yield "            }"
    yield "            Takes = @{"
    for option in node.options:
        for text in option.spellings if option.metavar else ():
            yield f"                {_quoted(text)} = {_values(option.values)}"
    yield "            }"
    arguments = ", ".join(_values(argument.values) for argument in node.arguments)
    yield f"            Arguments = @({arguments})"
    yield f"            Repeats = {_switch(any(a.repeats for a in node.arguments))}"
    yield f"            CommandLine = {_switch(node.takes_command_line)}"
    yield "        }"


def _values(values: Values) -> str:
    words = ", ".join(map(_quoted, values.words))
    source = _quoted(str(values.source or ""))
    return f"@{{ Words = @({words}); Source = {source}; Files = {_switch(values.files)} }}"


def _switch(value: bool) -> str:
    return "$true" if value else "$false"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
