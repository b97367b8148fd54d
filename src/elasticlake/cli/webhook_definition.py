"""A webhook as the command line describes it: its options, and the API's document that they make."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from elasticlake.cli import candidates
from elasticlake.cli.client import Document
from elasticlake.cli.errors import CommandFailed

WebhookId = Annotated[
    str, typer.Argument(metavar="WEBHOOK", autocompletion=candidates.webhooks, help="The webhook's id, wh_….")
]

Endpoint = Annotated[str, typer.Option(help="The URL that receives the events.")]
OBJECT_EVENTS = ("object:created", "object:updated", "object:deleted", "multipart:completed")
EVENT_TYPES = (*OBJECT_EVENTS, "webhook:failing", "webhook:disabled")
EVENT_NAMES = ("--event", "--events")
"""The option that lists types of events, which all commands take under both names."""
Events = Annotated[
    list[str],
    typer.Option(
        *EVENT_NAMES,
        metavar="TYPE,…",
        autocompletion=candidates.listed_words(*EVENT_TYPES),
        help="object:created, object:updated, object:deleted, multipart:completed; of the account's webhooks "
        "webhook:failing, webhook:disabled. May be repeated.",
    ),
]
NewEndpoint = Annotated[str | None, typer.Option("--endpoint", help="The URL that receives the events.")]
NewEvents = Annotated[
    list[str] | None,
    typer.Option(
        *EVENT_NAMES,
        metavar="TYPE,…",
        autocompletion=candidates.listed_words(*EVENT_TYPES),
        help="The event types from now on. May be repeated.",
    ),
]
Secret = Annotated[str | None, typer.Option(help="The signing secret; generated if left out.")]
NewSecret = Annotated[
    str | None, typer.Option("--secret", help="The signing secret from now on; rotate changes it without a gap.")
]
RetrySchedule = Annotated[
    str | None, typer.Option(metavar="SECONDS,…", help="The waits between the attempts, such as 5,300,1800.")
]
Timeout = Annotated[
    float | None, typer.Option(metavar="SECONDS", min=1, max=30, help="The deadline of one attempt, 1 to 30.")
]
Ordering = Annotated[
    str | None,
    typer.Option(
        autocompletion=candidates.words("key", "bucket", "none"),
        help="key (each key's events in order), bucket (strict) or none.",
    ),
]
OnDead = Annotated[
    str | None,
    typer.Option(
        autocompletion=candidates.words("continue", "pause"), help="What follows a dead delivery: continue or pause."
    ),
]
Name = Annotated[str | None, typer.Option(help="A name for people.")]

Headers = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="NAME:VALUE", help='A header to send with every attempt; repeated. "" for none.'),
]
ClientCertificate = Annotated[
    str | None, typer.Option("--client-cert", metavar="FILE", help='The client certificate (PEM) to show; "" for none.')
]
ClientKey = Annotated[
    str | None, typer.Option("--client-key", metavar="FILE", help="The client certificate's private key (PEM).")
]
Authority = Annotated[
    str | None,
    typer.Option("--ca", metavar="FILE", help='The authority (PEM) of the endpoint\'s certificate; "" for the public.'),
]


FIRST_MEMBERS = ("id", "name", "endpoint", "status")
"""Members that tell people which webhook it is, and how it is."""
PEM_MEMBERS = ("clientCertificate", "certificateAuthority")
"""Members of many lines, which stand beside the others."""


def subject(webhook: str) -> str:
    return f"webhook {webhook}"


def event_types(listed: list[str]) -> list[str]:
    """The types of events of a repeated option, each a type or several with commas between them."""
    return [name.strip() for text in listed for name in text.split(",")]


def scope(**places: str | None) -> Document:
    """The one scope among bucket, pond and lake; raises a usage error for none or several."""
    given = {kind: name for kind, name in places.items() if name}
    if len(given) != 1:
        raise typer.BadParameter("Give exactly one of --bucket, --pond and --lake.", param_hint="scope")
    return dict(given)


def schedule(text: str | None) -> list[float] | None:
    """`5,300` as seconds, whole ones as integers; raises a usage error. "" is a schedule without retries."""
    if text is None:
        return None
    try:
        seconds = [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        seconds = [math.nan]
    if not all(math.isfinite(value) for value in seconds):
        raise typer.BadParameter(f"{text!r} is no list of seconds: write 5,300,1800.", param_hint="--retry-schedule")
    return [int(value) if value.is_integer() else value for value in seconds]


def rules(
    *,
    secret: str | None,
    retry_schedule: str | None,
    timeout: float | None,
    ordering: str | None,
    on_dead: str | None,
    name: str | None,
) -> Document:
    """The members that the options set: what was left out is the server's to choose, or stays as it is."""
    members = {
        "secret": secret,
        "retrySchedule": schedule(retry_schedule),
        "timeoutSeconds": timeout,
        "ordering": ordering,
        "onDead": on_dead,
        "name": name,
    }
    return {member: value for member, value in members.items() if value is not None}


def secrecy(
    *, header: list[str] | None, client_cert: str | None, client_key: str | None, authority: str | None
) -> Document:
    """The confidential members that the options set. An empty option takes away what there is, the key with its
    certificate."""
    members: Document = {}
    if header:
        members["headers"] = dict(_header(line) for line in header if line) or None
    if client_cert == "" and client_key is None:
        client_key = ""
    files = {"clientCertificate": client_cert, "clientKey": client_key, "certificateAuthority": authority}
    return members | {member: _pem(file) for member, file in files.items() if file is not None}


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise typer.BadParameter("Write it as NAME:VALUE.", param_hint="--header")
    return name.strip(), value.strip()


def _pem(file: str) -> str | None:
    if not file:
        return None
    try:
        return Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"cannot read {file}: {getattr(error, 'strerror', None) or 'it is no text'}") from None
