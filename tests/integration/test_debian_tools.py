"""s3cmd, rclone, restic and s3fs, as Debian ships them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.integration.programs import aws_environment, make_tree, read_tree, run
from tests.integration.receiver import eventually
from tests.integration.server import ACCESS_KEY, SECRET_KEY, Server


@pytest.mark.needs_debian_tools("s3cmd")
def test_s3cmd(server: Server, bucket_name: str, tmp_path: Path) -> None:
    environment = aws_environment(server, tmp_path)
    (tmp_path / "s3cfg").write_text(
        f"[default]\naccess_key = {ACCESS_KEY}\nsecret_key = {SECRET_KEY}\nhost_base = {server.address}\n"
        f"host_bucket = {server.address}/%(bucket)\nuse_https = False\n"
    )

    def s3cmd(*arguments: str | Path) -> str:
        return run("s3cmd", "-c", tmp_path / "s3cfg", "--no-progress", *arguments, env=environment)

    files = make_tree(tmp_path / "tree")
    s3cmd("mb", f"s3://{bucket_name}")
    s3cmd("put", tmp_path / "tree/deep/large.bin", f"s3://{bucket_name}/one", "--multipart-chunk-size-mb=5")
    s3cmd("get", f"s3://{bucket_name}/one", tmp_path / "one")
    assert (tmp_path / "one").read_bytes() == files["deep/large.bin"]
    assert f"s3://{bucket_name}/one" in s3cmd("ls", f"s3://{bucket_name}")
    s3cmd("del", f"s3://{bucket_name}/one")
    assert s3cmd("ls", f"s3://{bucket_name}") == ""
    s3cmd("sync", f"{tmp_path}/tree/", f"s3://{bucket_name}/tree/")
    s3cmd("sync", f"s3://{bucket_name}/tree/", f"{tmp_path}/back/")
    assert read_tree(tmp_path / "back") == files
    s3cmd("rb", "--recursive", "--force", f"s3://{bucket_name}")


@pytest.mark.needs_debian_tools("rclone")
def test_rclone(server: Server, bucket: str, tmp_path: Path) -> None:
    environment = aws_environment(server, tmp_path) | {
        "RCLONE_CONFIG": str(tmp_path / "rclone.conf"),
        "RCLONE_CONFIG_LAKE_TYPE": "s3",
        "RCLONE_CONFIG_LAKE_PROVIDER": "Other",
        "RCLONE_CONFIG_LAKE_ENV_AUTH": "true",
        "RCLONE_CONFIG_LAKE_ENDPOINT": server.url,
        "RCLONE_S3_UPLOAD_CUTOFF": "5M",
    }
    (tmp_path / "rclone.conf").touch()

    def rclone(*arguments: str | Path) -> str:
        return run("rclone", *arguments, env=environment)

    files = make_tree(tmp_path / "tree")
    rclone("copy", tmp_path / "tree", f"lake:{bucket}/tree")
    rclone("check", "--download", tmp_path / "tree", f"lake:{bucket}/tree")
    (tmp_path / "tree/readme.txt").write_bytes(b"changed\n")
    (tmp_path / "tree/empty").unlink()
    rclone("sync", tmp_path / "tree", f"lake:{bucket}/tree")
    rclone("check", tmp_path / "tree", f"lake:{bucket}/tree")
    rclone("copy", f"lake:{bucket}/tree", tmp_path / "back")
    del files["empty"]
    assert read_tree(tmp_path / "back") == {**files, "readme.txt": b"changed\n"}


@pytest.mark.needs_debian_tools("restic")
def test_restic(server: Server, bucket: str, tmp_path: Path) -> None:
    environment = aws_environment(server, tmp_path) | {
        "RESTIC_REPOSITORY": f"s3:{server.url}/{bucket}/backups",
        "RESTIC_PASSWORD": "a password",
        "RESTIC_CACHE_DIR": str(tmp_path / "cache"),
    }

    def restic(*arguments: str | Path) -> str:
        return run("restic", *arguments, env=environment, cwd=tmp_path)

    files = make_tree(tmp_path / "tree")
    restic("init")
    restic("backup", "tree")
    (tmp_path / "tree/deep/large.bin").write_bytes(b"small now")
    restic("backup", "tree")
    assert "no errors were found" in restic("check", "--read-data")
    restic("forget", "--keep-last", "1", "--prune")
    assert "no errors were found" in restic("check", "--read-data")
    restic("restore", "latest", "--target", "back")
    assert read_tree(tmp_path / "back/tree") == {**files, "deep/large.bin": b"small now"}


@pytest.mark.needs_debian_tools("s3fs")
def test_s3fs(server: Server, s3: Any, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text(f"{ACCESS_KEY}:{SECRET_KEY}")
    (tmp_path / "passwd").chmod(0o600)
    mount = tmp_path / "mount"
    mount.mkdir()
    command = [
        "s3fs", bucket, str(mount), "-f", "-o", f"passwd_file={tmp_path}/passwd", "-o", f"url={server.url}",
        "-o", "use_path_request_style", "-o", "multipart_size=5", "-o", "singlepart_copy_limit=5",
    ]  # fmt: skip
    environment = aws_environment(server, tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del environment[name]
    with (tmp_path / "log").open("wb") as log:
        s3fs = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        eventually(lambda: os.path.ismount(mount) or s3fs.poll() is not None)
        assert os.path.ismount(mount), (tmp_path / "log").read_text()
        (mount / "notes.txt").write_bytes(b"written through the mount")
        (mount / "dir").mkdir()
        (mount / "dir/large").write_bytes(bytes(range(256)) * 4096 * 6)
        (mount / "notes.txt").rename(mount / "dir/renamed.txt")
        assert (mount / "dir/renamed.txt").read_bytes() == b"written through the mount"
        assert sorted(path.name for path in (mount / "dir").iterdir()) == ["large", "renamed.txt"]
        assert s3.get_object(Bucket=bucket, Key="dir/renamed.txt")["Body"].read() == b"written through the mount"
        assert s3.get_object(Bucket=bucket, Key="dir/large")["Body"].read() == bytes(range(256)) * 4096 * 6
        (mount / "dir/large").unlink()
    finally:
        if os.path.ismount(mount):
            subprocess.run(["fusermount", "-u", str(mount)], check=True, timeout=20)
        else:
            s3fs.terminate()
        s3fs.wait(20)
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys == ["dir/", "dir/renamed.txt"]
