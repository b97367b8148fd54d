"""Why a move of data ends before it is done."""

from __future__ import annotations

from elasticlake.errors import ElasticLakeError


class MoveRefused(ElasticLakeError):
    """The move does not begin, or does not go on; the message says why."""


class MoveStopped(ElasticLakeError):
    """The target cannot be reached, or could not be for a moment."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason.rstrip('.')}. Run the same command again: it goes on where it stopped")
