// Numbers and counts as text.

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

function factor(weight) {
  return weight < 0 ? `(${shown(weight)})` : `${weight}`;
}

function equation(terms, total) {
  return terms.length ? `= ${terms.join(" + ")} = ${shown(total)}` : "= 0: no input meets a tap";
}
