"""Expressions: what they see, what is refused, and that none of them can hold the loop."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elasticlake.errors import InvalidWebhook
from elasticlake.model.events import Event, Previous
from elasticlake.service import where
from elasticlake.service.where import MAX_ITEMS, WhereFailed, compile_where, require_where

# An evaluation takes some 20 ms of the processor at the very most, cold caches or a slow machine a few times that. What
# is refused here took seconds, or the process.
PATIENCE_SECONDS = 0.5


@contextmanager
def soon() -> Iterator[None]:
    """It takes this thread so little of the processor, whoever else has turns meanwhile, and whatever there is for the
    collector to look through."""
    gc.disable()
    began = time.thread_time()
    try:
        yield
    finally:
        took = time.thread_time() - began
        gc.enable()
    assert took < PATIENCE_SECONDS


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
        "[1, 2, 3].exists_one(n, n > 2) && [1, 2].existsOne(n, n > 1) && [object.key].all(k, k in [k, object.etag])",
        "[object, previous].size() == 2 && {'a': object.metadata}.a == object.metadata",
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
        ("object.metadata.owner", "a value of the kind string, not to true or false"),
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
        ("object.size = 3", "At character 13: write == to compare."),
        ("object.size === 3", "At character 15: write == to compare."),
        ("object.size => 3", "At character 13: write >= instead of =>."),
        ("object.size <> 3", "At character 13: write != instead of <>."),
        ("object.key =~ 'a'", "At character 12: write object.key.matches("),
        ("true & true", "At character 6: write && instead of &."),
        ("object.size == \n 'ä' + ", "At line 2, character 8: it ends too early"),
        ("object.size > 1 and true", "At character 17: write && instead of and."),
        ("(true)\nOR true", "At line 2, character 1: write || instead of OR."),
        ("not true", "At character 1: write ! instead of not."),
        ("not(true)", "At character 1: write ! instead of not."),
        ("1 not in [2]", "At character 3: write ! instead of not."),
        ("'open", "At character 1: the text that begins here has no end."),
        ("bucket == 'a' && lake == \"b'", "At character 26: the text that begins here has no end."),
        ("object.size > 1MB", "At character 15: a number is digits alone, not 1MB."),
        ("object.size > 1_000", "At character 15: a number is digits alone, not 1_000."),
        ("object.siez > 3", "At character 8: object has no field siez: it has key, size"),
        ("size(object.key) > 3 && bukket == 'x'", "At character 25: there is no bukket; an event has event, timestamp"),
        ("[1].all(x, x > y)", "At character 16: there is no y;"),
        ("'ä' == nein", "At character 8: there is no nein"),
        ("bucket.name == 'x'", "At character 8: bucket has no field name."),
        ("object.key.lower() == 'x'", "At character 12: there is no function lower."),
        ("object.key.startswith('x')", "there is no function startswith; did you mean startsWith?"),
        ("object.key.hasPrefix('x')", "there is no function hasPrefix."),
        ("_match_(object.key, 'x')", "At character 1: there is no function _match_"),
        ("object.size", "At character 1: it comes to a value of the kind int, not to true or false"),
        ("'draft'", "of the kind string,"),
        ("2.5", "of the kind double,"),
        ("object", "of the kind map,"),
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


def test_how_long_a_text_may_be_depends_on_how_large_the_patterns_are() -> None:
    """A key is never too long for what is taken; what is twice as long is for the largest."""
    key = replace(EVENT, key=b"b" * 1024, content_type="b" * 1024)
    for count in (1, 5):
        both = " || ".join(f"object.key.matches('(a|b){{{950 // count}}}{n}')" for n in range(count))
        assert compile_where(f"!({both})").matches(key)
        with pytest.raises(WhereFailed, match=r"matches needs a text of at most 1,\d{3} bytes for these patterns"):
            compile_where(both.replace("object.key", "(object.key + object.contentType)")).matches(key)
    small = "(object.key + object.contentType).matches('^b+$')"
    assert compile_where(small).matches(key)


@pytest.mark.parametrize(
    "expression",
    [
        "[1].all(and, and in [1])",
        "[true].all(not, not in [true] && (true ? not : not))",
        "[1].all(OR, 1 in [OR]) && 1in[1] && [2][0]==2",
        "'a = b' == 'a = b' && object.key != 'not 1MB and \"'",
        "event == 'object:updated' // it's = 1MB and",
    ],
)
def test_what_cel_can_read_is_no_slip(expression: str) -> None:
    assert compile_where(expression).matches(EVENT)


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("event == 'object:create'", "At character 10: 'object:create' is no type of an event: those are object:"),
        ("'Put' == event", "At character 1: 'Put' is no type"),
        ("object.size > 1 && ((event == 'x'))", "At character 31: 'x' is no type"),
        ("event in ['put', r'delete']", "At character 11: 'put' is no type"),
        ("event == 'put' || event == 'delete' && lake == 'x'", "At character 10: 'put' is no type"),
        ("object.size > '1MB'", "At character 15: object.size is a number: write it without quotes."),
        ("'1' == object.size", "At character 1: object.size is a number"),
        ("timestamp.getHours() < 6", "At character 1: timestamp is a text: write timestamp(timestamp).getHours()."),
        ("lake == 'x' && 3 > timestamp.getDayOfWeek()", "At character 20: timestamp is a text"),
    ],
)  # fmt: skip
def test_what_no_event_could_fulfil_is_refused(expression: str, fault: str) -> None:
    with pytest.raises(InvalidWebhook) as refused:
        require_where(expression)
    assert refused.value.field == "where"
    assert fault in str(refused.value)


@pytest.mark.parametrize(
    "expression",
    [
        "event != 'object:update'",
        "!(event == 'object:update')",
        "event == 'put' || event == 'object:updated'",
        "event in ['put', 'object:updated']",
        "event == 'put' == false",
        "(event == 'put') == (event == 'delete')",
        "(event == 'put' ? object.size > 'a' : true)",
        "object.size != '5'",
        "(true || timestamp.getHours() < 6)",
        "[true || timestamp.getHours() < 6][0]",
        "timestamp(timestamp).getHours() < 25",
        "event == r'object:updated' && event in [event]",
    ],
)
def test_what_some_event_fulfils_is_taken(expression: str) -> None:
    require_where(expression)
    assert compile_where(expression).matches(EVENT)


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
        (f"{TEN}.all(a, " * 7 + "true" + ")" * 7, "cannot be used within one another"),
        (f"{TEN}.all(a, {TEN}.exists(b, b > a))", "cannot be used within one another"),
        # A list that doubles, and doubles, takes the memory; one that grows is copied for each item.
        ("[object.key]" + ".map(a, a + a)" * 20 + " == []", "14: map is not taken: use all, exists or exists_one."),
        (f"object.metadata.map(k, [{','.join(['object'] * 45)}]).size() > 0", "At character 17: map is not taken"),
        ("object.metadata.filter(k, k != 'a').size() > 0", "At character 17: filter is not taken"),
        (f"object.metadata.all(k, [{','.join(['object'] * 45)}] != [])", "cannot hold object, which is a whole map"),
        (
            f"[{','.join(['object'] * 50)}].all(o, [{','.join(['o'] * 45)}] != [])",
            "At character 2: beside a macro, a list or a map cannot hold object",
        ),
        ("object.metadata.all(k, {'a': object.metadata} != {})", "cannot hold object.metadata, which"),
        ("[1].all(k, [(true ? previous : k)] != []) ", "cannot hold previous, which"),
        (f"{TEN}.all(k, " + "&&".join(["object.metadata == object"] * 50) + ")", "its macros have more than 100"),
        ("[1].all(a, object.key.matches('x'))", "matches cannot be used within a macro"),
        (" || ".join([r"object.key.matches('(\\w|a)+')"] * 6), "matches more than 5 times"),
        ("object.key.matches('" + "a" * 257 + "')", "has 257 characters"),
        (r"object.key.matches('(\\pL{100}){50}')", "regular expression is too large"),
        # Five of those took 0.4 s for a text that is not ASCII.
        (
            " || ".join([f"object.contentType.matches('(?:(?:.*\\\\b){{20}}){{7}}{n}')" for n in range(5)]),
            "At character 138: the regular expressions are too large together: their counted repetitions",
        ),
        ("object.key.matches('(((a{100}){100}){100})')", "regular expression is too large"),
        ("object.key.matches('(?x) (a | b) {1000}')", "flag x"),
        ("google.protobuf.Timestamp{seconds: 1} == timestamp(timestamp)", "there is no google"),
        ("cel.bind(x, object.key, x == x)", "there is no cel"),
    ],
)  # fmt: skip
def test_what_would_hold_the_loop_is_refused_at_once(expression: str, fault: str) -> None:
    with soon(), pytest.raises(InvalidWebhook) as refused:
        compile_where(expression)
    assert fault in str(refused.value)


MACRO = "object.metadata.all(k, {})"


@pytest.mark.parametrize(
    "expression",
    [
        MACRO.format(" && ".join(["object.metadata == object.metadata"] * 12)),
        MACRO.format(" && ".join(["k in object.metadata"] * 16)),
        MACRO.format("+".join(["object.contentType"] * 20) + " != k"),
        "[" + "id," * 98 + "id].all(k, " + " && ".join(["object == object"] * 12) + ")",
        "[object.contentType].exists(a, " + "+".join("a" * 21) + " == 'b') || true",
        r"object.contentType.matches(r'(\w+\s*)*(\w*b\w{5})(\w*b\w{5})c')",
        " || ".join([r"object.key.matches(r'(\w|a){3}[0-9]')"] * 5),
        " || ".join(["object.key.matches('a{0,80}a{0,80}(a|b|aa|ba){40}[0-9]$')"] * 5),
        r"object.key.matches(r'(?:(?:.*\b){20}){13}[0-9]')",
        r"object.key.matches(r'(?:(?:(?:(a|b)|a?)){40}){9}(?:(a|b)){20}[0-9]')",
        "object.metadata.all(k, [" + "k," * 44 + "k] != [])",
        "&&".join(["object==object"] * 120),
        "-" * 450 + "1 == 1",
        "object.metadata" + ".a" * 240 + " == 1",
    ],
)
def test_the_worst_that_is_taken_is_short(expression: str) -> None:
    compiled = compile_where(expression)
    with soon(), suppress(WhereFailed):
        compiled.matches(LARGEST)


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
    with soon(), suppress(InvalidWebhook, WhereFailed):
        compile_where(expression).matches(LARGEST)


conditions = st.sampled_from([
    "event == 'put'", "event in ['put']", "event == 'object:updated'", "object.size > 'a'", "object.size > 1",
    "timestamp.getHours() > 1", "true", "false",
])  # fmt: skip
junctions: list[tuple[str, int]] = [
    ("({})", 1), ("!({})", 1), ("{} && {}", 2), ("{} || {}", 2), ("({} ? {} : {})", 3), ("({}) == ({})", 2),
    ("[{}][0]", 1), ("[1].all(k, {})", 1),
]  # fmt: skip


def join(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def fill(shape: tuple[str, int]) -> st.SearchStrategy[str]:
        return st.tuples(*[children] * shape[1]).map(lambda parts: shape[0].format(*parts))

    return st.sampled_from(junctions).flatmap(fill)


@given(st.recursive(conditions, join, max_leaves=8))
def test_what_is_true_of_some_event_is_never_refused(expression: str) -> None:
    with suppress(InvalidWebhook, WhereFailed):
        if compile_where(expression).matches(EVENT):
            try:
                require_where(expression)
            except InvalidWebhook as refused:
                raise AssertionError(expression) from refused


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
