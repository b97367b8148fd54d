"""The table of pages: which handler answers a path. Adding a page is adding a row here, and its function."""

from __future__ import annotations

from typing import Literal, NamedTuple

from elasticlake.dashboard import (
    accounts,
    activity,
    appearance,
    bucket_settings,
    deliveries,
    delivery_log,
    keys,
    lakes,
    sign_in,
    start,
    system,
    tokens,
    webhook_actions,
    webhook_form,
    webhook_jobs,
    webhook_list,
    webhook_page,
    webhook_test,
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
    Page("GET", "/ui/keys", keys.list_keys),
    Page("POST", "/ui/keys", keys.create_key),
    Page("GET", "/ui/keys/new", keys.new_key),
    Page("GET", "/ui/keys/made", keys.show_made),
    Page("GET", "/ui/keys/delete", keys.ask_delete),
    Page("POST", "/ui/keys/delete", keys.delete_key),
    Page("GET", "/ui/accounts", accounts.list_accounts),
    Page("POST", "/ui/accounts", accounts.create_account),
    Page("GET", "/ui/accounts/{account}", accounts.show_account),
    Page("POST", "/ui/accounts/{account}", accounts.change_account),
    Page("GET", "/ui/accounts/{account}/delete", accounts.ask_delete),
    Page("POST", "/ui/accounts/{account}/delete", accounts.delete_account),
    Page("GET", "/ui/tokens", tokens.list_tokens),
    Page("POST", "/ui/tokens", tokens.create_token),
    Page("GET", "/ui/tokens/made", tokens.show_made),
    Page("GET", "/ui/tokens/delete", tokens.ask_delete),
    Page("POST", "/ui/tokens/delete", tokens.delete_token),
    Page("GET", "/ui/activity", activity.list_activity),
    Page("GET", "/ui/system", system.show_system),
    Page("GET", "/ui/start", start.show),
    Page("POST", "/ui/start/bucket", start.create_bucket),
    Page("POST", "/ui/start/webhook", start.create_webhook),
    Page("POST", "/ui/start/upload", start.upload),
    Page("GET", "/ui/start/caught", start.caught),
    Page("POST", "/ui/start/remove", start.remove_webhook),
    Page("GET", "/ui/buckets/{bucket}/settings", bucket_settings.show),
    Page("POST", "/ui/buckets/{bucket}/settings/delete", bucket_settings.delete),
    Page("GET", "/ui/buckets/{bucket}/settings/access", bucket_settings.show_access),
    Page("POST", "/ui/buckets/{bucket}/settings/access", bucket_settings.change_access),
    Page("GET", "/ui/buckets/{bucket}/settings/webhooks", bucket_settings.show_webhooks),
    Page("GET", "/ui/webhooks", webhook_list.list_webhooks),
    # Before /ui/webhooks/{id}: no webhook has such an id.
    Page("GET", "/ui/webhooks/new", webhook_form.new),
    Page("POST", "/ui/webhooks/new", webhook_form.create),
    Page("POST", "/ui/webhooks/matches", webhook_form.show_matches),
    Page("GET", "/ui/webhooks/{id}/edit", webhook_form.edit),
    Page("POST", "/ui/webhooks/{id}/edit", webhook_form.change),
    Page("GET", "/ui/webhooks/{id}/made", webhook_test.show_made),
    Page("POST", "/ui/webhooks/{id}/test", webhook_test.send),
    Page("GET", "/ui/webhooks/{id}/test/{delivery}", webhook_test.show),
    Page("GET", "/ui/webhooks/{id}/test/{delivery}/result", webhook_test.show_result),
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
