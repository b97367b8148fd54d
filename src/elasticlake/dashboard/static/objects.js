// Selecting all of a page, and links that are made and copied at once.

import { post } from "./server.js";

document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-all]")) return;
  for (const box of target.form.querySelectorAll("tbody input[type=checkbox]")) box.checked = target.checked;
});

const dialog = document.getElementById("link-dialog");
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-link]");
  if (link === null || dialog === null) return;
  event.preventDefault();
  const form = dialog.querySelector("form");
  form.elements.key.value = new URL(link.href).search.slice("?key=".length);
  form.querySelector(".name").replaceChildren(link.closest("tr").querySelector("bdi").cloneNode(true));
  form.querySelector(".made").hidden = true;
  form.querySelector("[role=status]").textContent = "";
  dialog.showModal();
});

for (const form of document.querySelectorAll("form[data-links]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = form.querySelector("[role=status]");
    try {
      const { url, life } = await post(form.action, new FormData(form));
      const made = form.querySelector(".made");
      Object.assign(made, { value: url, hidden: false });
      made.select();
      said.textContent = `The link is good for ${life}.`;
      await navigator.clipboard.writeText(url);
      said.textContent = `Copied. The link is good for ${life}.`;
    } catch (error) {
      if (error.name !== "NotAllowedError" && error.name !== "TypeError") said.textContent = error.message;
    }
  });
}
