// The S3 client that every script here uses: it finds the server and its keys in the environment, as AWS's tools do.
import { S3Client } from "@aws-sdk/client-s3";

export const Bucket = process.env.BUCKET;

const options = {
  endpoint: process.env.AWS_ENDPOINT_URL,
  region: process.env.AWS_REGION,
  forcePathStyle: true,
  maxAttempts: 1,
};

export const s3 = new S3Client(options);

/** As clients were before checksums became the default: a stream goes out without a trailer. */
export const s3WithoutChecksums = new S3Client({ ...options, requestChecksumCalculation: "WHEN_REQUIRED" });

/** `size` bytes that differ from place to place. */
export function noise(size) {
  const bytes = Buffer.alloc(size);
  for (let index = 0; index < size; index++) bytes[index] = (index * 31 + (index >> 8)) & 255;
  return bytes;
}

/** `bytes` in pieces of `step`, as a network would bring them. */
export async function* pieces(bytes, step = 61_003) {
  for (let start = 0; start < bytes.length; start += step) yield bytes.subarray(start, start + step);
}
