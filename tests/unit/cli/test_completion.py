"""What Tab offers in real shells: each loads our script and is asked for a line that is half written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.cli.rest_server import TOKEN, RestServer

from elasticlake.cli.completion import SCRIPTS, Shell

ASK = {
    Shell.BASH: r"""
eval "$(elasticlake completion bash)"
for line in "$@"; do
    COMP_LINE="$line" COMP_POINT=${#line} COMPREPLY=()
    _elasticlake_completion elasticlake 2>/dev/null
    echo "$line=${COMPREPLY[*]}" | tr '\n' ' '; echo
done
""",
    # zsh completes in its line editor alone, so what our function gives to it is caught here.
    Shell.ZSH: r"""
compdef() { :; }
_describe() { local entry; for entry in "${(@P)2}"; do entry="${entry//\\:/;}"; shown+=("${${entry%%:*}//;/:}"); done }
_files() { :; }
eval "$(elasticlake completion zsh)"
for line in "$@"; do
    words=("${(@Q)${(z)line}}"); [[ $line == *" " ]] && words+=(""); CURRENT=$#words; shown=()
    _elasticlake; print -r -- "$line=$shown"
done
""",
    Shell.FISH: r"""
elasticlake completion fish | source
for line in $argv
    for word in (complete -C $line | cut -f1); echo "$line=$word"; end
end
""",
}
COMMAND = {
    Shell.BASH: ["bash", "--norc", "-c"],
    Shell.ZSH: ["zsh", "-f", "-c"],
    Shell.FISH: ["fish", "--no-config", "-c"],
}


def offered(shell: Shell, server: RestServer, *lines: str) -> dict[str, set[str]]:
    """What the shell offers for each line."""
    program = Path(sys.executable).parent
    env = {
        **os.environ,
        "PATH": f"{program}{os.pathsep}{os.environ['PATH']}",
        "ELASTICLAKE_URL": server.url,
        "ELASTICLAKE_API_TOKEN": TOKEN,
    }
    zeroth = [] if shell is Shell.FISH else [shell]
    command = [*COMMAND[shell], ASK[shell], *zeroth, *lines]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=True)
    pairs = (line.rpartition("=")[::2] for line in ran.stdout.splitlines())
    found: dict[str, set[str]] = {}
    for line, words in pairs:  # in fish a line for each word
        found.setdefault(line, set()).update(words.split())
    return found


@pytest.mark.parametrize(
    "shell",
    [
        Shell.BASH,
        pytest.param(Shell.ZSH, marks=pytest.mark.needs_debian_tools("zsh")),
        pytest.param(Shell.FISH, marks=pytest.mark.needs_debian_tools("fish")),
    ],
)
def test_a_shell_knows_commands_words_and_the_server_s_names(shell: Shell, server: RestServer) -> None:
    server.put("webhooks", id="wh_1", endpoint="https://a.example/x")
    server.put("webhooks", id="wh_2", endpoint="https://b.example/y")
    events = "object:created"
    if shell is Shell.BASH:
        events = "created"  # behind the colon that is on the line already
    expected = {
        "elasticlake webhook red": {"redeliver"},
        "elasticlake webhook show ": {"wh_1", "wh_2"},
        "elasticlake webhook create --event object:cr": {events},
    }
    assert offered(shell, server, *expected) == expected


def test_the_script_is_a_document_for_machines(run: Run) -> None:
    assert json.loads(run("completion", "fish", "--json").stdout) == {"shell": "fish", "script": SCRIPTS[Shell.FISH]}
    assert run("completion", "tcsh").exit_code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_typer_s_own_installation_works(shell: str, tmp_path: Path) -> None:
    env = {**os.environ, "HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [sys.executable, "-m", "elasticlake", "--install-completion", shell]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    installed = "".join(path.read_text() for path in tmp_path.rglob("*elasticlake*") if path.is_file())
    assert "_ELASTICLAKE_COMPLETE=complete_" in installed
