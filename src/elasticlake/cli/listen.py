"""`elasticlake listen`: events as they happen, printed, and forwarded to an endpoint that only this machine reaches."""

from __future__ import annotations

import json
import re
import sys
from contextlib import closing, nullcontext
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from elasticlake import signing
from elasticlake.cli import candidates
from elasticlake.cli import webhook_definition as given
from elasticlake.cli.client import Document
from elasticlake.cli.command import Session, command, lone
from elasticlake.cli.errors import usage
from elasticlake.cli.output import Output, printable, to_json, write
from elasticlake.cli.sse import Message
from elasticlake.cli.subscription import Source, follow
from elasticlake.model.endpoint import EndpointRefused, is_localhost, literal_address, parse_endpoint
from elasticlake.model.events import EVENT_TYPES

if TYPE_CHECKING:
    from elasticlake.cli.forwarder import Forwarder, Outcome

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)
AS_THESE = "Write http://localhost:3000/hook for this machine, https://example.com/hook for another."

app = lone()


@command(app, "listen")
def listen(
    session: Session,
    bucket: Annotated[
        str | None, typer.Option(autocompletion=candidates.buckets, help="Listen to this bucket.")
    ] = None,
    pond: Annotated[
        str | None, typer.Option(autocompletion=candidates.ponds, help="Or to a whole pond, written LAKE--POND.")
    ] = None,
    lake: Annotated[str | None, typer.Option(autocompletion=candidates.lakes, help="Or to a whole lake.")] = None,
    forward_to: Annotated[
        str | None, typer.Option(metavar="URL", help="POST each event there, as a webhook's delivery; else print only.")
    ] = None,
    event: Annotated[
        list[str] | None,
        typer.Option(
            *given.EVENT_NAMES,
            metavar="TYPE,…",
            autocompletion=candidates.listed_words(*EVENT_TYPES),
            help="Only these types of events; all if left out. May be repeated.",
        ),
    ] = None,
    secret: Annotated[
        str | None, typer.Option(help="Sign what is forwarded with this secret; generated and printed if left out.")
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="SEQUENCE",
            help="Start after this sequence instead of now (a pond or lake: after the id of an event of its stream). "
            "0 is the beginning.",
        ),
    ] = None,
    print_json: Annotated[bool, typer.Option("--print-json", help="The same as --json.")] = False,
) -> None:
    """Print events as they happen, and forward them to this machine.

    Until Ctrl-C. What is forwarded has the headers, the body and the signatures of a delivery. Events are sent one
    after the other, each once: a failure is printed, and the next one follows. A lost connection to the server is made
    again where it was. With --json each line is the event's document.
    """
    source = Source.of(given.scope(bucket=bucket, pond=pond, lake=lake))
    wanted = _types(event)
    if bucket is not None:
        _require_sequence(after)
    output = Output(session.output.as_json or print_json)
    forwarder = _forwarder(forward_to, secret)
    with closing(forwarder) if forwarder is not None else nullcontext():
        is_ready = False
        try:
            for message in follow(session.client, source, after, output.warn):
                if not is_ready:
                    output.warn(_ready(source, forwarder, secret))
                    is_ready = True
                _take(message, wanted, forwarder, output)
        except KeyboardInterrupt:
            if sys.stderr.isatty():  # the terminal has shown ^C: the prompt belongs on a line of its own
                print(file=sys.stderr)


def _types(listed: list[str] | None) -> frozenset[str]:
    names = given.event_types(listed) if listed else EVENT_TYPES
    for name in names:
        if name not in EVENT_TYPES:
            raise typer.BadParameter(f"{name!r} is none of {', '.join(EVENT_TYPES)}.", param_hint="--event")
    return frozenset(names)


def _require_sequence(text: str | None) -> None:
    if text is not None and not (text.isascii() and text.isdigit()):
        raise typer.BadParameter(f"{text!r} is no sequence: write a whole number.", param_hint="--after")


def _forwarder(endpoint: str | None, secret: str | None) -> Forwarder | None:
    if endpoint is None:
        if secret is not None:
            raise usage("--secret signs what is forwarded: give --forward-to as well")
        return None
    endpoint = _absolute(endpoint)
    secret = signing.generate_secret() if secret is None else secret
    try:
        signing.validate_secret(secret)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--secret") from None
    from elasticlake.cli.forwarder import Forwarder  # its HTTP library takes 100 ms, which --help need not pay

    return Forwarder(endpoint, secret)


def _absolute(url: str) -> str:
    """The endpoint's URL; `localhost:3000/hook`, as other tools take it, is http on this machine's loopback. Raises a
    usage error."""
    is_short = SCHEME.match(url) is None
    try:
        parsed = parse_endpoint(f"http://{url}" if is_short else url)
        if not is_short:
            return url
        address = literal_address(parsed.host)
    except EndpointRefused as refusal:
        raise typer.BadParameter(f"{refusal}. {AS_THESE}", param_hint="--forward-to") from None
    if is_localhost(parsed.host) or (address is not None and address.is_loopback):
        return f"http://{url}"
    raise typer.BadParameter(f"The URL has no scheme. {AS_THESE}", param_hint="--forward-to")


def _ready(source: Source, forwarder: Forwarder | None, given_secret: str | None) -> str:
    if forwarder is None:
        return f"Listening to {source.subject} (Ctrl-C to end)"
    signed = f"The signing secret is {forwarder.secret}" if given_secret is None else "Signed with the secret given"
    return f"Forwarding {source.subject} to {forwarder.endpoint}. {signed} (Ctrl-C to end)"


def _take(message: Message, wanted: frozenset[str], forwarder: Forwarder | None, output: Output) -> None:
    if message.data is None:
        return
    event: Document = json.loads(message.data)
    if event["event"] not in wanted:
        return
    if not output.as_json:
        write(_stamped(printable(f"--> {event['event']}  {event['bucket']}/{event['object']['key']} [{event['id']}]")))
    outcome = forwarder.send(event, message.data) if forwarder is not None else None
    if output.as_json:
        also = {"forwarded": outcome.document(forwarder.endpoint)} if forwarder is not None and outcome else {}
        write(to_json({**event, **also}, indent=None))
    elif forwarder is not None and outcome is not None:
        write(_stamped(_answer(outcome, forwarder.endpoint)))


def _answer(outcome: Outcome, endpoint: str) -> str:
    said = outcome.status_code if outcome.error is None else "ERROR"
    what = f"  {outcome.error}" if outcome.error is not None else ""
    return printable(f"<-- [{said}] POST {endpoint}  {outcome.duration_ms:.0f} ms{what}")


def _stamped(line: str) -> str:
    return f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S}  {line}"
