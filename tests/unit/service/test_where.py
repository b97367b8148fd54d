"""Expressions: what they see, what is refused, and that none of them can hold the loop."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.errors import InvalidWebhook
from elasticlake.model.events import Event, Previous
from elasticlake.service import where
from elasticlake.service.where import MAX_ITEMS, WhereFailed, compile_where, require_where

# An evaluation takes some 20 ms at the very most; a machine that is busy with all else may take ten times that. What is
# refused here took seconds, or the process.
PATIENCE_SECONDS = 0.5

EVENT = Event(
    id="evt_1",
    bucket_id=1,
    bucket="lake1--pond1--my-bucket",
    sequence=42,
    type="object:updated",
    time_ms=1_761_834_153_000,
    key="uploads/föto.jpg".encode(),
    size_bytes=1048576,
    etag="etag",
    content_type="image/jpeg",
    lake="production",
    pond="documents",
    reason="PutObject",
    metadata={"owner": "ann"},
    previous=Previous(10, "older"),
    principal="AKID",
    request_id="REQUEST",
)
LARGEST = replace(
    EVENT,
    key=b"k" * 1024,
    content_type="a" * where.MAX_TEXT_CHARACTERS,
    metadata={f"key{number}": "v" * 30 for number in range(MAX_ITEMS)},
)


@pytest.mark.parametrize(
    "expression",
    [
        'event == "object:updated"',
        'timestamp == "2025-10-30T14:22:33Z"',
        "timestamp(timestamp).getHours() == 14",
        'bucket == "lake1--pond1--my-bucket"',
        'object.key.startsWith("uploads/") && object.key.endsWith(".jpg")',
        "object.size > 1000000 && object.size < 2e6",
        'object.etag == "etag" && object.contentType.contains("/")',
        'object.metadata.owner == "ann" && object.metadata["owner"] == "ann"',
        'lake == "production" && pond == "documents"',
        'id.startsWith("evt_") && sequence == 42 && reason == "PutObject"',
        "previous.size < object.size",
        'previous != null && previous.etag == "older"',
        'principal == "AKID" && requestId == "REQUEST"',
        r'object.key.matches("^uploads/f.to\\.jpe?g$")',
        r"object.key.matches(r'\bf\w+\.jpg')",
        'has(object.metadata.owner) && !has(object.metadata.state) && !("state" in object.metadata)',
        "!has(object.versionId)",
        '["uploads/", "photos/"].exists(folder, object.key.startsWith(folder))',
        'object.metadata.all(name, object.metadata[name] != "")',
        '[1, 2, 3].filter(n, n > 1).size() == 2 && [1, 2].map(n, n * 2) == [2, 4]',
        "size(object.key) == 17",  # of a text it counts the bytes
        'object.key.contains("föto") && object.key + "x" == "uploads/föto.jpgx" // a remark',
        "true ? object.size % 2 == 0 : false",
    ],
)  # fmt: skip
def test_what_an_expression_may_say(expression: str) -> None:
    assert compile_where(expression).matches(EVENT)
    assert not compile_where(f"!({expression.partition('//')[0]})").matches(EVENT)


def test_what_an_event_lacks_is_null() -> None:
    created = replace(EVENT, type="object:created", previous=None, principal=None, metadata=None)
    assert compile_where("previous == null && principal == null && object.metadata == {}").matches(created)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("object.metadata.state == 'draft'", "there is no state"),
        ("object.size > 'x'", "no such overload"),
        ("object.size / (object.size - object.size) == 1", "division by zero"),
        ("object.size * 9223372036854775807 > 1", "overflow"),
        ("timestamp(object.key) > timestamp(timestamp)", "timestamp"),
        ("object.size.matches('1')", "matches needs a text"),
        ("(object.contentType + object.contentType).matches('a')", "at most 4,096 characters"),
        ("object.metadata.owner", "a value of the kind str, not to true or false"),
    ],
)
def test_no_answer_is_a_failure_that_says_why(expression: str, reason: str) -> None:
    event = replace(EVENT, content_type="a" * 3000)
    with pytest.raises(WhereFailed, match=reason):
        compile_where(expression).matches(event)


def test_macros_run_over_few_metadata_only() -> None:
    crowded = replace(EVENT, metadata={str(number): "" for number in range(MAX_ITEMS + 1)})
    with pytest.raises(WhereFailed, match="no macro may run"):
        compile_where("object.metadata.all(name, name != '')").matches(crowded)
    assert compile_where("'7' in object.metadata").matches(crowded)


def test_the_values_that_it_looks_at() -> None:
    expression = (
        "object.size > 5 && object.metadata.state == 'x' && [1].all(n, n < previous.size) && has(object.metadata)"
    )
    assert compile_where(expression).values(EVENT) == {
        "object.size": 1048576,
        "previous.size": 10,
        "object.metadata": {"owner": "ann"},
    }


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("", "It is empty"),
        (" // nothing", "It is empty"),
        ("object.size >", "At character 14: it ends too early"),
        ("object.size = 3", "At character 13: token recognition error"),
        ("object.size == \n 'ä' + ", "At line 2, character 8: it ends too early"),
        ("object.size > 1 and true", "At character 17: mismatched input 'and'"),
        ("'open", "At character 1: "),
        ("object.siez > 3", "At character 8: object has no field siez: it has key, size"),
        ("size(object.key) > 3 && bukket == 'x'", "At character 25: there is no bukket; an event has event, timestamp"),
        ("[1].all(x, x > y)", "At character 16: there is no y;"),
        ("'ä' == nein", "At character 8: there is no nein"),
        ("bucket.name == 'x'", "At character 8: bucket has no field name."),
        ("object.key.lower() == 'x'", "At character 12: there is no function lower"),
        ("_match_(object.key, 'x')", "At character 1: there is no function _match_"),
        ("object.size", "At character 1: it comes to a value of the kind int, not to true or false"),
        ("'draft'", "of the kind str"),
        ("has(object)", "At character 5: invalid argument to has()"),
        ("object.key.matches('(')", "At character 20: the regular expression is malformed: unclosed group"),
        ("object.key.matches('(?=a)')", "look-around"),
        ("object.key.matches(object.key)", "At character 12: write it as"),
        ("matches(object.key, 'a')", "At character 1: write it as"),
        ("object.key.matches(b'a')", "At character 12: write it as"),
        ("object.metadata.all(object, true)", "At character 21: object is the payload's"),
        ("a" * 100 + " == 1", "there is no " + "a" * 40 + "…"),
    ],
)
def test_a_fault_is_named_with_its_position(expression: str, fault: str) -> None:
    with pytest.raises(InvalidWebhook) as refused:
        compile_where(expression)
    assert refused.value.field == "where"
    assert fault in str(refused.value)
    assert "\n" not in str(refused.value)


def test_without_an_expression_nothing_is_asked() -> None:
    require_where(None)
    with pytest.raises(InvalidWebhook):
        require_where("")


TEN = "[1,2,3,4,5,6,7,8,9,0]"


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("true" + " && true" * 400, "bytes; the most is 2,048"),
        ("!" * 600 + "true", "words; the most is 500"),
        ("[" + "1," * 100 + "1].size() > 0", "literals; the most is 100"),
        ("[" + "id," * 101 + "id].size() > 0", "commas; the most is 100"),
        ("+".join(["object.key"] * 22) + " == ''", "additions; the most is 20"),
        ("(" * 33 + "true" + ")" * 33, "nested more than 32 deep"),
        ("true?" * 33 + "true" + ":true" * 33, "nested more than 32 deep"),
        # 728 bytes of this held the interpreter for 2.3 s.
        (f"{TEN}.all(a, " * 7 + "true" + ")" * 7, "cannot be used within, or on, one another"),
        (f"{TEN}.all(a, size({TEN}.filter(b, b > a)) > 0)", "cannot be used within"),
        # A list that doubles, and doubles, takes the memory.
        ("[object.key]" + ".map(a, a + a)" * 20 + " == []", "cannot be used within, or on"),
        ("([1].map(a, [a, a])).map(b, b) == []", "cannot be used within, or on"),
        ("[[1].map(a, a)][0].map(b, b) == []", "cannot be used within, or on"),
        ("(true ? [1].map(a, a) : [2]).map(b, b) == []", "cannot be used within, or on"),
        ("{'a': [1].map(a, a)}.a.map(b, b) == []", "cannot be used within, or on"),
        ("dyn([1].map(a, a)).map(b, b) == []", "cannot be used within, or on"),
        (f"{TEN}.all(k, " + "&&".join(["object.metadata == object"] * 50) + ")", "its macros have more than 100"),
        ("[1].all(a, object.key.matches('x'))", "matches cannot be used within a macro"),
        (" || ".join([r"object.key.matches('(\\w|a)+')"] * 6), "matches more than 5 times"),
        ("object.key.matches('" + "a" * 257 + "')", "has 257 characters"),
        (r"object.key.matches('(\\pL{100}){50}')", "regular expression is too large"),
        ("object.key.matches('(((a{100}){100}){100})')", "regular expression is too large"),
        ("object.key.matches('(?x) (a | b) {1000}')", "flag x"),
        ("google.protobuf.Timestamp{seconds: 1} == timestamp(timestamp)", "there is no google"),
        ("cel.bind(x, object.key, x == x)", "there is no cel"),
    ],
)  # fmt: skip
def test_what_would_hold_the_loop_is_refused_at_once(expression: str, fault: str) -> None:
    began = time.perf_counter()
    with pytest.raises(InvalidWebhook) as refused:
        compile_where(expression)
    assert fault in str(refused.value)
    assert time.perf_counter() - began < PATIENCE_SECONDS


MACRO = "object.metadata.all(k, {})"


@pytest.mark.parametrize(
    "expression",
    [
        MACRO.format(" && ".join(["object.metadata == object.metadata"] * 12)),
        MACRO.format(" && ".join(["k in object.metadata"] * 16)),
        MACRO.format("+".join(["object.contentType"] * 20) + " != k"),
        "[" + "id," * 98 + "id].all(k, " + " && ".join(["object == object"] * 12) + ")",
        "[object.contentType].map(a, " + "+".join("a" * 21) + ")" + " == [] || true",
        " || ".join([r"object.contentType.matches(r'(\w+\s*)*(\w*b\w{5})(\w*b\w{5})c')"] * 5),
        " || ".join([r"object.contentType.matches(r'(\w|a){24}x')"] * 5),
        " || ".join(["object.contentType.matches('a{0,500}a{0,500}(a|b|aa|ba){300}x$')"] * 5),
        "&&".join(["object==object"] * 120),
        "-" * 450 + "1 == 1",
        "object.metadata" + ".a" * 240 + " == 1",
    ],
)
def test_the_worst_that_is_taken_is_short(expression: str) -> None:
    compiled = compile_where(expression)
    began = time.perf_counter()
    with suppress(WhereFailed):
        compiled.matches(LARGEST)
    assert time.perf_counter() - began < PATIENCE_SECONDS


atoms = st.sampled_from([
    "object", "object.key", "object.metadata", "object.contentType", "object.size", "previous", "k", "1", "'a'", "true",
    "[object, object]", "{'a': object}", "object.metadata.k", "timestamp(timestamp)", "[1, 2, 3]",
])  # fmt: skip
shapes: list[tuple[str, int]] = [
    ("({} + {})", 2), ("({} == {})", 2), ("({} && {})", 2), ("({} || {})", 2), ("({} in {})", 2), ("[{}, {}]", 2),
    ("{}.map(k, {})", 2), ("{}.all(k, {})", 2), ("{}.filter(k, {}).size()", 2), ("({} ? {} : {})", 3), ("size({})", 1),
    ("{}.contains({})", 2), ("string({})", 1), ("!({})", 1), ("{}.matches('(a|a?)+b')", 1), ("dyn({})", 1),
    ("{}[{}]", 2),
]  # fmt: skip


def combine(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def fill(shape: tuple[str, int]) -> st.SearchStrategy[str]:
        return st.tuples(*[children] * shape[1]).map(lambda parts: shape[0].format(*parts))

    return st.sampled_from(shapes).flatmap(fill)


@given(st.recursive(atoms, combine, max_leaves=60))
def test_any_expression_is_refused_or_short(expression: str) -> None:
    began = time.perf_counter()
    with suppress(InvalidWebhook, WhereFailed):
        compile_where(expression).matches(LARGEST)
    assert time.perf_counter() - began < PATIENCE_SECONDS


@given(st.text("()[]{}.,+-!?:'\"\\/rb1aé \n&|=<>", max_size=60))
def test_whatever_is_written_is_answered(expression: str) -> None:
    with suppress(InvalidWebhook, WhereFailed):
        assert compile_where(expression).matches(EVENT) in (True, False)


@pytest.mark.parametrize("text", ["a'b", 'a"b', "a\\b", "ä", "a.b", "[x]"])
def test_a_pattern_is_read_as_cel_reads_it(text: str) -> None:
    written: Any = text.replace("\\", "\\\\").replace("'", "\\'")
    event = replace(EVENT, key=f"x{text}x".encode())
    escaped = written.replace("[", "\\\\[").replace("]", "\\\\]").replace(".", "\\\\.").replace("a\\\\b", "a\\\\\\\\b")
    assert compile_where(f"object.key.matches('{escaped}')").matches(event)
    assert not compile_where(f"object.key.matches('^{escaped}')").matches(event)
