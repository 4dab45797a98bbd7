// The numbers of a call: those that `tf-tconv explain` takes where none are given.

/** Rows of values counting up from the first. */
function ramp(height, width, first) {
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: width }, (_, column) => first + row * width + column),
  );
}

/** A kernel that counts up, with 2 in its centre. */
function rampKernel(height, width) {
  return ramp(height, width, 2 - (Math.floor(height / 2) * width + Math.floor(width / 2)));
}

function zeros(height, width) {
  return Array.from({ length: height }, () => new Array(width).fill(0));
}

/** Every [row, column] of a plane. */
function cellsOf(height, width) {
  return Array.from({ length: height * width }, (_, at) => [Math.floor(at / width), at % width]);
}

/** The two axes with input, kernel, output and what the forward convolution makes of an image. */
function computePlane([rows, columns]) {
  const input = ramp(rows.input, columns.input, 1);
  const kernel = rampKernel(rows.kernel, columns.kernel);
  const output = zeros(rows.output, columns.output);
  // Digits, so that the sums of large kernels still fit into a cell.
  const image = ramp(rows.output, columns.output, 0).map((row) =>
    row.map((value) => (value % 9) + 1),
  );
  const forward = zeros(rows.input, columns.input);
  const plane = { rows, columns, input, kernel, output, image, forward };
  for (const cell of cellsOf(rows.output, columns.output)) {
    const [t, u] = cell;
    for (const {
      from: [j, m],
      product,
      weight,
    } of termsOf(plane, cell)) {
      output[t][u] += product;
      forward[j][m] += image[t][u] * weight;
    }
  }
  return plane;
}

/** The products behind one output cell: from which input, by which tap. */
function termsOf({ rows, columns, input, kernel }, [t, u]) {
  const across = contributions(columns, u);
  return contributions(rows, t).flatMap(([j, a]) =>
    across.map(([m, b]) => ({
      from: [j, m],
      tap: [a, b],
      value: input[j][m],
      weight: kernel[a][b],
      product: input[j][m] * kernel[a][b],
    })),
  );
}

/** The output cells that one input cell reaches, each by a tap. */
function reachOf({ rows, columns, kernel }, [j, m]) {
  return cellsOf(rows.kernel, columns.kernel).map(([a, b]) => ({
    to: [outputIndex(rows, j, a), outputIndex(columns, m, b)],
    tap: [a, b],
    weight: kernel[a][b],
  }));
}

/** The sum of the entrywise products of two planes. */
function inner(one, other) {
  return one.flat().reduce((total, value, at) => total + value * other.flat()[at], 0);
}
