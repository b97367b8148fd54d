"""What the documents say of filters and expressions is what is taken."""

from __future__ import annotations

import json
import re

import pytest
from tests.docs.documents import Document, blocks, codes, rows

from elasticlake.api.explanations import DraftQuestionBody
from elasticlake.api.webhook_rules import FilterBody
from elasticlake.model import filters
from elasticlake.service import cel_syntax, cel_words, patterns, where
from elasticlake.service.where import compile_where

PAGE = Document("docs/filters.md")
FILTER, EXPRESSION, EXPLAIN = PAGE.section("The filter"), PAGE.section("The expression"), PAGE.section("Explain")


def test_every_clause_is_in_the_table_and_nothing_else() -> None:
    clauses = [codes(name)[0] for name, _ in rows(FILTER, "clause", "holds if")]
    assert clauses == [field.alias for field in FilterBody.model_fields.values()]


def test_every_name_is_in_the_table_and_nothing_else() -> None:
    named = {code for names, _ in rows(EXPRESSION, "name", "what it is") for code in codes(names)}
    known = {name for name, fields in cel_syntax.NAMES.items() if not fields}
    assert named == known | {f"{name}.{field}" for name, fields in cel_syntax.NAMES.items() for field in fields}


def test_the_limits_are_the_ones_named() -> None:
    named = [most.replace(",", "") for _, most in rows(EXPRESSION, "limit", "most")]
    assert list(map(int, named)) == [
        cel_words.MAX_BYTES,
        cel_words.MAX_WORDS,
        cel_words.MAX_LITERALS,
        cel_words.MAX_COMMAS,
        cel_words.MAX_ADDITIONS,
        cel_words.MAX_DEPTH,
        cel_syntax.MAX_MACRO_WORDS,
        cel_syntax.MAX_PATTERNS,
        patterns.MAX_CHARACTERS,
        patterns.MAX_STATES,
    ]
    assert f"`[…]` have {patterns._OTHER_STATES}, " in EXPRESSION
    assert rf"`\s` {patterns._DIGIT_STATES}, `\w` and `\p{{…}}` {patterns._WORD_STATES}." in EXPRESSION
    assert f"most {where.MAX_ITEMS} metadata" in EXPRESSION
    assert f"at most {where.MAX_TEXT_CHARACTERS:,} characters" in EXPRESSION
    assert (
        f"at most {filters.MAX_ALTERNATIVES} alternatives of at most {filters.MAX_ALTERNATIVE_BYTES:,} bytes" in FILTER
    )


def test_every_function_is_named() -> None:
    prose = " ".join(codes(EXPRESSION))
    for function in cel_syntax.FUNCTIONS | cel_syntax.MACROS - {"existsOne"}:
        if not function.startswith("get"):
            assert re.search(rf"\b{function}\b", prose), function


def test_the_filter_shown_is_taken() -> None:
    [shown] = [block for block in blocks(FILTER) if block.language == "json"]
    filters.require_filter(FilterBody.model_validate(json.loads(shown.text)["filter"]).to_filter())


@pytest.mark.parametrize("expression", [line for block in blocks(EXPRESSION) for line in block.text.splitlines()])
def test_every_expression_shown_is_taken(expression: str) -> None:
    compile_where(expression)


def test_the_draft_shown_is_taken() -> None:
    [shown] = [block for block in blocks(EXPLAIN) if block.language == "json"]
    draft = DraftQuestionBody.model_validate(json.loads(shown.text)).webhook.to_draft()
    compile_where(draft.rules["where"])
