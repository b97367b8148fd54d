"""Why an attempt failed, in words of our own: what sockets, TLS and parsers say ends here."""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass
from typing import Literal, get_args

from elasticlake.delivery.answer import Answer
from elasticlake.delivery.dialer import Dial
from elasticlake.errors import Unavailable

ErrorClass = Literal["refused_address", "dns", "connect", "tls", "timeout", "reset", "protocol", "redirect", "status"]
"""The classes of a failed attempt:

- `refused_address`: the egress policy forbids the address, or the URL cannot be called; nothing was sent
- `dns`: the endpoint's name has no address
- `connect`: no address of the endpoint took the connection
- `tls`: no trusted TLS connection came about
- `timeout`: the deadline passed before the whole response was there
- `reset`: the receiver closed the connection before the whole response was there
- `protocol`: what it answered is not HTTP, its body's framing is broken, or its headers are beyond the limits
- `redirect`: it answered 3xx, which is never followed
- `status`: it answered another status than 2xx
"""
ERROR_CLASSES: tuple[ErrorClass, ...] = get_args(ErrorClass)

_MOST_CHARACTERS = 300
_OUR_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


@dataclass(frozen=True, slots=True)
class Failure:
    """A class for machines and a line for people."""

    error_class: ErrorClass
    text: str


def judge_status(status: int) -> Failure | None:
    """None for a 2xx."""
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return Failure("redirect", f"the receiver answered {status}; redirects are not followed")
    return Failure("status", f"the receiver answered {status}")


def timed_out(deadline_seconds: float, status: int | None) -> Failure:
    """The deadline passed, before the response began or (with its status known) within its body."""
    missing = "response" if status is None else f"end of the {status} response's body"
    return Failure("timeout", f"no {missing} within {deadline_seconds:g} s")


def unusable_tls(error: ssl.SSLError) -> Failure:
    """The webhook's own certificate or authority cannot be used."""
    return Failure("tls", f"the webhook's own TLS settings cannot be used: {_line(error)}")


def judge_dialling(error: OSError, host: str, dial: Dial) -> Failure:
    """Why no connection came about; raises `Unavailable` where this machine is at fault."""
    shortage = dial.local_fault or error
    if shortage.errno in _OUR_SHORTAGES:
        raise Unavailable(f"This machine cannot open another connection: {shortage.strerror}.") from error
    if dial.refusal is not None and not dial.opened:
        return Failure("refused_address", str(dial.refusal))
    if dial.step == "dns":
        return Failure("dns", f"{host}: {_line(error)}")
    if isinstance(error, ssl.SSLError):
        return Failure("tls", _line(error))
    if dial.step == "tls" and isinstance(error, ConnectionResetError):
        # The connection was there; asyncio tells of its end within the handshake without any words.
        return Failure("tls", "the receiver closed the connection during the TLS handshake")
    return Failure("connect", _line(error.strerror or str(error)))


def judge_ending(reason: Exception | None, status: int | None) -> Failure:
    """The connection ended before the answer did: for the transport's `reason`, or in order (None)."""
    if isinstance(reason, ssl.SSLError):
        return Failure("tls", _line(reason))
    if status is not None:
        return Failure("reset", "the connection ended before the whole body was there")
    return Failure("reset", "the receiver closed the connection without a complete response")


def judge_answer(answer: Answer) -> Failure | None:
    """None for an answer that is one, whatever it says."""
    return None if answer.fault is None else Failure("protocol", _line(answer.fault))


def _line(reason: object) -> str:
    return " ".join(str(reason).split())[:_MOST_CHARACTERS]
