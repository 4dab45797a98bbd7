// The table of subjects and families: sorting, and choosing a cell.

const matrix = document.querySelector(".matrix");

/** Sorts by a column: names from A, shares from the worst; once more turns it round. */
function sortMatrix(header) {
  const key = header.querySelector("button").dataset.sort;
  const ascending = header.getAttribute("aria-sort") !== "ascending";
  for (const other of matrix.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
  header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const shareOf = (row) => {
    const cell = row.querySelector(`td[data-family="${CSS.escape(key)}"]`);
    return cell && cell.dataset.share !== undefined ? Number(cell.dataset.share) : null;
  };
  const body = matrix.tBodies[0];
  const rows = [...body.rows].sort((a, b) => {
    const turn = ascending ? 1 : -1;
    if (key === "name") return turn * a.dataset.name.localeCompare(b.dataset.name, "en");
    const [shareA, shareB] = [shareOf(a), shareOf(b)];
    if (shareA === null || shareB === null) return (shareA === null) - (shareB === null);
    return turn * (shareA - shareB);
  });
  body.append(...rows);
}

for (const header of matrix.tHead.rows[0].cells) {
  header.querySelector("button").addEventListener("click", () => sortMatrix(header));
}

matrix.tBodies[0].addEventListener("click", (event) => {
  const cell = event.target.closest("button.count");
  if (!cell) return;
  showCalls({ subject: cell.dataset.subject, family: cell.dataset.family });
});
