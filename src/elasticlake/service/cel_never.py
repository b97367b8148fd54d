"""Expressions that no event can fulfil, as far as their words show it beyond doubt: a typing error, so far unnoticed.

An expression is false or without an answer if one side of an `&&` is, or if both sides of an `||` are. Whatever else
there is (`!`, `? :`, macros) is taken to be possible.
"""

from __future__ import annotations

from collections.abc import Sequence

from elasticlake.model.events import EVENT_TYPES, OPERATIONAL_TYPES
from elasticlake.service.cel_syntax import FUNCTIONS
from elasticlake.service.cel_words import Token, fault, literal_value, short

_COMPARISONS = frozenset({"==", "<", "<=", ">", ">="})
_TYPES = (*EVENT_TYPES, *OPERATIONAL_TYPES)
_SIZE = ["object", ".", "size"]
_OPEN, _CLOSED = frozenset("([{"), frozenset(")]}")

Fault = tuple[Token, str]


def require_possible(text: str, tokens: Sequence[Token]) -> None:
    """Raise `InvalidWebhook`, with the place, if nothing can match. CEL has parsed the words before."""
    found = _never(tokens)
    if found is not None:
        fault(text, found[0].at, found[1])


def _never(tokens: Sequence[Token]) -> Fault | None:
    """Why these words are never true; None if they may be."""
    if not tokens or len(_split(tokens, "?")) > 1:
        return None
    alternatives = _split(tokens, "||")
    if len(alternatives) > 1:
        faults = [_never(one) for one in alternatives]
        return faults[0] if all(faults) else None
    conditions = _split(tokens, "&&")
    if len(conditions) > 1:
        return next(filter(None, map(_never, conditions)), None)
    if _is_bracketed(tokens):
        return _never(tokens[1:-1])
    return _event(tokens) or _size(tokens) or _time(tokens)


def _depths(tokens: Sequence[Token]) -> list[int]:
    """Of each word, how many brackets around it are open; a bracket is within itself."""
    depths, depth = [], 0
    for token in tokens:
        is_sign = token.kind == "sign"
        depth += is_sign and token.text in _OPEN
        depths.append(depth)
        depth -= is_sign and token.text in _CLOSED
    return depths


def _split(tokens: Sequence[Token], sign: str) -> list[Sequence[Token]]:
    """The words between the signs that are in no bracket."""
    parts, begin = [], 0
    for index, depth in enumerate(_depths(tokens)):
        if depth == 0 and _is(tokens[index], sign):
            parts.append(tokens[begin:index])
            begin = index + 1
    return [*parts, tokens[begin:]]


def _is_bracketed(tokens: Sequence[Token]) -> bool:
    """Whether the last word closes the bracket that the first one opens."""
    if not _is(tokens[0], "("):
        return False
    ends = (index for index, depth in enumerate(_depths(tokens)) if depth == 1 and _is(tokens[index], ")"))
    return next(ends) == len(tokens) - 1


def _is(token: Token, text: str) -> bool:
    return token.kind in ("sign", "name") and token.text == text


def _text(token: Token) -> str | None:
    """What a literal text stands for; None for any other word."""
    return literal_value(token) if token.kind == "text" and token.text[0] not in "bB" else None


def _event(tokens: Sequence[Token]) -> Fault | None:
    """`event` compared with what is no type: with one text, or with a list of them."""
    words = [token.text if token.kind != "text" else "" for token in tokens]
    if words in (["event", "==", ""], ["", "==", "event"]):
        return _no_type(tokens[2] if words[0] else tokens[0])
    if words[:3] != ["event", "in", "["] or words[-1] != "]" or set(words[3:-1]) - {"", ","}:
        return None
    literals = [token for token in tokens[3:-1] if token.kind == "text"]
    faults = [_no_type(literal) for literal in literals]
    return faults[0] if faults and all(faults) else None


def _no_type(literal: Token) -> Fault | None:
    text = _text(literal)
    if text is None or text in _TYPES:
        return None
    return literal, f"{short(text)!r} is no type of an event: those are {', '.join(_TYPES)}."


def _size(tokens: Sequence[Token]) -> Fault | None:
    """`object.size` compared with a text. That it differs from one (`!=`) is true."""
    words = [token.text if token.kind != "text" else "" for token in tokens]
    forwards, backwards = words[:3] == _SIZE and words[4:] == [""], words[:1] == [""] and words[2:] == _SIZE
    if not (forwards and words[3] in _COMPARISONS) and not (backwards and words[1] in _COMPARISONS):
        return None
    return tokens[-1 if forwards else 0], "object.size is a number: write it without quotes."


def _time(tokens: Sequence[Token]) -> Fault | None:
    """A part of `timestamp`, which is a text. Within brackets it may be that nobody asks for it."""
    depths = _depths(tokens)
    for index, token in enumerate(tokens[:-2]):
        is_variable = _is(token, "timestamp") and depths[index] == 0 and not (index and _is(tokens[index - 1], "."))
        part = tokens[index + 2].text
        if is_variable and _is(tokens[index + 1], ".") and part.startswith("get") and part in FUNCTIONS:
            return token, f"timestamp is a text: write timestamp(timestamp).{part}()."
    return None
