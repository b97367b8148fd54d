"""Settings come from the environment, too: these tests begin with none of ours."""

import os

import pytest


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("ELASTICLAKE_"):
            monkeypatch.delenv(name)
