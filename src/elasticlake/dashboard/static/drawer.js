// Opens links marked data-drawer beside the page: its dialog shows the fragment, and the address bar follows.

import { enliven } from "./page.js";
import { fragment } from "./server.js";

const drawer = document.querySelector("dialog.drawer");
let asked = 0;

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-drawer]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const remember = drawer.open ? "replaceState" : "pushState";
  show(link.href).then((shown) => shown && history[remember]({ drawer: true }, "", link.href));
});

// Closing goes back to the log's own address; going back closes.
drawer.addEventListener("close", () => history.state?.drawer && history.back());
addEventListener("popstate", () => (history.state?.drawer ? show(location.href) : drawer.close()));

async function show(href) {
  const mine = ++asked;
  const path = new URL(href);
  path.searchParams.set("drawer", "1");
  try {
    const text = await fragment(path);
    if (mine !== asked) return false;
    drawer.innerHTML = text;
  } catch {
    location.assign(href);
    return false;
  }
  enliven(drawer);
  drawer.querySelector("[data-close]").addEventListener("click", () => drawer.close());
  if (!drawer.open) drawer.showModal();
  drawer.scrollTop = 0;
  return true;
}
