// Counts down to the time of each <time data-countdown>, and loads the page again when one is over.

const SECOND = 1000;

for (const time of document.querySelectorAll("time[data-countdown]")) tick(time);

function tick(time) {
  const left = Math.ceil((new Date(time.dateTime) - Date.now()) / SECOND);
  if (left <= 0) return location.reload();
  time.textContent = words(left);
  setTimeout(() => tick(time), SECOND);
}

function words(left) {
  const [hours, minutes, seconds] = [left / 3600, (left / 60) % 60, left % 60].map(Math.floor);
  return `in ${hours} h ${String(minutes).padStart(2, "0")} min ${String(seconds).padStart(2, "0")} s`;
}
