"""What is done to a webhook from its page: pause, resume, delete; and its secret's rotation."""

from __future__ import annotations

from starlette.responses import Response

from elasticlake.dashboard import webhook_page
from elasticlake.dashboard.forms import Form
from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.errors import InvalidInput
from elasticlake.service.webhook_definitions import WebhookChange


async def pause(visit: Visit) -> Response:
    """What happens from now on waits in the log."""
    await visit.services.webhooks.change(visit.token, visit.path("id"), WebhookChange(status="disabled"))
    return visit.redirect(_page(visit), "The webhook is paused. What happens meanwhile waits in the log.")


async def resume(visit: Visit) -> Response:
    """Go on from where it stopped, or with what happens from now on."""
    from_now = (await visit.form()).text("from") == "now"
    change = WebhookChange(status="enabled", resume="now" if from_now else "position")
    await visit.services.webhooks.change(visit.token, visit.path("id"), change)
    where = "with what happens from now on" if from_now else "from where it stopped"
    return visit.redirect(_page(visit), f"The webhook goes on {where}.")


async def delete(visit: Visit) -> Response:
    canceled = await visit.services.webhooks.delete(visit.token, visit.path("id"))
    waiting = f" With it went {canceled:,} events at most that waited." if canceled else ""
    return visit.redirect(f"{PREFIX}/webhooks", f"The webhook was deleted.{waiting}")


async def rotate(visit: Visit) -> Response:
    """Begin a rotation. A generated secret goes to the one page that shows it."""
    form, webhook_id = await visit.form(), visit.path("id")
    hours = form.text("hours")
    try:
        await _require_certainty(visit, form)
        _, generated = await visit.services.webhooks.rotate(
            visit.token, webhook_id, form.raw("secret") or None, _overlap_seconds(hours)
        )
    except InvalidInput as error:
        webhook = await visit.services.webhooks.get(visit.token, webhook_id)
        return await webhook_page.page(visit, webhook, {error.field: str(error)}, hours=hours)
    if generated is None:
        return visit.redirect(_page(visit), "The secret is rotated.")
    return visit.show_once(f"{_page(visit)}/secret", generated)


async def _require_certainty(visit: Visit, form: Form) -> None:
    """A rotation that is under way has handed out a secret, which another one makes void: nobody does that unasked."""
    webhook = await visit.services.webhooks.get(visit.token, visit.path("id"))
    if webhook.overlap_ends_at_ms is not None and not form.checked("void"):
        raise InvalidInput("void", "A rotation is under way: say that the secret it began with is to be void.")


async def show_secret(visit: Visit) -> Response:
    """The secret that a rotation generated, this once."""
    webhook = await visit.services.webhooks.get(visit.token, visit.path("id"))
    return visit.forget_once(
        visit.page("webhook_secret.html", title="New secret", webhook=webhook, secret=visit.once())
    )


async def promote(visit: Visit) -> Response:
    """End the overlap now."""
    await visit.services.webhooks.promote(visit.token, visit.path("id"))
    return visit.redirect(_page(visit), "From the next attempt on, only the new secret signs.")


def _page(visit: Visit) -> str:
    return f"{PREFIX}/webhooks/{visit.path('id')}"


def _overlap_seconds(hours: str) -> int:
    if not (hours.isascii() and hours.isdigit() and len(hours) < 6):
        raise InvalidInput("overlapSeconds", "Say for how many hours both secrets sign.")
    return int(hours) * 3600
