"""What a CEL expression says, read just far enough to know that each evaluation of it is short.

CEL ends, but not soon: loops in loops, texts that double, regular expressions of a million states. What makes an
evaluation long is refused here, before the expression is ever evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NoReturn

from elasticlake.service.cel_words import CONSTANTS, Token, fault, short

MAX_MACRO_WORDS = 100
"""In the arguments of all macros together: they are gone through for each item."""
MAX_PATTERNS = 5

MATCH = "_match_"
"""What stands for `matches` in the expression that is compiled: as long, so that positions stay."""
MACROS = frozenset({"all", "exists", "exists_one", "existsOne"})
_GROWING = ("map", "filter")
"""Macros that make a list: CEL's library copies it for each item."""
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
_MAPS = {("object",): (".",), ("previous",): (".",), ("object", "metadata"): (".", "[")}
"""What of it is a whole map, unless one of these follows."""
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

    sign: str
    macro: bool
    bound: str | None = None


def read(text: str, tokens: list[Token]) -> Expression:
    """What the words come to, if they are few enough and known; raises `InvalidWebhook`. CEL has parsed them before."""
    return _Walk(text, tokens).run()


def _unknown(function: str) -> str:
    """That there is no such function, and which one its writer may have meant."""
    known = {name.lower(): name for name in sorted(FUNCTIONS | MACROS)}
    close = get_close_matches(function.lower(), known, 1)
    hint = f"; did you mean {known[close[0]]}?" if close and known[close[0]] != function else "."
    return f"there is no function {short(function)}{hint}"


@dataclass(slots=True)
class _Walk:
    """One reading from the first word to the last."""

    text: str
    tokens: list[Token]
    open: list[_Bracket] = field(default_factory=list)
    listed: tuple[Token, str] | None = None
    """The first whole map that a list or a map holds, and its name."""
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
        self._require_small_items()
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
            self.open.append(_Bracket(token.text, macro, self._at(index + 1) if macro else None))
        elif token.text in _CLOSING.values() and self.open:
            self.open.pop()

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
        elif is_member and token.text in _GROWING:
            self._fault(token, f"{token.text} is not taken: use all, exists or exists_one.")
        elif token.text not in FUNCTIONS:
            self._fault(token, _unknown(token.text))
        elif token.text == "matches":
            self._pattern(index, token, is_member)

    def _macro(self, index: int, token: Token) -> None:
        self.has_macro = True
        if any(bracket.macro for bracket in self.open):
            self._fault(token, "the macros all, exists and exists_one cannot be used within one another.")
        if self._at(index + 2) in NAMES:
            self._fault(self.tokens[index + 2], f"{self._at(index + 2)} is the payload's: take another name.")

    def _require_small_items(self) -> None:
        """Each item of a list is copied for each item that a macro goes over."""
        if self.has_macro and self.listed is not None:
            token, name = self.listed
            self._fault(token, f"beside a macro, a list or a map cannot hold {name}, which is a whole map.")

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
            self._fault(token, f"there is no {short(token.text)}; an event has {', '.join(NAMES)}.")
        path, fields = [token.text], NAMES[token.text]
        while self._at(index + 1) == "." and self._at(index + 2) and self._at(index + 3) != "(":
            index += 2
            path.append(self.tokens[index].text)
            if len(path) == 2 and path[1] not in fields:
                known = f": it has {', '.join(fields)}" if fields else ""
                self._fault(self.tokens[index], f"{path[0]} has no field {short(path[1])}{known}.")
        self.paths[tuple(path)] = None
        is_map = tuple(path) in _MAPS and self._at(index + 1) not in _MAPS[tuple(path)]
        if is_map and self.listed is None and any(bracket.sign in "[{" for bracket in self.open):
            self.listed = token, ".".join(path)

    def _fault(self, token: Token, message: str) -> NoReturn:
        fault(self.text, token.at, message)
