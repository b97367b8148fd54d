// The log as it grows: the server sends rows as they come and change. New ones go on top, known ones are put in place.

const MOST_ROWS = 200;
const QUIET_MS = 1500;

const log = document.querySelector("[data-live]");
const rows = log.querySelector("tbody");
const button = log.querySelector("[data-live-button]");
const words = log.querySelector("[data-live-words]");
let source = null;
let isPaused = false;
let news = 0;
let telling = 0;

button.hidden = false;
button.addEventListener("click", () => {
  isPaused = !isPaused;
  button.setAttribute("aria-pressed", String(isPaused));
  listen();
});
document.addEventListener("visibilitychange", listen);
listen();

/** A browser has few connections to a server: a page that nobody sees leaves its own to others. */
function listen() {
  const isWanted = !isPaused && !document.hidden;
  log.classList.toggle("is-live", isWanted);
  if (isWanted === Boolean(source)) return;
  if (!isWanted) {
    source.close();
    source = null;
    return;
  }
  source = new EventSource(log.dataset.live);
  source.addEventListener("message", (event) => take(event.data));
  source.addEventListener("error", () => {
    if (source?.readyState !== EventSource.CLOSED) return;
    log.classList.remove("is-live");
    words.textContent = "The live log has ended. Load the page again.";
  });
}

function take(text) {
  const piece = document.createElement("template");
  piece.innerHTML = text;
  for (const row of piece.content.querySelectorAll("tr")) place(row);
  while (rows.rows.length > MOST_ROWS) rows.lastElementChild.remove();
  log.querySelector("[data-none]").hidden = rows.rows.length > 0;
  log.querySelector("[data-some]").hidden = rows.rows.length === 0;
}

function place(row) {
  const known = [...rows.rows].find((one) => one.dataset.delivery === row.dataset.delivery);
  if (known?.dataset.state === row.dataset.state) return;
  const focused = known?.contains(document.activeElement) ? document.activeElement.tagName : "";
  if (known) row.querySelector("input").checked = known.querySelector("input").checked;
  row.classList.add("is-new");
  if (known && known.dataset.at === row.dataset.at) known.replaceWith(row);
  else {
    known?.remove();
    rows.prepend(row);
  }
  if (focused) row.querySelector(focused)?.focus();
  tell();
}

/** Say how many there were, once it is quiet for a moment. */
function tell() {
  news += 1;
  clearTimeout(telling);
  telling = setTimeout(() => {
    words.textContent = news === 1 ? "1 delivery has news." : `${news} deliveries have news.`;
    news = 0;
  }, QUIET_MS);
}
