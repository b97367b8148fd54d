// lib-storage's Upload: a stream of unknown length becomes one PUT if it is short, and parts if it is long.
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { GetObjectCommand, ListMultipartUploadsCommand } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { Bucket, noise, pieces, s3 } from "./client.mjs";

for (const size of [100_000, 12_345_678]) {
  for (const ChecksumAlgorithm of [undefined, "CRC32C", "SHA256"]) {
    const body = noise(size);
    const Key = `upload/${size}/${ChecksumAlgorithm}`;
    const params = { Bucket, Key, Body: Readable.from(pieces(body)), ChecksumAlgorithm, ContentType: "video/mp4" };
    const done = await new Upload({ client: s3, params, partSize: 5 * 1024 * 1024, queueSize: 3 }).done();
    assert.equal(done.ETag.includes("-"), size > 5 * 1024 * 1024);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
    assert.equal(got.ContentType, "video/mp4");
    assert.ok(body.equals(Buffer.from(await got.Body.transformToByteArray())), `${Key} reads back as other bytes`);
  }
}

class Broken extends Error {}
async function* breaking() {
  yield* pieces(noise(7_000_000));
  throw new Broken();
}
const params = { Bucket, Key: "broken", Body: Readable.from(breaking()) };
await assert.rejects(new Upload({ client: s3, params, queueSize: 1 }).done(), Broken);
const open = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
assert.equal(open.Uploads, undefined);
