"""The quickstart works as written: its own blocks run against a real server, with nothing replaced but ports.

The server is started as `make run` does, in the folder where `make run` is typed.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.documents import Block, Document, blocks
from tests.integration import founding_page
from tests.integration.receiver import eventually
from tests.integration.server import Server, clean_environment

README = Document("README.md")
PAGE = Document("docs/quickstart.md")
SERVER_PORT, RECEIVER_PORT = "9000", "5000"
_DONE = "-- the block is done --"


class Desk:
    """Where a newcomer sits: the cloned folder with a server's data in it, and terminals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = Server(folder / "data", env={}).start()
        self.receiver_port = _free_port()
        self._terminals: list[Terminal] = []
        self._install()

    def _install(self) -> None:
        """`.venv/bin` as `make run` leaves it, and the reader's own environment."""
        self._command(".venv/bin/elasticlake", "-m elasticlake")
        self._command("quickstart-env/bin/python", "")
        self._command("quickstart-env/bin/flask", "-m flask")

    def _command(self, path: str, arguments: str) -> None:
        script = self.folder / path
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        script.chmod(0o755)

    def text_of(self, block: Block) -> str:
        """The block as it stands in the document, but for the ports."""
        text = re.sub(rf"\b{SERVER_PORT}\b", str(self.server.port), block.text)
        return re.sub(rf"\b{RECEIVER_PORT}\b", str(self.receiver_port), text)

    def save(self, block: Block) -> None:
        (self.folder / block.title).write_text(self.text_of(block))

    def terminal(self, name: str) -> Terminal:
        opened = Terminal(self.folder, name)
        self._terminals.append(opened)
        return opened

    def close(self) -> None:
        for opened in self._terminals:
            opened.close()
        self.server.close()


class Terminal:
    """A shell that ends at the first command that fails."""

    def __init__(self, folder: Path, name: str) -> None:
        self._output = folder / f"{name}.output"
        # aws is installed beside the interpreter that runs the tests.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        with self._output.open("wb") as output:
            self._shell = subprocess.Popen(
                ["bash", "-euo", "pipefail"],
                cwd=folder,
                env=clean_environment(PATH=path, PYTHONUNBUFFERED="1"),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def start(self, text: str) -> None:
        """Type the commands, and look away."""
        assert self._shell.stdin is not None
        self._shell.stdin.write(text.encode() + b"\n")
        self._shell.stdin.flush()

    def run(self, text: str) -> str:
        """Type the commands and wait for their end; what they printed. Fails if one of them does."""
        before = len(self.output)
        self.start(f"{text}\necho '{_DONE}'")
        while _DONE not in self.output[before:]:
            assert self._shell.poll() is None, f"a command failed:\n{text}\n{self.output[before:]}"
            time.sleep(0.02)
        return self.output[before:].replace(_DONE, "")

    def close(self) -> None:
        """Close the window: whatever runs in it ends."""
        if self._shell.poll() is None:
            os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.wait()
        assert self._shell.stdin is not None
        self._shell.stdin.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _only(found: list[Block]) -> Block:
    assert len(found) == 1
    return found[0]


def titled(title: str) -> list[Block]:
    """The page's blocks of that title."""
    return [block for block in blocks(PAGE.text) if block.title == title]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    sitting = Desk(tmp_path)
    yield sitting
    sitting.close()


def _receive(desk: Desk) -> Terminal:
    """Terminal 2."""
    desk.save(_only(titled("receiver.py")))
    terminal = desk.terminal("terminal2")
    terminal.start(desk.text_of(_only(titled("terminal 2"))))
    eventually(lambda: _listens(desk.receiver_port))
    return terminal


def _verified(terminal: Terminal) -> list[dict[str, object]]:
    """The events that the receiver verified and printed."""
    assert "INVALID" not in terminal.output
    return [
        json.loads(line.removeprefix("verified:"))
        for line in terminal.output.split("\n")
        if line.startswith("verified:")
    ]


def test_the_first_terminal_runs_the_server() -> None:
    """`make run` itself installs, so here the server that it starts is started without it."""
    first = blocks(PAGE.text)[0]
    assert first == Block("sh", "make run\n")
    recipe = re.search(r"^run:.*\n\t@?exec (.+)$", Document("Makefile").text, re.MULTILINE)
    assert recipe is not None
    assert recipe[1] == "$(BIN)/elasticlake serve $(ARGS)"


def test_the_quickstart_ends_with_a_received_and_verified_webhook(desk: Desk) -> None:
    receiving = _receive(desk)
    working = desk.terminal("terminal3")
    *steps, look = titled("terminal 3")
    for step in steps:
        working.run(desk.text_of(step))
    webhook = json.loads((desk.folder / "webhook.json").read_text())["id"]

    (event,) = eventually(lambda: _verified(receiving))
    assert (event["event"], event["bucket"]) == ("object:created", "lake1--pond1--my-bucket")
    assert (event["lake"], event["pond"], event["sequence"]) == ("production", "documents", 1)
    described = event["object"]
    assert isinstance(described, dict)
    assert (described["key"], described["contentType"], described["size"]) == ("uploads/hello.txt", "text/plain", 13)

    eventually(lambda: "delivered" in desk_deliveries(working, webhook))
    seen = working.run(desk.text_of(look))
    assert re.search(r"^dlv_\w+ +1 +object:created +uploads/hello\.txt +delivered +1 ", seen, re.MULTILINE)
    assert re.search(r"^ +1 +\S+Z +object:created +13 +uploads/hello\.txt$", seen, re.MULTILINE)

    receiving.close()
    working.run(desk.text_of(steps[-1]))
    eventually(lambda: re.search(r"object:updated .* retrying ", desk_deliveries(working, webhook)))


def desk_deliveries(terminal: Terminal, webhook: str) -> str:
    """What `webhook deliveries` prints: the outcome is stored a moment after the receiver has it."""
    return terminal.run(f"elasticlake webhook deliveries {webhook}")


def test_the_same_works_with_flask_requests_and_boto3(desk: Desk) -> None:
    working = desk.terminal("terminal3")
    for step in titled("terminal 3")[:-1]:
        working.run(desk.text_of(step))
    desk.save(_only(titled("app.py")))
    receiving = desk.terminal("terminal2")
    receiving.start(desk.text_of(_only(titled("terminal 2, with Flask"))))
    eventually(lambda: _listens(desk.receiver_port))
    desk.save(_only(titled("quickstart.py")))
    seen = working.run(desk.text_of(_only(titled("terminal 3, with boto3"))))
    assert re.search(r"^201 wh_\w+$", seen, re.MULTILINE)

    def answered() -> list[str]:
        return re.findall(r'"POST /webhooks/storage HTTP/1\.1" (\d+)', receiving.output)

    # Both webhooks hear of both; the first upload, which no receiver took, comes again after five seconds.
    eventually(lambda: len(answered()) >= 4)
    assert set(answered()) == {"200"}


def test_what_it_says_to_install_is_what_the_snippets_import() -> None:
    """Installing is pip's business; what is tested is that nothing is missing."""
    make, install = _only(titled("once")).text.splitlines()[1:]
    assert make == "python3 -m venv quickstart-env"
    command, installing, *names = install.split()
    assert (command, installing) == ("quickstart-env/bin/pip", "install")
    sources = "\n".join(_only(titled(title)).text for title in ("app.py", "quickstart.py"))
    imported = set(re.findall(r"^(?:import|from) (\w+)", sources, re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) == set(names)


def test_the_founding_pages_code_is_there_unchanged() -> None:
    assert founding_page.RECEIVE in _only(titled("app.py")).text
    verifier = founding_page.RECEIVE[
        founding_page.RECEIVE.index("def verify") : founding_page.RECEIVE.index("# In your")
    ]
    assert verifier in _only(titled("receiver.py")).text
    call = founding_page.REGISTER[founding_page.REGISTER.index("response =") :]
    call = call.replace("https://api.elasticlake.com", "http://127.0.0.1:9000").replace(
        "https://myapp.com", "http://127.0.0.1:5000"
    )
    call = call.replace("'Bearer YOUR_TOKEN'", "f\"Bearer {credentials['apiToken']}\"")
    assert call in _only(titled("quickstart.py")).text


def test_the_readmes_two_minutes_show_an_event(desk: Desk) -> None:
    """It has no variable for the server's place, so that of this server is given to the command beforehand."""
    shown = {block.title: desk.text_of(block) for block in blocks(README.section("Two minutes"))}
    assert list(shown) == ["demo", "listen", "upload"]
    listening, working = desk.terminal("terminal2"), desk.terminal("terminal3")
    listening.start(f"export ELASTICLAKE_URL={desk.server.url}\n{shown['listen']}")
    eventually(lambda: "Listening to bucket home--notes--inbox" in listening.output)
    working.run(shown["upload"])
    eventually(lambda: "object:created  home--notes--inbox/hello.txt" in listening.output)

    # The quickstart goes on in the same folder, and finds nothing there that is in its way.
    for step in titled("terminal 3")[:2]:
        working.run(desk.text_of(step))


def test_the_aws_cli_works_as_shown(desk: Desk) -> None:
    working = desk.terminal("terminal3")
    working.run(desk.text_of(titled("terminal 3")[0]))
    (desk.folder / "hello.txt").write_text("Hello, lake.\n")
    seen = working.run(desk.text_of(_only(titled("aws"))))
    assert re.search(r" 13 hello\.txt$", seen, re.MULTILINE)
    url = re.search(r"^http://127\.0\.0\.1:\d+/lake1--pond1--photos/hello\.txt\?\S+$", seen, re.MULTILINE)
    assert url is not None
    assert "Hello, lake." in working.run(f"curl -sS --fail '{url[0]}'")
