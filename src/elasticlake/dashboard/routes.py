"""The table of pages: which handler answers a path. Adding a page is adding a row here, and its function."""

from __future__ import annotations

from typing import Literal, NamedTuple

from elasticlake.dashboard import (
    appearance,
    buckets,
    deletions,
    downloads,
    lakes,
    object_page,
    objects,
    presigning,
    sign_in,
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
    Page("GET", "/ui/buckets", buckets.list_buckets),
    Page("GET", "/ui/buckets/{bucket}", objects.show_bucket),
    Page("GET", "/ui/buckets/{bucket}/object", object_page.show_object),
    Page("GET", "/ui/buckets/{bucket}/download", downloads.download),
    Page("POST", "/ui/buckets/{bucket}/link", object_page.make_link),
    Page("POST", "/ui/buckets/{bucket}/presign", presigning.presign),
    Page("GET", "/ui/buckets/{bucket}/delete", deletions.confirm),
    Page("POST", "/ui/buckets/{bucket}/delete", deletions.delete),
    Page("POST", "/ui/buckets/{bucket}/selected", deletions.confirm_selected),
)
