"""What a receiver answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and a line for whoever looks at the attempt in ElasticLake's history."""

    status: int
    text: str = ""
    also: tuple[tuple[str, str], ...] = ()
    """Headers of this answer alone."""

    @property
    def body(self) -> bytes:
        return self.text.encode()

    @property
    def headers(self) -> list[tuple[str, str]]:
        """All but the length."""
        return [*self.also, *([("Content-Type", "text/plain; charset=utf-8")] if self.text else [])]

    @property
    def sized_headers(self) -> list[tuple[str, str]]:
        """With the length, which an answer without content must not have (RFC 9110, section 8.6)."""
        length = [] if self.status == HANDLED.status else [("Content-Length", str(len(self.body)))]
        return [*self.headers, *length]


HANDLED = Answer(204)
NOT_POST = Answer(405, "Deliveries are POSTed.", (("Allow", "POST"),))
BUSY = Answer(409, "The event is being handled already.")
TOO_LARGE = Answer(413, "No delivery is that large.")
FAILED = Answer(500, "The event could not be handled.")
"""It says no more: what went wrong inside is nobody's business outside. The log has it."""
