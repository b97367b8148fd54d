"""Seeded lives of a job: whatever ends in whatever order, and whenever the dispatcher dies, everything is sent, each
key's in order, and each is counted once."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from elasticlake.delivery.job_run import WINDOW, Item, JobRun
from elasticlake.metadata.jobs import Job
from elasticlake.model.events import Event
from elasticlake.model.jobs import Cursor, JobParameters, Span
from elasticlake.model.webhooks import Ordering, Webhook, WebhookScope
from elasticlake.service.job_source import Batch, Found

SEEDS = 200
KEYS = (b"a", b"b", b"c", b"d")
READ = 7
OUTCOMES = ("delivered", "delivered", "delivered", "failed", "skipped")


def make_event(sequence: int, key: bytes) -> Event:
    return Event(
        f"evt_{sequence}", 1, "bucket", sequence, "object:created", 0, key, 1, "e", "t/p", "l", "p", "PutObject"
    )


class Life:
    """A log of which some events are wanted, and what has become of the job so far."""

    def __init__(self, seed: int, ordering: Ordering) -> None:
        self.chance = random.Random(seed)
        self.webhook = Webhook("wh_1", "root", WebhookScope("bucket", 1, "bucket"), "https://a/", (), ordering=ordering)
        self.log = [make_event(number + 1, self.chance.choice(KEYS)) for number in range(self.chance.randint(0, 60))]
        self.wanted = {event.sequence for event in self.log if self.chance.random() < 0.7}
        parameters = JobParameters(spans=(Span(1, 1, len(self.log)),))
        self.stored = Job("job_1", "wh_1", 1, "replay", parameters, len(self.log), 0, 0)
        self.sent: list[int] = []
        self.crashes = 0

    def batch(self, cursor: Cursor) -> Batch:
        """What a source would answer."""
        rows = self.log[cursor.sequence : cursor.sequence + READ]
        found, passed = list[Found](), 0
        for event in rows:
            passed += 1
            if event.sequence in self.wanted:
                found.append(Found(event, cursor._replace(sequence=event.sequence), passed))
                passed = 0
        last = rows[-1].sequence if rows else cursor.sequence
        return Batch(found, cursor._replace(sequence=last), passed, len(rows) < READ)

    def live(self) -> None:
        """From start to end, over any number of crashes."""
        while not self._live_until_crash():
            self.crashes += 1

    def _live_until_crash(self) -> bool:
        run, in_flight = JobRun.resume(self.stored), list[Item]()
        sent_from = len(self.sent)
        while not run.is_over:
            if self.chance.random() < 0.01:
                return False
            if self.chance.random() < 0.3:
                self.stored = run.progress(1)
            actions = [self._read] * run.may_read + [self._start] * bool(run.ready) + [self._end] * bool(in_flight)
            self.chance.choice(actions)(run, in_flight)
            self._look(in_flight, self.sent[sent_from:])
        self.stored = run.progress(1)
        return True

    def _read(self, run: JobRun, in_flight: list[Item]) -> None:
        run.add(self.batch(run.read_up_to), self.webhook)

    def _start(self, run: JobRun, in_flight: list[Item]) -> None:
        item = run.ready.popleft()
        assert item.event is not None
        in_flight.append(item)
        self.sent.append(item.event.sequence)

    def _end(self, run: JobRun, in_flight: list[Item]) -> None:
        item = in_flight.pop(self.chance.randrange(len(in_flight)))
        fate = self.chance.random()
        if fate < 0.1:
            run.put_back(item)
        elif fate < 0.2:
            run.postpone(item, 0.0)
            run.try_postponed()
        else:
            run.settle(item, self.chance.choice(OUTCOMES))  # type: ignore[arg-type]

    def _look(self, in_flight: list[Item], sent: list[int]) -> None:
        lanes = Counter(self._lane(item.event.sequence) for item in in_flight if item.event is not None)
        assert not lanes or max(lanes.values()) == 1, "two of a lane at once"
        first: dict[bytes, int] = {}
        for sequence in sent:
            assert sequence >= first.get(self._lane(sequence), 0), "out of order"
            first[self._lane(sequence)] = sequence

    def _lane(self, sequence: int) -> bytes:
        return b"" if self.webhook.ordering == "bucket" else self.log[sequence - 1].key


@pytest.mark.parametrize("ordering", ["key", "bucket", "none"])
def test_everything_is_sent_in_order_and_counted_once(ordering: Ordering) -> None:
    crashes = 0
    for seed in range(SEEDS):
        life = Life(seed, ordering)
        try:
            life.live()
            assert set(life.sent) == life.wanted
            tally = life.stored.tally
            assert (tally.scanned, tally.matched) == (len(life.log), len(life.wanted))
            assert tally.delivered + tally.failed + tally.skipped == tally.matched
            assert life.stored.cursor.sequence == len(life.log)
        except AssertionError as fault:
            raise AssertionError(f"seed {seed}: {fault}") from fault
        crashes += life.crashes
    assert crashes > SEEDS // 10


def test_the_window_is_bounded() -> None:
    life = Life(1, "none")
    life.log = [make_event(number + 1, b"%d" % number) for number in range(10 * WINDOW)]
    life.wanted = {event.sequence for event in life.log}
    run = JobRun.resume(life.stored)
    while run.may_read:
        run.add(life.batch(run.read_up_to), life.webhook)
    assert len(run.ready) < WINDOW
    assert not run.is_over


def test_a_slow_first_holds_back_the_cursor_but_not_the_others() -> None:
    life = Life(1, "key")
    life.log = [make_event(1, b"a"), make_event(2, b"b"), make_event(3, b"c")]
    life.wanted = {1, 2, 3}
    run = JobRun.resume(replace(life.stored, cursor=Cursor()))
    run.add(life.batch(run.read_up_to), life.webhook)
    first, second, third = [run.ready.popleft() for _ in range(3)]
    run.settle(second, "delivered")
    run.settle(third, "failed")
    assert (run.cursor, run.tally.scanned) == (Cursor(), 0)
    run.settle(first, "delivered")
    assert (run.cursor.sequence, run.tally.matched, run.tally.sent, run.is_over) == (3, 3, 3, True)
