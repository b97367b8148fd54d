"""A real Chromium on a real server, for the tests of the dashboard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.integration.conftest import s3_client
from tests.integration.receiver import Receiver
from tests.integration.server import ACCESS_KEY, API_TOKEN, DASHBOARD_PASSWORD, SECRET_KEY, Server

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
TIMEOUT_MS = 15_000
expect.set_options(timeout=TIMEOUT_MS)

__all__ = ["ACCESS_KEY", "API_TOKEN", "DASHBOARD_PASSWORD", "SECRET_KEY"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, which reaches this machine and nothing else."""
    executable = next(found for name in BROWSERS if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=list(QUIET))
        yield running
        running.close()


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for the tests of one file."""
    running = Server(tmp_path_factory.mktemp("dashboard") / "data").start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def s3(dashboard: Server) -> Iterator[Any]:
    """boto3 as the root account, on the file's server."""
    client = s3_client(dashboard)
    yield client
    client.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook's receiver of the test's own."""
    listening = Receiver()
    yield listening
    listening.close()


@pytest.fixture
def context(browser: Browser, dashboard: Server) -> Iterator[BrowserContext]:
    """A browser that nobody has signed in with; its pages' scripts must not fail."""
    made = browser.new_context(base_url=dashboard.url, locale="en-GB", timezone_id="UTC")
    made.set_default_timeout(TIMEOUT_MS)
    faults: list[str] = []
    made.on("weberror", lambda error: faults.append(str(error.error)))
    made.on("console", lambda message: faults.append(message.text) if _is_fault(message.type, message.text) else None)
    yield made
    made.close()
    assert not faults, faults


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page whose browser is signed in with the password."""
    opened = context.new_page()
    sign_in(opened)
    return opened


def sign_in(page: Page, password: str = DASHBOARD_PASSWORD, user: str = "") -> None:
    """Sign in on the page that asks for it, as a person does."""
    page.goto("/ui/")
    if user:
        page.get_by_text("Sign in with an access key").click()
        page.get_by_label("Access key id").fill(user)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/ui/")


def screenshot(page: Page, path: Path) -> None:
    """The whole page as a picture."""
    page.screenshot(path=path, full_page=True)


def _is_fault(kind: str, text: str) -> bool:
    # A refused form is shown on the page, and the browser notes its status as well.
    return kind == "error" and "the server responded with a status of 4" not in text
