"""`elasticlake webhook statistics`: how many attempts there were, how they ended, and how long they took."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli import candidates
from elasticlake.cli import webhook_definition as given
from elasticlake.cli.client import Document, path
from elasticlake.cli.command import Session, command, lone
from elasticlake.cli.table import Column

COLUMNS = {
    "START": Column("start", is_time=True),
    "ATTEMPTS": Column("attempts", spare=2),
    "DELIVERED": Column("delivered"),
    "FAILED": Column("failed"),
    "FAILURES": Column("failures", shortens_to=12, spare=1),
    "P50 MS": Column("p50Ms", spare=4),
    "P95 MS": Column("p95Ms"),
    "P99 MS": Column("p99Ms", spare=3),
}

app = lone()


@command(app, "statistics")
def statistics(
    session: Session,
    webhook: given.WebhookId,
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="From then on, as 2026-01-02T03:00:00Z; a day before --until if left out."),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Until then; now if left out.")] = None,
    step: Annotated[
        str | None,
        typer.Option(
            metavar="5m|1h|1d",
            autocompletion=candidates.words("5m", "1h", "1d"),
            help="How long a step is; 1h if left out.",
        ),
    ] = None,
) -> None:
    """Show how a webhook's attempts ended and how long they took: the steps in which there were any, and all.

    Times are widened to whole steps.
    """
    asked = {"since": since, "until": until, "step": step}
    found = session.client.get(path("webhooks", webhook, "statistics"), given.subject(webhook), params=asked)
    if session.output.as_json:
        session.output.document(found)
        return
    steps: list[Document] = [one for one in found.get("steps") or [] if one.get("attempts")]
    totals = found.get("totals") or {}
    if (ratio := totals.get("successRatio")) is not None:
        totals = {**totals, "successRatio": f"{ratio:.2%}"}
    session.output.document({"since": found.get("since"), "until": found.get("until"), **totals})
    session.output.section("Steps", steps, COLUMNS)
