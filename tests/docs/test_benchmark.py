"""The document of the benchmark names what is measured, and how much of it."""

from __future__ import annotations

from bench.isolation import DELIVERIES_PER_SECOND, HEALTHY, SICK, WEBHOOKS
from bench.settings import SHAPES, Settings
from bench.sick import SICK_WEBHOOKS
from tests.docs.documents import Document, codes, rows

PAGE, README = Document("docs/benchmark.md"), Document("README.md")
TABLE = dict(rows(PAGE.section("What is measured"), "shape", "what it does"))


def test_every_shape_is_in_the_table_and_nothing_else() -> None:
    assert [name for cell in TABLE for name in codes(cell)] == list(SHAPES)


def test_the_sizes_are_those_of_the_shapes() -> None:
    isolation = TABLE["`isolation`"]
    assert f"{WEBHOOKS} webhooks" in isolation
    assert f"{HEALTHY} of them healthy" in isolation
    assert f"{DELIVERIES_PER_SECOND} deliveries a second" in isolation
    assert f"{SICK} sick ones" in isolation
    assert f"{Settings().waiting:,} events" in TABLE["`backlog`"]
    text = PAGE.section("How the delivery engine is measured")
    hanging, unresolved, dripping, refusing, closing = SICK_WEBHOOKS.values()
    for said in (f"{hanging} hang", f"{unresolved} are not resolved", f"{dripping} answer a byte a second"):
        assert said in text
    for said in (f"{refusing} refuse connections", f"{closing} answer, and close"):
        assert said in text


def test_the_readmes_figures_are_those_that_were_measured() -> None:
    figures = rows(README.section("How fast"), "what", "figure")
    assert len(figures) > 3
    assert all(row in rows(PAGE.section("Measured"), "what", "figure") for row in figures)
