// Talks to the dashboard's own paths, as the page's session.

const token = document.querySelector("meta[name=csrf-token]")?.content ?? "";

/** POST fields as a form; returns the answer's JSON. Throws an Error with the server's own words and its `status`. */
export async function post(path, fields, { signal } = {}) {
  return answered(
    await fetch(path, {
      method: "POST",
      headers: { accept: "application/json", "x-csrf-token": token },
      body: new URLSearchParams(fields),
      signal,
    }),
  );
}

/** GET a path's JSON. Throws an Error with the server's own words. */
export async function get(path, { signal } = {}) {
  return answered(await fetch(path, { headers: { accept: "application/json" }, signal }));
}

/** GET a piece of a page, as text. */
export async function fragment(path, { signal } = {}) {
  const response = await fetch(path, { signal });
  if (response.redirected) throw new Error("Your session is over. Sign in again.");
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return response.text();
}

async function answered(response) {
  const document = await response.json().catch(() => ({}));
  if (response.ok) return document;
  const words = document.detail ?? `The server answered ${response.status}.`;
  throw Object.assign(new Error(words), { status: response.status });
}
