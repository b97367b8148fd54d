"""What holds on every page: both themes without a barrier, a phone without sideways scrolling, and little to load.

A new page is a row in `PAGES`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import BrowserContext, Page, Request, ViewportSize, expect
from tests.integration.conftest import s3_client
from tests.integration.receiver import eventually
from tests.integration.server import Server

pytestmark = pytest.mark.needs_chromium

AXE = Path(__file__).parents[1] / "node/node_modules/axe-core/axe.min.js"
MAX_PAGE_BYTES = 100 * 1024
BUCKET = "lake1--pond1--photos"
DESK: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}
WIDTHS = (320, 390, 736, 768, 850, 897, 900, 1023, 1024)
"""On both sides of where the bar changes its place."""
PAGES = (
    "/ui/",
    "/ui/lakes/lake1",
    "/ui/nowhere",
    "/ui/start",
    "/ui/keys",
    "/ui/keys?account=acme",
    "/ui/keys/new",
    "/ui/keys/made",
    "/ui/keys/delete?account=acme&key=ACMESKEY",
    "/ui/accounts",
    "/ui/accounts/acme",
    "/ui/accounts/acme/delete",
    "/ui/tokens",
    "/ui/tokens/made",
    "/ui/tokens/delete?token=tok_x",
    "/ui/activity",
    "/ui/activity?subject=nothing",
    "/ui/system",
    "/ui/buckets",
    "/ui/buckets?pond=lake1--pond1",
    f"/ui/buckets/{BUCKET}",
    f"/ui/buckets/{BUCKET}?prefix=folder%2F&sort=size",
    f"/ui/buckets/{BUCKET}?search=nothing",
    f"/ui/buckets/{BUCKET}/object?key=table.csv",
    f"/ui/buckets/{BUCKET}/object?key=folder%2F%3Cscript%3E",
    f"/ui/buckets/{BUCKET}/delete?prefix=folder%2F",
    f"/ui/buckets/{BUCKET}/settings",
    f"/ui/buckets/{BUCKET}/settings/access",
    f"/ui/buckets/{BUCKET}/settings/webhooks",
    "/ui/webhooks",
    f"/ui/webhooks/new?bucket={BUCKET}",
    "/ui/webhooks/WEBHOOK",
    "/ui/webhooks/WEBHOOK?range=7d&status=retrying",
    "/ui/webhooks/WEBHOOK/edit",
    "/ui/webhooks/WEBHOOK/made",
    "/ui/webhooks/WEBHOOK/secret",
    "/ui/webhooks/WEBHOOK/test/TEST",
    "/ui/webhooks/WEBHOOK/replay",
    "/ui/webhooks/WEBHOOK/backfill",
    "/ui/webhooks/WEBHOOK/jobs",
    "/ui/webhooks/WEBHOOK/jobs/JOB",
    "/ui/deliveries/DELIVERY",
)
NAMED: dict[str, str] = {}
"""What the names in capitals stand for."""
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RUN_AXE = "() => axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"
INNER_BROADER = "element => element.scrollWidth - element.clientWidth"
BROADER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module", autouse=True)
def data(dashboard: Server) -> None:
    """Something on every page: long names, limited keys, a webhook that fails, and a year's worth of changes."""
    account = {"id": "acme", "displayName": "Acme " + "Holding " * 20, "email": "storage@acme.example"}
    dashboard.request("POST", "/v1/accounts", account)
    scope = {"buckets": [BUCKET], "prefixes": ["a" * 300, "<script>/"], "permissions": ["read", "list"]}
    dashboard.request("POST", "/v1/accounts/acme/keys", {"accessKeyId": "ACMESKEY", "scope": scope})
    for number in range(12):
        dashboard.request("POST", "/v1/accounts/acme/keys", {"accessKeyId": f"ANOTHER-KEY-{number}"})
    dashboard.request("POST", "/v1/tokens", {"name": "a" * 200, "access": "read", "accounts": ["acme"]})
    s3_client(dashboard).create_bucket(Bucket=BUCKET)
    s3_client(dashboard).put_object(Bucket=BUCKET, Key="x", Body=b"x")
    for number in range(40):
        dashboard.request("POST", "/v1/lakes", {"lake": f"lake-{number}"})
    hook = {"bucket": BUCKET, "endpoint": f"http://127.0.0.1:1/{'hook' * 60}", "events": ["object:created"]}
    webhook = dashboard.request("POST", "/v1/webhooks", hook | {"name": "a" * 64, "filter": {"prefix": ["<b>"] * 9}})[
        "id"
    ]
    dashboard.request("PATCH", f"/v1/webhooks/{webhook}", {"filter": None})
    for key, body in (("table.csv", b"a,b\n" * 50), ("folder/<script>", b"x"), ("folder/" + "long" * 200, b"x")):
        s3_client(dashboard).put_object(Bucket=BUCKET, Key=key, Body=body)
    test = dashboard.request("POST", f"/v1/webhooks/{webhook}/test?wait=20")["id"]
    attempted = eventually(
        lambda: dashboard.request("GET", f"/v1/webhooks/{webhook}/deliveries?key=table.csv")["items"]
    )
    job = dashboard.request("POST", f"/v1/webhooks/{webhook}/replay", {"prefix": "folder/"})["id"]
    NAMED.update(WEBHOOK=webhook, TEST=test, DELIVERY=attempted[0]["id"], JOB=job)


def url_of(path: str) -> str:
    """The path with the names filled in."""
    for name, value in NAMED.items():
        path = path.replace(name, value)
    return path


@pytest.fixture
def opened(page: Page) -> Page:
    """A page at a desk."""
    page.set_viewport_size(DESK)
    return page


def test_an_event_is_caught(opened: Page) -> None:
    """The pages that follow show it."""
    opened.goto(f"/ui/start?bucket={BUCKET}")
    opened.get_by_role("button", name="Make the webhook").click()
    opened.get_by_role("button", name="Upload hello.txt").click()
    expect(opened.get_by_text("signature verified")).to_be_visible()


@pytest.mark.needs_node
@pytest.mark.parametrize("path", PAGES)
def test_nobody_meets_a_barrier(opened: Page, path: str) -> None:
    for theme in THEMES:
        opened.emulate_media(color_scheme=theme)
        opened.goto(url_of(path))
        assert barriers(opened) == [], f"{path} in the {theme} theme"
        for button in opened.locator("main [data-open]").all():
            button.click()
            assert barriers(opened) == [], f"{button.inner_text()} on {path} in the {theme} theme"
            opened.keyboard.press("Escape")


@pytest.mark.needs_node
def test_a_barrier_would_be_found(opened: Page) -> None:
    opened.goto("/ui/")
    opened.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert [found.partition(":")[0] for found in barriers(opened)] == ["image-alt"]


def test_no_page_scrolls_sideways_on_a_phone(opened: Page) -> None:
    opened.set_viewport_size(PHONE)
    assert {path: broader for path in PAGES if (broader := broader_by(opened, path)) > 0} == {}


def test_a_phone_shows_what_counts(opened: Page) -> None:
    opened.set_viewport_size(PHONE)
    opened.goto("/ui/")
    assert opened.locator(".table").evaluate(INNER_BROADER) <= 0
    opened.goto(url_of("/ui/webhooks/WEBHOOK"))
    row = opened.locator("[data-delivery]").first
    for part in (".answer", ".tries", ".when"):
        expect(row.locator(part)).to_be_visible()
    assert opened.locator(".log .table").evaluate(INNER_BROADER) <= 0
    opened.goto(f"/ui/buckets/{BUCKET}/settings/access")
    text, copy = (opened.locator(f".code > {one}").first.bounding_box() for one in ("pre", ".copy"))
    assert text is not None
    assert copy is not None
    assert text["x"] + text["width"] <= copy["x"]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_bar_fits_every_width(opened: Page, width: int) -> None:
    opened.set_viewport_size({"width": width, "height": 844})
    paths = ("/ui/", "/ui/start", "/ui/system", "/ui/webhooks/WEBHOOK", f"/ui/buckets/{BUCKET}")
    assert {path: broader for path in paths if (broader := broader_by(opened, path)) > 0} == {}


def test_every_page_has_one_heading_of_the_first_level(opened: Page) -> None:
    assert {path: count for path in PAGES if (count := headings(opened, path)) != 1} == {}


def test_pages_are_small_with_all_that_they_load(opened: Page) -> None:
    opened.route("**/*", lambda route: route.continue_())  # where routes are watched, nothing is cached
    sizes = {path: loaded_bytes(opened, path) for path in PAGES}
    print(*(f"{size:7,} bytes  {path}" for path, size in sizes.items()), sep="\n")
    assert {path: size for path, size in sizes.items() if size >= MAX_PAGE_BYTES} == {}


@pytest.mark.needs_node
def test_signing_in_has_no_barrier(context: BrowserContext) -> None:
    page = context.new_page()
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.goto("/ui/sign-in")
        page.get_by_text("Sign in with an access key").click()
        assert barriers(page) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate(BROADER) <= 0


def broader_by(page: Page, path: str) -> int:
    """By how many pixels the page is broader than the window."""
    page.goto(url_of(path))
    return int(page.evaluate(BROADER))


def headings(page: Page, path: str) -> int:
    page.goto(url_of(path))
    return page.get_by_role("heading", level=1).count()


def loaded_bytes(page: Page, path: str) -> int:
    """The page with its style sheets, scripts and pictures, as a browser loads them that has seen none of them."""
    urls: set[str] = set()

    def note(request: Request) -> None:
        urls.add(request.url)

    page.on("request", note)
    page.goto(path, wait_until="load")
    page.remove_listener("request", note)
    return sum(len(page.request.get(url).body()) for url in urls)


def barriers(page: Page) -> list[str]:
    """What axe finds that is serious or critical: the rule, and the element."""
    # The page's policy forbids a script element; what a debugger runs is none.
    page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate(RUN_AXE)
    return [
        f"{one['id']}: {node['html']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
