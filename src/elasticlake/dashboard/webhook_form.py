"""The form of a webhook: make one, change one, and try it while it is being written."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from elasticlake.dashboard import hints, webhook_fields, webhook_reading
from elasticlake.dashboard.forms import Form
from elasticlake.dashboard.rendering import render
from elasticlake.dashboard.visit import PREFIX, Visit
from elasticlake.dashboard.webhook_fields import Shown
from elasticlake.dashboard.webhook_matches import Matches, matches_of
from elasticlake.dashboard.webhook_reading import Typed
from elasticlake.dashboard.webhook_test import sent_test
from elasticlake.errors import AccessDenied, InvalidInput, NotFound
from elasticlake.model.egress import LOCAL_EXAMPLE
from elasticlake.model.events import EVENT_TYPES, OPERATIONAL_TYPES
from elasticlake.model.webhooks import Webhook
from elasticlake.service.pages import PageRequest
from elasticlake.service.permissions import require
from elasticlake.service.webhook_definitions import Place

_KINDS = ("bucket", "pond", "lake")
_PLACES_OFFERED = 100


async def new(visit: Visit) -> Response:
    require(visit.token, "admin")
    kind = next((kind for kind in _KINDS if visit.query(kind)), "bucket")
    shown = webhook_fields.blank(kind, visit.query(kind))
    return await _page(visit, shown, await matches_of(visit, _as_typed(shown), ""))


async def create(visit: Visit) -> Response:
    form = await visit.form()
    typed = webhook_reading.read(form)
    if form.text("then") == "try":
        return await _tried(visit, form, typed)
    if faults := await _faults(visit, typed):
        return await _again(visit, form, typed, faults)
    try:
        webhook, secret = await visit.services.webhooks.create(visit.token, typed.new)
    except (InvalidInput, NotFound, AccessDenied) as error:
        return await _again(visit, form, typed, {_field_of(error): str(error)})
    return await _saved(visit, form, webhook, secret)


async def edit(visit: Visit) -> Response:
    known = await visit.services.webhooks.get(visit.token, visit.path("id"))
    shown = webhook_fields.shown(known)
    return await _page(visit, shown, await matches_of(visit, _as_typed(shown, known), "", known.id), known=known)


async def change(visit: Visit) -> Response:
    form = await visit.form()
    known = await visit.services.webhooks.get(visit.token, visit.path("id"))
    typed = webhook_reading.read(form, known)
    if form.text("then") == "try":
        return await _tried(visit, form, typed, known)
    if faults := await _faults(visit, typed, known):
        return await _again(visit, form, typed, faults, known)
    try:
        asked = webhook_reading.change_of(typed.new, known)
        webhook = await visit.services.webhooks.change(visit.token, known.id, asked)
    except InvalidInput as error:
        return await _again(visit, form, typed, {_field_of(error): str(error)}, known)
    return await _saved(visit, form, webhook, None)


async def show_matches(visit: Visit) -> Response:
    """For the script: the panel of the form as it is just now, and what is wrong with it."""
    form = await visit.form()
    known = await visit.services.webhooks.get(visit.token, form.text("webhook")) if form.text("webhook") else None
    typed = webhook_reading.read(form, known)
    matches = await matches_of(visit, typed, form.text("tried"), form.text("webhook") or None)
    panel = render("webhook_matches.html", visit, {"matches": matches, "clauses": hints.CLAUSES})
    return visit.json({"panel": panel, "faults": matches.faults})


async def _faults(visit: Visit, typed: Typed, known: Webhook | None = None) -> dict[str, str]:
    """Everything that is wrong, at once. An endpoint that stays as it was is not judged again."""
    found = await visit.services.webhooks.faults(visit.token, typed.new, known.id if known is not None else None)
    if known is not None and typed.new.endpoint == known.endpoint:
        found.pop("endpoint", None)
    return {**found, **typed.faults}


async def _saved(visit: Visit, form: Form, webhook: Webhook, secret: str | None) -> Response:
    """To the page that the webhook's maker wants to see next; a generated secret comes along, to be shown there."""
    path = f"{PREFIX}/webhooks/{webhook.id}"
    if form.text("then") == "test":
        path = await sent_test(visit, webhook)
    elif secret is not None:
        # That page says by itself what was made.
        return visit.show_once(f"{path}/made", secret)
    # Whatever comes of a test: what is on the page then is not about the saving.
    words = f"The webhook was saved and is {'active' if webhook.status == 'enabled' else 'not enabled'}."
    if secret is not None:
        return visit.leave(visit.show_once(path, secret), words)
    return visit.redirect(path, words)


async def _tried(visit: Visit, form: Form, typed: Typed, known: Webhook | None = None) -> Response:
    """The form again, with the panel: how it is done without a script."""
    matches = await matches_of(visit, typed, form.text("tried"), known.id if known is not None else None)
    return await _page(visit, webhook_fields.again(form), matches, matches.faults, known)


async def _again(
    visit: Visit, form: Form, typed: Typed, faults: Mapping[str, str], known: Webhook | None = None
) -> Response:
    matches = await matches_of(visit, typed, form.text("tried"), known.id if known is not None else None)
    return await _page(visit, webhook_fields.again(form), matches, faults, known)


async def _page(
    visit: Visit,
    shown: Shown,
    matches: Matches,
    faults: Mapping[str, str] | None = None,
    known: Webhook | None = None,
) -> Response:
    return visit.page(
        "webhook_form.html",
        title="New webhook" if known is None else "Edit webhook",
        values=shown.values,
        faults=faults,
        chosen=shown.events,
        advanced=_is_advanced(shown, faults or {}),
        webhook=known,
        matches=matches,
        clauses=hints.CLAUSES,
        meanings=hints.EVENTS,
        events=EVENT_TYPES,
        operational=OPERATIONAL_TYPES,
        local_example=LOCAL_EXAMPLE if visit.services.catchers is not None else "",
        places=[] if known is not None else await _places(visit),
    )


async def _places(visit: Visit) -> list[str]:
    """Buckets to offer for the place."""
    page = await visit.services.hierarchy.list_buckets(visit.token, PageRequest(limit=_PLACES_OFFERED))
    return [bucket.name.name for bucket in page.items]


def _as_typed(shown: Shown, known: Webhook | None = None) -> Typed:
    fields = [*shown.values.items(), *(("events", event) for event in shown.events)]
    return webhook_reading.read(Form([(name, value) for name, value in fields if value]), known)


def _is_advanced(shown: Shown, faults: Mapping[str, str]) -> bool:
    """Whether something is to be seen in what is folded away at first."""
    plain = webhook_fields.blank("", "").values
    return any(faults.get(name) or shown.values[name] not in ("", plain[name]) for name in _ADVANCED)


def _field_of(error: Exception) -> str:
    """Where on the form a refusal belongs. What cannot be found, or is not allowed, is the place."""
    field = error.field if isinstance(error, InvalidInput) else "place"
    return "place" if field in _PLACE_FIELDS else field


_ADVANCED = (
    "timeoutSeconds", "rateLimit", "maxConcurrency", "retrySchedule", "batch.maxEvents", "batch.maxWaitMs", "batch",
    "coalesce", "includeMetadata", "includeUrl", "headers", "clientCertificate", "clientKey", "certificateAuthority",
)  # fmt: skip
_PLACE_FIELDS = Place.__dataclass_fields__.keys() | {"account"}
