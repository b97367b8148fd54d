// What was dropped or chosen, as files with their paths; folders are walked.

/** The files of a drop, each as { file, path }. To be called while the event is handled: later the browser forgets. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  return (await Promise.all(entries.map(walk))).flat();
}

/** The files of an <input>. */
export function chosen(input) {
  return [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

async function walk(entry) {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) return [{ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path }];
  const reader = entry.createReader();
  const found = [];
  // Each call gives some of the folder, and an empty one is the end.
  for (let some; (some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))).length; ) {
    for (const inner of some) found.push(...(await walk(inner)));
  }
  return found;
}
