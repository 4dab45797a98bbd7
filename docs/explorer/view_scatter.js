// Scatter: every input adds the kernel to the output, and what falls outside is dropped.

function scatterView(plane, pick) {
  const { rows, columns } = plane;
  const input = inputGrid(plane, (cell, how) => pick(cell && { input: cell }, how));
  const kernel = kernelGrid(plane);
  const span = (axis) =>
    Math.max((axis.input - 1) * axis.stride + axis.reach, axis.output + axis.padBefore);
  const [top, left] = [rows.padBefore, columns.padBefore];
  const inside = ([row, column]) =>
    row >= top && row < top + rows.output && column >= left && column < left + columns.output;
  const inputs = cellsOf(rows.input, columns.input);
  // What has been added to each cell of the canvas once so many inputs were.
  const sums = (count) => {
    const canvas = zeros(span(rows), span(columns));
    for (const cell of inputs.slice(0, count)) {
      for (const {
        to: [t, u],
        weight,
      } of reachOf(plane, cell))
        canvas[t + top][u + left] += plane.input[cell[0]][cell[1]] * weight;
    }
    return canvas;
  };
  const whole = sums(inputs.length);
  const canvas = new Grid({
    title: "output",
    name:
      `output with what is dropped around it, ${span(rows)} by ${span(columns)}: ` +
      "arrow keys choose a cell",
    height: span(rows),
    width: span(columns),
    note:
      span(rows) * span(columns) > rows.output * columns.output
        ? "outside of the frame: dropped"
        : "",
    pick: (cell, how) =>
      pick(cell && (inside(cell) ? { output: [cell[0] - top, cell[1] - left] } : null), how),
    cell: (row, column) => ({
      text: shown(whole[row][column]),
      role: inside([row, column]) ? "output" : "dropped",
      said: inside([row, column])
        ? `output ${row - top}, ${column - left}: ${whole[row][column]}`
        : `dropped: ${whole[row][column]}`,
    }),
  });
  const rewrite = (values) =>
    cellsOf(canvas.height, canvas.width).forEach(([row, column]) =>
      canvas.write(row, column, shown(values[row][column])),
    );
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
        canvas.mark(
          "hit",
          reachOf(plane, focus.input).map(({ to: [t, u] }) => [t + top, u + left]),
        );
        canvas.frame("window", [j * rows.stride, m * columns.stride], rows.reach, columns.reach);
      } else if (focus.output) {
        const [t, u] = focus.output;
        markTerms(
          { output: canvas, input, kernel },
          [t + top, u + left],
          termsOf(plane, focus.output),
        );
      }
    },
  };
}
