// Presigned links, pages of a listing, conditional writes, and deletion of many.
import assert from "node:assert/strict";
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { Bucket, s3 } from "./client.mjs";

const Key = "links/größe + 1.txt";
const put = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key }), { expiresIn: 60 });
assert.equal((await fetch(put, { method: "PUT", body: "by link" })).status, 200);
const get = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key }), { expiresIn: 60 });
assert.equal(await (await fetch(get)).text(), "by link");

await assert.rejects(s3.send(new PutObjectCommand({ Bucket, Key, Body: "again", IfNoneMatch: "*" })), {
  name: "PreconditionFailed",
});

for (let number = 0; number < 7; number++) {
  await s3.send(new PutObjectCommand({ Bucket, Key: `pages/${number}`, Body: "x" }));
}
const keys = [];
for await (const page of paginateListObjectsV2({ client: s3, pageSize: 3 }, { Bucket, Prefix: "pages/" })) {
  keys.push(...page.Contents.map((entry) => entry.Key));
}
assert.deepEqual(keys, [0, 1, 2, 3, 4, 5, 6].map((number) => `pages/${number}`));
const Objects = [Key, ...keys].map((each) => ({ Key: each }));
assert.equal((await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))).Deleted.length, 8);
assert.equal((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount, 0);
