"""The jobs under way here: which there are, and that each takes turns with its webhook's feeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from itertools import islice

import structlog

from elasticlake.clock import Clock
from elasticlake.delivery.feeds import FeedId
from elasticlake.delivery.flights import Flights
from elasticlake.delivery.job_attempts import BUSY_SECONDS, JobAttempts
from elasticlake.delivery.job_run import Item, JobRun
from elasticlake.delivery.ledger import Ledger
from elasticlake.delivery.membership import Membership
from elasticlake.delivery.pace import BURST_SECONDS, Permit
from elasticlake.delivery.turns import Turns
from elasticlake.errors import Unavailable
from elasticlake.metadata import jobs
from elasticlake.metadata.database import Database
from elasticlake.metadata.jobs import Job
from elasticlake.model.webhooks import Webhook
from elasticlake.service.job_source import JobSource
from elasticlake.service.selection import Selection, select

SENDS_PER_TURN = 8
AT_ONCE = 256
AT_ONCE_PER_WEBHOOK = 3

_log = structlog.get_logger("delivery")


@dataclass(frozen=True, slots=True)
class Pacing:
    """What a dispatcher decides for all that it sends: how long until a webhook may send one more (None: until one of
    its attempts has ended), and an attempt's permit."""

    wait_seconds: Callable[[Webhook], float | None]
    permit: Callable[[Webhook], Permit]


class Jobs:
    """Reads and sends for the running jobs of our webhooks. Not one of its attempts takes a slot that is reserved for
    what has just happened. `is_current` says whether the webhook is still defined as it was last read."""

    def __init__(
        self,
        state: Database,
        source: JobSource,
        attempts: JobAttempts,
        pacing: Pacing,
        flights: Flights,
        turns: Turns,
        membership: Membership,
        ledger: Ledger,
        clock: Clock,
        is_current: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._state = state
        self._source = source
        self._attempts = attempts
        self._pacing = pacing
        self._flights = flights
        self._turns = turns
        self._membership = membership
        self._ledger = ledger
        self._clock = clock
        self._is_current = is_current
        self._runs: dict[FeedId, JobRun] = {}
        self._under_way: Counter[str] = Counter()

    @staticmethod
    def is_job(feed_id: FeedId) -> bool:
        """Whether the turn is a job's."""
        return feed_id[1] < 0

    @property
    def webhooks(self) -> set[str]:
        """Whose jobs are open here."""
        return {run.job.webhook_id for run in self._runs.values()} | set(+self._under_way)

    async def look(self) -> None:
        """Find the running jobs: new ones, and those that were canceled."""
        epoch = self._membership.epoch
        running = await self._state.read(lambda reader: jobs.running(reader, epoch), loose=True)
        wanted = _a_few(running)
        for feed_id in self._runs.keys() - wanted.keys():
            del self._runs[feed_id]
        for feed_id, job_id in wanted.items():
            if feed_id not in self._runs:
                await self._open(feed_id, job_id, epoch)
            self._turns.give(feed_id)

    async def _open(self, feed_id: FeedId, job_id: str, epoch: int) -> None:
        job = await self._state.read(lambda reader: jobs.get(reader, job_id))
        if not await self._is_current(feed_id[0]):
            # It may have been changed before the job was made.
            return
        # Another may have gone on while we read how far it was.
        is_ours = self._membership.may_send(feed_id[0]) and self._membership.epoch == epoch
        if job is not None and job.status == "running" and is_ours:
            self._runs[feed_id] = JobRun.resume(job)

    def drop(self, webhook_ids: Collection[str] | None = None) -> None:
        """Forget the jobs of these webhooks, or all; nothing of them is under way. They open again from what was
        stored."""
        for feed_id in list(self._runs):
            if webhook_ids is None or feed_id[0] in webhook_ids:
                del self._runs[feed_id]

    async def close(self, webhook_ids: Collection[str]) -> None:
        """As `drop`, in order: of those of which nothing is under way, and once everything is written."""
        idle = [feed_id for feed_id, run in self._runs.items() if feed_id[0] in webhook_ids and not run.in_flight]
        if idle:
            await self._ledger.flush()
            self.drop({feed_id[0] for feed_id in idle if not self._under_way[feed_id[0]]})

    async def take_turn(self, webhook: Webhook, feed_id: FeedId) -> bool:
        """Read on and send a little; whether the job wants another turn."""
        run = self._runs.get(feed_id)
        if run is None:
            return False
        selection = run.selecting(webhook, _selection)
        has_read = False
        if run.may_read and self._pacing.wait_seconds(webhook) == 0:
            has_read = await self._read_on(webhook, run, selection)
        if self._runs.get(feed_id) is not run or not self._membership.may_send(webhook.id):
            return False
        if run.is_over:
            await self._end(run, replace(run.progress(self._clock.now_ms()), status="completed"))
            self._turns.unblock(webhook.id)
            return False
        return self._send_some(webhook, run, has_read=has_read)

    async def _read_on(self, webhook: Webhook, run: JobRun, selection: Selection) -> bool:
        try:
            batch = await self._source.read(run.job, selection, run.read_up_to)
        except Unavailable:
            raise
        except Exception as error:
            _log.error("job failed", job=run.job.id, exc_info=error)
            failed = replace(run.progress(self._clock.now_ms()), status="failed", error=f"It could not go on: {error}")
            await self._end(run, failed)
            return False
        run.add(batch, webhook)
        self._store(run.progress(self._clock.now_ms()))
        return True

    def _send_some(self, webhook: Webhook, run: JobRun, *, has_read: bool) -> bool:
        """Start a few attempts, as far as the job's rate, the webhook's pace and the slots allow."""
        now = self._clock.monotonic()
        if run.postponed and now >= run.try_again_at:
            run.try_postponed()
        for _ in range(SENDS_PER_TURN):
            if not run.ready:
                break
            if run.next_at > now:
                self._turns.give_later(run.feed_id, run.next_at - now)
                self._turns.unblock(webhook.id)
                return False
            if (seconds := self._pacing.wait_seconds(webhook)) != 0:
                self._turns.block(run.feed_id, seconds)
                return False
            if not self._flights.may_retry:
                self._turns.block_retry(run.feed_id)
                return False
            self._start(webhook, run, run.ready.popleft(), now)
        if not run.in_flight:
            # What it may send and does not is a feed's.
            self._turns.unblock(webhook.id)
        return bool(run.ready) or (has_read and run.may_read)

    def _start(self, webhook: Webhook, run: JobRun, item: Item, now: float) -> None:
        rate = run.job.parameters.rate_limit
        if rate is not None:
            run.next_at = max(run.next_at, now - BURST_SECONDS) + 1 / rate
        permit = self._pacing.permit(webhook)
        run.in_flight += 1
        self._under_way[webhook.id] += 1

        def ended() -> None:
            run.in_flight -= 1
            self._under_way[webhook.id] -= 1
            permit.over()
            if run.postponed:
                self._turns.give_later(run.feed_id, BUSY_SECONDS)
            if self._runs.get(run.feed_id) in (None, run):
                self._store(run.progress(self._clock.now_ms()))
            self._turns.give(run.feed_id)
            self._turns.unblock(webhook.id)
            self._turns.unblock_retry()

        attempt: Awaitable[None] = self._attempts.make(webhook, run, item, permit)
        self._flights.start(webhook.id, attempt, lambda: run.put_back(item), ended, is_retry=True)

    async def _end(self, run: JobRun, job: Job) -> None:
        """The job has ended: it is not looked for again once that is written."""
        self._store(replace(job, ended_at_ms=job.updated_at_ms))
        await self._ledger.flush()
        if self._runs.get(run.feed_id) is run:
            del self._runs[run.feed_id]
        _log.info("job ended", job=job.id, status=job.status, delivered=job.tally.delivered, failed=job.tally.failed)

    def _store(self, job: Job) -> None:
        self._ledger.store(job.webhook_id, ("job", job.id), lambda tx: jobs.put_progress(tx, job))


def _a_few(running: list[tuple[str, str, int]]) -> dict[FeedId, str]:
    """The jobs to run, by the turn that each takes: the eldest of each webhook before the second of any."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, FeedId, str]] = []
    for job_id, webhook_id, number in running:
        ranked.append((seen[webhook_id], (webhook_id, -number), job_id))
        seen[webhook_id] += 1
    ranked.sort(key=lambda one: one[0])
    allowed = (one for one in ranked if one[0] < AT_ONCE_PER_WEBHOOK)
    return {feed_id: job_id for _, feed_id, job_id in islice(allowed, AT_ONCE)}


def _selection(webhook: Webhook) -> Selection:
    return select(webhook.events, webhook.rules)
