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
  if (caught.querySelector("article") && !caught.closest(".step.done")) tick();
}

/** Mark the steps as the server knows them now. */
async function tick() {
  const response = await fetch(location.href);
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelectorAll(".step");
  document.querySelectorAll(".step").forEach((step, index) => {
    step.className = fresh[index].className;
    step.querySelector("h2").replaceWith(fresh[index].querySelector("h2"));
  });
}

if (caught) {
  document.getElementById("refresh").hidden = true;
  look();
}
