// PutObject with a stream of known length, under each checksum that the SDK can compute: aws-chunked with a trailer.
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Bucket, noise, pieces, s3 } from "./client.mjs";

for (const size of [0, 1, 65_536, 3_000_000]) {
  for (const ChecksumAlgorithm of [undefined, "CRC32", "CRC32C", "SHA1", "SHA256"]) {
    const body = noise(size);
    const Key = `put/${size}/${ChecksumAlgorithm}`;
    const put = await s3.send(
      new PutObjectCommand({ Bucket, Key, Body: Readable.from(pieces(body)), ContentLength: size, ChecksumAlgorithm }),
    );
    const field = `Checksum${ChecksumAlgorithm ?? "CRC32"}`;
    assert.ok(put[field], `${Key} came back without its ${field}`);
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
    assert.equal(head[field], put[field]);
    assert.equal(head.ContentLength, size);
    assert.equal(head.ContentEncoding, undefined);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
    assert.ok(body.equals(Buffer.from(await got.Body.transformToByteArray())), `${Key} reads back as other bytes`);
  }
}
