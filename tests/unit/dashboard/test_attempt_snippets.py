"""What is copied from a page does what it says: the programs run, and the shell sends the same bytes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elasticlake import signing
from elasticlake.dashboard.attempt_snippets import BODY_FILE, MAX_INLINE_BYTES, SECRET, curl, quoted, verifiers

REAL_SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
HOSTILE = '{"key":"it\'s $(id) `id` \\"x\\" \\\\ </script>\u2028\ufeff€😀\\u0000 %s"}'
BODIES = [b'{"event":"object:created"}', HOSTILE.encode(), b"x" * (MAX_INLINE_BYTES + 1)]


def program(name: str, body: bytes) -> str:
    headers = [("X-ElasticLake-Signature", signing.page_signature(REAL_SECRET, body))]
    text = next(snippet.text for snippet in verifiers(headers, body) if snippet.name == name)
    assert text.count(SECRET) == 1
    return text


def verdict(folder: Path, command: list[str], body: bytes) -> str:
    (folder / BODY_FILE).write_bytes(body)
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


@pytest.mark.parametrize("body", BODIES, ids=["plain", "hostile", "long"])
def test_python_verifies(tmp_path: Path, body: bytes) -> None:
    text = program("Python", body)
    assert verdict(tmp_path, [sys.executable, "-c", text.replace(SECRET, REAL_SECRET)], body) == "verified"
    assert verdict(tmp_path, [sys.executable, "-c", text], body) == "NOT verified"


@pytest.mark.needs_node
@pytest.mark.parametrize("body", BODIES, ids=["plain", "hostile", "long"])
def test_node_verifies(tmp_path: Path, body: bytes) -> None:
    text = program("Node", body)
    assert verdict(tmp_path, ["node", "-e", text.replace(SECRET, REAL_SECRET)], body) == "verified"
    assert verdict(tmp_path, ["node", "-e", text], body) == "NOT verified"


@pytest.mark.parametrize("body", BODIES, ids=["plain", "hostile", "long"])
def test_go_holds_the_body_as_go_writes_text(body: bytes) -> None:
    text = program("Go", body)
    if len(body) > MAX_INLINE_BYTES:
        assert f'os.ReadFile("{BODY_FILE}")' in text
        return
    literal = text.partition("body := []byte(")[2].partition(")\n")[0]
    assert "\ufeff" not in literal
    assert literal.startswith('"')
    assert "\\ud83d" not in literal  # half of a pair is no character in Go
    assert '"os"' not in text


def test_a_long_body_is_no_part_of_the_command() -> None:
    command = curl("http://127.0.0.1/", [], b"x" * (MAX_INLINE_BYTES + 1))
    assert f"--data-binary @{BODY_FILE}" in command
    assert len(command) < 500


@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")))
@settings(max_examples=30)
def test_a_shell_reads_back_what_was_quoted(text: str) -> None:
    shell = shutil.which("sh")
    assert shell is not None
    ran = subprocess.run([shell, "-c", f"printf '%s' {quoted(text)}"], capture_output=True, timeout=10, check=True)
    assert ran.stdout == text.encode()
