"""`elasticlake webhook …`: the webhooks themselves. The commands for their deliveries are in `delivery`."""

from __future__ import annotations

from typing import Annotated

import typer

from elasticlake.cli import candidates, delivery, explanation, replay, rotation, statistics
from elasticlake.cli import webhook_definition as given
from elasticlake.cli.attempt import outcome
from elasticlake.cli.client import Document, path
from elasticlake.cli.command import Limit, Session, command, noun
from elasticlake.cli.errors import CommandFailed
from elasticlake.cli.output import label
from elasticlake.cli.table import Column
from elasticlake.cli.webhook_rules import RuleOptions

SCOPES = ("bucket", "pond", "lake")
TEST_WAIT_SECONDS = 5


def scope_of(webhook: Document) -> str:
    """`bucket lake1--pond1--my-bucket`, for a table's one column."""
    return next((f"{kind} {webhook[kind]}" for kind in SCOPES if webhook.get(kind)), "")


COLUMNS = {
    "WEBHOOK": Column("id"),
    "SCOPE": Column(scope_of, shortens_to=20, shortens_last=True),
    "ENDPOINT": Column("endpoint", shortens_to=16),
    "EVENTS": Column("events", spare=2),
    "STATUS": Column("status"),
    "NAME": Column("name", shortens_to=8, spare=1),
}

app = noun("Webhooks, their deliveries and attempts.")
app.add_typer(delivery.app)
app.add_typer(replay.app)
app.add_typer(rotation.app)
app.add_typer(explanation.app)
app.add_typer(statistics.app)


@command(app, "create")
def create(
    session: Session,
    endpoint: given.Endpoint,
    event: given.Events,
    bucket: Annotated[
        str | None, typer.Option(autocompletion=candidates.buckets, help="Tell of this bucket's events.")
    ] = None,
    pond: Annotated[
        str | None, typer.Option(autocompletion=candidates.ponds, help="Or of a whole pond's, written LAKE--POND.")
    ] = None,
    lake: Annotated[str | None, typer.Option(autocompletion=candidates.lakes, help="Or of a whole lake's.")] = None,
    secret: given.Secret = None,
    retry_schedule: given.RetrySchedule = None,
    timeout: given.Timeout = None,
    ordering: given.Ordering = None,
    on_dead: given.OnDead = None,
    name: given.Name = None,
    header: given.Headers = None,
    client_cert: given.ClientCertificate = None,
    client_key: given.ClientKey = None,
    ca: given.Authority = None,
    *,
    options: RuleOptions,
) -> None:
    """Create a webhook on a bucket, a pond or a lake."""
    rules = given.rules(
        secret=secret, retry_schedule=retry_schedule, timeout=timeout, ordering=ordering, on_dead=on_dead, name=name
    )
    scope = given.scope(bucket=bucket, pond=pond, lake=lake)
    sealed = given.secrecy(header=header, client_cert=client_cert, client_key=client_key, authority=ca)
    body = {**scope, "endpoint": endpoint, "events": given.event_types(event), **rules, **sealed, **options.members()}
    made = session.client.post(path("webhooks"), body=body)
    session.output.created(made, "secret", first=given.FIRST_MEMBERS, without=given.PEM_MEMBERS)


@command(app, "list")
def list_(
    session: Session,
    bucket: Annotated[
        str | None, typer.Option(autocompletion=candidates.buckets, help="Only those of this bucket.")
    ] = None,
    pond: Annotated[
        str | None, typer.Option(autocompletion=candidates.ponds, help="Only those of this pond, written LAKE--POND.")
    ] = None,
    lake: Annotated[str | None, typer.Option(autocompletion=candidates.lakes, help="Only those of this lake.")] = None,
    limit: Limit = None,
) -> None:
    """List the webhooks."""
    scope = {"bucket": bucket, "pond": pond, "lake": lake}
    session.output.items(session.client.items(path("webhooks"), params=scope, limit=limit), COLUMNS)


@command(app, "show")
def show(session: Session, webhook: given.WebhookId) -> None:
    """Show a webhook; its secrets are never shown again."""
    found = session.client.get(path("webhooks", webhook), given.subject(webhook))
    session.output.document(found, first=given.FIRST_MEMBERS, without=given.PEM_MEMBERS, apart=("standing",))
    for member in given.PEM_MEMBERS:
        session.output.quote(label(member), found.get(member) or "")


@command(app, "update")
def update(
    session: Session,
    webhook: given.WebhookId,
    endpoint: given.NewEndpoint = None,
    event: given.NewEvents = None,
    secret: given.NewSecret = None,
    retry_schedule: given.RetrySchedule = None,
    timeout: given.Timeout = None,
    ordering: given.Ordering = None,
    on_dead: given.OnDead = None,
    name: given.Name = None,
    header: given.Headers = None,
    client_cert: given.ClientCertificate = None,
    client_key: given.ClientKey = None,
    ca: given.Authority = None,
    *,
    options: RuleOptions,
) -> None:
    """Change a webhook: what the options name, and nothing else."""
    changes = given.rules(
        secret=secret, retry_schedule=retry_schedule, timeout=timeout, ordering=ordering, on_dead=on_dead, name=name
    )
    changes |= given.secrecy(header=header, client_cert=client_cert, client_key=client_key, authority=ca)
    changes |= options.members(_filter_of(session, webhook) if options.changes_filter else None)
    if endpoint is not None:
        changes["endpoint"] = endpoint
    if event:
        changes["events"] = given.event_types(event)
    if not changes:
        raise typer.BadParameter("Name what to change.", param_hint="options")
    _change(session, webhook, changes)


@command(app, "enable")
def enable(
    session: Session,
    webhook: given.WebhookId,
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="position|now",
            autocompletion=candidates.words("position", "now"),
            help="Go on where it stopped, or with what happens from now on.",
        ),
    ] = None,
) -> None:
    """Enable a disabled webhook."""
    _change(session, webhook, {"status": "enabled"} | ({"resume": resume} if resume else {}))


@command(app, "disable")
def disable(session: Session, webhook: given.WebhookId) -> None:
    """Disable a webhook; its position in the log stays."""
    _change(session, webhook, {"status": "disabled"})


@command(app, "delete")
def delete(session: Session, webhook: given.WebhookId) -> None:
    """Delete a webhook; what waits to be delivered is canceled."""
    session.client.delete(path("webhooks", webhook), given.subject(webhook))
    session.output.deleted(given.subject(webhook))


@command(app, "test")
def send_test(
    session: Session,
    webhook: given.WebhookId,
    wait: Annotated[
        int, typer.Option(metavar="SECONDS", min=0, max=60, help="Wait this long for the outcome; 0 only sends.")
    ] = TEST_WAIT_SECONDS,
) -> None:
    """Send a test event and show what came of it. Exit code 1 if it was not delivered."""
    sent = session.client.post(
        path("webhooks", webhook, "test"), given.subject(webhook), params={"wait": wait}, wait_seconds=wait
    )
    now = session.client.get(path("deliveries", str(sent.get("id"))), delivery.subject(str(sent.get("id"))))
    session.output.document(now, without=delivery.NOT_FOR_PEOPLE)
    attempts = now.get("attemptLog") or []
    if now.get("status") == "delivered":
        session.output.done(f"Delivered: {outcome(attempts[-1]) if attempts else 'the endpoint took it'}.")
        return
    session.output.hint(f"See its attempts: elasticlake webhook delivery {now.get('id')}")
    if attempts:
        raise CommandFailed(f"not delivered: {outcome(attempts[-1])}")
    if wait:
        raise CommandFailed(f"not delivered within {wait} s: it is {now.get('status')}")


def _filter_of(session: Session, webhook: str) -> Document | None:
    """The webhook's filter as it is; None if it has none."""
    found: Document | None = session.client.get(path("webhooks", webhook), given.subject(webhook)).get("filter")
    return found


def _change(session: Session, webhook: str, changes: Document) -> None:
    changed = session.client.patch(path("webhooks", webhook), given.subject(webhook), changes)
    session.output.document(changed, first=given.FIRST_MEMBERS, without=given.PEM_MEMBERS)
