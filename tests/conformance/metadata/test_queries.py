"""Every function of the metadata layer, run on both engines in one order: each step has the same outcome on both."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AsyncExitStack
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from tests.conformance.metadata.conftest import closing_all, postgres_opener, sqlite_opener
from tests.conformance.metadata.core_script import core_script
from tests.conformance.metadata.delivery_script import delivery_script
from tests.conformance.metadata.script import ANY, Step

from elasticlake import metadata
from elasticlake.metadata.database import Database
from elasticlake.metadata.migrations import Schema

SCRIPTS: dict[Schema, Callable[[], list[Step]]] = {"core": core_script, "delivery": delivery_script}


async def run(step: Step, database: Database) -> Any:
    """The step's outcome; a read has the same in every kind of view."""
    outcome = await database.write(step)
    if step.is_read:
        assert await database.read(step) == outcome, step
        assert await database.read(step, loose=True) == outcome, step
    return outcome


@pytest.mark.parametrize("schema", sorted(SCRIPTS))
async def test_every_query_has_one_outcome_on_every_engine(request: pytest.FixtureRequest, schema: Schema) -> None:
    async with AsyncExitStack() as opened:
        engines = [
            (await opened.enter_async_context(closing_all(opener(request, schema))))()
            for opener in (sqlite_opener, postgres_opener)
        ]
        for step in SCRIPTS[schema]():
            outcomes = [await run(step, database) for database in engines]
            assert outcomes[0] == outcomes[1], step
            assert step.expected is ANY or step.expected == outcomes[0], step


def queries_of_the_layer() -> set[Callable[..., Any]]:
    """The public functions whose first argument is a view of a database."""
    modules = [import_module(f"{metadata.__name__}.{module.name}") for module in iter_modules(metadata.__path__)]
    return {
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and next(iter(inspect.signature(function).parameters), None) in ("reader", "tx")
    }


def test_every_query_of_the_layer_is_run() -> None:
    run_here = {step.function for script in SCRIPTS.values() for step in script()}
    missing = queries_of_the_layer() - run_here
    assert {f"{function.__module__}.{function.__name__}" for function in missing} == set()
