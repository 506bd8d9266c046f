"use strict";
// Parts of a page that change by themselves, files that are dropped, and times in the reader's own zone.
// Without this script every page still works; it is loaded again by hand then.

function showTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!isNaN(at)) {
      time.title = time.textContent;
      time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
    }
  }
}

for (const part of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(part.dataset.live);
  source.onmessage = (event) => {
    part.innerHTML = event.data; // made and escaped by the server, as the page itself; scripts do not run this way
    showTimes(part);
  };
  source.addEventListener("end", () => source.close());
}

for (const form of document.querySelectorAll("form[data-drop]")) {
  const input = form.querySelector("input[type=file]");
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    if (event.dataTransfer.files.length > 0) { // too many are refused by the server, in words
      input.files = event.dataTransfer.files;
      form.requestSubmit();
    }
  });
}

showTimes(document);
