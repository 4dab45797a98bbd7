// The padding asymmetry rule of one axis, as tf_tconv/geometry.py states and derives it.
//
// A setting is {input, kernel, stride, dilation, padding}, where padding is "SAME", "VALID" or
// [before, after], and size, the output size, or null for Keras' default.

/** k' = (k - 1) d + 1: cells from a kernel's first tap to its last. */
function effectiveKernel({ kernel, dilation }) {
  return (kernel - 1) * dilation + 1;
}

/** o - (i - 1) s of the smallest legal output. */
function lowestSurplus(setting, padding = setting.padding) {
  if (padding === "SAME") return 1;
  const [before, after] = padding === "VALID" ? [0, 0] : padding;
  return effectiveKernel(setting) - before - after;
}

/** Every output size whose forward convolution gives back the input size. */
function legalSizes(setting) {
  const lowest = (setting.input - 1) * setting.stride + lowestSurplus(setting);
  const sizes = Array.from({ length: setting.stride }, (_, more) => lowest + more);
  return sizes.filter((size) => size >= 0);
}

/** o - (i - 1) s where no size is given, by Keras' formulas. */
function defaultSurplus(setting, padding = setting.padding, outputPadding = null) {
  const reach = effectiveKernel(setting);
  if (padding === "SAME")
    return outputPadding === null ? setting.stride : (reach % 2) + outputPadding;
  const lowest = lowestSurplus(setting, padding);
  return lowest + (outputPadding === null ? Math.max(setting.stride - reach, 0) : outputPadding);
}

function defaultSize(setting) {
  return Math.max((setting.input - 1) * setting.stride + defaultSurplus(setting), 0);
}

/** What the forward convolution pads, [before, after]: SAME puts the smaller half first. */
function splitPadding(setting, surplus, padding = setting.padding) {
  if (padding !== "SAME") return padding === "VALID" ? [0, 0] : padding;
  const total = Math.max(effectiveKernel(setting) - surplus, 0);
  const before = Math.floor(total / 2);
  return [before, total - before];
}

/** The [before, after] that reaches a size by the least change of the padding, or null. */
function nearestPadding(setting, size) {
  const legal = legalSizes(setting);
  const held = Math.min(Math.max(size, legal[0]), legal.at(-1));
  const [before, after] = splitPadding(setting, held - (setting.input - 1) * setting.stride);
  const unpadded = legalSizes({ ...setting, padding: "VALID" });
  const [least, most] = [Math.max(unpadded[0] - size, 0), unpadded.at(-1) - size];
  if (most < 0) return null;
  const now = before + after;
  const total = Math.min(Math.max(now, least), most);
  // What is added or taken away makes both sides as equal as it can, the smaller one first.
  const low = total >= now ? before : Math.max(total - after, 0);
  const high = total >= now ? before + total - now : Math.min(before, total);
  const first = Math.min(Math.max(Math.floor(total / 2), low), high);
  return [first, total - first];
}

/** The setting with all that follows from it. */
function solveAxis(setting) {
  const output = setting.size ?? defaultSize(setting);
  const surplus = output - (setting.input - 1) * setting.stride;
  const [padBefore, padAfter] = splitPadding(setting, surplus);
  const reach = effectiveKernel(setting);
  const lead = reach - 1 - padBefore;
  const trail = surplus - 1 + padBefore;
  return { ...setting, output, surplus, padBefore, padAfter, reach, lead, trail };
}

/** The cell that x[input] w[tap] is added to, if the output has it. */
function outputIndex(axis, input, tap) {
  return input * axis.stride + tap * axis.dilation - axis.padBefore;
}

/** The pairs [input, tap] whose products make one output cell. */
function contributions(axis, cell) {
  const pairs = [];
  for (let tap = axis.kernel - 1; tap >= 0; tap--) {
    const place = cell + axis.padBefore - tap * axis.dilation;
    const input = place / axis.stride;
    if (Number.isInteger(input) && input >= 0 && input < axis.input) pairs.push([input, tap]);
  }
  return pairs;
}

/** How many products reach each output cell. */
function overlapCounts(axis) {
  return Array.from({ length: axis.output }, (_, cell) => contributions(axis, cell).length);
}

/** The taps that reach each phase of the output: cells that lie a stride apart. */
function phaseTaps(axis) {
  const phases = Array.from({ length: axis.stride }, () => []);
  for (let tap = 0; tap < axis.kernel; tap++) {
    const cell = outputIndex(axis, 0, tap);
    phases[((cell % axis.stride) + axis.stride) % axis.stride].push(tap);
  }
  return phases;
}

/** The fewest products a cell gets over the most, away from the borders. */
function evenness(axis) {
  const products = phaseTaps(axis).map((taps) => taps.length);
  return Math.min(...products) / Math.max(...products);
}

/** The kernel sizes nearest to the axis' own that cover the output evenly. */
function evenKernelSizes(axis) {
  const even = (kernel) => kernel > 0 && evenness({ ...axis, kernel }) === 1;
  if (even(axis.kernel)) return [axis.kernel];
  const steps = Array.from({ length: axis.stride - 1 }, (_, index) => index + 1);
  const nearest = [-1, 1].map((sign) => steps.map((step) => axis.kernel + sign * step).find(even));
  return nearest.filter((kernel) => kernel !== undefined);
}
