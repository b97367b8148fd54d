"""EventBridge's patterns, as far as docs/from-s3.md shows them, and our options for the same.

Source: "Comparison operators for use in event patterns in Amazon EventBridge", Amazon EventBridge User Guide.
"""

from __future__ import annotations

import operator
import re
import shlex
from typing import Any

from elasticlake.cli.webhook_rules import RuleOptions

_NUMERIC = {"<": operator.lt, "<=": operator.le, "=": operator.eq, ">=": operator.ge, ">": operator.gt}
_REPEATED = ("prefix", "suffix", "content_type", "metadata")


def detail(event: dict[str, Any]) -> dict[str, Any]:
    """One of our events as the `detail` that EventBridge gives of S3's."""
    described = {name: event["object"][name] for name in ("key", "size", "etag")}
    return {"bucket": {"name": event["bucket"]}, "object": described, "reason": event["reason"]}


def matches(pattern: Any, value: Any) -> bool:
    """Whether all members of the pattern hold, of each any one alternative."""
    if isinstance(pattern, dict):
        return all(matches(wanted, value[name]) for name, wanted in pattern.items())
    return any(_holds(alternative, value) for alternative in pattern)


def _holds(alternative: Any, value: Any) -> bool:
    if not isinstance(alternative, dict):
        return bool(alternative == value)
    ((name, wanted),) = alternative.items()
    if name == "anything-but":
        return not matches([wanted] if isinstance(wanted, dict) else wanted, value)
    if name == "numeric":
        return all(_NUMERIC[sign](value, number) for sign, number in zip(wanted[::2], wanted[1::2], strict=True))
    if name == "wildcard":
        return re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), value) is not None
    if name == "equals-ignore-case":
        return bool(value.lower() == wanted.lower())
    return bool({"prefix": value.startswith, "suffix": value.endswith}[name](wanted))


def rules(options: str) -> dict[str, Any]:
    """What the command line makes of options such as `--prefix in/ --where 'object.size > 1'`."""
    words = shlex.split(options)
    given: dict[str, Any] = {}
    for flag, value in zip(words[::2], words[1::2], strict=True):
        name = flag.removeprefix("--").replace("-", "_")
        given[name] = [*given.get(name, []), value] if name in _REPEATED else value
    return RuleOptions(**given).members()
