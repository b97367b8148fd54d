"""How a command is declared: a function that takes a `Session` first, and its own arguments and options after it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from elasticlake.cli.client import RestClient
from elasticlake.cli.connection import connection
from elasticlake.cli.output import Output

JSON_HELP = "Print the API's JSON instead of tables."

JsonOption = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Stop after this many; all of them if left out.")]

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """The options before the command's name; `token` is "" where none was given."""

    url: str
    token: str
    as_json: bool


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with: the server and the printer."""

    client: RestClient
    output: Output


def lone() -> typer.Typer:
    """The home of one command. Plain help: drawing boxes would double the time until it appears."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def noun(help: str) -> typer.Typer:
    """A group of commands about one noun, also while it has only one."""
    app = lone()
    app.callback(help=help, no_args_is_help=True)(lambda: None)
    return app


def command(
    app: typer.Typer, name: str
) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[Concatenate[Session, P], None]]:
    """Register a function as `name` of `app`. Typer sees its own parameters and `--json`, which every command takes.

    A parameter whose type is a dataclass stands for an option for each field: commands that share options share it.
    """

    def register(function: Callable[Concatenate[Session, P], None]) -> Callable[Concatenate[Session, P], None]:
        def run(ctx: typer.Context, as_json: bool, **arguments: Any) -> None:
            start: Any = function  # typer passes by name what the signature below declares
            for name, group in groups.items():
                arguments[name] = group(**{option.name: arguments.pop(option.name) for option in _options(group)})
            start(_session(ctx.find_object(GlobalOptions), as_json), **arguments)

        declared = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        groups: dict[str, Any] = {one.name: one.annotation for one in declared if is_dataclass(one.annotation)}
        own = [option for one in declared for option in (_options(one.annotation) if one.name in groups else [one])]
        parameters = [
            inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
            *(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own),
            inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=JsonOption),
        ]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name, help=inspect.getdoc(function))(run)
        return function

    return register


def _options(group: Any) -> list[inspect.Parameter]:
    """The options that a dataclass declares by its fields."""
    return list(inspect.signature(group, eval_str=True).parameters.values())


def output_of(ctx: typer.Context, as_json: bool) -> Output:
    """The printer of a command that works without a server; `--json` may stand before its name or after it."""
    options = ctx.find_object(GlobalOptions)
    return Output(as_json or (options is not None and options.as_json))


def _session(options: GlobalOptions | None, as_json: bool) -> Session:
    assert options is not None, "the root command stores them before any command runs"
    return Session(RestClient(connection(options.url, options.token)), Output(as_json or options.as_json))
