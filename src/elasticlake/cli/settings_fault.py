"""What is wrong with a setting, in a sentence for the person who gave it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

# pydantic's types of faults (https://docs.pydantic.dev/latest/errors/validation_errors/) → what the value is not.
EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
}
SIZE_FAULTS = ("byte_size", "byte_size_unit")


def sentence(
    error: ValidationError, config: Path | None, options: Iterable[str], called: Mapping[str, str] | None = None
) -> str:
    """The first fault; `config` is the TOML file that was read and `options` the names that it may hold. `called` has
    the flags of options that are not called as their settings."""
    fault = error.errors()[0]
    if not fault["loc"]:  # about several options together
        return _own_words(fault["msg"])
    name, kind, given = str(fault["loc"][0]), fault["type"], _as_written(fault["input"])
    if kind == "extra_forbidden":
        return f"{config}: no option {name}{_near(name, options)}"
    flag = (called or {}).get(name, f"--{name.replace('_', '-')}")
    if kind in SIZE_FAULTS:
        return f"{flag}: {given} is no size, such as 512MiB"
    if kind in EXPECTED:
        context: dict[str, Any] = fault.get("ctx", {})
        expected = EXPECTED[kind].format(**context).replace("'", "")
        return f"{flag}: {given} is not {expected}"
    return f"{flag}: {_own_words(fault['msg'])}"


def _near(name: str, options: Iterable[str]) -> str:
    near = get_close_matches(name.replace("-", "_"), list(options), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _as_written(value: object) -> str:
    """A number bare, as one writes it, even where a variable gave it as text."""
    return value if isinstance(value, str) and value.lstrip("-").isdigit() else repr(value)


def _own_words(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should be", "it must be").rstrip(".")
