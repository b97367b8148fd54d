// What every page may have: dialogs, buttons that copy, times in the reader's own zone, menus that submit at once.

for (const opener of document.querySelectorAll("[data-open]")) {
  const dialog = document.getElementById(opener.dataset.open);
  opener.addEventListener("click", () => dialog.showModal());
}
for (const closer of document.querySelectorAll("[data-close]")) {
  closer.addEventListener("click", () => closer.closest("dialog").close());
}
for (const dialog of document.querySelectorAll("dialog[data-show]")) dialog.showModal();

enliven(document);

for (const choice of document.querySelectorAll("select[data-submit]")) {
  choice.addEventListener("change", () => choice.form.requestSubmit());
}

/** Give a piece of a page what its texts and times have a script for. */
export function enliven(root) {
  for (const code of root.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy quiet";
    button.textContent = "Copy";
    button.addEventListener("click", () => copy(code.dataset.copy || code.querySelector("pre").textContent, button));
    code.append(button);
  }
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
}

/** Put text on the clipboard, and say so on the button. */
export async function copy(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Press Ctrl+C";
    const selection = getSelection();
    selection.selectAllChildren(button.parentElement.querySelector("pre"));
  }
  setTimeout(() => (button.textContent = before), 2000);
}
