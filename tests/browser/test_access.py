"""Access keys, accounts and tokens: made, shown once, used, and deleted."""

from __future__ import annotations

import urllib.error
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.integration.conftest import s3_client
from tests.integration.server import Server

pytestmark = pytest.mark.needs_chromium


@pytest.fixture(scope="module", autouse=True)
def account(dashboard: Server) -> str:
    body = {"id": "acme", "displayName": "Acme <b>Ltd</b>", "email": "storage@acme.example"}
    return str(dashboard.request("POST", "/v1/accounts", body)["id"])


def make_key(page: Page, account: str = "acme") -> tuple[str, str]:
    """A key without limits, as its page shows it: id and secret."""
    page.goto(f"/ui/keys/new?account={account}")
    page.get_by_role("button", name="Make the key").click()
    return code(page, "Access key id"), code(page, "Secret access key")


def code(page: Page, label: str) -> str:
    return page.get_by_label(label, exact=True).inner_text()


def row(page: Page, text: str) -> Any:
    return page.get_by_role("row").filter(has_text=text)


def test_a_key_is_made_works_and_is_shown_once(page: Page, dashboard: Server) -> None:
    page.goto("/ui/keys")
    page.get_by_role("link", name="New key of acme").click()
    page.get_by_role("button", name="Make the key").click()
    key_id, secret = code(page, "Access key id"), code(page, "Secret access key")
    s3_client(dashboard, key_id, secret).create_bucket(Bucket="keys--a--one")
    assert f"AWS_ACCESS_KEY_ID={key_id}" in code(page, "For a shell")
    assert not [cookie for cookie in page.context.cookies() if cookie["name"] == "elasticlake-once"]
    page.reload()
    expect(page.get_by_role("heading", name="The secret was shown")).to_be_visible()
    assert secret not in page.content()
    page.goto("/ui/keys?account=acme")
    expect(row(page, key_id)).to_contain_text("May do everything.")
    assert secret not in page.content()


def test_a_scope_is_asked_for_by_lines_and_boxes(page: Page, dashboard: Server) -> None:
    page.goto("/ui/keys/new?account=acme")
    page.get_by_role("textbox", name="Buckets").fill("keys--a--one\nkeys--a--two")
    page.get_by_role("textbox", name="Only keys that begin with").fill("in/\n out/")
    for permission in ("write", "delete", "admin"):
        page.locator(f"input[value={permission}]").uncheck()
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text("There is no bucket keys--a--two")).to_be_visible()
    page.get_by_role("checkbox", name="Make it all the same").check()
    page.get_by_role("button", name="Make the key").click()
    key_id = code(page, "Access key id")
    made = {key["accessKeyId"]: key for key in dashboard.request("GET", "/v1/accounts/acme/keys")["items"]}[key_id]
    assert made["scope"] == {
        "lakes": [],
        "ponds": [],
        "buckets": ["keys--a--one", "keys--a--two"],
        "prefixes": ["in/", " out/"],
        "permissions": ["read", "list"],
    }
    page.get_by_role("link", name="I have copied it").click()
    words = "May read and list in bucket keys--a--one and bucket keys--a--two, where keys begin with in/ or out/."
    expect(row(page, key_id)).to_contain_text(words)


def test_faults_stand_beside_their_fields_and_nothing_typed_is_lost(page: Page) -> None:
    page.goto("/ui/keys/new?account=acme")
    page.get_by_role("textbox", name="Ponds").fill("not-a-pond")
    page.get_by_role("textbox", name="Lakes").fill("lake1")
    page.locator("input[value=admin]").uncheck()
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("textbox", name="Ponds")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("'not-a-pond' is not a pond")).to_be_visible()
    expect(page.get_by_role("textbox", name="Ponds")).to_have_value("not-a-pond")
    expect(page.get_by_role("textbox", name="Lakes")).to_have_value("lake1")
    expect(page.locator("input[value=admin]")).not_to_be_checked()
    expect(page.get_by_label("Account", exact=True)).to_have_value("acme")


def test_a_key_needs_a_permission_and_a_new_id(page: Page) -> None:
    page.goto("/ui/keys/new")
    for permission in ("read", "write", "delete", "list", "admin"):
        page.locator(f"input[value={permission}]").uncheck()
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text("tick one at least")).to_be_visible()
    page.locator("input[value=read]").check()
    page.get_by_text("Use an id and a secret of your own").click()
    page.get_by_label("Access key id").fill("INTEGRATIONROOTKEY01")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_text("The access key INTEGRATIONROOTKEY01 already exists.")).to_be_visible()


def test_a_deleted_key_works_no_more(page: Page, dashboard: Server) -> None:
    key_id, secret = make_key(page)
    page.goto("/ui/keys?account=acme")
    page.get_by_role("link", name=f"Delete {key_id}").click()
    expect(page.get_by_role("heading", name=f"Delete access key {key_id}?")).to_be_visible()
    page.get_by_role("button", name="Delete the key").click()
    expect(page.get_by_text(f"Access key {key_id} was deleted.")).to_be_visible()
    with pytest.raises(Exception, match="InvalidAccessKeyId"):
        s3_client(dashboard, key_id, secret).list_buckets()


def test_the_servers_own_key_cannot_be_deleted(page: Page) -> None:
    page.goto("/ui/keys?account=root")
    expect(row(page, "INTEGRATIONROOTKEY01")).to_contain_text("with the server")
    expect(page.get_by_role("link", name="Delete INTEGRATIONROOTKEY01")).to_have_count(0)


def test_accounts_are_made_changed_and_deleted(page: Page) -> None:
    page.goto("/ui/accounts")
    page.get_by_role("button", name="New account").click()
    page.get_by_label("Name", exact=True).fill("Beta")
    page.get_by_label("E-mail").fill("beta@example.com")
    page.get_by_label("Id", exact=False).last.fill("not an id")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("An account's id has 1 to 64")).to_be_visible()
    page.get_by_label("Id", exact=False).last.fill("beta")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("Account beta was made.")).to_be_visible()
    page.get_by_role("link", name="beta", exact=True).click()
    page.get_by_label("Name", exact=True).fill("Beta and sons")
    page.get_by_role("button", name="Save").click()
    expect(row(page, "beta@example.com")).to_contain_text("Beta and sons")
    page.get_by_role("link", name="beta", exact=True).click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete the account").click()
    expect(page.get_by_text("Account beta was deleted.")).to_be_visible()


def test_an_account_that_owns_something_stays(page: Page, dashboard: Server) -> None:
    dashboard.request("POST", "/v1/lakes", {"lake": "acmes", "account": "acme"})
    page.goto("/ui/accounts/acme/delete")
    page.get_by_role("button", name="Delete the account").click()
    expect(page.get_by_text("The account still owns lakes, buckets or webhooks.")).to_be_visible()


def test_names_are_text(page: Page) -> None:
    page.goto("/ui/accounts")
    expect(row(page, "storage@acme.example")).to_contain_text("Acme <b>Ltd</b>")
    assert page.locator("td b").count() == 0


def test_a_token_is_made_works_is_shown_once_and_deleted(page: Page, dashboard: Server) -> None:
    page.goto("/ui/keys")
    page.get_by_role("link", name="Tokens").click()
    page.get_by_role("button", name="New token").click()
    page.get_by_label("Name").fill("deploy script")
    page.get_by_label("these accounts only").check()
    page.get_by_role("textbox", name="Accounts").fill("nobody")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_text("Not all of these accounts exist")).to_be_visible()
    page.get_by_role("textbox", name="Accounts").fill("acme")
    page.get_by_role("button", name="Make the token").click()
    text = page.locator("pre").first.inner_text()
    assert [one["id"] for one in dashboard.request("GET", "/v1/accounts", token=text)["items"]] == ["acme"]
    page.reload()
    expect(page.get_by_role("heading", name="The token was shown")).to_be_visible()
    page.goto("/ui/tokens")
    expect(row(page, "deploy script")).to_contain_text("acme")
    page.get_by_role("link", name="Delete deploy script").click()
    page.get_by_role("button", name="Delete the token").click()
    expect(page.get_by_role("heading", name="No token yet")).to_be_visible()
    with pytest.raises(urllib.error.HTTPError, match="401"):
        dashboard.request("GET", "/v1/accounts", token=text)
