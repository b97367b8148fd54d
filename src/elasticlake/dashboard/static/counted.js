// A count holds for what was counted: once a field is changed, it is gone, and with it what would start the job.

for (const form of document.querySelectorAll("form[data-counts]")) {
  form.addEventListener("input", () => {
    for (const piece of form.querySelectorAll("[data-counted]")) piece.remove();
  });
}
