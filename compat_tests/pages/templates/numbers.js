// Arrays that differ from the truth, a plane at a time.

/** Shape and elements of "1x2x2x1:1 2 3 4". */
function readArray(packed) {
  const [shape, elements] = packed.split(":");
  return {
    shape: shape ? shape.split("x").map(Number) : [],
    elements: elements ? elements.split(" ") : [],
  };
}

/** Names of an array's axes, and which two of them a table shows. */
function axesOf(part, rank) {
  if (rank !== 4) {
    const names = Array.from({ length: rank }, (_, axis) => `axis ${axis}`);
    return { names, rows: rank - 2, columns: rank - 1 };
  }
  if (part === "dw" || part === "ddw") {
    return { names: ["row", "column", "output channel", "input channel"], rows: 0, columns: 1 };
  }
  return { names: ["batch", "row", "column", "channel"], rows: 1, columns: 2 };
}

/** The element at an index; undefined outside the array. */
function elementAt(array, index) {
  let flat = 0;
  for (let axis = 0; axis < array.shape.length; axis++) {
    if (index[axis] < 0 || index[axis] >= array.shape[axis]) return undefined;
    flat = flat * array.shape[axis] + index[axis];
  }
  return array.elements[flat];
}

/** Every index into the larger of two arrays of the same rank. */
function* indices(shape) {
  const total = shape.reduce((product, size) => product * size, 1);
  for (let flat = 0; flat < total; flat++) {
    let rest = flat;
    const index = new Array(shape.length);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    yield index;
  }
}

/** The two arrays beside each other, with choices for the axes that a table has no room for. */
function numbersView(part, packedFound, packedRight) {
  const found = readArray(packedFound);
  const right = readArray(packedRight);
  const view = make("div", { className: "numbers" });
  if (found.shape.length !== right.shape.length) {
    view.append(plane(found, right, "found", part, []), plane(right, found, "should be", part, []));
    return view;
  }
  const { names, rows, columns } = axesOf(part, right.shape.length);
  const larger = right.shape.map((size, axis) => Math.max(size, found.shape[axis]));
  const differing = [...indices(larger)].filter(
    (index) => elementAt(found, index) !== elementAt(right, index),
  );
  const slice = differing.length ? [...differing[0]] : larger.map(() => 0);
  const choices = make("div", { className: "slices" });
  const tables = make("div", { className: "planes" });
  const draw = () =>
    tables.replaceChildren(
      plane(found, right, "found", part, slice),
      plane(right, found, "should be", part, slice),
    );
  larger.forEach((size, axis) => {
    if (axis === rows || axis === columns || size < 2) return;
    const select = make("select");
    for (let n = 0; n < size; n++) {
      const mark = differing.some((index) => index[axis] === n) ? " ≠" : "";
      select.append(make("option", { value: String(n), selected: n === slice[axis] }, `${n}${mark}`));
    }
    select.addEventListener("change", () => {
      slice[axis] = Number(select.value);
      draw();
    });
    choices.append(make("label", {}, `${names[axis]} `, select));
  });
  draw();
  view.append(choices, tables);
  return view;
}

/** One plane of an array as a table; elements that the other array has otherwise stand out. */
function plane(array, other, title, part, slice) {
  const rank = array.shape.length;
  const { rows, columns } = axesOf(part, rank);
  const [height, width] = [rank > 1 ? array.shape[rows] : 1, rank ? array.shape[columns] : 1];
  const head = make("tr", {}, make("td"));
  for (let x = 0; x < width; x++) head.append(make("th", { scope: "col" }, String(x)));
  const body = make("tbody");
  for (let y = 0; y < height; y++) {
    const row = make("tr", {}, make("th", { scope: "row" }, String(y)));
    for (let x = 0; x < width; x++) {
      const index = array.shape.map((_, axis) => slice[axis] || 0);
      if (rank > 1) index[rows] = y;
      if (rank) index[columns] = x;
      const value = elementAt(array, index);
      const same = rank === other.shape.length && elementAt(other, index) === value;
      row.append(make("td", { className: same ? "" : "differs" }, value ?? ""));
    }
    body.append(row);
  }
  const shape = `${title}, ${array.elements.length ? "" : "empty, "}shape ${array.shape.join(" × ") || "()"}`;
  const table = make("table", {}, make("caption", {}, shape), make("thead", {}, head), body);
  return make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": shape }, table);
}
