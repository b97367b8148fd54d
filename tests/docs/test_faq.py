"""The questions are short, each leads on to a page, and what they say of failures is what there is."""

from __future__ import annotations

import re

import pytest
from tests.docs.documents import Document, blocks

from elasticlake.webhooks.verification import TOLERANCE_SECONDS

PAGE = Document("docs/faq.md")
QUESTIONS = re.findall(r"^### (.+)$", PAGE.prose, re.MULTILINE)
MOST_LINES = 6


def test_there_are_twenty_and_more() -> None:
    assert len(QUESTIONS) > 20


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_is_short_and_leads_on(question: str) -> None:
    answer = PAGE.section(question)
    prose = re.sub(r"^```.*?^```$", "", answer, flags=re.MULTILINE | re.DOTALL)
    assert len([line for line in prose.splitlines() if line.strip()]) <= MOST_LINES
    assert re.search(r"\]\([a-z0-9-]+\.md", prose), question
    assert question.endswith("?"), question
    assert len(blocks(answer)) <= 1


def test_a_timestamp_is_good_for_as_long_as_it_says() -> None:
    assert TOLERANCE_SECONDS == 300
    assert "good for five minutes" in PAGE.section("Why does my signature never match?")
