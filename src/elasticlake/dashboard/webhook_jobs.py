"""Replays and backfills of a webhook: counted first, then started, watched, and canceled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast, get_args

from starlette.responses import Response

from elasticlake.dashboard.delivery_search import parse_time, time_text
from elasticlake.dashboard.forms import Form
from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.errors import EventsExpired, InvalidInput, NoSuchBucket, NoSuchJob, TooManyJobs
from elasticlake.metadata.jobs import Job
from elasticlake.model.jobs import JobKind, JobParameters, Only
from elasticlake.service.jobs import Count

T = TypeVar("T")
FAILED = "failed"
"""Of a replay's form: whatever has failed."""
_DAY_MS = 86_400_000
_JOBS_SHOWN = 50
_MAX_SEQUENCE = 2**63 - 1


async def new_replay(visit: Visit) -> Response:
    if visit.query("only") == FAILED:
        return await _replay_of_failed(visit)
    return await _form_page(visit, "replay", {name: visit.query(name) for name in ("only", "since", "prefix")})


async def new_backfill(visit: Visit) -> Response:
    return await _form_page(visit, "backfill", {})


async def replay(visit: Visit) -> Response:
    return await _make(visit, "replay")


async def backfill(visit: Visit) -> Response:
    return await _make(visit, "backfill")


async def list_jobs(visit: Visit) -> Response:
    webhook = await visit.services.webhooks.get(visit.token, visit.path("id"))
    page = await visit.services.jobs.list(visit.token, visit.page_request(_JOBS_SHOWN), webhook.id)
    return visit.page("webhook_jobs.html", title="Replays and backfills", webhook=webhook, page=page)


async def show_job(visit: Visit) -> Response:
    """The job's page; with `part=progress`, the piece of it that is looked at again and again."""
    webhook = await visit.services.webhooks.get(visit.token, visit.path("id"))
    job = await _job(visit)
    if visit.query("part") == "progress":
        return visit.fragment("job_progress.html", webhook=webhook, job=job)
    return visit.page("webhook_job.html", title=f"{job.kind.capitalize()} {job.number}", webhook=webhook, job=job)


async def cancel_job(visit: Visit) -> Response:
    job = await _job(visit)
    await visit.services.jobs.cancel(visit.token, job.id)
    return visit.redirect(f"{PREFIX}/webhooks/{job.webhook_id}/jobs/{job.id}", "It begins no attempt any more.")


async def _make(visit: Visit, kind: JobKind) -> Response:
    """Count what such a job would send, or start it."""
    form, webhook_id = await visit.form(), visit.path("id")
    try:
        parameters = _parameters(form, kind)
        if form.text("do") != "start":
            count = await visit.services.jobs.count(visit.token, webhook_id, kind, parameters)
            return await _form_page(visit, kind, form.values(), form.all("events"), count)
        job = await visit.services.jobs.create(visit.token, webhook_id, kind, parameters)
    except InvalidInput as error:
        return await _form_page(visit, kind, form.values(), form.all("events"), faults={error.field: str(error)})
    except NoSuchBucket as error:
        return await _form_page(visit, kind, form.values(), form.all("events"), faults={"bucket": str(error)})
    except EventsExpired as error:
        return await _form_page(visit, kind, form.values(), form.all("events"), faults={"fromSequence": str(error)})
    except TooManyJobs as error:
        return await _form_page(visit, kind, form.values(), form.all("events"), faults={"job": str(error)})
    return visit.redirect(f"{PREFIX}/webhooks/{webhook_id}/jobs/{job.id}", f"The {kind} has begun.")


async def _replay_of_failed(visit: Visit) -> Response:
    """The form for all that has failed, counted already: it needs no more than to be started."""
    webhook = await visit.services.webhooks.get(visit.token, visit.path("id"))
    failing = await visit.services.jobs.failing(visit.token, webhook.id)
    standing = await visit.services.webhooks.standing(webhook)
    known = (standing.failing_since_ms, standing.oldest_undelivered_ms)
    since_ms = min([visit.services.clock.now_ms() - _DAY_MS, *(time_ms for time_ms in known if time_ms is not None)])
    values = {"only": "retrying" if failing.retrying or not failing.dead else "dead", "since": time_text(since_ms)}
    parameters = _parameters(Form(list(values.items())), "replay")
    count = await visit.services.jobs.count(visit.token, webhook.id, "replay", parameters)
    return await _form_page(visit, "replay", values, count=count)


async def _form_page(
    visit: Visit,
    kind: JobKind,
    values: dict[str, str],
    events: list[str] | None = None,
    count: Count | None = None,
    faults: dict[str, str] | None = None,
) -> Response:
    webhook = await visit.services.webhooks.get(visit.token, visit.path("id"))
    given = {"only": "all", **{name: value for name, value in values.items() if value}}
    return visit.page(
        "webhook_job_form.html",
        title="Replay" if kind == "replay" else "Backfill",
        failing=await visit.services.jobs.failing(visit.token, webhook.id),
        webhook=webhook, kind=kind, events=events or [], count=count, faults=faults,
        values={name: given.get(name, "") for name in _FIELDS},
    )  # fmt: skip


_FIELDS = ("bucket", "prefix", "only", "fromSequence", "toSequence", "since", "until", "rateLimit", "freshIds")


def _parameters(form: Form, kind: JobKind) -> JobParameters:
    bucket, prefix = form.text("bucket") or None, form.raw("prefix")
    rate = _field(form, "rateLimit", float, "Write a number of deliveries a second, such as 50.")
    if kind == "backfill":
        return JobParameters(bucket=bucket, prefix=prefix, rate_limit=rate)
    only = form.text("only", "all")
    return JobParameters(
        bucket=bucket,
        prefix=prefix,
        events=tuple(form.all("events")),
        only=cast(Only, only) if only in get_args(Only) else "all",
        from_sequence=_field(form, "fromSequence", _sequence, "A sequence is a whole number from 1 on."),
        to_sequence=_field(form, "toSequence", _sequence, "A sequence is a whole number from 1 on."),
        since_ms=_field(form, "since", parse_time, "Write it as 2026-01-02T03:04, in UTC."),
        until_ms=_field(form, "until", parse_time, "Write it as 2026-01-02T03:04, in UTC."),
        rate_limit=rate,
        fresh_ids=form.checked("freshIds"),
    )


def _field(form: Form, name: str, parse: Callable[[str], T], wrong: str) -> T | None:
    """The field's value, None if it is empty; raises `InvalidInput` that names it."""
    text = form.text(name)
    try:
        return parse(text) if text else None
    except (ValueError, InvalidInput):
        raise InvalidInput(name, wrong) from None


def _sequence(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _MAX_SEQUENCE:
        raise ValueError
    return number


async def _job(visit: Visit) -> Job:
    """The job that the path names; raises `NoSuchJob` also where it is another webhook's."""
    job = await visit.services.jobs.get(visit.token, visit.path("job"))
    if job.webhook_id != visit.path("id"):
        raise NoSuchJob
    return job
