"""What is done to a webhook from its page: pause, resume, test, delete; and its secret's rotation."""

from __future__ import annotations

from starlette.responses import Response

from elasticlake.dashboard import shown_once, webhook_page
from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.errors import InvalidInput
from elasticlake.service.webhook_definitions import WebhookChange

OVERLAP_HOURS = (0, 1, 6, 24, 72, 168, 720)


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


async def send_test(visit: Visit) -> Response:
    """A real, signed test; its page waits for what comes of it."""
    delivery = await visit.services.webhooks.test(visit.token, visit.path("id"))
    return visit.redirect(f"{_page(visit)}/test/{delivery}")


async def rotate(visit: Visit) -> Response:
    """Begin a rotation. A generated secret goes to the one page that shows it."""
    form, webhook_id = await visit.form(), visit.path("id")
    hours = form.text("hours")
    try:
        _, generated = await visit.services.webhooks.rotate(
            visit.token, webhook_id, form.raw("secret") or None, _overlap_seconds(hours)
        )
    except InvalidInput as error:
        webhook = await visit.services.webhooks.get(visit.token, webhook_id)
        return await webhook_page.page(visit, webhook, {error.field: str(error)}, hours=hours)
    if generated is None:
        return visit.redirect(_page(visit), "The secret is rotated.")
    response = visit.redirect(f"{_page(visit)}/secret")
    response.set_cookie(
        shown_once.COOKIE,
        shown_once.seal(visit.services.sessions, generated),
        shown_once.LIFE_SECONDS,
        path=f"{_page(visit)}/secret",
        httponly=True,
        samesite="strict",
        secure=visit.is_secure,
    )
    return response


async def show_secret(visit: Visit) -> Response:
    """The secret that a rotation generated, this once."""
    webhook = await visit.services.webhooks.get(visit.token, visit.path("id"))
    cookie = visit.request.cookies.get(shown_once.COOKIE)
    secret = shown_once.open(visit.services.sessions, cookie) if cookie else None
    response = visit.page("webhook_secret.html", title="New secret", webhook=webhook, secret=secret)
    if cookie:
        response.delete_cookie(shown_once.COOKIE, path=f"{_page(visit)}/secret")
    return response


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
