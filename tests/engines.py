"""Which metadata engine the servers of a test run on: SQLite, or with ELASTICLAKE_ENGINE=postgres PostgreSQL.

Tests marked `both_engines` run on each of them always, those marked `embedded` are about SQLite and files; `make soak`
runs everything else on both.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Literal, cast

import pytest
from tests.postgres import Postgres

Engine = Literal["postgres", "sqlite"]
ENGINES: tuple[Engine, ...] = ("postgres", "sqlite")
NewMetadata = Callable[[], str | None]


def chosen_engine() -> Engine:
    """The engine of tests that are not about both."""
    chosen = os.environ.get("ELASTICLAKE_ENGINE", "sqlite")
    assert chosen in ENGINES, f"ELASTICLAKE_ENGINE is {chosen}; it must be one of {', '.join(ENGINES)}"
    return cast(Engine, chosen)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" not in metafunc.fixturenames:
        return
    if metafunc.definition.get_closest_marker("both_engines"):
        metafunc.parametrize("engine", ENGINES, indirect=True, scope="session")
    elif metafunc.definition.get_closest_marker("embedded"):
        metafunc.parametrize("engine", ["sqlite"], indirect=True, scope="session")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> Engine:
    return cast(Engine, getattr(request, "param", chosen_engine()))


@pytest.fixture(scope="session")
def new_metadata(request: pytest.FixtureRequest, engine: Engine) -> NewMetadata:
    """Makes what `--metadata` is to be for a new server: the URL of an empty database, None for SQLite."""
    if engine == "sqlite":
        return lambda: None
    postgres: Postgres = request.getfixturevalue("postgres")
    return lambda: postgres.start().create_database()
