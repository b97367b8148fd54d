"""One server for the documents' snippets; each module uses buckets of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.integration.receiver import Receiver
from tests.integration.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as a developer has it."""
    running = Server(tmp_path_factory.mktemp("documents") / "data").start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """A receiver that answers 200."""
    listening = Receiver()
    yield listening
    listening.close()
