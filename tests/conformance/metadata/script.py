"""Calls of the metadata layer in one order, each with the outcome it has on every engine."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from elasticlake.errors import ElasticLakeError
from elasticlake.metadata.database import Reader

ANY = object()
"""The outcome is only compared between the engines."""


@dataclass(frozen=True)
class Step:
    """One call; its outcome is what it returns (an iterator's items), or the type of its error."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    expected: Any = ANY
    unordered: bool = False
    of_type: bool = False
    """Only the outcome's type is known: an epoch is a time."""

    @property
    def is_read(self) -> bool:
        return next(iter(inspect.signature(self.function).parameters)) == "reader"

    def __call__(self, view: Reader) -> Any:
        arguments = [argument.find(view) if isinstance(argument, Found) else argument for argument in self.arguments]
        try:
            outcome = self.function(view, *arguments, **self.keywords)
            if isinstance(outcome, Iterator):
                outcome = list(outcome)
        except ElasticLakeError as error:
            return type(error)
        if self.of_type:
            return type(outcome)
        return sorted(outcome, key=repr) if self.unordered else outcome

    def __str__(self) -> str:
        return f"{self.function.__module__}.{self.function.__name__}{self.arguments}{self.keywords or ''}"


@dataclass(frozen=True)
class Found:
    """An argument that is looked up when the step runs."""

    find: Callable[[Reader], Any]


@dataclass
class Script:
    """Steps in order."""

    steps: list[Step] = field(default_factory=list)

    def __call__(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> None:
        self.steps.append(Step(function, arguments, keywords))

    def gives(self, expected: Any, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> None:
        self.steps.append(Step(function, arguments, keywords, expected))

    def gives_any_order(self, expected: list[Any], function: Callable[..., Any], *arguments: Any) -> None:
        self.steps.append(Step(function, arguments, {}, sorted(expected, key=repr), unordered=True))

    def gives_some(self, expected: type, function: Callable[..., Any], *arguments: Any) -> None:
        self.steps.append(Step(function, arguments, {}, expected, of_type=True))
