// Zero insertion: a convolution at stride 1 of the padded input with the reversed kernel.

function zeroInsertionView(plane, pick) {
  const { rows, columns } = plane;
  // Cells that a negative lead or trail crops stay in the picture, apart from what is convolved.
  const [top, left] = [Math.max(-rows.lead, 0), Math.max(-columns.lead, 0)];
  const extent = (axis) =>
    Math.max(axis.lead, 0) + (axis.input - 1) * axis.stride + 1 + Math.max(axis.trail, 0);
  const place = (axis, at) => {
    const cell = at - Math.max(axis.lead, 0);
    const last = (axis.input - 1) * axis.stride;
    if (cell < -axis.lead || cell > last + axis.trail) return { kind: "cropped", cell };
    if (cell < 0) return { kind: "lead", cell };
    if (cell > last) return { kind: "trail", cell };
    return { kind: cell % axis.stride ? "inserted" : "value", cell };
  };
  const valueAt = (down, across) => plane.input[down / rows.stride]?.[across / columns.stride] ?? 0;
  const zeros = [zerosInWords(rows, "above", "below"), zerosInWords(columns, "left", "right")].join(
    "; ",
  );
  const padded = new Grid({
    title: "padded input",
    name: `padded input: ${zeros}`,
    height: extent(rows),
    width: extent(columns),
    size: [rows, columns].map((axis) => axis.output + axis.reach - 1),
    note: `zeros: ${zeros}`,
    cell: (row, column) => {
      const [down, across] = [place(rows, row), place(columns, column)];
      const kinds = [down.kind, across.kind];
      const role =
        ["cropped", "lead", "trail", "inserted"].find((kind) => kinds.includes(kind)) ?? "value";
      return { text: shown(valueAt(down.cell, across.cell)), role };
    },
  });
  const reversed = new Grid({
    title: "reversed kernel",
    name: `reversed kernel, ${rows.reach} by ${columns.reach}`,
    height: rows.reach,
    width: columns.reach,
    cell: (row, column) => {
      const tap = row % rows.dilation === 0 && column % columns.dilation === 0;
      if (!tap) return { text: "", role: "gap" };
      const [a, b] = [
        rows.kernel - 1 - row / rows.dilation,
        columns.kernel - 1 - column / columns.dilation,
      ];
      return { text: shown(plane.kernel[a][b]), role: "kernel" };
    },
  });
  const output = outputGrid(plane, pick);
  const onPadded = ([j, m]) => [
    j * rows.stride + rows.lead + top,
    m * columns.stride + columns.lead + left,
  ];
  const onReversed = ([a, b]) => [
    (rows.kernel - 1 - a) * rows.dilation,
    (columns.kernel - 1 - b) * columns.dilation,
  ];
  return {
    grids: [padded, reversed, output],
    frames: cellsOf(rows.output, columns.output).map((cell) => ({ output: cell })),
    show({ output: cell }, done) {
      const terms = termsOf(plane, cell);
      const [row, column] = [cell[0] + top, cell[1] + left];
      padded.mark(
        "seen",
        cellsOf(rows.kernel, columns.kernel).map(([a, b]) => [
          row + a * rows.dilation,
          column + b * columns.dilation,
        ]),
      );
      padded.frame("window", [row, column], rows.reach, columns.reach);
      padded.mark(
        "hit",
        terms.map(({ from }) => onPadded(from)),
      );
      reversed.mark(
        "hit",
        terms.map(({ tap }) => onReversed(tap)),
      );
      output.choose(cell);
      if (done !== null)
        output.mark("pending", cellsOf(rows.output, columns.output).slice(done + 1));
    },
  };
}
