"""Regular expressions: how large they are, and what they find."""

import pytest

from elasticlake.service.patterns import MAX_STATES, compile_pattern, estimated_states


@pytest.mark.parametrize(
    ("pattern", "states"),
    [
        ("", 0),
        ("abc", 3),
        ("a{1000}", 1000),
        ("a{2,30}", 60),
        ("a{7,7}", 7),
        ("a{7,}", 14),
        ("a?", 2),
        ("a*{3}", 6),
        ("(ab){10}", 30),
        ("((ab){10}c){10}", 320),
        ("(?:ab){10}", 30),
        ("(?i:a)(?P<n>b)(?<m>b)(?-u)", 7),
        ("(a|bc)*d", 7),
        ("ä{3}", 12),
        (r"\{3}", 3),
        (r"\x{41}{5}", 5),
        (r"\w{3}", 600),
        (r"\p{Lu}{2}", 400),
        (r"\d{4}-\d{2}", 301),
        ("[abc]{2}", 26),
        ("[]a]{2}", 24),
        ("[^]a]{2}", 24),
        ("[a[bc]]{2}", 28),
        (r"[\]\w]", 211),
        (".{5}", 50),
        ("a{0}", 1),
        ("(a", 2),
        ("a)b", 3),
        ("[a", 11),
        ("\\", 1),
    ],
)
def test_repetitions_are_counted_as_if_written_out(pattern: str, states: int) -> None:
    assert estimated_states(pattern) == states


def test_it_is_sought_anywhere_and_anchored_where_it_says_so() -> None:
    assert compile_pattern("b+")("abbc")
    assert not compile_pattern("^b+$")("abbc")
    assert compile_pattern(r"^\w{3}$")("äöü")


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("x" * 257, "the most is 256"),
        (f"a{{{MAX_STATES + 1}}}", "too large"),
        ("(?ix)a", "flag x"),
        ("(a", "unclosed group"),
        ("(?=a)", "look-around"),
        (r"(a)\1", "backreferences"),
        ("a{3,2}", "malformed"),
    ],
)
def test_what_cannot_be_taken_says_why(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        compile_pattern(pattern)
