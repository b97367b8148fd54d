"""pyarrow's own S3 file system."""

from __future__ import annotations

import pyarrow
import pyarrow.dataset
import pyarrow.fs
from tests.integration.server import ACCESS_KEY, SECRET_KEY, Server


def test_a_dataset(server: Server, bucket: str) -> None:
    lake = pyarrow.fs.S3FileSystem(
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        endpoint_override=server.address,
        scheme="http",
        region="eu-west-1",
    )
    table = pyarrow.table({"id": list(range(1000)), "part": [f"p{n % 3}" for n in range(1000)]})
    pyarrow.dataset.write_dataset(
        table, f"{bucket}/table", filesystem=lake, format="parquet", partitioning=["part"], partitioning_flavor="hive"
    )
    read = pyarrow.dataset.dataset(f"{bucket}/table", filesystem=lake, partitioning="hive").to_table()
    assert sorted(read.column("id").to_pylist()) == list(range(1000))
    wanted = pyarrow.dataset.field("part") == "p1"
    partial = pyarrow.dataset.dataset(f"{bucket}/table", filesystem=lake, partitioning="hive").to_table(filter=wanted)
    assert set(partial.column("part").to_pylist()) == {"p1"}
    with lake.open_output_stream(f"{bucket}/stream") as stream:
        for number in range(12):
            stream.write(bytes([number]) * 1_000_000)
    with lake.open_input_file(f"{bucket}/stream") as file:
        file.seek(7_999_999)
        assert file.read(2) == b"\x07\x08"
    lake.move(f"{bucket}/stream", f"{bucket}/moved")
    lake.delete_dir(f"{bucket}/table")
    found = lake.get_file_info(pyarrow.fs.FileSelector(bucket, recursive=True))
    assert [info.path for info in found if info.is_file] == [f"{bucket}/moved"]
