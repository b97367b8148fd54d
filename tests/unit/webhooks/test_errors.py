"""The tree of refusals is the one that its docstring draws."""

import inspect
import re

from elasticlake.errors import ElasticLakeError
from elasticlake.webhooks import errors

ALL = [one for _, one in inspect.getmembers(errors, inspect.isclass) if one.__module__ == errors.__name__]


def test_each_is_drawn_and_nothing_else() -> None:
    drawn = set(re.findall(r"\b[A-Z][a-z]+[A-Z]\w+", errors.__doc__ or ""))
    assert drawn - {"ElasticLakeError"} == {kind.__name__ for kind in ALL}
    assert all(issubclass(kind, ElasticLakeError) for kind in ALL)


def test_what_refuses_a_delivery_is_below_one() -> None:
    branches = [line for line in (errors.__doc__ or "").splitlines() if line.lstrip().startswith(("├", "└", "│"))]
    below = {name for line in branches for name in re.findall(r"[A-Z]\w+", line)}
    root = errors.WebhookVerificationError
    assert below == {kind.__name__ for kind in ALL if issubclass(kind, root) and kind is not root}
