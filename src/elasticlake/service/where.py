"""`where`: a CEL expression over an event's payload. One that could hold us up is refused when it is given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NoReturn

import cel

from elasticlake.errors import InvalidWebhook
from elasticlake.model.events import EVENT_TYPES, Event, Previous, payload
from elasticlake.service import cel_never, cel_slips, cel_syntax
from elasticlake.service.cel_syntax import MATCH, Expression
from elasticlake.service.cel_words import Token, fault, literal_value, split
from elasticlake.service.patterns import MAX_STATES, compile_pattern, estimated_states, longest_text_bytes

MAX_ITEMS = 50
"""Of user metadata, where a macro may run over them."""
MAX_TEXT_CHARACTERS = 4096
"""In which a regular expression is sought, and of a content type."""
MAX_REASON_CHARACTERS = 200

_POSITION = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)")


class WhereFailed(Exception):
    """The expression has no answer for this event; the text says why."""


class NoCondition(WhereFailed):
    """What it comes to is not true or false."""


class Where:
    """A compiled expression."""

    def __init__(self, expression: Expression) -> None:
        self._program = cel.compile(expression.text)
        self._patterns = {text: compile_pattern(text) for text in map(literal_value, expression.patterns)}
        self._longest_bytes = longest_text_bytes(sum(map(_states, expression.patterns)))
        self._has_macro = expression.has_macro
        self._paths = expression.paths
        self._names = tuple(dict.fromkeys(path[0] for path in expression.paths))

    def matches(self, event: Event) -> bool:
        """Whether the event fulfils it; raises `WhereFailed`."""
        if len(event.content_type) > MAX_TEXT_CHARACTERS:
            raise WhereFailed(f"the content type has more than {MAX_TEXT_CHARACTERS:,} characters")
        if self._has_macro and len(event.metadata or ()) > MAX_ITEMS:
            raise WhereFailed(f"the object has more than {MAX_ITEMS} metadata, over which no macro may run")
        document = _seen(event)
        result = self._evaluate({name: document[name] for name in self._names})
        if result is not True and result is not False:
            raise NoCondition(f"it comes to a value of the kind {_kind(result)}, not to true or false")
        return result

    def values(self, event: Event) -> dict[str, Any]:
        """What of the event the expression looks at, by path; what is not there is left out."""
        document = _seen(event)
        found = {".".join(path): _value(document, path) for path in self._paths}
        return {path: value for path, value in found.items() if value is not _ABSENT}

    def _evaluate(self, variables: dict[str, Any]) -> Any:
        faults: list[str] = []
        if self._patterns:
            variables[MATCH] = lambda text, pattern: self._is_found(text, pattern, faults)
        try:
            result = self._program.execute(variables)
        except BaseException as error:
            # What Rust panics with is no Exception; whatever else is none is not ours.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            raise WhereFailed(_reason(error)) from None
        if faults:
            raise WhereFailed(faults[0])
        return result

    def _is_found(self, text: Any, pattern: str, faults: list[str]) -> bool:
        """The library logs what a function of ours raises, once for each event: so it raises nothing."""
        if not isinstance(text, str):
            faults.append("matches needs a text")
        elif len(text) > MAX_TEXT_CHARACTERS:
            faults.append(f"matches needs a text of at most {MAX_TEXT_CHARACTERS:,} characters")
        elif len(text.encode()) > self._longest_bytes:
            faults.append(f"matches needs a text of at most {self._longest_bytes:,} bytes for these patterns")
        else:
            return self._patterns[pattern](text)
        return False


@lru_cache(1024)
def compile_where(text: str) -> Where:
    """The expression, ready to be evaluated; raises `InvalidWebhook` that says what is wrong with it, and where."""
    words = split(text)
    cel_slips.require_none(text, words)
    _require_parsed(text)
    expression = cel_syntax.read(text, words)
    _require_patterns(text, expression.patterns)
    where = Where(expression)
    for event in _SAMPLES:
        try:
            where.matches(event)
        except NoCondition as failure:
            raise InvalidWebhook("where", f"At character 1: {failure}.") from None
        except WhereFailed:
            continue  # it may well be about other events
    return where


def require_where(text: str | None) -> None:
    """Raise `InvalidWebhook` if this can be no webhook's `where`, or no event could ever fulfil it."""
    if text is not None:
        compile_where(text)
        cel_never.require_possible(text, split(text))


def _require_parsed(text: str) -> None:
    try:
        cel.compile(text)
    except ValueError as error:
        _explain(text, str(error))
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise InvalidWebhook("where", "It cannot be parsed.") from None


def _explain(text: str, message: str) -> NoReturn:
    """The parser's own words, without the long list of what it would have liked better."""
    found = _POSITION.search(message)
    if found is None:
        raise InvalidWebhook("where", "It cannot be parsed.")
    lines = text.split("\n")
    line, column, reason = int(found[1]), int(found[2]), found[3].partition(" expecting ")[0]
    at = min(len(text), sum(len(one) + 1 for one in lines[: line - 1]) + column - 1)
    fault(text, at, "it ends too early." if "<EOF>" in reason else f"{reason.rstrip('.')}.")


def _require_patterns(text: str, patterns: tuple[Token, ...]) -> None:
    """Each is well formed, and all of them, which may be sought for one event, are not too large together."""
    states = 0
    for token in patterns:
        _require_pattern(text, token)
        states += _states(token)
        if states > MAX_STATES:
            reason = "the regular expressions are too large together: their counted repetitions come to too much"
            fault(text, token.at, f"{reason}.")


def _states(token: Token) -> int:
    return estimated_states(literal_value(token))


def _require_pattern(text: str, token: Token) -> None:
    try:
        compile_pattern(literal_value(token))
    except ValueError as error:
        fault(text, token.at, f"{error}.")


def _seen(event: Event) -> dict[str, Any]:
    """The payload with everything that it can have, so that each name has a value."""
    return {"previous": None} | payload(event, include_metadata=True)


def _kind(result: Any) -> str:
    """What CEL calls the value's type."""
    return _KINDS.get(type(result).__name__, type(result).__name__)


_KINDS = {
    "str": "string", "float": "double", "dict": "map", "NoneType": "null",
    "datetime": "timestamp", "timedelta": "duration",
}  # fmt: skip
_ABSENT = object()


def _value(document: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(document, Mapping) or name not in document:
            return _ABSENT
        document = document[name]
    return document


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"there is no {str(error).strip(chr(34)).strip(chr(39))}"
    reason = str(error).replace(MATCH, "matches").partition(". ")[0].rstrip(".") or type(error).__name__
    return reason[:1].lower() + reason[1:MAX_REASON_CHARACTERS]


_SAMPLES = tuple(
    Event(
        id="evt_0",
        bucket_id=0,
        bucket="bucket",
        sequence=1,
        type=event_type,
        time_ms=0,
        key=b"key",
        size_bytes=1,
        etag="etag",
        content_type="text/plain",
        lake="lake",
        pond="pond",
        reason="Sample",
        metadata={},
        previous=Previous(1, "etag") if event_type == "object:updated" else None,
        principal="principal",
        request_id="request",
    )
    for event_type in EVENT_TYPES
)
