"""Each language's snippet of docs/verifying.md takes what a server really delivered, and refuses everything else."""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import standardwebhooks
from tests.docs.documents import Document, blocks
from tests.integration.conftest import s3_client
from tests.integration.receiver import Received, Receiver, eventually
from tests.integration.server import Server

from elasticlake import signing
from elasticlake.webhooks import WebhookVerificationError

PAGE = Document("docs/verifying.md")
BUCKET = "verifying--docs--bucket"
OTHER = signing.generate_secret()
LATE, EARLY = -310, 310
NO_SECRETS = ("", "whsec_", "whsec_????")
"""What is left of a secret that was not set, or was cut: a key of no bytes, which everybody knows."""
SHOWN = {block.language: block.text for block in blocks(PAGE.section("By hand"))}

_NODE = """
import { readFileSync } from 'node:fs';
import { verify, verifyBody } from './verify.mjs';
for (const one of JSON.parse(readFileSync('cases.json'))) {
  const body = Buffer.from(one.body, 'base64');
  const seen = verifyBody(body, one.headers['x-elasticlake-signature'], one.secret);
  console.log(`${verify(body, one.headers, one.secret)} ${seen}`);
}
"""
_GO = """
package main

import (
    "encoding/json"
    "fmt"
    "os"
)

func main() {
    text, _ := os.ReadFile("cases.json")
    var cases []struct {
        Body    []byte
        Headers map[string]string
        Secret  string
    }
    if err := json.Unmarshal(text, &cases); err != nil {
        panic(err)
    }
    for _, one := range cases {
        header := func(name string) string { return one.Headers[name] }
        seen := VerifyBody(one.Body, header("x-elasticlake-signature"), one.Secret)
        fmt.Println(Verify(one.Body, header, one.Secret), seen)
    }
}
"""
_RUBY = """
require 'json'
require_relative 'verify'
JSON.parse(File.read('cases.json')).each do |one|
  body = one['body'].unpack1('m')
  env = one['headers'].to_h { |name, value| ['HTTP_' + name.upcase.tr('-', '_'), value] }
  seen = verify_body(body, one['headers']['x-elasticlake-signature'], one['secret'])
  puts "#{verify(body, env, one['secret'])} #{seen}"
end
"""
_PHP = """<?php
require 'verify.php';
foreach (json_decode(file_get_contents('cases.json'), true) as $one) {
    $body = base64_decode($one['body']);
    $server = [];
    foreach ($one['headers'] as $name => $value) {
        $server['HTTP_' . strtoupper(strtr($name, '-', '_'))] = $value;
    }
    $seen = verify_body($body, $one['headers']['x-elasticlake-signature'] ?? null, $one['secret']);
    echo json_encode(verify($body, $server, $one['secret'])), ' ', json_encode($seen), "\\n";
}
"""
_PYTHON = """
import base64, json
from by_hand import verify, verify_body
for one in json.load(open('cases.json')):
    body, headers = base64.b64decode(one['body']), one['headers']
    seen = verify_body(body, headers.get('x-elasticlake-signature'), one['secret'])
    print(json.dumps(verify(body, headers, one['secret'])), json.dumps(seen))
"""


class Case(NamedTuple):
    """A request, and what both functions must say of it."""

    what: str
    body: bytes
    headers: Mapping[str, str]
    secret: str
    by_standard: bool
    by_body: bool


def cases_of(real: Received, secret: str) -> list[Case]:
    """What came, and what an attacker would make of it."""
    now, body, given = int(time.time()), real.body, real.headers
    message_id = given["webhook-id"]

    def signed(*secrets: str, at: int = 0) -> dict[str, str]:
        return {**given, **dict(signing.standard_headers(secrets, message_id, now + at, body))}

    letters = {"webhook-id": "\u00ff", "webhook-signature": "v1,\u00ff"}
    forged = {
        **given,
        "x-elasticlake-signature": signing.page_signature("", body),
        **dict(signing.standard_headers([""], message_id, now, body)),
    }
    cut = {**forged, "webhook-signature": "v1,"}
    unsigned = {name: value for name, value in given.items() if "webhook-" not in name and "signature" not in name}
    return [
        Case("as it came", body, given, secret, True, True),
        Case("a changed body", body.replace(b"created", b"deleted"), given, secret, False, False),
        Case("a longer body", body + b" ", given, secret, False, False),
        Case("another secret", body, given, OTHER, False, False),
        Case("an old one", body, signed(secret, at=LATE), secret, False, True),
        Case("one from the future", body, signed(secret, at=EARLY), secret, False, True),
        Case("another time", body, {**given, "webhook-timestamp": str(now - 2)}, secret, False, True),
        Case("another id", body, {**given, "webhook-id": "evt_1"}, secret, False, True),
        Case("no time", body, {**given, "webhook-timestamp": "soon"}, secret, False, True),
        Case("a sign", body, {**given, "webhook-timestamp": f"+{now}"}, secret, False, True),
        Case("an endless time", body, {**given, "webhook-timestamp": "1" * 5000}, secret, False, True),
        Case(
            "other letters",
            body,
            {**given, **letters},
            secret,
            False,
            True,
        ),
        *(Case(f"the secret {no!r}", body, forged, no, False, False) for no in NO_SECRETS),
        *(Case(f"a cut one, {no!r}", body, cut, no, False, False) for no in NO_SECRETS),
        Case("another scheme's tag", body, {**given, "webhook-signature": "v1a,AAAA"}, secret, False, True),
        Case("a truncated one", body, {**given, "webhook-signature": "v1,"}, secret, False, True),
        Case("nothing", body, unsigned, secret, False, False),
        Case("the old and the new secret's", body, signed(OTHER, secret), secret, True, True),
        Case("the new and the old secret's", body, signed(secret, OTHER), secret, True, True),
    ]


@pytest.fixture(scope="module")
def cases(server: Server, receiver: Receiver) -> list[Case]:
    """Of two webhooks, one with a secret of ours and one with a generated one, what the server sent to them."""
    s3 = s3_client(server)
    s3.create_bucket(Bucket=BUCKET)
    secrets = {}
    for path, own in (("/own", {"secret": "my-webhook-secret"}), ("/generated", {})):
        hook = {"bucket": BUCKET, "endpoint": receiver.url(path), "events": ["object:created"], **own}
        made = server.request("POST", "/v1/webhooks", hook)
        secrets[path] = own.get("secret") or made["secret"]
    s3.put_object(Bucket=BUCKET, Key="Grüße +☂/photo.jpg", Body=b"x")
    eventually(lambda: {one.path for one in receiver.requests} == set(secrets))
    return [case for one in receiver.requests for case in cases_of(one, secrets[one.path])]


def written(cases: list[Case], folder: Path) -> None:
    documents = [
        {"body": base64.b64encode(one.body).decode(), "headers": dict(one.headers), "secret": one.secret}
        for one in cases
    ]
    (folder / "cases.json").write_text(json.dumps(documents))


def require(cases: list[Case], printed: str) -> None:
    """The lines say of each case what must be said."""
    lines = printed.splitlines()
    assert len(lines) == len(cases) >= 20
    for case, line in zip(cases, lines, strict=True):
        assert line.split() == [json.dumps(case.by_standard), json.dumps(case.by_body)], case.what


def runs(folder: Path, *command: str) -> str:
    environment = {**os.environ, "GOPROXY": "off", "GOTOOLCHAIN": "local", "GO111MODULE": "off"}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_every_language_is_tried() -> None:
    assert list(SHOWN) == ["python", "js", "go", "ruby", "php", "sh"]


@pytest.mark.parametrize(
    ("language", "name", "program", "command"),
    [
        ("python", "by_hand.py", _PYTHON, (sys.executable, "main.py")),
        pytest.param("js", "verify.mjs", _NODE, ("node", "main.mjs"), marks=pytest.mark.needs_debian_tools("node")),
        pytest.param(
            "go", "verify.go", _GO, ("go", "run", "main.go", "verify.go"), marks=pytest.mark.needs_debian_tools("go")
        ),
        pytest.param("ruby", "verify.rb", _RUBY, ("ruby", "main.rb"), marks=pytest.mark.needs_debian_tools("ruby")),
        pytest.param("php", "verify.php", _PHP, ("php", "main.php"), marks=pytest.mark.needs_debian_tools("php")),
    ],
)
def test_a_language(
    cases: list[Case], tmp_path: Path, language: str, name: str, program: str, command: tuple[str, ...]
) -> None:
    (tmp_path / name).write_text(SHOWN[language])
    (tmp_path / f"main{Path(name).suffix}").write_text(program)
    written(cases, tmp_path)
    require(cases, runs(tmp_path, *command))


@pytest.mark.needs_debian_tools("openssl")
def test_the_shell(cases: list[Case], tmp_path: Path) -> None:
    (tmp_path / "verify.sh").write_text(SHOWN["sh"])
    lines = [". ./verify.sh"]
    for number, case in enumerate(cases):
        (tmp_path / f"body{number}").write_bytes(case.body)
        headers = [case.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")]
        standard = shlex.join(["verify", f"body{number}", *headers, case.secret])
        of_body = shlex.join(
            ["verify_body", f"body{number}", case.headers.get("x-elasticlake-signature", ""), case.secret]
        )
        lines.append(f"{standard} 2>/dev/null && a=true || a=false; {of_body} && b=true || b=false; echo $a $b")
    require(cases, runs(tmp_path, "sh", "-c", "\n".join(lines)))
    without = (
        "openssl() { return 127; }; verify body0 evt_1 $(date +%s) v1, k || verify_body body0 sha256= k || echo no"
    )
    assert runs(tmp_path, "sh", "-c", f". ./verify.sh; {without}") == "no\n"


@pytest.mark.parametrize(
    ("title", "error"),
    [("by_sdk.py", WebhookVerificationError), ("verify.py", (standardwebhooks.WebhookVerificationError, ValueError))],
)
def test_by_a_library(cases: list[Case], title: str, error: type[Exception] | tuple[type[Exception], ...]) -> None:
    """They raise instead."""
    names: dict[str, Any] = {}
    exec(next(block.text for block in blocks(PAGE.text) if block.title == title), names)
    for case in cases:
        if case.by_standard:
            assert names["verified_event"](case.body, dict(case.headers), case.secret)
        elif title == "by_sdk.py" or (case.secret not in NO_SECRETS and case.what != "a sign"):
            # The library would take these: the page says so of the secrets, and +1 is what it reads as 1.
            with pytest.raises(error):
                names["verified_event"](case.body, dict(case.headers), case.secret)
