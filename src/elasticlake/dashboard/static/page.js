// What every page may have: dialogs, buttons that copy, times in the reader's own zone, menus that submit at once.

// Without this script links lead to a dialog's place on the page, and from it; with it they are buttons.
for (const opener of document.querySelectorAll("[data-open]")) {
  const dialog = document.getElementById(opener.dataset.open);
  become(opener, () => dialog.showModal());
}
for (const closer of document.querySelectorAll("[data-close]")) become(closer, () => closer.closest("dialog").close());
for (const dialog of document.querySelectorAll("dialog:is([data-show], :target)")) {
  delete dialog.dataset.show;
  dialog.showModal();
  dialog.addEventListener("close", () => {
    if (location.hash === `#${dialog.id}`) location.hash = "main";
  });
}

enliven(document);

for (const choice of document.querySelectorAll("select[data-submit]")) {
  choice.addEventListener("change", () => choice.form.requestSubmit());
}

/** Make a link, or a button, one that does this. */
function become(link, act) {
  link.setAttribute("role", "button");
  link.addEventListener("click", (event) => {
    event.preventDefault();
    act();
  });
  link.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    act();
  });
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
