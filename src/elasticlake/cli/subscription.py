"""A live stream, read on and on over lost connections and restarted servers, so that no event is missed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from elasticlake.cli import bucket as buckets
from elasticlake.cli import lake as lakes
from elasticlake.cli import pond as ponds
from elasticlake.cli.client import Document, RestClient, path
from elasticlake.cli.errors import CommandFailed, ExitCode
from elasticlake.cli.sse import Message, messages

RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Source:
    """Whose events: the stream's path, and what to call it."""

    path: str
    subject: str

    @classmethod
    def of(cls, scope: Document) -> Source:
        """The stream of a scope such as `{"bucket": "lake1--pond1--my-bucket"}`."""
        ((kind, name),) = scope.items()
        if kind == "pond":
            return cls(f"{ponds.pond_path(name)}/events", ponds.subject(name))
        subject = buckets.subject(name) if kind == "bucket" else lakes.subject(name)
        return cls(path(f"{kind}s", name, "events"), subject)


def follow(client: RestClient, source: Source, after: str | None, tell: Callable[[str], None]) -> Iterator[Message]:
    """The stream's messages past `after` (None: from now on), without end.

    A lost connection is made again, where the last message said; `tell` hears of it. Raises `CommandFailed` where the
    server refuses, or was never there.
    """
    last_id, is_lost = "", False
    while True:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        try:
            for message in messages(client.stream(source.path, source.subject, {"after": after}, headers)):
                if is_lost:
                    tell("connected again")
                    is_lost = False
                yield message
                last_id = message.id
            reason = "the server ended the stream"
        except CommandFailed as failure:
            if not last_id or failure.exit_code is not ExitCode.UNREACHABLE:
                raise
            reason = str(failure)
        if not last_id:
            raise CommandFailed(f"{reason} before it began", ExitCode.UNREACHABLE)
        if not is_lost:
            tell(f"{reason}; trying again")
            is_lost = True
        time.sleep(RETRY_SECONDS)
