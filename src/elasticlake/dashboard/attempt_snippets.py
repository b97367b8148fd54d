"""An attempt as commands: the request once more, byte for byte, and programs that verify its signature.

Pure text from what history keeps. A long body is read from a file, which the page offers, so that a page stays small.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from elasticlake.record import record

MAX_INLINE_BYTES = 4096
SECRET = "the webhook's secret"
"""Stands where the reader's own is to go."""
BODY_FILE = "body.json"
_SIGNATURE = "X-ElasticLake-Signature"

Headers = Sequence[tuple[str, str]]


@record
class Snippet:
    """A text to copy, and what it is: `name` for people, `language` for the page."""

    name: str
    language: str
    text: str


def curl(url: str, headers: Headers, body: bytes) -> str:
    """A shell command that sends the same request: the body comes by standard input, so that its length is no matter
    and nothing is added to it."""
    lines = [f"-H {quoted(f'{name}: {value}')}" for name, value in headers]
    # An empty Expect keeps curl from asking first, which we did not.
    parts = [f"curl --globoff --path-as-is -X POST {quoted(url)}", *lines, "-H 'Expect:'"]
    if len(body) > MAX_INLINE_BYTES:
        return " \\\n  ".join([*parts, f"--data-binary @{BODY_FILE}"])
    command = " \\\n  ".join([*parts, "--data-binary @-"])
    return f"printf '%s' {quoted(body.decode(errors='replace'))} | {command}"


def verifiers(headers: Headers, body: bytes) -> list[Snippet]:
    """Programs that say whether the attempt's signature is the secret's."""
    signature = next((value for name, value in headers if name == _SIGNATURE), "")
    return [
        Snippet("Python", "python", _python(signature, body)),
        Snippet("Node", "node", _node(signature, body)),
        Snippet("Go", "go", _go(signature, body)),
    ]


def quoted(text: str) -> str:
    """As one word of a POSIX shell, whatever it holds."""
    return "'" + text.replace("'", "'\\''") + "'"


def _is_long(body: bytes) -> bool:
    return len(body) > MAX_INLINE_BYTES


def _python(signature: str, body: bytes) -> str:
    given = f'open("{BODY_FILE}", "rb").read()' if _is_long(body) else repr(body)
    return f"""\
import hashlib, hmac

secret = {json.dumps(SECRET)}
body = {given}
signature = {json.dumps(signature)}

expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
print("verified" if hmac.compare_digest(expected, signature) else "NOT verified")
"""


def _node(signature: str, body: bytes) -> str:
    text = json.dumps(body.decode(errors="replace"))
    given = f'readFileSync("{BODY_FILE}")' if _is_long(body) else f"Buffer.from({text})"
    reading = 'const { readFileSync } = require("node:fs");\n' if _is_long(body) else ""
    return f"""\
const {{ createHmac, timingSafeEqual }} = require("node:crypto");
{reading}
const secret = {json.dumps(SECRET)};
const body = {given};
const signature = {json.dumps(signature)};

const expected = "sha256=" + createHmac("sha256", secret).update(body).digest("hex");
const same = expected.length === signature.length
  && timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
console.log(same ? "verified" : "NOT verified");
"""


def _go(signature: str, body: bytes) -> str:
    given = "read" if _is_long(body) else f"[]byte({_go_string(body.decode(errors='replace'))})"
    reading = f'\tread, err := os.ReadFile("{BODY_FILE}")\n\tif err != nil {{\n\t\tpanic(err)\n\t}}\n'
    return f"""\
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
{'	"os"' + chr(10) if _is_long(body) else ""})

func main() {{
{reading if _is_long(body) else ""}	secret := {json.dumps(SECRET)}
	body := {given}
	signature := {json.dumps(signature)}

	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	expected := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	if hmac.Equal([]byte(expected), []byte(signature)) {{
		fmt.Println("verified")
	}} else {{
		fmt.Println("NOT verified")
	}}
}}
"""


def _go_string(text: str) -> str:
    """JSON's escapes are Go's too, but for the halves of a surrogate pair, which stay as they are here; and Go takes
    no byte order mark within a file."""
    return json.dumps(text, ensure_ascii=False).replace("\ufeff", "\\ufeff")
