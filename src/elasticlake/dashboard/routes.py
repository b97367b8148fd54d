"""The table of pages: which handler answers a path. Adding a page is adding a row here, and its function."""

from __future__ import annotations

from typing import Literal, NamedTuple

from elasticlake.dashboard import (
    appearance,
    deliveries,
    delivery_log,
    lakes,
    sign_in,
    webhook_actions,
    webhook_jobs,
    webhook_page,
)
from elasticlake.dashboard.guard import Handler


class Page(NamedTuple):
    """A path under `/ui`, and what answers it. Only public ones need no session."""

    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    is_public: bool = False


PAGES: tuple[Page, ...] = (
    Page("GET", "/ui", appearance.to_start, is_public=True),
    Page("GET", "/ui/static/{edition}/{name}", appearance.static_file, is_public=True),
    Page("POST", "/ui/theme", appearance.choose_theme, is_public=True),
    Page("GET", "/ui/sign-in", sign_in.show, is_public=True),
    Page("POST", "/ui/sign-in", sign_in.sign_in, is_public=True),
    Page("POST", "/ui/sign-out", sign_in.sign_out),
    Page("GET", "/ui/", lakes.list_lakes),
    Page("POST", "/ui/lakes", lakes.create_lake),
    Page("GET", "/ui/lakes/{lake}", lakes.show_lake),
    Page("POST", "/ui/lakes/{lake}/rename", lakes.rename_lake),
    Page("POST", "/ui/lakes/{lake}/delete", lakes.delete_lake),
    Page("POST", "/ui/lakes/{lake}/ponds", lakes.create_pond),
    Page("POST", "/ui/lakes/{lake}/ponds/{pond}/rename", lakes.rename_pond),
    Page("POST", "/ui/lakes/{lake}/ponds/{pond}/delete", lakes.delete_pond),
    Page("POST", "/ui/buckets", lakes.create_bucket),
    Page("GET", "/ui/webhooks/{id}", webhook_page.show),
    Page("POST", "/ui/webhooks/{id}/pause", webhook_actions.pause),
    Page("POST", "/ui/webhooks/{id}/resume", webhook_actions.resume),
    Page("POST", "/ui/webhooks/{id}/delete", webhook_actions.delete),
    Page("POST", "/ui/webhooks/{id}/rotate", webhook_actions.rotate),
    Page("POST", "/ui/webhooks/{id}/promote", webhook_actions.promote),
    Page("GET", "/ui/webhooks/{id}/secret", webhook_actions.show_secret),
    Page("GET", "/ui/webhooks/{id}/live", delivery_log.live),
    Page("POST", "/ui/webhooks/{id}/redeliver", delivery_log.redeliver_selected),
    Page("GET", "/ui/webhooks/{id}/replay", webhook_jobs.new_replay),
    Page("POST", "/ui/webhooks/{id}/replay", webhook_jobs.replay),
    Page("GET", "/ui/webhooks/{id}/backfill", webhook_jobs.new_backfill),
    Page("POST", "/ui/webhooks/{id}/backfill", webhook_jobs.backfill),
    Page("GET", "/ui/webhooks/{id}/jobs", webhook_jobs.list_jobs),
    Page("GET", "/ui/webhooks/{id}/jobs/{job}", webhook_jobs.show_job),
    Page("POST", "/ui/webhooks/{id}/jobs/{job}/cancel", webhook_jobs.cancel_job),
    Page("GET", "/ui/deliveries/{id}", deliveries.show),
    Page("GET", "/ui/deliveries/{id}/body", deliveries.request_body),
    Page("POST", "/ui/deliveries/{id}/redeliver", deliveries.redeliver),
)
