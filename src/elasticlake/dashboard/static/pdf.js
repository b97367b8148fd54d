// Shows a document in the browser's own viewer. As a blob it has no place on the server that it could act for.

for (const place of document.querySelectorAll("[data-pdf]")) {
  const response = await fetch(place.dataset.pdf);
  const document_ = new Blob([await response.blob()], { type: "application/pdf" });
  const frame = document.createElement("iframe");
  frame.title = "The object as a document";
  frame.src = `${URL.createObjectURL(document_)}#navpanes=0`;
  place.replaceChildren(frame);
}
