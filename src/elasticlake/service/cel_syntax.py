"""What a CEL expression says, read just far enough to know that each evaluation of it is short.

CEL ends, but not soon: loops in loops, texts that double, regular expressions of a million states. What makes an
evaluation long is refused here, before the expression is ever evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from elasticlake.service.cel_words import CONSTANTS, Token, fault

MAX_MACRO_WORDS = 100
"""In the arguments of all macros together: they are gone through for each item."""
MAX_PATTERNS = 5

MATCH = "_match_"
"""What stands for `matches` in the expression that is compiled: as long, so that positions stay."""
MACROS = frozenset({"all", "exists", "exists_one", "existsOne", "map", "filter"})
FUNCTIONS = frozenset({
    "has", "size", "contains", "startsWith", "endsWith", "matches",
    "int", "uint", "double", "string", "bytes", "dyn", "type", "timestamp", "duration",
    "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear",
    "getHours", "getMinutes", "getSeconds", "getMilliseconds",
})  # fmt: skip
_OBJECT = ("key", "size", "etag", "contentType", "versionId", "metadata")
NAMES: Mapping[str, tuple[str, ...]] = {
    "event": (), "timestamp": (), "bucket": (), "object": _OBJECT, "lake": (), "pond": (), "id": (), "sequence": (),
    "reason": (), "previous": ("size", "etag", "versionId"), "principal": (), "requestId": (),
}  # fmt: skip
"""What an expression may speak of, and the fields that it has."""
_KEYWORDS = CONSTANTS | {"in", "int", "uint", "double", "bool", "string", "bytes", "list", "map", "type"}

_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression whose evaluation is short."""

    text: str
    """As it is to be compiled."""
    paths: tuple[tuple[str, ...], ...]
    """What of the payload it looks at: `("object", "size")`."""
    patterns: tuple[Token, ...]
    """The regular expressions in it, as they are written."""
    has_macro: bool


@dataclass(slots=True)
class _Bracket:
    """An open bracket; `macro` if it holds the arguments of one, and `bound` the name that this gives to each item."""

    macro: bool
    bound: str | None = None
    holds_macro: bool = False


def read(text: str, tokens: list[Token]) -> Expression:
    """What the words come to, if they are few enough and known; raises `InvalidWebhook`. CEL has parsed them before."""
    return _Walk(text, tokens).run()


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:40]}…"


@dataclass(slots=True)
class _Walk:
    """One reading from the first word to the last."""

    text: str
    tokens: list[Token]
    open: list[_Bracket] = field(default_factory=list)
    closed: dict[int, _Bracket] = field(default_factory=dict)
    """By the index of the word that closed it."""
    paths: dict[tuple[str, ...], None] = field(default_factory=dict)
    patterns: list[Token] = field(default_factory=list)
    replaced: list[int] = field(default_factory=list)
    macro_words: int = 0
    has_macro: bool = False

    def run(self) -> Expression:
        for index, token in enumerate(self.tokens):
            self._count(token)
            if token.kind == "name":
                self._name(index, token)
            elif token.kind == "sign":
                self._sign(index, token)
        text = self.text
        for at in self.replaced:
            text = text[:at] + MATCH + text[at + len(MATCH) :]
        return Expression(text, tuple(self.paths), tuple(self.patterns), self.has_macro)

    def _count(self, token: Token) -> None:
        self.macro_words += any(bracket.macro for bracket in self.open)
        if self.macro_words > MAX_MACRO_WORDS:
            self._fault(token, f"its macros have more than {MAX_MACRO_WORDS} words.")

    def _at(self, index: int) -> str:
        """The word there, if it is no literal; "" beyond the ends."""
        token = self.tokens[index] if 0 <= index < len(self.tokens) else None
        return token.text if token is not None and token.kind in ("name", "sign") else ""

    def _sign(self, index: int, token: Token) -> None:
        if token.text in _CLOSING:
            macro = token.text == "(" and self._is_macro(index - 1)
            self.open.append(_Bracket(macro, self._at(index + 1) if macro else None, macro))
        elif token.text in _CLOSING.values() and self.open:
            self._close(index)

    def _close(self, index: int) -> None:
        bracket = self.closed[index] = self.open.pop()
        if bracket.holds_macro and self.open:
            self.open[-1].holds_macro = True
        following = self._at(index + 1)
        is_used = following == "[" or (following == "." and self._at(index + 2) != "size")
        if bracket.holds_macro and is_used:
            self._nested(self.tokens[index + 1])

    def _name(self, index: int, token: Token) -> None:
        is_member = self._at(index - 1) == "."
        if self._at(index + 1) == "(":
            self._call(index, token, is_member)
        elif not is_member and token.text not in _KEYWORDS and not self._is_bound(token.text):
            self._variable(index, token)

    def _is_macro(self, index: int) -> bool:
        return self._at(index) in MACROS and self._at(index - 1) == "."

    def _is_bound(self, name: str) -> bool:
        return any(bracket.bound == name for bracket in self.open)

    def _call(self, index: int, token: Token, is_member: bool) -> None:
        if is_member and token.text in MACROS:
            self._macro(index, token)
        elif token.text not in FUNCTIONS:
            self._fault(token, f"there is no function {_short(token.text)}.")
        elif token.text == "matches":
            self._pattern(index, token, is_member)

    def _macro(self, index: int, token: Token) -> None:
        self.has_macro = True
        receiver = self.closed.get(index - 2)
        if any(bracket.macro for bracket in self.open) or (receiver is not None and receiver.holds_macro):
            self._nested(token)
        if self._at(index + 2) in NAMES:
            self._fault(self.tokens[index + 2], f"{self._at(index + 2)} is the payload's: take another name.")

    def _nested(self, token: Token) -> NoReturn:
        self._fault(token, f"the macros {', '.join(sorted(MACROS))} cannot be used within, or on, one another.")

    def _pattern(self, index: int, token: Token, is_member: bool) -> None:
        literal = self.tokens[index + 2] if index + 2 < len(self.tokens) else token
        is_plain = is_member and literal.kind == "text" and literal.text[0] not in "bB" and self._at(index + 3) == ")"
        if not is_plain:
            self._fault(token, 'write it as object.key.matches("…"), with the regular expression as it is.')
        if any(bracket.macro for bracket in self.open):
            self._fault(token, "matches cannot be used within a macro.")
        if len(self.patterns) == MAX_PATTERNS:
            self._fault(token, f"it uses matches more than {MAX_PATTERNS} times.")
        self.patterns.append(literal)
        self.replaced.append(token.at)

    def _variable(self, index: int, token: Token) -> None:
        if token.text not in NAMES:
            self._fault(token, f"there is no {_short(token.text)}; an event has {', '.join(NAMES)}.")
        path, fields = [token.text], NAMES[token.text]
        while self._at(index + 1) == "." and self._at(index + 2) and self._at(index + 3) != "(":
            index += 2
            path.append(self.tokens[index].text)
            if len(path) == 2 and path[1] not in fields:
                known = f": it has {', '.join(fields)}" if fields else ""
                self._fault(self.tokens[index], f"{path[0]} has no field {_short(path[1])}{known}.")
        self.paths[tuple(path)] = None

    def _fault(self, token: Token, message: str) -> NoReturn:
        fault(self.text, token.at, message)
