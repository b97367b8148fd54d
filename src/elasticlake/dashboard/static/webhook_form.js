// Shows while a webhook is being written which of the last events it would be told of, and what is wrong with its choice.

import { post } from "./server.js";

const form = document.getElementById("webhook-form");
const panel = document.getElementById("matches");
const WAIT_MS = 300;
let waiting = 0;
let asking = null;

form.addEventListener("input", (event) => {
  if (!event.target.closest("[data-quiet]")) later();
});
form.querySelector("[value=try]").hidden = true;

function later() {
  clearTimeout(waiting);
  waiting = setTimeout(ask, WAIT_MS);
}

async function ask() {
  asking?.abort();
  const mine = (asking = new AbortController());
  panel.setAttribute("aria-busy", "true");
  try {
    const answer = await post("/ui/webhooks/matches", new FormData(form), { signal: mine.signal });
    const chosen = document.activeElement?.id;
    const piece = document.createElement("template");
    piece.innerHTML = answer.panel;
    panel.replaceChildren(piece.content);
    if (chosen === "f-tried") document.getElementById(chosen)?.focus();
    for (const field of form.querySelectorAll("[data-live]")) tell(field, answer.faults[field.dataset.live]);
  } catch (error) {
    if (error.name === "AbortError") return;
    const line = document.createElement("p");
    line.className = "fault";
    line.textContent = error.message;
    panel.replaceChildren(line);
  }
  if (mine === asking) panel.removeAttribute("aria-busy");
}

/** Say beside a field what is wrong with it, or that nothing is any more. */
function tell(field, words) {
  const control = field.matches("fieldset") ? field : field.querySelector("input, textarea, select");
  let line = field.querySelector(".fault");
  field.classList.toggle("wrong", Boolean(words));
  if (!words) {
    line?.remove();
    control.removeAttribute("aria-invalid");
    return;
  }
  if (!line) {
    line = document.createElement("p");
    line.className = "fault";
    line.id = `w-${field.dataset.live}`;
    (field.querySelector(".events") ?? control).after(line);
    control.setAttribute("aria-describedby", [line.id, control.getAttribute("aria-describedby")].filter(Boolean).join(" "));
  }
  line.textContent = words;
  control.setAttribute("aria-invalid", "true");
  lead(control, line);
}

/** A fault that names a place in the text gets a button that leads there. */
function lead(control, line) {
  const found = /^At (?:line (\d+), )?character (\d+)/.exec(line.textContent);
  if (!found) return;
  const before = control.value.split("\n").slice(0, Number(found[1] ?? 1) - 1);
  const at = before.reduce((sum, one) => sum + one.length + 1, 0) + Number(found[2]) - 1;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = "Go there";
  button.addEventListener("click", () => {
    control.focus();
    control.setSelectionRange(at, at + 1);
  });
  line.append(" ", button);
}

for (const line of form.querySelectorAll("[data-live] > textarea + .fault")) lead(line.previousElementSibling, line);

for (const choice of form.querySelectorAll("input[name=secretFrom]")) {
  choice.addEventListener("change", () => {
    if (choice.value === "own") form.querySelector("#f-secret").focus();
  });
}
form.querySelector("#f-secret")?.addEventListener("input", () => {
  form.querySelector("input[name=secretFrom][value=own]").checked = true;
});
