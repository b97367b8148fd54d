// Files that are dropped or chosen go to S3, two at once, each with a row that says how far it is.

import { chosen, dropped } from "./dropped.js";
import { duration, size } from "./units.js";
import { Cancelled, Upload } from "./upload.js";

const FILES_AT_ONCE = 2;
const LOOK_MS = 300;
const SPEED_MS = 4000;

const panel = document.getElementById("uploads");
const { path, bucket } = panel.dataset;
const prefix = decodeURIComponent(panel.dataset.prefix);
const transfers = [];
let timer = null;

/** How fast bytes went in the last seconds. */
class Speed {
  #samples = [];

  measure(bytes) {
    const now = performance.now();
    this.#samples.push({ now, bytes });
    while (this.#samples[0].now < now - SPEED_MS) this.#samples.shift();
    const [first] = this.#samples;
    return now > first.now ? Math.max(0, ((bytes - first.bytes) / (now - first.now)) * 1000) : 0;
  }
}

/** An upload and its row. Its state is waiting, running, done, failed or cancelled. */
class Transfer {
  #speed = new Speed();

  constructor(upload) {
    this.upload = upload;
    this.state = "waiting";
    this.row = panel.querySelector("template").content.firstElementChild.cloneNode(true);
    this.progress = this.row.querySelector("progress");
    this.again = this.row.querySelector("[data-again]");
    this.stop = this.row.querySelector("[data-cancel]");
    this.row.querySelector(".name").textContent = upload.key.slice(prefix.length);
    this.progress.setAttribute("aria-label", upload.key);
    this.again.addEventListener("click", () => {
      this.#enter("waiting", "Waiting");
      advance();
    });
    this.stop.addEventListener("click", () => this.cancel());
    panel.querySelector(".transfers").append(this.row);
    this.#enter("waiting", "Waiting");
  }

  get isOver() {
    return this.state === "done" || this.state === "failed" || this.state === "cancelled";
  }

  async run() {
    this.#enter("running", "Beginning");
    const list = this.row.parentElement;
    list.scrollTop = this.row.offsetTop - list.offsetTop;
    try {
      await this.upload.run();
      this.#enter("done", `Uploaded, ${size(this.upload.file.size)}`);
    } catch (error) {
      if (!(error instanceof Cancelled)) this.#enter("failed", error.message);
    }
  }

  async cancel() {
    this.stop.disabled = true;
    const wasRunning = this.state === "running";
    if (this.state === "waiting") this.state = "cancelled";
    try {
      await this.upload.cancel();
      if (this.state !== "done") this.#enter("cancelled", "Cancelled");
    } catch (error) {
      this.#enter("failed", `Cancelled, but its parts are still there: ${error.message}`);
    }
    if (!wasRunning) advance();
  }

  show() {
    const { sentBytes, file } = this.upload;
    this.progress.value = file.size ? sentBytes / file.size : 1;
    if (this.state !== "running") return;
    const speed = this.#speed.measure(sentBytes);
    const left = speed > 0 ? `, ${size(speed)}/s, ${duration((file.size - sentBytes) / speed)} left` : "";
    this.row.querySelector(".said").textContent = `${size(sentBytes)} of ${size(file.size)}${left}`;
  }

  #enter(state, said) {
    this.state = state;
    this.row.dataset.state = state;
    this.row.querySelector(".said").textContent = said;
    this.again.hidden = state !== "failed";
    this.stop.hidden = state === "done" || state === "cancelled";
    if (this.isOver) panel.querySelector("[role=status]").textContent = `${this.upload.key}: ${said}`;
  }
}

function add(found) {
  if (!found.length) return;
  panel.hidden = false;
  for (const { file, path: name } of found) transfers.push(new Transfer(new Upload(path, bucket, prefix + name, file)));
  advance();
}

/** Begin what may begin; when nothing is left to do, show the list anew. */
function advance() {
  let running = transfers.filter(({ state }) => state === "running").length;
  for (const transfer of transfers) {
    if (running >= FILES_AT_ONCE) break;
    if (transfer.state !== "waiting") continue;
    running++;
    transfer.run().then(advance);
  }
  timer ??= setInterval(show, LOOK_MS);
  show();
  if (transfers.length && transfers.every(({ isOver }) => isOver)) {
    clearInterval(timer);
    timer = null;
    refresh();
  }
}

const overallSpeed = new Speed();

function show() {
  for (const transfer of transfers) transfer.show();
  const wanted = transfers.filter(({ state }) => state !== "cancelled");
  const done = wanted.filter(({ state }) => state === "done").length;
  const failed = wanted.filter(({ state }) => state === "failed").length;
  const total = wanted.reduce((sum, { upload }) => sum + upload.file.size, 0);
  const sent = wanted.reduce((sum, { state, upload }) => sum + (state === "done" ? upload.file.size : upload.sentBytes), 0);
  const speed = overallSpeed.measure(sent);
  const words = [`${done} of ${wanted.length} uploaded`, `${size(sent)} of ${size(total)}`];
  if (failed) words.push(`${failed} failed`);
  if (speed > 0 && sent < total) words.push(`${size(speed)}/s`, `${duration((total - sent) / speed)} left`);
  panel.querySelector(".overall").textContent = words.join(", ");
}

async function refresh() {
  const response = await fetch(location.href);
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const place of ["#list", ".facts"]) document.querySelector(place).replaceWith(fresh.querySelector(place));
}

for (const [button, input] of [["upload-files", "choose-files"], ["upload-folder", "choose-folder"]]) {
  const chooser = document.getElementById(input);
  document.getElementById(button).addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    add(chosen(chooser));
    chooser.value = "";
  });
}

panel.querySelector("[data-clear]").addEventListener("click", () => {
  for (const transfer of transfers.filter(({ isOver }) => isOver)) {
    transfer.row.remove();
    transfers.splice(transfers.indexOf(transfer), 1);
  }
  panel.hidden = !transfers.length;
});

const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) document.body.classList.remove("dropping");
});
document.addEventListener("drop", async (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  document.body.classList.remove("dropping");
  add(await dropped(event.dataTransfer));
});

addEventListener("beforeunload", (event) => {
  if (transfers.some(({ isOver }) => !isOver)) event.preventDefault();
});
