"""Logs: one line an event, JSON or text, on standard error, and no secret in any."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

SECRET = "the-secret-itself"

SCRIPT = """
import logging, structlog, sys
from elasticlake.config.settings import load_settings
from elasticlake.server.logs import configure_logs
settings = load_settings({options})
configure_logs(settings, "gateway-0")
log = structlog.get_logger("test")
log.debug("fine", settings=settings)
log.info("told", settings=settings, number=1, text="two\\nlines", key=b"\\xff")
try:
    raise ValueError("broken")
except ValueError as error:
    log.error("failed", exc_info=error)
logging.getLogger("library").info("chatter")
logging.getLogger("library").warning("beware")
"""


def logged(**options: Any) -> list[str]:
    """What is written to standard error."""
    given = {"api_token": SECRET, "master_key": SECRET, "root_secret_key": SECRET, **options}
    script = SCRIPT.replace("{options}", repr(given))
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == ""
    assert SECRET not in ran.stderr
    return ran.stderr.splitlines()


def test_json_is_a_line_an_event() -> None:
    told, failed, library = logged(log_format="json")
    document = json.loads(told)
    assert (document["event"], document["level"], document["process"]) == ("told", "info", "gateway-0")
    assert (document["number"], document["text"]) == (1, "two\nlines")
    assert document["timestamp"].endswith("Z")
    assert "ValueError: broken" in json.loads(failed)["exception"]
    warning = json.loads(library)
    assert (warning["event"], warning["level"], warning["library"]) == ("beware", "warning", "library")


def test_without_a_terminal_it_is_json() -> None:
    assert json.loads(logged(log_format="auto")[0])["event"] == "told"


def test_text_is_for_people() -> None:
    lines = logged(log_format="text")
    assert "told" in lines[0]
    assert not lines[0].startswith("{")
    assert any("ValueError: broken" in line for line in lines)


@pytest.mark.parametrize(
    ("level", "events"),
    [
        ("debug", ["fine", "told", "failed", "beware"]),
        ("info", ["told", "failed", "beware"]),
        ("error", ["failed"]),
    ],
)
def test_levels(level: str, events: list[str]) -> None:
    lines = logged(log_level=level, log_format="json")
    assert [json.loads(line)["event"] for line in lines] == events
