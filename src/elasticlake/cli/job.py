"""`elasticlake job list|show|cancel`: replays and backfills, and how far they are."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from elasticlake.cli import candidates
from elasticlake.cli.client import Document, path
from elasticlake.cli.command import Limit, Session, command, noun
from elasticlake.cli.errors import CommandFailed
from elasticlake.cli.table import Column

LOOK_SECONDS = 0.5

COLUMNS = {
    "JOB": Column("id"),
    "WEBHOOK": Column("webhook", spare=1),
    "KIND": Column("kind"),
    "STATUS": Column("status"),
    "SENT": Column("sent"),
    "FAILED": Column("failed", spare=2),
    "SKIPPED": Column("skipped", spare=3),
    "CREATED": Column("createdAt", is_time=True, spare=4),
}

JobId = Annotated[str, typer.Argument(metavar="JOB", autocompletion=candidates.jobs, help="The job's id, job_….")]
Follow = Annotated[
    bool, typer.Option("--follow/--no-follow", help="Wait for the job's end, and show meanwhile how far it is.")
]

app = noun("Jobs: replays and backfills, and how far they are.")


def subject(job: str) -> str:
    return f"job {job}"


@command(app, "list")
def list_(
    session: Session,
    webhook: Annotated[
        str | None, typer.Option(metavar="WEBHOOK", autocompletion=candidates.webhooks, help="Only this webhook's.")
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(
            autocompletion=candidates.words("running", "completed", "canceled", "failed"),
            help="Only those that are running, completed, canceled or failed.",
        ),
    ] = None,
    limit: Limit = None,
) -> None:
    """List the jobs, the newest first."""
    wanted = {"webhook": webhook, "status": status}
    session.output.items(session.client.items(path("jobs"), params=wanted, limit=limit), COLUMNS)


@command(app, "show")
def show(session: Session, job: JobId, follow: Follow = False) -> None:
    """Show a job."""
    document = session.client.get(path("jobs", job), subject(job))
    if follow:
        show_to_its_end(session, document)
    else:
        session.output.document(document)


@command(app, "cancel")
def cancel(session: Session, job: JobId) -> None:
    """Cancel a job: it sends nothing more."""
    session.output.document(session.client.post(path("jobs", job, "cancel"), subject(job)))


def show_to_its_end(session: Session, job: Document) -> None:
    """Follow the job, and show it once it has ended. Raises `CommandFailed` if it did not complete."""
    from elasticlake.cli.progress import progress_bar  # 100 ms, which --help need not pay

    identity = str(job.get("id"))
    try:
        with progress_bar(for_people=not session.output.as_json) as show:
            before, is_told = -1, False
            while True:
                scanned = int(job.get("scanned") or 0)
                show(str(job.get("kind")), scanned, int(job.get("total") or scanned or 1))
                if job.get("status") != "running":
                    break
                if not is_told and before in (-1, scanned) and (is_told := _waits(session, job)):
                    webhook = job.get("webhook")
                    session.output.warn(
                        f"{identity} waits until the webhook is enabled: elasticlake webhook enable {webhook}"
                    )
                before = scanned
                time.sleep(LOOK_SECONDS)
                job = session.client.get(path("jobs", identity), subject(identity))
    except KeyboardInterrupt:
        session.output.hint(f"The job goes on. Stop it: elasticlake job cancel {identity}")
        raise
    session.output.document(job)
    if job.get("status") != "completed":
        raise CommandFailed(f"the job is {job.get('status')}" + (f": {job['error']}" if job.get("error") else ""))


def _waits(session: Session, job: Document) -> bool:
    """Whether the job waits for its webhook to be enabled. A webhook that cannot be read is for the job to tell of."""
    try:
        return session.client.get(path("webhooks", str(job.get("webhook")))).get("status") == "disabled"
    except CommandFailed:
        return False
