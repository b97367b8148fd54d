// How sizes and durations are written; as show.py writes them.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `1.4 MiB`. */
export function size(bytes) {
  let unit = 0;
  for (; bytes >= 1023.5 && unit < UNITS.length - 1; unit++) bytes /= 1024;
  return `${bytes.toFixed(unit === 0 || bytes >= 99.95 ? 0 : 1)} ${UNITS[unit]}`;
}

/** `40 s`, `3 min`, `2 h`. */
export function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
