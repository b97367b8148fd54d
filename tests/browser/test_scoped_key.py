"""A key of one bucket that may read and list: its browser sees that bucket, and can do nothing else."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from tests.browser.conftest import sign_in
from tests.integration.conftest import s3_client
from tests.integration.server import ACCESS_KEY, SECRET_KEY, Server

pytestmark = pytest.mark.needs_chromium

OWN, OTHER, ELSEWHERE = "acme--a--own", "acme--a--other", "beta--b--other"
KEYS = "/v1/accounts/root/keys"
REFUSED_PAGES = {
    "/ui/lakes/beta": 404,
    "/ui/keys": 403,
    "/ui/keys/new": 403,
    "/ui/accounts": 403,
    "/ui/accounts/root": 403,
    "/ui/tokens": 403,
    "/ui/activity": 403,
    "/ui/system": 403,
    f"/ui/start?bucket={OTHER}": 404,
}
REFUSED_FORMS = {
    "/ui/lakes": {"lake": "mine"},
    "/ui/lakes/acme/rename": {"name": "Mine"},
    "/ui/lakes/acme/delete": {},
    "/ui/lakes/acme/ponds": {"pond": "mine"},
    "/ui/lakes/acme/ponds/a/rename": {"name": "Mine"},
    "/ui/lakes/acme/ponds/a/delete": {},
    "/ui/buckets": {"bucket": "acme--a--mine"},
    "/ui/keys": {"account": "root", "scope.permissions": "admin"},
    "/ui/keys/delete": {"account": "root", "key": ACCESS_KEY},
    "/ui/accounts": {"displayName": "Mine", "email": "a@example.com"},
    "/ui/accounts/root": {"displayName": "Mine", "email": "a@example.com"},
    "/ui/accounts/root/delete": {},
    "/ui/tokens": {"access": "write"},
    "/ui/tokens/delete": {"token": "tok_x"},
    "/ui/start/bucket": {"bucket": "acme--a--mine"},
    "/ui/start/webhook": {"bucket": OWN},
    "/ui/start/upload": {"bucket": OWN, "text": "mine"},
}


@pytest.fixture(scope="module")
def key(dashboard: Server) -> tuple[str, str]:
    root = s3_client(dashboard, ACCESS_KEY, SECRET_KEY)
    for bucket in (OWN, OTHER, ELSEWHERE):
        root.create_bucket(Bucket=bucket)
        root.put_object(Bucket=bucket, Key="x", Body=b"12345")
    made = dashboard.request("POST", KEYS, {"scope": {"buckets": [OWN], "permissions": ["read", "list"]}})
    return made["accessKeyId"], made["secretAccessKey"]


@pytest.fixture
def page(context: BrowserContext, key: tuple[str, str]) -> Page:
    opened = context.new_page()
    sign_in(opened, key[1], key[0])
    return opened


def test_only_its_bucket_is_there(page: Page) -> None:
    expect(page.get_by_role("link", name="acme", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="beta")).to_have_count(0)
    page.get_by_role("link", name="acme", exact=True).click()
    expect(page.get_by_role("link", name="own", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="other")).to_have_count(0)
    expect(page.get_by_text("1 object, 5 B")).to_be_visible()


def test_no_button_offers_what_it_may_not_do(page: Page) -> None:
    for path in ("/ui/", "/ui/lakes/acme"):
        page.goto(path)
        assert page.locator("main").get_by_role("button").count() == 0
        assert page.locator("dialog").count() == 0
    links = page.get_by_role("navigation", name="Main").get_by_role("link").all_inner_texts()
    assert links == ["Storage"]


def test_other_pages_are_refused(page: Page) -> None:
    answers = {path: page.request.get(path).status for path in REFUSED_PAGES}
    assert answers == REFUSED_PAGES
    page.goto("/ui/system")
    expect(page.get_by_role("heading", name="That did not work")).to_be_visible()
    expect(page.get_by_text("This access key lacks the permission admin.")).to_be_visible()


def test_what_it_may_not_do_is_refused(page: Page) -> None:
    csrf = page.locator("meta[name=csrf-token]").get_attribute("content") or ""

    def status(path: str, fields: dict[str, str]) -> int:
        return page.request.post(path, form={**fields, "csrf": csrf}, max_redirects=0).status

    assert {path: status(path, fields) for path, fields in REFUSED_FORMS.items()} == dict.fromkeys(REFUSED_FORMS, 403)


def test_the_start_page_shows_code_for_its_bucket(page: Page) -> None:
    page.goto("/ui/start")
    expect(page.get_by_role("link", name=OWN)).to_be_visible()
    expect(page.get_by_text("This access key may not make webhooks.")).to_be_visible()
    expect(page.get_by_label("Python")).to_contain_text(OWN)


def test_the_session_ends_with_the_key(page: Page, dashboard: Server, key: tuple[str, str]) -> None:
    dashboard.request("DELETE", f"{KEYS}/{key[0]}")
    page.goto("/ui/")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
