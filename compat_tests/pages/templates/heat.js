// Maps of kernel and stride: one a subject and padding.

const MODES = ["SAME", "VALID", "explicit"];
const STANDINGS = ["exact", "close", "cannot_say", "refused", "wrong", "fatal"];
const SMALLEST_STRETCH = 14; // per cent of a cell: a single fault among hundreds stays visible

/** Where each distinct value of the heat column counts: mode, kernel, stride. */
const HEAT_CELLS = DATA.heat.values.map((value) =>
  value
    .split("\n")
    .filter(Boolean)
    .map((cell) => {
      const [mode, kernel, stride] = cell.split(" ");
      return { mode, kernel: Number(kernel), stride: Number(stride) };
    }),
);

/** The kernels or strides that calls of one padding have. */
function distinct(mode, key) {
  const cells = HEAT_CELLS.flat().filter((cell) => cell.mode === mode);
  return [...new Set(cells.map((cell) => cell[key]))].sort((a, b) => a - b);
}

/** Whether a call counts in a cell of the maps. */
function countsIn(place, { mode, kernel, stride }) {
  return HEAT_CELLS[DATA.heat.places[place]].some(
    (cell) => cell.mode === mode && cell.kernel === kernel && cell.stride === stride,
  );
}

/** How often each standing occurs in each cell of one subject. */
function heatCounts(subject) {
  const counts = new Map();
  for (let place = 0; place < IDS.length; place++) {
    const letter = subject.letters[place];
    if (letter === NOT_RUN) continue;
    for (const { mode, kernel, stride } of HEAT_CELLS[DATA.heat.places[place]]) {
      const key = `${mode} ${kernel} ${stride}`;
      if (!counts.has(key)) counts.set(key, {});
      const cell = counts.get(key);
      cell[standingOf(letter)] = (cell[standingOf(letter)] || 0) + 1;
    }
  }
  return counts;
}

/** The background of a cell: a stretch for each standing, none too narrow to be seen. */
function filling(counts) {
  const present = STANDINGS.filter((standing) => counts[standing]);
  const total = present.reduce((sum, standing) => sum + counts[standing], 0);
  const widths = present.map((standing) =>
    Math.max((100 * counts[standing]) / total, SMALLEST_STRETCH),
  );
  const all = widths.reduce((sum, width) => sum + width, 0);
  let from = 0;
  const stops = present.map((standing, n) => {
    const to = from + (100 * widths[n]) / all;
    const stop = `var(--${standing}) ${from}% ${to}%`;
    from = to;
    return stop;
  });
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

function heatMap(subject, mode, counts) {
  const strides = distinct(mode, "stride");
  const head = make("tr", {}, make("td"));
  for (const stride of strides) head.append(make("th", { scope: "col" }, String(stride)));
  const body = make("tbody");
  for (const kernel of distinct(mode, "kernel")) {
    const row = make("tr", {}, make("th", { scope: "row" }, String(kernel)));
    for (const stride of strides) {
      const found = counts.get(`${mode} ${kernel} ${stride}`);
      row.append(make("td", {}, found ? heatCell(subject, { mode, kernel, stride }, found) : ""));
    }
    body.append(row);
  }
  const table = make("table", { className: "heat" }, make("caption", {}, mode));
  table.append(make("thead", {}, head), body);
  const cells = [...table.querySelectorAll("button")];
  if (cells.length) cells[0].tabIndex = 0;
  table.addEventListener("keydown", (event) => moveInMap(event, table));
  return table;
}

function heatCell(subject, cell, counts) {
  const told = STANDINGS.filter((standing) => counts[standing])
    .map((standing) => `${grouped(counts[standing])} ${standing.replace("_", " ")}`)
    .join(", ");
  const where = `kernel ${cell.kernel}, stride ${cell.stride}, ${cell.mode}`;
  const button = make("button", {
    type: "button",
    tabIndex: -1,
    title: `${where}: ${told}`,
    "aria-label": `${subject.name}, ${where}: ${told}`,
  });
  button.style.background = filling(counts);
  button.addEventListener("click", () => showCalls({ subject: subject.name, cell }));
  return button;
}

/** A map is one stop of the tab key; the arrows move inside it. */
function moveInMap(event, table) {
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const step = steps[event.key];
  const cell = event.target.closest("td");
  if (!step || !cell) return;
  event.preventDefault();
  let [row, column] = [cell.parentElement.rowIndex + step[0], cell.cellIndex + step[1]];
  for (; table.rows[row] && table.rows[row].cells[column]; row += step[0], column += step[1]) {
    const next = table.rows[row].cells[column].querySelector("button");
    if (!next) continue;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    return;
  }
}

function drawHeatMaps() {
  const maps = document.getElementById("heat-maps");
  for (const subject of SUBJECTS) {
    const counts = heatCounts(subject);
    if (!counts.size) continue;
    const row = make("div", { className: "maps" });
    row.append(...MODES.map((mode) => heatMap(subject, mode, counts)));
    maps.append(
      make("figure", { className: "card" }, make("figcaption", {}, subject.name), row),
    );
  }
  if (!maps.children.length) {
    maps.append(make("p", { className: "quiet" }, "The run holds no calls of these families."));
  }
}

drawHeatMaps();
