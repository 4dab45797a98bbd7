// The views of one call. Each draws its grids once, and then shows a focus: an output cell
// {output: [t, u]}, an input cell {input: [j, m]} or a phase {phase: [p, q]}. `frames` is the film:
// the focuses it steps through; `done` is how many of them have been, or null outside of the film.

const MINUS = "−";

function shown(value) {
  return `${value}`.replace("-", MINUS);
}

function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Zeros of an axis in words: "2 above, 1 below". */
function zerosInWords(axis, before, after) {
  const side = (cells, where) => (cells < 0 ? `${-cells} cropped ${where}` : `${cells} ${where}`);
  return `${side(axis.lead, before)}, ${side(axis.trail, after)}`;
}

function inputGrid(plane, pick) {
  return new Grid({
    title: "input", name: `input, ${plane.rows.input} by ${plane.columns.input}`, height: plane.rows.input,
    width: plane.columns.input, pick,
    cell: (j, m) => ({ text: shown(plane.input[j][m]), role: "value", said: `input ${j}, ${m}: ${plane.input[j][m]}` }),
  });
}

function kernelGrid(plane, role = () => "kernel") {
  return new Grid({
    title: "kernel", name: `kernel, ${plane.rows.kernel} by ${plane.columns.kernel}`,
    height: plane.rows.kernel, width: plane.columns.kernel,
    cell: (a, b) => ({ text: shown(plane.kernel[a][b]), role: role(a, b) }),
  });
}

function outputGrid(plane, pick, role = () => "output", note = "") {
  return new Grid({
    title: "output", name: `output, ${plane.rows.output} by ${plane.columns.output}: arrow keys choose a cell`,
    height: plane.rows.output, width: plane.columns.output, pick, note,
    cell: (t, u) => ({ text: shown(plane.output[t][u]), role: role(t, u), said: `output ${t}, ${u}: ${plane.output[t][u]}` }),
  });
}

/** Marks an output cell that terms end in, with the inputs and taps they begin with. */
function markTerms({ output, input, kernel }, cell, terms) {
  output.choose(cell);
  input?.mark("hit", terms.map(({ from }) => from));
  kernel?.mark("hit", terms.map(({ tap }) => tap));
}

function zeroInsertionView(plane, pick) {
  const { rows, columns } = plane;
  // Cells that a negative lead or trail crops stay in the picture, apart from what is convolved.
  const [top, left] = [Math.max(-rows.lead, 0), Math.max(-columns.lead, 0)];
  const extent = (axis) => Math.max(axis.lead, 0) + (axis.input - 1) * axis.stride + 1 + Math.max(axis.trail, 0);
  const place = (axis, at) => {
    const cell = at - Math.max(axis.lead, 0);
    const last = (axis.input - 1) * axis.stride;
    if (cell < -axis.lead || cell > last + axis.trail) return { kind: "cropped", cell };
    if (cell < 0) return { kind: "lead", cell };
    if (cell > last) return { kind: "trail", cell };
    return { kind: cell % axis.stride ? "inserted" : "value", cell };
  };
  const valueAt = (down, across) => plane.input[down / rows.stride]?.[across / columns.stride] ?? 0;
  const padded = new Grid({
    title: "padded input",
    name: `padded input: ${zerosInWords(rows, "above", "below")}; ${zerosInWords(columns, "left", "right")}`,
    height: extent(rows), width: extent(columns), size: [rows, columns].map((axis) => axis.output + axis.reach - 1),
    note: `zeros: ${zerosInWords(rows, "above", "below")}; ${zerosInWords(columns, "left", "right")}`,
    cell: (row, column) => {
      const [down, across] = [place(rows, row), place(columns, column)];
      const kinds = [down.kind, across.kind];
      const role = ["cropped", "lead", "trail", "inserted"].find((kind) => kinds.includes(kind)) ?? "value";
      return { text: shown(valueAt(down.cell, across.cell)), role };
    },
  });
  const reversed = new Grid({
    title: "reversed kernel", name: `reversed kernel, ${rows.reach} by ${columns.reach}`,
    height: rows.reach, width: columns.reach,
    cell: (row, column) => {
      const tap = row % rows.dilation === 0 && column % columns.dilation === 0;
      if (!tap) return { text: "", role: "gap" };
      const [a, b] = [rows.kernel - 1 - row / rows.dilation, columns.kernel - 1 - column / columns.dilation];
      return { text: shown(plane.kernel[a][b]), role: "kernel" };
    },
  });
  const output = outputGrid(plane, pick);
  const onPadded = ([j, m]) => [j * rows.stride + rows.lead + top, m * columns.stride + columns.lead + left];
  const onReversed = ([a, b]) => [(rows.kernel - 1 - a) * rows.dilation, (columns.kernel - 1 - b) * columns.dilation];
  return {
    grids: [padded, reversed, output],
    frames: cellsOf(rows.output, columns.output).map((cell) => ({ output: cell })),
    show({ output: cell }, done) {
      const terms = termsOf(plane, cell);
      const [row, column] = [cell[0] + top, cell[1] + left];
      padded.mark("seen", cellsOf(rows.kernel, columns.kernel).map(([a, b]) => [row + a * rows.dilation, column + b * columns.dilation]));
      padded.frame("window", [row, column], rows.reach, columns.reach);
      padded.mark("hit", terms.map(({ from }) => onPadded(from)));
      reversed.mark("hit", terms.map(({ tap }) => onReversed(tap)));
      output.choose(cell);
      if (done !== null) output.mark("pending", cellsOf(rows.output, columns.output).slice(done + 1));
    },
  };
}

function scatterView(plane, pick) {
  const { rows, columns } = plane;
  const input = inputGrid(plane, (cell, how) => pick(cell && { input: cell }, how));
  const kernel = kernelGrid(plane);
  const span = (axis) => Math.max((axis.input - 1) * axis.stride + axis.reach, axis.output + axis.padBefore);
  const [top, left] = [rows.padBefore, columns.padBefore];
  const inside = ([row, column]) => row >= top && row < top + rows.output && column >= left && column < left + columns.output;
  const inputs = cellsOf(rows.input, columns.input);
  // What has been added to each cell of the canvas once so many inputs were.
  const sums = (count) => {
    const canvas = zeros(span(rows), span(columns));
    for (const cell of inputs.slice(0, count)) {
      for (const { to: [t, u], weight } of reachOf(plane, cell)) canvas[t + top][u + left] += plane.input[cell[0]][cell[1]] * weight;
    }
    return canvas;
  };
  const whole = sums(inputs.length);
  const canvas = new Grid({
    title: "output",
    name: `output with what is dropped around it, ${span(rows)} by ${span(columns)}: arrow keys choose a cell`,
    height: span(rows), width: span(columns),
    note: span(rows) * span(columns) > rows.output * columns.output ? "outside of the frame: dropped" : "",
    pick: (cell, how) => pick(cell && (inside(cell) ? { output: [cell[0] - top, cell[1] - left] } : null), how),
    cell: (row, column) => ({
      text: shown(whole[row][column]), role: inside([row, column]) ? "output" : "dropped",
      said: inside([row, column]) ? `output ${row - top}, ${column - left}: ${whole[row][column]}` : `dropped: ${whole[row][column]}`,
    }),
  });
  const rewrite = (values) => cellsOf(canvas.height, canvas.width).forEach(([row, column]) => canvas.write(row, column, shown(values[row][column])));
  let written = inputs.length;
  return {
    grids: [input, kernel, canvas],
    frames: inputs.map((cell) => ({ input: cell })),
    show(focus, done) {
      const count = done === null ? inputs.length : done + 1;
      if (count !== written) rewrite(count === inputs.length ? whole : sums(count));
      written = count;
      canvas.frame("kept", [top, left], rows.output, columns.output);
      if (focus.input) {
        const [j, m] = focus.input;
        input.choose(focus.input);
        canvas.mark("hit", reachOf(plane, focus.input).map(({ to: [t, u] }) => [t + top, u + left]));
        canvas.frame("window", [j * rows.stride, m * columns.stride], rows.reach, columns.reach);
      } else if (focus.output) {
        const [t, u] = focus.output;
        markTerms({ output: canvas, input, kernel }, [t + top, u + left], termsOf(plane, focus.output));
      }
    },
  };
}

const HUES = 8;

function phasesView(plane, pick) {
  const { rows, columns } = plane;
  const phaseOf = (t, u) => [t % rows.stride, u % columns.stride];
  const hue = ([p, q]) => `phase${(p * columns.stride + q) % HUES}`;
  const down = phaseTaps(rows);
  const across = phaseTaps(columns);
  const tapPhase = (a, b) => [down.findIndex((taps) => taps.includes(a)), across.findIndex((taps) => taps.includes(b))];
  const input = inputGrid(plane);
  const kernel = kernelGrid(plane, (a, b) => hue(tapPhase(a, b)));
  const output = outputGrid(plane, pick, (t, u) => (down[t % rows.stride].length && across[u % columns.stride].length ? hue(phaseOf(t, u)) : "gap"));
  const phases = cellsOf(rows.stride, columns.stride);
  const parts = element("ul", { class: "parts", "aria-label": "the kernel of each phase" }, ...phases.map(([p, q]) => {
    const [taps, others] = [down[p], across[q]];
    const table = element("table", {}, ...taps.map((a) => element("tr", {}, ...others.map((b) =>
      element("td", { class: hue([p, q]) }, shown(plane.kernel[a][b]))))));
    const empty = !taps.length || !others.length;
    return element("li", { "data-phase": `${p},${q}` }, element("code", {}, `[${p}::${rows.stride}, ${q}::${columns.stride}]`),
      empty ? element("p", {}, "no taps: holes that stay 0") : table);
  }));
  return {
    grids: [input, kernel, output],
    extra: element("figure", { class: "wide" }, element("figcaption", {}, element("b", {}, "a smaller kernel for each phase"),
      ` ${plural(rows.stride * columns.stride, "phase")}`), parts),
    frames: phases.filter(([p, q]) => p < rows.output && q < columns.output).map((phase) => ({ phase })),
    show(focus) {
      const phase = focus.phase ?? phaseOf(...focus.output);
      const same = ([t, u]) => phaseOf(t, u).join() === phase.join();
      output.mark("seen", cellsOf(rows.output, columns.output).filter(same));
      kernel.mark("seen", down[phase[0]].flatMap((a) => across[phase[1]].map((b) => [a, b])));
      for (const part of parts.children) part.classList.toggle("current", part.dataset.phase === phase.join());
      if (focus.output) markTerms({ output, input, kernel }, focus.output, termsOf(plane, focus.output));
    },
  };
}

function forwardView(plane, pick) {
  const { rows, columns } = plane;
  const [top, left] = [rows.padBefore, columns.padBefore];
  const extent = (axis) => Math.max(axis.output + axis.padBefore + axis.padAfter, (axis.input - 1) * axis.stride + axis.reach);
  const inside = (row, column) => row >= top && row < top + rows.output && column >= left && column < left + columns.output;
  const padding = `${rows.padBefore} above, ${rows.padAfter} below; ${columns.padBefore} left, ${columns.padAfter} right`;
  const image = new Grid({
    title: "padded image", name: `image of the output's size, padded: ${padding}: arrow keys choose a cell`, height: extent(rows), width: extent(columns),
    note: `zeros: ${padding}`,
    pick: (cell, how) => pick(cell && (inside(...cell) ? { output: [cell[0] - top, cell[1] - left] } : null), how),
    cell: (row, column) => {
      if (!inside(row, column)) return { text: "0", role: row < top || column < left ? "lead" : "trail", said: "padding" };
      const value = plane.image[row - top][column - left];
      return { text: `${value}`, role: "output", said: `image ${row - top}, ${column - left}: ${value}` };
    },
  });
  const kernel = kernelGrid(plane);
  const result = new Grid({
    title: "forward", name: `result, ${rows.input} by ${columns.input}: arrow keys choose a cell`, height: rows.input, width: columns.input,
    note: "the size of the transposed convolution's input",
    pick: (cell, how) => pick(cell && { input: cell }, how),
    cell: (j, m) => ({ text: shown(plane.forward[j][m]), role: "value", said: `result ${j}, ${m}: ${plane.forward[j][m]}` }),
  });
  const [there, back] = [inner(plane.forward, plane.input), inner(plane.image, plane.output)].map(shown);
  return {
    grids: [image, kernel, result],
    extra: element("p", { class: "law" }, `With x and y of the other views: ⟨forward, x⟩ = ${there} and ⟨image, y⟩ = ${back}. That the two are equal, for every image and every x, is what “transposed” means.`),
    frames: cellsOf(rows.input, columns.input).map((cell) => ({ input: cell })),
    show(focus, done) {
      if (focus.input) {
        const [j, m] = focus.input;
        image.frame("window", [j * rows.stride, m * columns.stride], rows.reach, columns.reach);
        image.mark("hit", reachOf(plane, focus.input).map(({ to: [t, u] }) => [t + top, u + left]));
        result.choose(focus.input);
        if (done !== null) result.mark("pending", cellsOf(rows.input, columns.input).slice(done + 1));
      } else if (focus.output) {
        const [t, u] = focus.output;
        markTerms({ output: image, input: result, kernel }, [t + top, u + left], termsOf(plane, focus.output));
      }
    },
  };
}

function overlapView(plane, pick) {
  const { rows, columns } = plane;
  const [down, across] = [overlapCounts(rows), overlapCounts(columns)];
  const most = Math.max(1, Math.max(...down) * Math.max(...across));
  const counts = new Grid({
    title: "products a cell", name: `how many products reach each output cell: arrow keys choose a cell`,
    height: rows.output, width: columns.output, pick,
    cell: (t, u) => {
      const count = down[t] * across[u];
      return { text: `${count}`, role: "heat", level: count / most, said: `output ${t}, ${u}: ${plural(count, "product")}` };
    },
  });
  const [ofRows, ofColumns] = [evennessInWords(rows), evennessInWords(columns)];
  const advice = ofRows === ofColumns ? [ofRows] : [`rows: ${ofRows}`, `columns: ${ofColumns}`];
  return {
    grids: [counts],
    extra: element("ul", { class: "advice" }, ...advice.map((line) => element("li", {}, line))),
    frames: [],
    show(focus) {
      if (focus.output) counts.choose(focus.output);
    },
  };
}

function evennessInWords(axis) {
  const even = evenKernelSizes(axis);
  const score = `evenness ${evenness(axis).toFixed(2)} (fewest products of a cell over most, away from the borders)`;
  if (even.includes(axis.kernel)) return `${score}: kernel ${axis.kernel} is even at stride ${axis.stride}.`;
  if (!even.length) return `${score}: with dilation ${axis.dilation}, no kernel is even at stride ${axis.stride}.`;
  return `${score}: the nearest even at stride ${axis.stride} ${even.length > 1 ? "are kernels" : "is kernel"} ${even.join(" and ")}.`;
}

const VIEWS = {
  zeros: { label: "Zero insertion", draw: zeroInsertionView, about: "Put zeros between and around the inputs; every output cell is one window of the reversed kernel at stride 1." },
  scatter: { label: "Scatter", draw: scatterView, about: "Every input adds the kernel, times its value, to the output. This is the definition." },
  phases: { label: "Phases", draw: phasesView, about: "Output cells that lie a stride apart share their taps: a small convolution each, with no zeros in it." },
  forward: { label: "Forward", draw: forwardView, about: "The convolution that is transposed: it goes from the output's size to the input's, and its padding decides everything." },
  overlap: { label: "Overlap", draw: overlapView, about: "How many products reach each output cell. Uneven counts are what checkerboards grow from." },
};

/** What a focus says about itself, and the sum behind it. */
function account(plane, view, focus) {
  if (focus.phase) {
    const [p, q] = focus.phase;
    const taps = phaseTaps(plane.rows)[p].length * phaseTaps(plane.columns)[q].length;
    return { head: `y[${p}::${plane.rows.stride}, ${q}::${plane.columns.stride}]`, sum: taps ? `${plural(taps, "product")} a cell` : "holes that stay 0" };
  }
  if (focus.input) {
    const [j, m] = focus.input;
    const reached = reachOf(plane, focus.input);
    const kept = reached.filter(({ to: [t, u] }) => t >= 0 && t < plane.rows.output && u >= 0 && u < plane.columns.output);
    if (view === "forward") {
      const terms = kept.map(({ to: [t, u], weight }) => `${plane.image[t][u]}·${factor(weight)}`);
      return { head: `forward[${j}, ${m}]`, sum: equation(terms, plane.forward[j][m]) };
    }
    const lost = reached.length - kept.length;
    return { head: `x[${j}, ${m}] = ${plane.input[j][m]}`, sum: `times the kernel is added to ${plural(kept.length, "output cell")}${lost ? `; ${plural(lost, "product")} dropped` : ""}` };
  }
  const [t, u] = focus.output;
  const terms = termsOf(plane, focus.output);
  if (view === "forward") {
    const taps = terms.map(({ from, tap }) => `forward[${from.join(", ")}] by w[${tap.join(", ")}]`);
    return { head: `image[${t}, ${u}] = ${plane.image[t][u]}`, sum: `is read by ${plural(terms.length, "window")}`, detail: taps.join(", ") };
  }
  if (view === "overlap") return { head: `y[${t}, ${u}]`, sum: plural(terms.length, "product") };
  return {
    head: `y[${t}, ${u}]`,
    sum: equation(terms.map(({ value, weight }) => `${value}·${factor(weight)}`), plane.output[t][u]),
    detail: terms.map(({ from, tap }) => `x[${from.join(", ")}] w[${tap.join(", ")}]`).join(" + "),
  };
}

function factor(weight) {
  return weight < 0 ? `(${shown(weight)})` : `${weight}`;
}

function equation(terms, total) {
  return terms.length ? `= ${terms.join(" + ")} = ${shown(total)}` : "= 0: no input meets a tap";
}
