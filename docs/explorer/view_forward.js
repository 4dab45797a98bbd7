// The forward convolution, from an image of the output's size to the input's.

function forwardView(plane, pick) {
  const { rows, columns } = plane;
  const [top, left] = [rows.padBefore, columns.padBefore];
  const extent = (axis) =>
    Math.max(
      axis.output + axis.padBefore + axis.padAfter,
      (axis.input - 1) * axis.stride + axis.reach,
    );
  const inside = (row, column) =>
    row >= top && row < top + rows.output && column >= left && column < left + columns.output;
  const padding =
    `${rows.padBefore} above, ${rows.padAfter} below; ` +
    `${columns.padBefore} left, ${columns.padAfter} right`;
  const image = new Grid({
    title: "padded image",
    name: `image of the output's size, padded: ${padding}: arrow keys choose a cell`,
    height: extent(rows),
    width: extent(columns),
    note: `zeros: ${padding}`,
    pick: (cell, how) =>
      pick(cell && (inside(...cell) ? { output: [cell[0] - top, cell[1] - left] } : null), how),
    cell: (row, column) => {
      if (!inside(row, column))
        return {
          text: "0",
          role: row < top || column < left ? "lead" : "trail",
          said: "padding",
        };
      const value = plane.image[row - top][column - left];
      return {
        text: `${value}`,
        role: "output",
        said: `image ${row - top}, ${column - left}: ${value}`,
      };
    },
  });
  const kernel = kernelGrid(plane);
  const result = new Grid({
    title: "forward",
    name: `result, ${rows.input} by ${columns.input}: arrow keys choose a cell`,
    height: rows.input,
    width: columns.input,
    note: "the size of the transposed convolution's input",
    pick: (cell, how) => pick(cell && { input: cell }, how),
    cell: (j, m) => ({
      text: shown(plane.forward[j][m]),
      role: "value",
      said: `result ${j}, ${m}: ${plane.forward[j][m]}`,
    }),
  });
  const [there, back] = [inner(plane.forward, plane.input), inner(plane.image, plane.output)].map(
    shown,
  );
  return {
    grids: [image, kernel, result],
    extra: element(
      "p",
      { class: "law" },
      `With x and y of the other views: ⟨forward, x⟩ = ${there} and ⟨image, y⟩ = ${back}. ` +
        "That the two are equal, for every image and every x, is what “transposed” means.",
    ),
    frames: cellsOf(rows.input, columns.input).map((cell) => ({ input: cell })),
    show(focus, done) {
      if (focus.input) {
        const [j, m] = focus.input;
        image.frame("window", [j * rows.stride, m * columns.stride], rows.reach, columns.reach);
        image.mark(
          "hit",
          reachOf(plane, focus.input).map(({ to: [t, u] }) => [t + top, u + left]),
        );
        result.choose(focus.input);
        if (done !== null)
          result.mark("pending", cellsOf(rows.input, columns.input).slice(done + 1));
      } else if (focus.output) {
        const [t, u] = focus.output;
        markTerms(
          { output: image, input: result, kernel },
          [t + top, u + left],
          termsOf(plane, focus.output),
        );
      }
    },
  };
}
