// What several views have in common.

function inputGrid(plane, pick) {
  return new Grid({
    title: "input",
    name: `input, ${plane.rows.input} by ${plane.columns.input}`,
    height: plane.rows.input,
    width: plane.columns.input,
    pick,
    cell: (j, m) => ({
      text: shown(plane.input[j][m]),
      role: "value",
      said: `input ${j}, ${m}: ${plane.input[j][m]}`,
    }),
  });
}

function kernelGrid(plane, role = () => "kernel") {
  return new Grid({
    title: "kernel",
    name: `kernel, ${plane.rows.kernel} by ${plane.columns.kernel}`,
    height: plane.rows.kernel,
    width: plane.columns.kernel,
    cell: (a, b) => ({ text: shown(plane.kernel[a][b]), role: role(a, b) }),
  });
}

function outputGrid(plane, pick, role = () => "output", note = "") {
  return new Grid({
    title: "output",
    name: `output, ${plane.rows.output} by ${plane.columns.output}: arrow keys choose a cell`,
    height: plane.rows.output,
    width: plane.columns.output,
    pick,
    note,
    cell: (t, u) => ({
      text: shown(plane.output[t][u]),
      role: role(t, u),
      said: `output ${t}, ${u}: ${plane.output[t][u]}`,
    }),
  });
}

/** Marks an output cell that terms end in, with the inputs and taps they begin with. */
function markTerms({ output, input, kernel }, cell, terms) {
  output.choose(cell);
  input?.mark(
    "hit",
    terms.map(({ from }) => from),
  );
  kernel?.mark(
    "hit",
    terms.map(({ tap }) => tap),
  );
}
