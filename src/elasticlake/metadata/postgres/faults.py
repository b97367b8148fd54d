"""What PostgreSQL's errors mean: to be tried again, the caller's own, or our mistake.

Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

from elasticlake.errors import InsufficientStorage, InvalidInput, Unavailable
from elasticlake.metadata.postgres.link import LinkLost, StatementFailed

# Serialization failure, deadlock, lock not available in time: the same again may well succeed. A row that another node
# inserted since we looked: the second look sees it, a third would see nothing new.
_TRIES = {"40001": 6, "40P01": 6, "55P03": 6, "23505": 2}
_DISK_FULL = "53100"
_DATA_CLASS = "22"
# A standby that only reads; a session that ended in the middle of a transaction; a prepared statement whose tables were
# migrated by another node (a cached plan must not change its result's type), or that is gone.
_ENDED = frozenset({"25006", "25P03", "0A000", "26000"})
# Connection exceptions, insufficient resources, operator intervention (a shutdown, a time-out), system errors.
_UNAVAILABLE_CLASSES = ("08", "53", "57", "58")
_UNAVAILABLE = frozenset({*_ENDED, *_TRIES})
# A connection exception, a shutdown, a crash: the server says so whatever it was doing.
_ENDS_SESSION = ("08", "57P")


LOST_TRIES = 6
"""As often a transaction is begun whose session is lost before its COMMIT was sent."""


def tries_of(error: Exception) -> int:
    """How often in all a transaction may be run that failed with this, and was undone."""
    return _TRIES.get(error.code, 1) if isinstance(error, StatementFailed) else 1


def is_lost(error: Exception) -> bool:
    """Whether the session is no use any more: the connection broke, the server said that it will end it, or what was
    prepared in it holds no more."""
    return isinstance(error, LinkLost) or (
        isinstance(error, StatementFailed) and (error.code[:2] in ("08", "57") or error.code in _ENDED)
    )


def leaves_unknown(error: Exception) -> bool:
    """Whether a COMMIT that ends so may have been done: no answer to it came, or only that the session ends."""
    return isinstance(error, LinkLost) or (isinstance(error, StatementFailed) and error.code.startswith(_ENDS_SESSION))


def translated(error: Exception) -> Exception:
    """What the fault means to the caller."""
    if isinstance(error, LinkLost):
        return Unavailable()
    if not isinstance(error, StatementFailed):
        return error
    if error.code == _DISK_FULL:
        return InsufficientStorage()
    if error.code in _UNAVAILABLE or error.code[:2] in _UNAVAILABLE_CLASSES:
        return Unavailable()
    if error.code[:2] == _DATA_CLASS:
        # A number beyond 64 bits, text that is none: what was sent cannot be, so it is nowhere.
        return InvalidInput("value", "A value cannot be stored or looked up.")
    return error
