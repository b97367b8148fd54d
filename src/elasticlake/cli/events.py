"""`elasticlake events …`: a bucket's log, read on and on, or back from its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Annotated

import typer

from elasticlake.cli import bucket as buckets
from elasticlake.cli.client import LARGEST_PAGE, Document, RestClient, path
from elasticlake.cli.command import Session, command, noun
from elasticlake.cli.errors import CommandFailed, EventsExpired, ExitCode
from elasticlake.cli.output import printable, to_json, write
from elasticlake.cli.table import Column

POLL_WAIT_SECONDS = 20
RECENT_EVENTS = 10
# A server that is about to stop answers long polls early; asking again at once would only keep both busy.
EARLY_SECONDS = 1.0

COLUMNS = {
    "SEQUENCE": Column("sequence"),
    "TIME": Column("timestamp", is_time=True),
    "EVENT": Column("event"),
    "REASON": Column("reason", spare=2),
    "BYTES": Column(lambda event: (event.get("object") or {}).get("size"), spare=1),
    "KEY": Column(lambda event: (event.get("object") or {}).get("key"), shortens_to=12),
}

app = noun("Events: a bucket's log.")


def line(event: Document) -> str:
    """An event in one line: sequence, time, type, size, key (last, since it alone may hold spaces)."""
    about = event.get("object") or {}
    size_bytes = about.get("size", "-")
    columns = f"{event.get('sequence'):>6}  {event.get('timestamp')}  {event.get('event'):<19}  {size_bytes:>12}"
    return printable(f"{columns}  {about.get('key')}")


def recent(client: RestClient, bucket: str) -> int:
    """The sequence to start after when none was given: the last few events, as far as the log still holds them."""
    last = int(client.get(path("buckets", bucket), buckets.subject(bucket)).get("sequence") or 0)
    after = max(0, last - RECENT_EVENTS)
    try:
        _page(client, bucket, after, wait_seconds=0)
    except EventsExpired as expired:
        return expired.first_sequence - 1
    return after


def read(client: RestClient, bucket: str, after: int, *, follow: bool) -> Iterator[Document]:
    """The events past `after` in order; with `follow` those to come too, without end."""
    wait_seconds = POLL_WAIT_SECONDS if follow else 0
    while True:
        asked_at = time.monotonic()
        try:
            events = _page(client, bucket, after, wait_seconds)
        except CommandFailed as failure:
            if failure.exit_code is ExitCode.UNREACHABLE:
                raise CommandFailed(f"{failure} (go on with --after {after})", failure.exit_code) from None
            raise
        yield from events
        if events:
            after = int(events[-1]["sequence"])
        elif not follow:
            return
        elif time.monotonic() - asked_at < EARLY_SECONDS:
            time.sleep(EARLY_SECONDS)


def _page(client: RestClient, bucket: str, after: int, wait_seconds: int) -> list[Document]:
    params = {"after": after, "wait": wait_seconds or None}
    return client.page(path("buckets", bucket, "events"), buckets.subject(bucket), params, wait_seconds)


def latest(client: RestClient, bucket: str, key: str | None, limit: int) -> Iterator[Document]:
    """The last events, of one key or of all, the latest first."""
    before: int | None = None
    while limit > 0:
        params = {"order": "desc", "before": before, "key": key, "limit": min(limit, LARGEST_PAGE)}
        events = client.page(path("buckets", bucket, "events"), buckets.subject(bucket), params, 0)
        yield from events[:limit]
        if not events:
            return
        limit, before = limit - len(events), int(events[-1]["sequence"])


@command(app, "list")
def list_(
    session: Session,
    bucket: buckets.BucketName,
    key: Annotated[str | None, typer.Option(help="Only those of this key.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="List at most so many.")] = RECENT_EVENTS,
) -> None:
    """List a bucket's last events, the latest first."""
    session.output.items(latest(session.client, bucket, key, limit), COLUMNS)


@command(app, "tail")
def tail(
    session: Session,
    bucket: buckets.BucketName,
    after: Annotated[
        int | None, typer.Option(min=0, help=f"Start after this sequence; the last {RECENT_EVENTS} events if left out.")
    ] = None,
    follow: Annotated[bool, typer.Option(help="Wait for the events to come, until Ctrl-C.")] = True,
) -> None:
    """Print a bucket's events, one line each, as they happen. With --json each line is the event's document."""
    try:
        start = recent(session.client, bucket) if after is None else after
        for event in read(session.client, bucket, start, follow=follow):
            write(to_json(event, indent=None) if session.output.as_json else line(event))
    except KeyboardInterrupt:
        if sys.stderr.isatty():  # the terminal has shown ^C: the prompt belongs on a line of its own
            print(file=sys.stderr)
