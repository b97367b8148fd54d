"""A webhook's log of deliveries: a page of it, what is new in it, and several sent again at once."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from elasticlake.dashboard import rendering
from elasticlake.dashboard.delivery_search import Search, read_search
from elasticlake.dashboard.live import Live
from elasticlake.dashboard.visit import PREFIX, Visit, ours_or
from elasticlake.errors import Conflict, InvalidInput, NoSuchDelivery
from elasticlake.service.delivery_status import Delivery
from elasticlake.service.pages import Page, PageRequest

SHOWN = 25
MOST_AT_ONCE = 200
STATUS_KINDS = {
    "delivered": "good",
    "retrying": "warn",
    "dead": "bad",
    "pending": "quiet",
    "held": "quiet",
    "canceled": "quiet",
    "expired": "quiet",
}


async def page_of_log(visit: Visit, search: Search) -> Page[Delivery]:
    """The page of the log that the query asks for."""
    return await _list(visit, search, visit.page_request(SHOWN))


async def live(visit: Visit) -> Response:
    """The log's rows as they come and change, those on the first page before all."""
    search = read_search(visit.request.query_params)
    known: dict[str, str] = {}

    async def look() -> str:
        page = await _list(visit, search, PageRequest(limit=SHOWN))
        states = {str(delivery.id): state_of(delivery) for delivery in page.items}
        news = [one for one in reversed(page.items) if known.get(str(one.id)) != states[str(one.id)]]
        known.clear()
        known.update(states)
        return rendering.render("delivery_rows.html", visit, {"deliveries": news, **words()}) if news else ""

    return Live(look, lambda: visit.services.deliveries.is_closed, await look())


async def redeliver_selected(visit: Visit) -> Response:
    """Send those again whose boxes were ticked."""
    form = await visit.form()
    back = ours_or(form.text("back"), f"{PREFIX}/webhooks/{visit.path('id')}")
    chosen = list(dict.fromkeys(form.all("delivery")))
    if not chosen:
        return visit.redirect(back, "Nothing was selected.")
    if len(chosen) > MOST_AT_ONCE:
        raise InvalidInput("delivery", f"Select at most {MOST_AT_ONCE} deliveries, or make a replay.")
    sent = [await _redelivered(visit, delivery) for delivery in chosen]
    return visit.redirect(back, _told(sent.count(True), sent.count(False)))


def state_of(delivery: Delivery) -> str:
    """What a row says, in short: a row with the same says the same."""
    return f"{delivery.status}.{delivery.attempts}.{delivery.last_attempt_at_ms}.{delivery.next_attempt_at_ms}"


def words() -> dict[str, Any]:
    """What rows of the log are made with."""
    return {"status_kinds": STATUS_KINDS, "row_state": state_of}


async def _list(visit: Visit, search: Search, request: PageRequest) -> Page[Delivery]:
    return await visit.services.deliveries.list(visit.token, visit.path("id"), search.status, request, search.wanted)


async def _redelivered(visit: Visit, delivery: str) -> bool:
    try:
        await visit.services.deliveries.redeliver(visit.token, delivery)
    except (NoSuchDelivery, Conflict):
        return False
    return True


def _told(sent: int, refused: int) -> str:
    done = f"{sent} {'delivery is' if sent == 1 else 'deliveries are'} sent again."
    return done if not refused else f"{done} {refused} could not be: the log no longer has what they tell of."
