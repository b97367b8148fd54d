"""The audit log: who did what to the installation, and when."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from elasticlake.errors import InvalidInput
from elasticlake.metadata import activity
from elasticlake.metadata.activity import Place, Sought
from elasticlake.metadata.database import Database, Touching, Transaction
from elasticlake.model.accounts import ACTOR_KINDS, Actor, Token
from elasticlake.model.activity import ACTIONS, Activity, Done
from elasticlake.service.pages import Page, PageRequest, decode_cursor, encode_cursor
from elasticlake.service.permissions import require_whole

_SUBJECT_KINDS = frozenset(action.partition(":")[0] for action in ACTIONS)

_log = structlog.get_logger("activity")


@dataclass(frozen=True, slots=True)
class Search:
    """Which entries of the log.

    `actor` is an id or `KIND:ID`, `subject` likewise; `action` is how actions begin (`webhook:`); times are Unix times
    in milliseconds, `until_ms` no longer within.
    """

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


def note(tx: Transaction, actor: Actor, now_ms: int, done: Done) -> None:
    """Write down, with the mutation that does it, what was done."""
    activity.insert(tx, actor, now_ms, done)


async def note_after(core: Database, actor: Actor, now_ms: int, done: Done) -> None:
    """Write down what was done in another database than the log's. It is done whatever becomes of this: a fault is
    logged."""
    try:
        await core.write(lambda tx: note(tx, actor, now_ms, done), touching=Touching())
    except Exception as error:
        _log.error("activity was not written down", action=done.action, subject=done.subject, exc_info=error)


class Activities:
    """Reads of the log."""

    def __init__(self, core: Database) -> None:
        self._core = core

    async def list(self, token: Token, request: PageRequest, search: Search | None = None) -> Page[Activity]:
        """What was done, the newest first, as far as it concerns the token's accounts. Raises `InvalidInput`."""
        require_whole(token)
        sought = _sought(search or Search(), token)
        before = _place(request.cursor) if request.cursor else None
        found = await self._core.read(lambda reader: activity.page(reader, sought, before, request.limit + 1))
        items = found[: request.limit]
        is_more = len(found) > request.limit
        return Page(items, encode_cursor(items[-1].time_ms, items[-1].id) if is_more else None)


def _sought(search: Search, token: Token) -> Sought:
    if search.since_ms is not None and search.until_ms is not None and search.until_ms <= search.since_ms:
        raise InvalidInput("until", "until must be later than since.")
    actor_kind, actor_id = _split(search.actor, frozenset(ACTOR_KINDS))
    subject_kind, subject = _split(search.subject, _SUBJECT_KINDS)
    return Sought(
        accounts=token.accounts,
        actor_kind=actor_kind,
        actor_id=actor_id,
        action_prefix=search.action,
        subject_kind=subject_kind,
        subject=subject,
        since_ms=search.since_ms,
        until_ms=search.until_ms,
    )


def _split(text: str | None, kinds: frozenset[str]) -> tuple[str | None, str | None]:
    """The kind, if the text begins with one, and the rest, if there is any."""
    if text is None:
        return None, None
    kind, colon, rest = text.partition(":")
    return (kind, rest or None) if colon and kind in kinds else (None, text)


def _place(cursor: str) -> Place:
    time_ms, identity = decode_cursor(cursor, int, int)
    return Place(int(time_ms), int(identity))
