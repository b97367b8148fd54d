// PutObject with a stream whose length nobody knows: S3 demands a length, so the answer is 411 and nothing is stored.
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { Bucket, noise, pieces, s3, s3WithoutChecksums } from "./client.mjs";

const Body = Readable.from(pieces(noise(200_000)));
await assert.rejects(s3WithoutChecksums.send(new PutObjectCommand({ Bucket, Key: "unknown", Body })), (error) => {
  assert.equal(error.name, "MissingContentLength");
  assert.equal(error.$metadata.httpStatusCode, 411);
  return true;
});
await assert.rejects(s3.send(new HeadObjectCommand({ Bucket, Key: "unknown" })), { name: "NotFound" });
