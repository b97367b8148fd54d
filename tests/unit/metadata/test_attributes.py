import pytest

from elasticlake.metadata.attributes import dump, dump_checksum, load, load_checksum
from elasticlake.model.objects import Checksum


@pytest.mark.parametrize("document", [{}, {"a": "b"}, {"größe": '"quoted"\\', "n": "\x00"}])
def test_documents_come_back(document: dict[str, str]) -> None:
    assert load(dump(document)) == document


def test_nothing_costs_no_column() -> None:
    assert dump({}) is None
    assert dump(None) is None
    assert load(None) == {}


@pytest.mark.parametrize("checksum", [None, Checksum("CRC32C", "yZRlqg=="), Checksum("SHA256", "aa+/=-3", "COMPOSITE")])
def test_checksums_come_back(checksum: Checksum | None) -> None:
    assert load_checksum(dump_checksum(checksum)) == checksum
