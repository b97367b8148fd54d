"""The API's documentation page, in a real browser that reaches nothing but the server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.integration.server import Server

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# A closed network refuses the browser's own background traffic many times over; the test is about the page alone.
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


@pytest.mark.needs_chromium
def test_the_docs_page_shows_every_resource_without_the_internet(tmp_path: Path) -> None:
    server = Server(tmp_path / "data").start()
    try:
        page = rendered(f"{server.url}/v1/docs", tmp_path / "profile")
    finally:
        server.close()
    for operation in ("createWebhook", "listDeliveries", "createLake", "listEvents"):
        assert operation in page, f"{operation} is not on the page"


def rendered(url: str, profile: Path) -> str:
    """The page's document after its scripts have run."""
    browser = next(found for name in BROWSERS if (found := shutil.which(name)))
    command = [browser, *QUIET, f"--user-data-dir={profile}", "--virtual-time-budget=20000", "--dump-dom", url]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=True).stdout
