"""Handing a delivery's events to those that want them: each event in order, once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from elasticlake.webhooks.answer import BUSY, FAILED, HANDLED, Answer
from elasticlake.webhooks.errors import BeingHandled
from elasticlake.webhooks.event import Event
from elasticlake.webhooks.guards.guard import Claim, Guard
from elasticlake.webhooks.handler import Handler, is_unrun
from elasticlake.webhooks.steps import Call, Steps

log = logging.getLogger("elasticlake.webhooks")


def handle(events: Iterable[Event], handlers: Sequence[Handler], guard: Guard | None) -> Steps[Answer]:
    """The answer: that all is handled, or why not. At the first event that fails it ends, since what follows may not
    overtake it; the guard then knows those before it."""
    for event in events:
        wanting = [handler for handler in handlers if handler.wants(event)]
        if not wanting:
            continue
        try:
            yield from _call(event, wanting) if guard is None else _call_once(event, wanting, guard)
        except BeingHandled:
            return BUSY
        except Exception:
            log.exception("Event %s of delivery %s could not be handled.", event.id, event.delivery.id)
            return FAILED
    return HANDLED


def _call(event: Event, handlers: Iterable[Handler]) -> Steps[None]:
    for handler in handlers:
        returned = yield Call(handler.function, event)
        if is_unrun(returned):
            raise TypeError(f"{handler.function!r} returned a generator, which nobody runs.")


def _call_once(event: Event, handlers: Iterable[Handler], guard: Guard) -> Steps[None]:
    claim: Claim | None = yield Call(guard.begin, event.id)
    if claim is None:
        return
    try:
        yield from _call(event, handlers)
    except GeneratorExit:
        # Nobody runs these steps any more; a thread may still run the handler, so the claim is left to end by itself.
        raise
    except BaseException:
        yield from _release(claim, guard)
        raise
    yield Call(guard.complete, claim)


def _release(claim: Claim, guard: Guard) -> Steps[None]:
    try:
        yield Call(guard.release, claim, is_cleanup=True)
    except Exception:
        # The handler's own failure is what is to be reported; the claim ends by itself.
        log.warning("Event %s stays claimed for a while.", claim.id, exc_info=True)
