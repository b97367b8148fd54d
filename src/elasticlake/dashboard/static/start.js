// Shows by itself what the catcher gets, once a second while somebody looks.

import { fragment } from "./server.js";

const caught = document.getElementById("caught");
let shown = "";

async function look() {
  if (document.visibilityState === "visible") {
    const text = await fragment(caught.dataset.caught).catch(() => shown);
    if (text !== shown) show(text);
  }
  setTimeout(look, 1000);
}

/** Put what came in place. What a reader has opened or closed stays so. */
function show(text) {
  const before = new Map([...caught.querySelectorAll("details")].map((one) => [one.id, one.open]));
  caught.innerHTML = text;
  for (const one of caught.querySelectorAll("details")) one.open = before.get(one.id) ?? one.open;
  shown = text;
}

if (caught) {
  document.getElementById("refresh").hidden = true;
  look();
}
