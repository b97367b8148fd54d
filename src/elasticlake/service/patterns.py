"""Regular expressions of others: compiled once, of a bounded size, matched in time linear in the text.

They are Rust's, by way of pydantic, whose engine knows no backtracking; Python's own can be held for hours by a few
characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

MAX_CHARACTERS = 256
MAX_STATES = 4_000
"""As we count them: `a{1000}` has 1,000. A counted repetition is written out by whoever compiles it."""
MAX_STEPS = MAX_STATES * 1024
"""Of states times the text's bytes: what a search takes at worst, 2 to 5 ns each. The largest take the longest key."""
_WORD_STATES, _DIGIT_STATES, _OTHER_STATES, _WIDE_STATES = 200, 50, 10, 4
_REPEATED = re.compile(r"\{\s*([0-9]+)\s*(?:,\s*([0-9]*)\s*)?\}")
_GROUP = re.compile(r"\((?:\?(?:P?<[^>]*>|[A-Za-z-]*:?))?")
_VERBOSE = re.compile(r"\(\?[A-Za-z]*x")


@lru_cache(1024)
def compile_pattern(text: str) -> Callable[[str], bool]:
    """Whether the pattern is found in a text; raises `ValueError` with what is wrong with it, in a few words."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"the regular expression has {len(text)} characters; the most is {MAX_CHARACTERS}")
    if _VERBOSE.search(text):
        raise ValueError("the regular expression's flag x is not taken")
    if estimated_states(text) > MAX_STATES:
        raise ValueError("the regular expression is too large: its counted repetitions come to too much")
    try:
        # Rust's engine, whatever pydantic's default is.
        validator = SchemaValidator(core_schema.str_schema(pattern=text, regex_engine="rust-regex", strict=True))
    except SchemaError as error:
        reason = str(error).strip().rpartition("\n")[2].removeprefix("error: ").strip()
        raise ValueError(f"the regular expression is malformed: {reason}") from None
    return validator.isinstance_python


def estimated_states(text: str) -> int:
    """About how large the pattern is with its counted repetitions written out; never far below the truth. What repeats,
    groups or chooses costs as a character does."""
    groups = [0]
    last, at = 0, 0
    while at < len(text):
        repeated = _REPEATED.match(text, at)
        if repeated is not None:
            # One that may end early can do so after each round.
            written_out = (last + (repeated[2] not in (None, repeated[1]))) * _rounds(repeated)
            groups[-1] += written_out - last
            last, at = written_out, repeated.end()
        elif (group := _GROUP.match(text, at)) is not None:
            groups.append(1)
            last, at = 0, group.end()
        elif text[at] == ")" and len(groups) > 1:
            last, at = groups.pop(), at + 1
            groups[-1] += last
        elif text[at] in "*+?|":
            groups[-1] += 1
            last, at = last + 1, at + 1
        else:
            last, at = _atom(text, at)
            groups[-1] += last
    return sum(groups)


def longest_text_bytes(states: int) -> int:
    """In how long a text patterns of so many states together may be sought."""
    return MAX_STEPS // max(1, states)


def _rounds(repeated: re.Match[str]) -> int:
    return max(1, int(repeated[1]), int(repeated[2] or 0))


def _atom(text: str, at: int) -> tuple[int, int]:
    """The states of what begins there, and where it ends."""
    if text[at] == "\\":
        return _escaped(text, at)
    if text[at] == "[":
        return _character_class(text, at)
    states = _OTHER_STATES if text[at] == "." else 1 if text[at].isascii() else _WIDE_STATES
    return states, at + 1


def _escaped(text: str, at: int) -> tuple[int, int]:
    name = text[at + 1 : at + 2]
    end = text.find("}", at) + 1 if text[at + 2 : at + 3] == "{" and name in ("p", "P", "x", "u", "U") else at + 2
    states = _WORD_STATES if name in ("w", "W", "p", "P") else _DIGIT_STATES if name in ("d", "D", "s", "S") else 1
    return states, end if end > at else at + 2


def _character_class(text: str, at: int) -> tuple[int, int]:
    """A class in brackets, with those in it."""
    states, depth, first = _OTHER_STATES, 0, True
    while at < len(text):
        character = text[at]
        if character == "\\":
            escaped, at = _escaped(text, at)
            states, first = states + escaped, False
            continue
        if character == "[":
            depth += 1
            at += 1 + text.startswith("^", at + 1)
            first = True
            continue
        at += 1
        if character == "]" and not first:
            depth -= 1
            if depth == 0:
                return states, at
        states, first = states + 1, False
    return states, at
