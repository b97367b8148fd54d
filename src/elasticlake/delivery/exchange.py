"""One attempt from its request to what is remembered of it, whoever it is for."""

from __future__ import annotations

import random
from collections.abc import Callable

from elasticlake.clock import Clock
from elasticlake.delivery.attempt import Result, Sender
from elasticlake.delivery.composer import Composer, Delivery
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.observer import Observer
from elasticlake.delivery.outcome import Verdict, attempt_record, judge


class Exchange:
    """Composes, sends, judges, and writes it down."""

    def __init__(
        self,
        composer: Composer,
        sender: Sender,
        observer: Observer,
        ledger: Ledger,
        clock: Clock,
        chance: random.Random,
    ) -> None:
        self._composer = composer
        self._sender = sender
        self._observer = observer
        self._ledger = ledger
        self._clock = clock
        self._chance = chance

    async def make(self, delivery: Delivery, attempts: int, follow: Callable[[Result, Verdict], Verdict]) -> Verdict:
        """Make the delivery's n-th attempt. `follow` is told what came of it before it is written down, and has the
        last word on what that means."""
        request, span = self._observer.begin(delivery, await self._composer.request(delivery, attempts))
        result = await self._sender.send(request)
        now_ms, chance = self._clock.now_ms(), self._chance.random()
        verdict = judge(delivery.webhook, attempts, result, now_ms, chance, once=delivery.is_test)
        verdict = follow(result, verdict)
        self._ledger.attempted(attempt_record(delivery, attempts, request, result, verdict))
        self._observer.finish(span, delivery, attempts, result, verdict)
        return verdict
