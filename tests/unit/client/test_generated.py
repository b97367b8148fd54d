"""The client's models and resources are those of the API's present description."""

from __future__ import annotations

import ast
import inspect

import pytest
from tools import generate_client

from elasticlake.client.async_resources import AsyncResources
from elasticlake.client.sync_resources import SyncResources

MADE = generate_client.generate(generate_client.description())


@pytest.mark.parametrize("name", MADE)
def test_what_was_made_is_what_would_be_made_now(name: str) -> None:
    assert (generate_client.CLIENT / name).read_text() == MADE[name], "run: python -m tools.generate_client"


def test_every_operation_is_a_method_of_both_clients_alone() -> None:
    api = generate_client.description()
    operations = [one for group in generate_client.resources_of(api).values() for one in group]
    described = [one["operationId"] for path in api["paths"].values() for one in path.values()]
    assert len(operations) == len([name for name in described if not name.startswith("stream")])
    for name in ("sync_resources.py", "async_resources.py"):
        classes = [node for node in ast.parse(MADE[name]).body if isinstance(node, ast.ClassDef)]
        methods = [(one.name, part.name) for one in classes for part in one.body if not isinstance(part, ast.Expr)]
        assert len(methods) == len(set(methods)), "two operations have one name"


def test_both_clients_have_the_same_resources() -> None:
    def names(kind: type) -> list[str]:
        return [name for name, _ in inspect.getmembers(kind, lambda one: isinstance(one, property))]

    assert names(SyncResources) == names(AsyncResources)


@pytest.mark.parametrize(
    ("tag", "operation_id", "name"),
    [
        ("lakes", "createLake", "create"),
        ("lakes", "listLakes", "list"),
        ("deliveries", "getDelivery", "get"),
        ("webhooks", "rotateSecret", "rotate_secret"),
        ("webhooks", "explainWebhook", "explain"),
        ("health", "getReadiness", "get_readiness"),
    ],
)
def test_names_of_methods(tag: str, operation_id: str, name: str) -> None:
    assert generate_client.method_name(tag, operation_id) == name
