"""`elasticlake completion`: what a shell loads so that Tab knows the commands, their options and the server's names."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from elasticlake.cli.command import output_of

# Each asks typer's protocol for lines of a word, a tab and its meaning.
_BASH = r"""_elasticlake_completion() {
    local line="${COMP_LINE:0:COMP_POINT}" IFS=$'\n'
    COMPREPLY=($(_ELASTICLAKE_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
        _TYPER_COMPLETE_ARGS="$line" "$1" 2>/dev/null | cut -f1))
    # Bash divides words at colons: what stands before the last one is on the line already.
    local word="${line##*[[:space:]]}"
    if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local before="${word%"${word##*:}"}"
        COMPREPLY=("${COMPREPLY[@]#"$before"}")
    fi
    # A pond or a list goes on behind it.
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *-- ]]; then compopt -o nospace; fi
}
complete -o default -F _elasticlake_completion elasticlake
"""
_ZSH = r"""#compdef elasticlake
_elasticlake() {
    local -a found
    local line word meaning
    for line in ${(f)"$(_ELASTICLAKE_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
        _TYPER_COMPLETE_ARGS="${words[1,CURRENT]}" ${words[1]} 2>/dev/null)"}; do
        word="${line%%$'\t'*}" meaning="${line#*$'\t'}"
        [[ $meaning == $word ]] && meaning=""
        found+=("${word//:/\\:}${meaning:+:$meaning}")
    done
    if (( $#found )); then _describe elasticlake found; else _files; fi
}
if [[ $funcstack[1] == _elasticlake ]]; then _elasticlake "$@"; else compdef _elasticlake elasticlake; fi
"""
_FISH = r"""function __elasticlake_words
    set -l command (commandline -opc)[1]
    set -l found (env _ELASTICLAKE_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
        _TYPER_COMPLETE_ARGS=(commandline -cp) $command 2>/dev/null)
    if test -n "$found"
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command elasticlake --no-files --arguments '(__elasticlake_words)'
"""


class Shell(StrEnum):
    """The shells that there is completion for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


SCRIPTS = {Shell.BASH: _BASH, Shell.ZSH: _ZSH, Shell.FISH: _FISH}


def completion(
    ctx: typer.Context,
    shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", help="The shell.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the script inside a JSON document.")] = False,
) -> None:
    """Print what makes Tab complete commands and names in a shell: those of the server, too.

    bash: eval "$(elasticlake completion bash)" in ~/.bashrc. zsh: the same with zsh in ~/.zshrc, below compinit.
    fish: elasticlake completion fish > ~/.config/fish/completions/elasticlake.fish
    """
    output_of(ctx, as_json).summary({"shell": shell, "script": SCRIPTS[shell]}, SCRIPTS[shell].rstrip())
