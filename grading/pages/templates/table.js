"use strict";
// Sorting by a column's button, filtering by text, status and a tick: all on rows that are in the page already.
document.addEventListener("DOMContentLoaded", () => {
  const value = (row, index) => {
    const cell = row.cells[index];
    if (cell.dataset.value === undefined) return cell.textContent.trim();
    return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  };
  const compare = (a, b) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
  };
  const makeSortable = (table) => table.querySelectorAll("thead th button").forEach((button) => {
    const header = button.parentElement;
    const body = table.tBodies[0];
    button.addEventListener("click", () => {
      const descending = header.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const sorted = Array.from(body.rows).map((row) => [value(row, header.cellIndex), row]);
      sorted.sort(([a], [b]) => (a === null || b === null ? compare(a, b) : descending ? -compare(a, b) : compare(a, b)));
      body.append(...sorted.map(([, row]) => row));
    });
  });

  document.querySelectorAll("table.sortable").forEach(makeSortable);

  const rows = Array.from(document.getElementById("submissions").tBodies[0].rows);
  const text = document.getElementById("filter-text");
  const status = document.getElementById("filter-status");
  const looked = document.getElementById("filter-flags");
  const shown = document.getElementById("shown");
  const filter = () => {
    const wanted = text.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const fits = row.textContent.toLowerCase().includes(wanted)
        && (status.value === "" || row.dataset.status === status.value)
        && (!looked.checked || row.dataset.flags !== "0");
      row.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${rows.length} submissions`;
  };
  for (const control of [text, status, looked]) control.addEventListener("input", filter);
  filter();
});
