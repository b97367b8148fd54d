"""A real server is held to its description, with inputs that nobody thought of: it takes what fits, refuses what does
not, answers as it says, and never makes a mistake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from tests.engines import NewMetadata
from tests.integration.api_fuzzing import config, failures
from tests.integration.server import Server

SEED = 20261126
FEW, MANY = 4, 1000
OFF, ON = {"enabled": False}, {"enabled": True}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory, new_metadata: NewMetadata) -> Iterator[Server]:
    """A server of these tests' own: they delete whatever they find."""
    running = Server(tmp_path_factory.mktemp("fuzzed") / "data", metadata=new_metadata()).start()
    yield running
    running.close()
    assert "request failed" not in running.log


def phases(**enabled: Any) -> dict[str, Any]:
    return {name: enabled.get(name, OFF) for name in ("examples", "coverage", "fuzzing", "stateful")}


def test_every_operation_does_what_it_says(fuzzed: Server) -> None:
    """The examples, each limit of each value from both sides, and a few inputs at random."""
    chosen = phases(examples=ON, coverage=ON, fuzzing=ON)
    _require_none(failures(fuzzed, config(phases=chosen, max_examples=FEW, seed=SEED)))


def test_operations_do_what_they_say_one_after_the_other(fuzzed: Server) -> None:
    """What one answers is what the next one is about: made, changed, listed, deleted, asked for again."""
    chosen = phases(stateful={**ON, "max-steps": 10})
    _require_none(failures(fuzzed, config(phases=chosen, max_examples=5 * FEW, seed=SEED)))


@pytest.mark.soak
@pytest.mark.timeout(7000)
def test_many_inputs_at_random(fuzzed: Server) -> None:
    chosen = phases(fuzzing=ON, stateful={**ON, "max-steps": 30})
    _require_none(failures(fuzzed, config(phases=chosen, max_examples=MANY, seed=SEED)))


def _require_none(failures: Iterable[str]) -> None:
    """Each that there is in full: another run may meet others."""
    found = list(failures)
    assert not found, "\n\n".join(found)
