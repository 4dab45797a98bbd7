// The rule of the axes shown, as a table and as a sentence.

function drawRule(axes, state) {
  const shown = state.linked
    ? [["each axis", axes[0]]]
    : [
        ["rows", axes[0]],
        ["columns", axes[1]],
      ];
  const heads = ["", "k′", "P", "p0", "lead", "between", "trail", "i → o"];
  const title = {
    "k′": "effective kernel",
    P: "what the forward convolution pads",
    p0: "of it before the first cell",
    lead: "zeros before",
    between: "zeros between inputs",
    trail: "zeros after",
  };
  byId("rule").replaceChildren(
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        ...heads.map((head) => element("th", { scope: "col", title: title[head] ?? null }, head)),
      ),
    ),
    element(
      "tbody",
      {},
      ...shown.map(([name, axis]) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, name),
          ...[
            axis.reach,
            axis.padBefore + axis.padAfter,
            axis.padBefore,
            axis.lead,
            axis.stride - 1,
            axis.trail,
          ].map((value) => element("td", {}, `${value}`.replace("-", MINUS))),
          element("td", {}, `${axis.input} → ${axis.output}`),
        ),
      ),
    ),
  );
  byId("said").textContent = shown.map(([name, axis]) => sayRule(name, axis, state.mode)).join(" ");
}

/** The asymmetry of one axis in a sentence. */
function sayRule(name, axis, mode) {
  const padded = `${axis.padBefore} before and ${axis.padAfter} after`;
  const total = axis.padBefore + axis.padAfter;
  const before = axis.lead < 0 ? `${-axis.lead} cropped` : plural(axis.lead, "zero");
  const after = axis.trail < 0 ? `${-axis.trail} cropped` : axis.trail;
  const start = name === "each axis" ? "" : `${name[0].toUpperCase()}${name.slice(1)}: `;
  if (mode === "SAME" && total % 2) {
    return (
      `${start}The forward convolution pads ${total}, an odd number: ${padded}, the odd one at the ` +
      `end. So its transpose has its odd zero at the beginning: ${before} before, ${after} after.`
    );
  }
  return (
    `${start}The forward convolution pads ${padded}; ` +
    `the transpose has ${before} before, ${after} after.`
  );
}
