// What the page shows, and its address: k=3,5 means 3 taps down and 5 across.

const RANGES = {
  input: { letter: "i", label: "Input", lowest: 1, highest: 8, usual: 3, unit: "cell" },
  kernel: { letter: "k", label: "Kernel", lowest: 1, highest: 7, usual: 3, unit: "tap" },
  stride: { letter: "s", label: "Stride", lowest: 1, highest: 5, usual: 2, unit: "cell" },
  dilation: { letter: "d", label: "Dilation", lowest: 1, highest: 3, usual: 1, unit: "cell" },
};
const MODES = ["SAME", "VALID", "EXPLICIT"];
const MOST_PADDING = 6;

function usualState() {
  const axis = () => ({
    ...Object.fromEntries(Object.entries(RANGES).map(([name, { usual }]) => [name, usual])),
    pads: [0, 0],
    size: null,
  });
  return { linked: true, mode: "SAME", axes: [axis(), axis()], view: "zeros", cell: null };
}

/** One axis of a state as a setting of the rule. */
function settingOf(state, at) {
  const { pads, ...axis } = state.axes[state.linked ? 0 : at];
  return { ...axis, padding: state.mode === "EXPLICIT" ? pads : state.mode };
}

/** Sizes to choose from: an output without cells is legal, but nothing to look at. */
function sizesOf(setting) {
  return legalSizes(setting).filter((size) => size > 0);
}

/** Cells that explicit padding may take off one side, so that at least one output cell stays. */
function mostPadding(axis, side) {
  const span = (axis.input - 1) * axis.stride + effectiveKernel(axis) + axis.stride - 1;
  return Math.min(MOST_PADDING, span - 1 - axis.pads[1 - side]);
}

/** What reaches a size that the setting does not, in words; nothing that the page cannot show. */
function wayTo(setting, size) {
  const sides = nearestPadding(setting, size);
  if (!sides) {
    const most = legalSizes({ ...setting, padding: "VALID" }).at(-1);
    return ` No padding gives more than ${most}: it takes a larger kernel.`;
  }
  for (const padding of ["SAME", "VALID"]) {
    const named = { ...setting, padding, size };
    const { padBefore, padAfter } = solveAxis(named);
    if (sizesOf(named).includes(size) && `${[padBefore, padAfter]}` === `${sides}`)
      return ` Padding ${padding} reaches ${size}.`;
  }
  if (Math.max(...sides) > MOST_PADDING) return "";
  return ` Padding ${sides[0]} before and ${sides[1]} after reaches ${size}.`;
}

/** Puts a state in order, and says what had to be changed for it. */
function settle(state) {
  const notes = [];
  for (const [at, axis] of state.axes.entries()) {
    if (state.mode === "EXPLICIT") {
      for (const side of [0, 1])
        axis.pads[side] = Math.min(axis.pads[side], Math.max(mostPadding(axis, side), 0));
    }
    const setting = { ...axis, padding: state.mode === "EXPLICIT" ? axis.pads : state.mode };
    const sizes = sizesOf(setting);
    const usual = defaultSize(setting);
    if (axis.size === usual) axis.size = null;
    if (axis.size !== null && !sizes.includes(axis.size)) {
      if (at === 0 || !state.linked) {
        notes.push(
          `Output size ${axis.size} cannot come from ${plural(axis.input, "cell")}: ` +
            `legal ${sizes.length > 1 ? "are" : "is"} ${sizes.join(", ")}.` +
            wayTo(setting, axis.size),
        );
      }
      axis.size = null;
    }
    // Keras' default may be 0 where a padding takes everything off.
    if (axis.size === null && !sizes.includes(usual)) axis.size = sizes[0];
  }
  if (state.linked) state.axes[1] = { ...state.axes[0], pads: [...state.axes[0].pads] };
  const [rows, columns] = [0, 1].map((at) => solveAxis(settingOf(state, at)));
  if (state.cell) {
    state.cell = [
      Math.min(state.cell[0], rows.output - 1),
      Math.min(state.cell[1], columns.output - 1),
    ];
  }
  return notes;
}

/** The state as the fragment of an address. */
function toFragment(state) {
  const [rows, columns] = state.axes;
  const both = (one, other) => (state.linked ? `${one}` : `${one},${other}`);
  const words = Object.entries(RANGES).map(
    ([name, { letter }]) => `${letter}=${both(rows[name], columns[name])}`,
  );
  const pads = both(rows.pads.join(), columns.pads.join());
  words.push(`p=${state.mode === "EXPLICIT" ? pads : state.mode.toLowerCase()}`);
  if (rows.size !== null || columns.size !== null) {
    const [one, other] = [0, 1].map((at) => solveAxis(settingOf(state, at)).output);
    words.push(`o=${both(one, other)}`);
  }
  if (state.view !== "zeros") words.push(`view=${state.view}`);
  if (state.cell) words.push(`cell=${state.cell.join()}`);
  return `#${words.join("&")}`;
}

/** The state that a fragment means, with what in it could not be read. */
function fromFragment(fragment) {
  const state = usualState();
  const notes = [];
  const words = new URLSearchParams(fragment.replace(/^#/, ""));
  const numbers = (key, lengths, lowest, highest, other = "") => {
    if (!words.has(key)) return null;
    const entries = words.get(key).split(",").map(Number);
    const legal = (entry) => Number.isInteger(entry) && entry >= lowest && entry <= highest;
    if (lengths.includes(entries.length) && entries.every(legal)) return entries;
    notes.push(
      `The address has ${key}=${words.get(key)}; it must be ${other}${lengths.join(" or ")} ` +
        `integer${lengths.at(-1) > 1 ? "s" : ""} from ${lowest} to ${highest}.`,
    );
    return null;
  };
  const unlike = (entries, length) => {
    if (entries.length > length) state.linked = false;
  };
  for (const [name, { letter, lowest, highest }] of Object.entries(RANGES)) {
    const entries = numbers(letter, [1, 2], lowest, highest);
    if (!entries) continue;
    state.axes.forEach((axis, at) => {
      axis[name] = entries[at] ?? entries[0];
    });
    unlike(entries, 1);
  }
  const padding = words.get("p");
  if (padding !== null && MODES.slice(0, 2).includes(padding.toUpperCase())) {
    state.mode = padding.toUpperCase();
  } else if (padding !== null) {
    const entries = numbers("p", [2, 4], 0, MOST_PADDING, "same, valid, or ");
    if (entries) {
      state.mode = "EXPLICIT";
      state.axes.forEach((axis, at) => {
        axis.pads = entries.length > 2 ? entries.slice(2 * at, 2 * at + 2) : [...entries];
      });
      unlike(entries, 2);
    }
  }
  const sizes = numbers("o", [1, 2], 1, 99);
  if (sizes) {
    state.axes.forEach((axis, at) => {
      axis.size = sizes[at] ?? sizes[0];
    });
    unlike(sizes, 1);
  }
  const name = words.get("view");
  if (Object.hasOwn(VIEWS, name)) state.view = name;
  else if (name !== null)
    notes.push(`The address has view=${name}; it must be one of ${Object.keys(VIEWS).join(", ")}.`);
  state.cell = numbers("cell", [2], 0, 99);
  notes.push(...settle(state));
  return { state, notes };
}
