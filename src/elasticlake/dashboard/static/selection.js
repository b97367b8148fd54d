// The box that ticks all others, and buttons that wait until one is ticked.

for (const form of document.querySelectorAll("form[data-selection]")) {
  const all = form.querySelector("[data-all]");
  const buttons = form.querySelectorAll("[data-selected]");
  const boxes = () => [...form.querySelectorAll("tbody input[type=checkbox]")];
  all.closest("label").hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    look();
  });
  form.addEventListener("change", look);
  look();

  function look() {
    const chosen = boxes().filter((box) => box.checked).length;
    all.indeterminate = chosen > 0 && chosen < boxes().length;
    all.checked = chosen > 0 && chosen === boxes().length;
    for (const button of buttons) {
      button.disabled = chosen === 0;
      button.querySelector("[data-count]").textContent = chosen ? ` (${chosen})` : "";
    }
  }
}
