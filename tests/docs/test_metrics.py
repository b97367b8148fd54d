"""What the documents say of metrics is what is measured."""

from __future__ import annotations

import re

import pytest
from tests.docs.documents import Document, codes, pages, rows

from elasticlake.service.metrics import METRICS

TABLE = rows(Document("docs/operations.md").section("Metrics"), "name", "type", "meaning", "what to alert on")


def test_every_metric_is_in_the_table_and_nothing_else() -> None:
    assert [(codes(name)[0], kind) for name, kind, _, _ in TABLE] == [(metric.name, metric.kind) for metric in METRICS]


def test_every_label_is_named() -> None:
    for (_, _, meaning, _), metric in zip(TABLE, METRICS, strict=True):
        assert set(metric.labels) <= set(codes(meaning)), metric.name


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_metric_that_a_document_names_exists(page: Document) -> None:
    for name in re.findall(r"\belasticlake_[a-z0-9_]+", page.text):
        assert name in {metric.name for metric in METRICS}, name
