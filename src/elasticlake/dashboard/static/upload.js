// One file's way to S3: in one request if it is small, else in parts that an interrupted upload goes on from.

import { post } from "./server.js";

const MIB = 1024 * 1024;
const WHOLE_BYTES = 16 * MIB;
const PART_BYTES = 8 * MIB;
const MAX_PARTS = 10_000;
const PARTS_AT_ONCE = 3;
const TRIES = 4;

/** The upload ended because somebody wanted it to. */
export class Cancelled extends Error {}

export class Upload {
  #path;
  #stop = new AbortController();
  #flying = new Map();
  #doneBytes = 0;
  #running = null;
  #memory;

  /** `path` is the bucket's page. */
  constructor(path, bucket, key, file) {
    this.#path = path;
    this.key = key;
    this.file = file;
    this.#memory = `elasticlake-upload ${JSON.stringify([bucket, key, file.size, file.lastModified])}`;
  }

  /** What S3 has, and what is on its way. */
  get sentBytes() {
    return Math.min(this.file.size, this.#doneBytes + [...this.#flying.values()].reduce((sum, bytes) => sum + bytes, 0));
  }

  /** Upload, from where an earlier run ended. Resolves when the object is there; throws `Cancelled`, or why it is not. */
  run() {
    this.#doneBytes = 0;
    this.#running = this.file.size <= WHOLE_BYTES ? this.#whole() : this.#inParts();
    return this.#running;
  }

  /** End it, and leave nothing of it behind. */
  async cancel() {
    this.#stop.abort();
    const ended = await this.#running?.then(() => true, () => false);
    if (!ended) await this.#giveUp();
  }

  async #whole() {
    await this.#ask("PutObject", {}, { body: this.file, type: this.file.type, counts: "whole" });
  }

  async #inParts() {
    const { uploadId, parts } = (await this.#remembered()) ?? (await this.#begun());
    const partBytes = Math.max(PART_BYTES, Math.ceil(this.file.size / MAX_PARTS / MIB) * MIB);
    const missing = [];
    for (let number = 1; (number - 1) * partBytes < this.file.size; number++) {
      const body = this.file.slice((number - 1) * partBytes, number * partBytes);
      if (parts.get(number)?.size === body.size) this.#doneBytes += body.size;
      else missing.push({ number, body });
    }
    await this.#sendParts(uploadId, missing, parts);
    this.#stopIfCancelled();
    const chosen = [...parts].sort(([one], [other]) => one - other);
    const rows = chosen.map(([number, { etag }]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`);
    const body = `<CompleteMultipartUpload>${rows.join("")}</CompleteMultipartUpload>`;
    await this.#ask("CompleteMultipartUpload", { uploadId }, { body, isKept: true });
    localStorage.removeItem(this.#memory);
  }

  async #begun() {
    const answer = await this.#ask("CreateMultipartUpload", {}, { type: this.file.type, isKept: true });
    const uploadId = text(answer.responseXML, "UploadId");
    localStorage.setItem(this.#memory, uploadId);
    return { uploadId, parts: new Map() };
  }

  /** The upload that this file had before, with its parts; null if there is none that goes on. */
  async #remembered() {
    const uploadId = localStorage.getItem(this.#memory);
    if (uploadId === null) return null;
    const parts = new Map();
    for (let after = "0", more = true; more; ) {
      let answer;
      try {
        answer = await this.#ask("ListParts", { uploadId, "part-number-marker": after });
      } catch (error) {
        if (error.status !== 404) throw error;
        localStorage.removeItem(this.#memory);
        return null;
      }
      for (const part of answer.responseXML.querySelectorAll("Part")) {
        parts.set(Number(text(part, "PartNumber")), { etag: text(part, "ETag"), size: Number(text(part, "Size")) });
      }
      more = text(answer.responseXML, "IsTruncated") === "true";
      after = text(answer.responseXML, "NextPartNumberMarker");
    }
    return { uploadId, parts };
  }

  async #sendParts(uploadId, missing, parts) {
    const send = async () => {
      for (let next = missing.shift(); next !== undefined; next = missing.shift()) {
        const { number, body } = next;
        const answer = await this.#ask("UploadPart", { uploadId, partNumber: number }, { body, counts: number });
        parts.set(number, { etag: answer.getResponseHeader("ETag"), size: body.size });
      }
    };
    const lanes = Array.from({ length: PARTS_AT_ONCE }, () =>
      send().catch((error) => {
        missing.length = 0;
        throw error;
      }),
    );
    const failed = (await Promise.allSettled(lanes)).find(({ status }) => status === "rejected");
    if (failed) throw failed.reason;
  }

  async #giveUp() {
    const uploadId = localStorage.getItem(this.#memory);
    if (uploadId === null) return;
    await this.#ask("AbortMultipartUpload", { uploadId }, { isKept: true }).catch((error) => {
      if (error.status !== 404) throw error;
    });
    localStorage.removeItem(this.#memory);
  }

  #stopIfCancelled() {
    if (this.#stop.signal.aborted) throw new Cancelled();
  }

  /** Have a request signed, and make it; again if it was lost on the way. One that `isKept` is not broken off. */
  async #ask(operation, fields, { body = null, type = "", counts = null, isKept = false } = {}) {
    const signal = isKept ? undefined : this.#stop.signal;
    for (let tries = 1; ; tries++) {
      if (!isKept) this.#stopIfCancelled();
      try {
        const wanted = { key: encodeURIComponent(this.key), operation, ...fields };
        const signed = await post(`${this.#path}/presign`, wanted, { signal });
        return await this.#request(signed, { body, type, counts, signal });
      } catch (error) {
        if (!isKept) this.#stopIfCancelled();
        if (isFinal(error) || tries === TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** tries));
      }
    }
  }

  #request({ method, url }, { body, type, counts, signal }) {
    const request = new XMLHttpRequest();
    return new Promise((resolve, reject) => {
      request.open(method, url);
      if (type) request.setRequestHeader("Content-Type", type);
      if (counts !== null) request.upload.onprogress = ({ loaded }) => this.#flying.set(counts, loaded);
      request.onload = () => {
        if (request.status >= 300) return reject(refusal(request));
        if (counts !== null) this.#doneBytes += body.size;
        resolve(request);
      };
      request.onerror = () => reject(new Error("The connection was lost."));
      request.onabort = () => reject(new Cancelled());
      signal?.throwIfAborted();
      signal?.addEventListener("abort", () => request.abort(), { once: true });
      request.send(body);
    }).finally(() => this.#flying.delete(counts));
  }
}

/** Whether asking again would be answered the same: S3 and we say so by 4xx, but for "slow down" and "too late". */
function isFinal({ status }) {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function text(node, name) {
  return node?.querySelector(name)?.textContent ?? null;
}

function refusal(request) {
  const words = text(request.responseXML, "Message") ?? `Storage answered ${request.status}.`;
  return Object.assign(new Error(words), { status: request.status });
}
