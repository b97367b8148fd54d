// Puts the result of a test that is under way in its place as soon as there is one.

import { fragment } from "./server.js";

const result = document.getElementById("result");
result.querySelector(".again")?.remove();
for (let tries = 0; tries < 10 && result.dataset.result; tries++) {
  const piece = document.createElement("template");
  piece.innerHTML = await fragment(result.dataset.result);
  if (!piece.content.querySelector(".again")) delete result.dataset.result;
  result.replaceChildren(piece.content);
}
