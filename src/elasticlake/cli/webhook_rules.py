"""Which events a webhook is told of, how and how fast: the command line's options, and the API's members they make."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

import typer

from elasticlake.cli import candidates
from elasticlake.cli.client import Document

FILTER_HELP = 'May be repeated; "" takes it away.'


@dataclass(frozen=True, slots=True)
class RuleOptions:
    """The options of a webhook's rules; None where one was left out."""

    prefix: Annotated[list[str] | None, typer.Option(help=f"Only keys that begin so. {FILTER_HELP}")] = None
    suffix: Annotated[list[str] | None, typer.Option(help=f"Only keys that end so. {FILTER_HELP}")] = None
    content_type: Annotated[
        list[str] | None, typer.Option(help=f"Only objects of this media type; image/* is any image. {FILTER_HELP}")
    ] = None
    min_size: Annotated[str | None, typer.Option(metavar="BYTES", help="Only objects of at least this size.")] = None
    max_size: Annotated[str | None, typer.Option(metavar="BYTES", help="Only objects of at most this size.")] = None
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help=f"Only with this user metadata. {FILTER_HELP}")
    ] = None
    where: Annotated[
        str | None,
        typer.Option(metavar="CEL", help='Only events for which it is true, such as "object.size > 1048576".'),
    ] = None
    rate_limit: Annotated[str | None, typer.Option(metavar="NUMBER", help="Attempts a second, at most.")] = None
    max_concurrency: Annotated[str | None, typer.Option(metavar="NUMBER", help="Attempts at once, at most.")] = None
    coalesce: Annotated[
        bool | None, typer.Option("--coalesce/--no-coalesce", help="Of a key's waiting events, send only the latest.")
    ] = None
    batch: Annotated[
        str | None,
        typer.Option(
            metavar="MAX[,WAITMS]",
            help='Up to so many events in one request, after so many milliseconds; 100,500 for one. "" for none.',
        ),
    ] = None
    include_metadata: Annotated[
        bool | None,
        typer.Option("--include-metadata/--no-include-metadata", help="Put the user metadata in the payload."),
    ] = None
    include_url: Annotated[
        str | None,
        typer.Option(metavar="SECONDS", help='Put a link that fetches the object for so long in it. "" for none.'),
    ] = None
    format: Annotated[
        str | None,
        typer.Option(
            autocompletion=candidates.words("elasticlake", "cloudevents", "s3"),
            help="The envelope: elasticlake, cloudevents or s3.",
        ),
    ] = None

    @property
    def changes_filter(self) -> bool:
        """Whether a clause of the filter is among them."""
        clauses = (self.prefix, self.suffix, self.content_type, self.min_size, self.max_size, self.metadata)
        return any(clause is not None for clause in clauses)

    def members(self, known: Document | None = None) -> Document:
        """The API's members that the options set. The API takes a filter as a whole: clauses that no option names stay
        as they are in `known`. An empty option takes away what there is. Raises a usage error."""
        members: Document = {
            "rateLimit": number("--rate-limit", self.rate_limit),
            "maxConcurrency": number("--max-concurrency", self.max_concurrency),
            "where": self.where,
            "coalesce": self.coalesce,
            "batch": _batch(self.batch),
            "includeMetadata": self.include_metadata,
            "includeUrl": number("--include-url", self.include_url),
            "format": self.format,
        }
        members = {name: None if value == "" else value for name, value in members.items() if value is not None}
        if self.changes_filter:
            wanted = {**(known or {}), **self._clauses()}
            members["filter"] = {name: value for name, value in wanted.items() if value not in ("", [], {}, None)}
        return members

    def _clauses(self) -> Document:
        clauses: Document = {
            "prefix": _texts(self.prefix),
            "suffix": _texts(self.suffix),
            "contentType": _texts(self.content_type),
            "minSize": number("--min-size", self.min_size),
            "maxSize": number("--max-size", self.max_size),
            "metadata": None if self.metadata is None else dict(_pair(text) for text in self.metadata if text),
        }
        return {name: value for name, value in clauses.items() if value is not None}


def number(option: str, text: str | None) -> float | str | None:
    """The option's number, a whole one as an integer; "" and None stay. Raises a usage error."""
    if not text:
        return text
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise typer.BadParameter(f"{text!r} is no number.", param_hint=option)
    return int(text) if text.isdecimal() else value


def _batch(text: str | None) -> Document | str | None:
    """`100,500` as the API's member; "" and None stay. Raises a usage error."""
    if not text:
        return text
    most, comma, wait = text.partition(",")
    if not most.isdecimal() or (comma and not wait.isdecimal()):
        raise typer.BadParameter(f"{text!r} is no MAX[,WAITMS]: write 100,500.", param_hint="--batch")
    return {"maxEvents": int(most)} | ({"maxWaitMs": int(wait)} if comma else {})


def _texts(given: list[str] | None) -> list[str] | None:
    return None if given is None else [text for text in given if text]


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise typer.BadParameter(f"{text!r} is no NAME=VALUE.", param_hint="--metadata")
    return name, value
