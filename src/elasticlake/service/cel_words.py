"""The words of a CEL expression, and how many of them there may be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NoReturn

import cel

from elasticlake.errors import InvalidWebhook

MAX_BYTES = 2048
MAX_WORDS = 500
MAX_LITERALS = 100
MAX_COMMAS = 100
MAX_ADDITIONS = 20
MAX_DEPTH = 32
MAX_SHOWN_CHARACTERS = 40

CONSTANTS = frozenset({"true", "false", "null"})

Kind = Literal["text", "number", "name", "sign"]
# A byte's or raw text's mark, then three quotes or one: as CEL's own grammar has it.
_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f]+|//[^\n]*)
    |(?P<text>[bB]?(?:
        [rR](?:\"\"\"(?s:.*?)\"\"\"|'''(?s:.*?)'''|"[^"\r\n]*"|'[^'\r\n]*')
        |\"\"\"(?s:\\.|[^\\])*?\"\"\"|'''(?s:\\.|[^\\])*?'''|"(?:\\.|[^"\\\r\n])*"|'(?:\\.|[^'\\\r\n])*'))
    |(?P<number>0x[0-9a-fA-F]+[uU]?|(?:[0-9]*\.)?[0-9]+(?:[eE][+-]?[0-9]+)?[uU]?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||[=!<>]=|(?s:.))
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the expression, and where it begins (characters)."""

    kind: Kind
    text: str
    at: int


def fault(text: str, at: int, message: str) -> NoReturn:
    """Raise the `InvalidWebhook` that says what is wrong with the character `at` of the expression."""
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    where = f"At character {column}" if "\n" not in text else f"At line {line}, character {column}"
    raise InvalidWebhook("where", f"{where}: {message}")


def short(word: str) -> str:
    """The word as a fault shows it."""
    return word if len(word) <= MAX_SHOWN_CHARACTERS else f"{word[:MAX_SHOWN_CHARACTERS]}…"


def literal_value(literal: Token) -> str:
    """What a literal text stands for, as CEL itself reads it."""
    return str(cel.evaluate(literal.text))


def split(text: str) -> list[Token]:
    """The expression's words; raises `InvalidWebhook` where it is too large to even be parsed."""
    size_bytes = len(text.encode())
    if size_bytes > MAX_BYTES:
        raise InvalidWebhook("where", f"It has {size_bytes:,} bytes; the most is {MAX_BYTES:,}.")
    found = [
        Token(match.lastgroup, match[0], match.start())  # type: ignore[arg-type]
        for match in _TOKEN.finditer(text)
        if match.lastgroup != "space"
    ]
    if not found:
        raise InvalidWebhook("where", "It is empty: leave it out, or write null.")
    _require_few(text, found)
    _require_shallow(text, found)
    return found


def _require_few(text: str, tokens: list[Token]) -> None:
    limits: list[tuple[str, int, Callable[[Token], bool]]] = [
        ("words", MAX_WORDS, lambda token: True),
        ("literals", MAX_LITERALS, lambda token: token.kind in ("text", "number") or token.text in CONSTANTS),
        ("commas", MAX_COMMAS, lambda token: token.text == ","),
        ("additions", MAX_ADDITIONS, lambda token: token.text == "+"),
    ]
    for name, most, counts in limits:
        counted = [token for token in tokens if counts(token)]
        if len(counted) > most:
            fault(text, counted[most].at, f"it has {len(counted)} {name}; the most is {most}.")


def _require_shallow(text: str, tokens: list[Token]) -> None:
    depth = 0
    for token in tokens:
        if token.kind == "sign":
            depth += (token.text in ("(", "[", "{", "?")) - (token.text in (")", "]", "}"))
        if depth > MAX_DEPTH:
            fault(text, token.at, f"it is nested more than {MAX_DEPTH} deep.")
