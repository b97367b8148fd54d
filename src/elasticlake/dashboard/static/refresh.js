// Looks again at pieces of a page that say where they come from: data-refresh is the path, data-every the milliseconds.

import { enliven } from "./page.js";
import { fragment } from "./server.js";

for (const piece of document.querySelectorAll("[data-refresh]")) watch(piece);

function watch(piece) {
  setTimeout(() => refresh(piece), Number(piece.dataset.every));
}

async function refresh(piece) {
  if (document.hidden) return watch(piece);
  const holder = document.createElement("template");
  try {
    holder.innerHTML = await fragment(piece.dataset.refresh);
  } catch {
    return watch(piece);
  }
  const next = holder.content.firstElementChild;
  piece.replaceWith(next);
  enliven(next);
  if (next.dataset.refresh) return watch(next);
  // It has ended, and so has what could be done meanwhile.
  for (const control of document.querySelectorAll("[data-while-running]")) control.remove();
  for (const words of document.querySelectorAll("[data-ended-words]")) words.textContent = next.dataset.ended;
}
