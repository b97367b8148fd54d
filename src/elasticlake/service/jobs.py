"""Operations on jobs: make one, or count what it would send; see how far they are; cancel one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from elasticlake.clock import Clock
from elasticlake.errors import InvalidInput, NoSuchJob, NoSuchWebhook, TooManyJobs
from elasticlake.metadata import jobs
from elasticlake.metadata.database import Database, Reader, Transaction
from elasticlake.metadata.jobs import Job
from elasticlake.model.accounts import Token
from elasticlake.model.activity import Action, Done
from elasticlake.model.ids import new_job_id
from elasticlake.model.jobs import Cursor, JobKind, JobParameters, JobStatus, require_parameters
from elasticlake.model.webhooks import Webhook
from elasticlake.record import record
from elasticlake.service.activity import note_after
from elasticlake.service.job_source import JobSource
from elasticlake.service.job_spans import spans, total
from elasticlake.service.pages import Page, PageRequest, after_name, page_of
from elasticlake.service.permissions import require
from elasticlake.service.selection import select
from elasticlake.service.webhooks import visible_webhook

MAX_RUNNING = 20
"""Jobs of one webhook that may wait or run."""
MOST_COUNTED = 1_000_000
COUNTING_SECONDS = 10.0
_ROWS_AT_ONCE = 200


@record
class Count:
    """How many events a job would send; `at_least` if there may be more, since counting all took too long."""

    matched: int
    at_least: bool


@record
class Failing:
    """Of how many events the deliveries wait to be tried again, each with what waits behind it; and are dead."""

    retrying: int
    dead: int


class Jobs:
    """The job operations: over the log and the objects (`core`), and the dispatcher's state (`state`)."""

    def __init__(self, core: Database, state: Database, clock: Clock, wake: Callable[[], None]) -> None:
        self._core = core
        self._state = state
        self._source = JobSource(core, state)
        self._clock = clock
        self._wake = wake

    async def create(self, token: Token, webhook_id: str, kind: JobKind, parameters: JobParameters) -> Job:
        """Make a job, which the webhook's dispatcher begins at once.

        Raises `InvalidInput` that names the field, `NoSuchWebhook`, `NoSuchBucket`, `EventsExpired`, `TooManyJobs`.
        """
        webhook = await self._webhook(token, webhook_id)
        draft = await self._draft(token, webhook_id, kind, parameters)
        made = await self._state.write(lambda tx: _insert(tx, draft))
        self._wake()
        await note_after(self._core, token.actor, made.created_at_ms, _done("job:started", made, webhook))
        return made

    async def count(self, token: Token, webhook_id: str, kind: JobKind, parameters: JobParameters) -> Count:
        """What such a job would send if it were made now, at most a million; raises what `create` raises."""
        draft = await self._draft(token, webhook_id, kind, parameters)
        webhook = await self._webhook(token, webhook_id)
        selection = select(webhook.events, webhook.rules)
        cursor, matched, scanned, is_last = Cursor(), 0, 0, False
        until = self._clock.monotonic() + COUNTING_SECONDS
        while not is_last:
            if max(matched, scanned) >= MOST_COUNTED or self._clock.monotonic() > until:
                return Count(matched, True)
            batch = await self._source.read(draft, selection, cursor)
            matched += len(batch.found)
            scanned += batch.passed + sum(found.scanned for found in batch.found)
            cursor, is_last = batch.cursor, batch.is_last
        return Count(matched, False)

    async def failing(self, token: Token, webhook_id: str) -> Failing:
        """How much a replay of what failed has to look at; raises `NoSuchWebhook`."""
        webhook = await self._webhook(token, webhook_id)

        def look(reader: Reader) -> Failing:
            lanes, dead = jobs.count_lanes(reader, webhook.id), jobs.count_dead(reader, webhook.id)
            return Failing(sum(lanes.values()), sum(dead.values()))

        return await self._state.read(look)

    async def get(self, token: Token, job_id: str) -> Job:
        """The job as it stands; raises `NoSuchJob`."""
        job = await self._state.read(lambda reader: jobs.get(reader, job_id))
        if job is None or not await self._sees(token, job.webhook_id):
            raise NoSuchJob
        return job

    async def list(
        self, token: Token, request: PageRequest, webhook_id: str | None = None, status: JobStatus | None = None
    ) -> Page[Job]:
        """The jobs of the webhooks that the token reaches, or of one, the newest first; raises `NoSuchWebhook`."""
        require(token, "admin")
        if webhook_id is not None:
            await self._webhook(token, webhook_id)
        before, kept, seen = after_name(request), list[Job](), dict[str, bool]()
        while len(kept) <= request.limit:
            rows = await self._state.read(
                lambda reader: jobs.page(reader, before, _ROWS_AT_ONCE, webhook_id, status)  # noqa: B023
            )
            for job in rows:
                if job.webhook_id not in seen:
                    seen[job.webhook_id] = await self._sees(token, job.webhook_id)
            kept += [job for job in rows if seen[job.webhook_id]]
            if len(rows) < _ROWS_AT_ONCE:
                break
            before = rows[-1].id
        return page_of(kept, request.limit, lambda job: job.id)

    async def cancel(self, token: Token, job_id: str) -> Job:
        """End the job: it begins no attempt any more, and what it failed to deliver is not attempted again. One that
        has ended stays as it is. Raises `NoSuchJob`."""
        job = await self.get(token, job_id)
        webhook = await self._webhook(token, job.webhook_id)
        now_ms = self._clock.now_ms()
        await self._state.write(lambda tx: jobs.cancel(tx, job_id, now_ms))
        self._wake()
        if job.status == "running":
            await note_after(self._core, token.actor, now_ms, _done("job:canceled", job, webhook))
        return await self.get(token, job_id)

    async def _draft(self, token: Token, webhook_id: str, kind: JobKind, parameters: JobParameters) -> Job:
        """The job as it would be made now."""
        webhook = await self._webhook(token, webhook_id)
        wanted = _require_subscribed(webhook, require_parameters(parameters))
        wanted = replace(wanted, spans=await spans(self._core, token, webhook, kind, wanted))
        now_ms = self._clock.now_ms()
        what = await total(self._core, self._state, webhook, kind, wanted)
        return Job(new_job_id(now_ms), webhook.id, 0, kind, wanted, what, now_ms, now_ms)

    async def _webhook(self, token: Token, webhook_id: str) -> Webhook:
        return (await self._core.read(lambda reader: visible_webhook(reader, token, webhook_id))).webhook

    async def _sees(self, token: Token, webhook_id: str) -> bool:
        try:
            await self._webhook(token, webhook_id)
        except NoSuchWebhook:
            return False
        return True


def _done(action: Action, job: Job, webhook: Webhook) -> Done:
    """What was done to the job; it is about the bucket that was named, else the webhook's."""
    named = job.parameters.bucket or (webhook.scope.name if webhook.scope.kind == "bucket" else None)
    return Done(action, job.id, webhook.account_id, named, {"webhook": webhook.id, "kind": job.kind})


def _insert(tx: Transaction, draft: Job) -> Job:
    if jobs.count_running(tx, draft.webhook_id) >= MAX_RUNNING:
        raise TooManyJobs
    job = replace(draft, number=jobs.next_number(tx, draft.webhook_id))
    jobs.insert(tx, job)
    return job


def _require_subscribed(webhook: Webhook, wanted: JobParameters) -> JobParameters:
    for event in wanted.events:
        if not webhook.matches(event):
            raise InvalidInput("events", f"The webhook did not subscribe to {event!r}.")
    return wanted
