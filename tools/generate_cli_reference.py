"""Writes docs/cli.md from the commands themselves: `python -m tools.generate_cli_reference`.

A test makes it anew and compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.cli_examples import EXAMPLES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"

INTRODUCTION = Path(__file__).with_name("cli_introduction.md")

GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "A server": (
        "These run a server or work on its data, on its machine, and need `elasticlake[server]`.",
        ("demo", "serve", "check", "backup", "migrate", "migrate-data"),
    ),
    "Lakes, ponds and buckets": (
        "The hierarchy: a bucket's S3 name is `LAKE--POND--BUCKET`. Objects are put and fetched by any S3 tool.",
        ("lake", "pond", "bucket"),
    ),
    "Webhooks": (
        "Who is told of what, what came of it, and telling it again: [deliveries](deliveries.md), "
        "[filters](filters.md), [replay and backfill](replay.md).",
        ("webhook", "job"),
    ),
    "Events": ("What happened, with webhooks and without.", ("events", "listen")),
    "Accounts, keys and tokens": (
        "Who may do what: [permissions](permissions.md). Secrets are shown when they are made, and never again.",
        ("account", "key", "token"),
    ),
    "Looking after it": (
        "Is it well, what is in it, who changed what: [operations](operations.md).",
        ("health", "system", "activity"),
    ),
    "The shell": ("", ("completion",)),
}


ELSEWHERE = {
    "serve": "Its options are the settings of [the configuration](configuration.md).",
    "completion": """\
```sh
eval "$(elasticlake completion bash)" # in ~/.bashrc
eval "$(elasticlake completion zsh)"  # in ~/.zshrc, below compinit
elasticlake completion fish > ~/.config/fish/completions/elasticlake.fish
```

Names of buckets, lakes, ponds, accounts, keys, tokens, webhooks and jobs come from the server, within a second, or
nothing is offered. `elasticlake --install-completion` writes a simpler script into the files of your shell.""",
}
"""What says more than a table of options would, and than the help's further paragraphs."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A command that does something: its words and typer's command."""

    words: str
    command: Any


def main() -> None:
    PAGE.write_text(generate())


def generate() -> str:
    """The page."""
    from elasticlake.cli.errors import MEANINGS

    codes = [f"| {code:d} | {_cell(meaning)} |" for code, meaning in MEANINGS.items()]
    parts = [
        INTRODUCTION.read_text().rstrip(),
        "\n".join(["| code | meaning |", "| --- | --- |", *codes]),
        "After another signal it is 128 and the signal's number. What went wrong is one line; with"
        " `ELASTICLAKE_TRACEBACK=1` the traceback stands above it.",
    ]
    for title, (about, names) in GROUPS.items():
        parts += [f"## {title}", about, *(_section(leaf) for name in names for leaf in leaves(name))]
    return "\n\n".join(part for part in parts if part) + "\n"


def leaves(name: str) -> Iterator[Leaf]:
    """The commands that the root's command `name` is or has."""
    from elasticlake.cli.main import RootGroup

    command = RootGroup.entries[name].load(name)
    subcommands = getattr(command, "commands", None)
    if not subcommands:
        yield Leaf(name, command)
        return
    for sub, subcommand in subcommands.items():
        yield Leaf(f"{name} {sub}", subcommand)


def _section(leaf: Leaf) -> str:
    params = [param for param in leaf.command.params if not {"--json", "--help"} & set(param.opts)]
    optional = (
        ["[OPTIONS]"] if any(param.param_type_name == "option" and not param.required for param in params) else []
    )
    usage = " ".join([f"elasticlake {leaf.words}", *optional, *(word for param in params if (word := _usage(param)))])
    paragraphs = leaf.command.help.split("\n\n")[: 1 if leaf.words in ELSEWHERE else None]
    about = (" ".join(part.split()) for part in paragraphs)
    example = f"```sh\n{EXAMPLES[leaf.words]}\n```"
    table = ELSEWHERE.get(leaf.words) or _table(params)
    return "\n\n".join(
        part for part in (f"### elasticlake {leaf.words}", *about, f"Usage: `{usage}`", example, table) if part
    )


def _table(params: list[Any]) -> str:
    head = ["| argument or option | default | meaning |", "| --- | --- | --- |"]
    return "\n".join([*head, *map(_row, params)]) if params else ""


def _usage(param: Any) -> str:
    if param.param_type_name == "argument":
        name = _metavar(param)
        return name if param.required else f"[{name}]"
    return f"{param.opts[0]} {_metavar(param)}" if param.required else ""


def _row(param: Any) -> str:
    if param.param_type_name == "argument":
        name = f"`{_cell(_metavar(param))}`"
    else:
        names = [*param.opts, *param.secondary_opts]
        value = "" if param.is_flag else f" {_metavar(param)}"
        name = ", ".join(f"`{_cell(option + value)}`" for option in names)
    variable = f" Variable: `{param.envvar}`." if param.envvar else ""
    return f"| {name} | {_default(param)} | {_cell(param.help or '')}{variable} |"


def _metavar(param: Any) -> str:
    if param.metavar:
        text = str(param.metavar)
        return text[1:-1] if text.startswith("[") and text.endswith("]") else text
    return str(param.name).rpartition("_")[2].upper()


def _default(param: Any) -> str:
    if param.required:
        return "required"
    default = param.default
    if default in (None, "", (), []) or callable(default) or default is False:
        return "–"
    return "on" if default is True else f"`{default}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
