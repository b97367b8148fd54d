"""The table of pages: which handler answers a path. Adding a page is adding a row here, and its function."""

from __future__ import annotations

from typing import Literal, NamedTuple

from elasticlake.dashboard import (
    appearance,
    bucket_settings,
    lakes,
    sign_in,
    webhook_form,
    webhook_list,
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
)
