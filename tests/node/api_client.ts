// The REST API in TypeScript, with types that openapi-typescript makes of the server's own description: what compiles
// here is what the description promises, and what runs is what the server does.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./api_schema.js";

type Webhook = components["schemas"]["WebhookDocument"];
type Page = components["schemas"]["DocumentPage_WebhookDocument_"];

const { URL: baseUrl, TOKEN, BUCKET } = process.env as Record<"URL" | "TOKEN" | "BUCKET", string>;
const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${TOKEN}` } });

/** Every webhook, page by page. */
async function* webhooks(): AsyncGenerator<Webhook> {
  let cursor: string | undefined;
  do {
    const { data }: { data?: Page } = await api.GET("/v1/webhooks", { params: { query: { limit: 1, cursor } } });
    assert.ok(data);
    yield* data.items;
    cursor = data.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

/** What a refusal says; each status narrows it to the problems that this operation may answer with it. */
async function refusal(bucket: string, events: components["schemas"]["SubscribableType"][]): Promise<string> {
  const { error } = await api.POST("/v1/webhooks", { body: { bucket, endpoint: "http://127.0.0.1:1/hook", events } });
  assert.ok(error);
  switch (error.status) {
    case 404: {
      const missing:
        | "/v1/problems/no-such-account"
        | "/v1/problems/no-such-lake"
        | "/v1/problems/no-such-pond"
        | "/v1/problems/no-such-bucket" = error.type;
      return missing;
    }
    case 422:
      return `${error.type satisfies "/v1/problems/invalid-input" | "/v1/problems/invalid-webhook"} ${error.errors[0]?.field}`;
    default:
      return error.title;
  }
}

const made = await api.POST("/v1/webhooks", {
  body: { bucket: BUCKET, endpoint: "http://127.0.0.1:1/hook", events: ["object:created"] },
});
assert.ok(made.data);
const known: string[] = [];
for await (const webhook of webhooks()) known.push(webhook.id);
assert.ok(known.includes(made.data.id));

const sent = await api.POST("/v1/webhooks/{id}/test", { params: { path: { id: made.data.id }, query: { wait: 0 } } });
assert.ok(sent.data);
const read = await api.GET("/v1/deliveries/{id}", { params: { path: { id: sent.data.id } } });
assert.equal(read.data?.webhook, made.data.id);
assert.ok(read.data.attemptLog.length >= 0);

assert.equal(await refusal("nowhere", ["object:created"]), "/v1/problems/no-such-bucket");
assert.equal(await refusal(BUCKET, []), "/v1/problems/invalid-webhook events");

// What the description forbids does not compile.
type NewWebhook = components["schemas"]["NewWebhookBody"];
const endpoint = "http://127.0.0.1:1/hook";
// @ts-expect-error: a webhook has no such member
export const coloured: NewWebhook = { bucket: BUCKET, endpoint, events: [], colour: "red" };
// @ts-expect-error: there is no such event
export const moved: NewWebhook = { bucket: BUCKET, endpoint, events: ["object:moved"] };
// @ts-expect-error: a webhook listens somewhere
export const nowhere: NewWebhook = { endpoint, events: ["object:created"] };
