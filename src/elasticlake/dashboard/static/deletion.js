// Deletes batch by batch, and says how far it is.

import { post } from "./server.js";

const form = document.querySelector("form.deletion");
const progress = form.querySelector("progress");
const said = form.querySelector(".said");
let fields = [...new FormData(form)];

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector(".danger");
  button.disabled = true;
  progress.hidden = said.hidden = false;
  try {
    while (fields !== null) {
      const answer = await post(form.action, fields);
      progress.value = answer.deleted + answer.refused;
      said.textContent = `${answer.deleted.toLocaleString("en")} deleted.`;
      fields = answer.next;
    }
    location.assign(form.dataset.back);
  } catch (error) {
    said.textContent = `${said.textContent} ${error.message}`;
    button.disabled = false;
  }
});
