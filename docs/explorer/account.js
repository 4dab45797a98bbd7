// The sum behind what is pointed at.

/** What a focus says about itself, and the sum behind it. */
function account(plane, view, focus) {
  if (focus.phase) {
    const [p, q] = focus.phase;
    const taps = phaseTaps(plane.rows)[p].length * phaseTaps(plane.columns)[q].length;
    return {
      head: `y[${p}::${plane.rows.stride}, ${q}::${plane.columns.stride}]`,
      sum: taps ? `${plural(taps, "product")} a cell` : "holes that stay 0",
    };
  }
  if (focus.input) {
    const [j, m] = focus.input;
    const reached = reachOf(plane, focus.input);
    const kept = reached.filter(
      ({ to: [t, u] }) => t >= 0 && t < plane.rows.output && u >= 0 && u < plane.columns.output,
    );
    if (view === "forward") {
      const terms = kept.map(({ to: [t, u], weight }) => `${plane.image[t][u]}·${factor(weight)}`);
      return { head: `forward[${j}, ${m}]`, sum: equation(terms, plane.forward[j][m]) };
    }
    const lost = reached.length - kept.length;
    const dropped = lost ? `; ${plural(lost, "product")} dropped` : "";
    return {
      head: `x[${j}, ${m}] = ${plane.input[j][m]}`,
      sum: `times the kernel is added to ${plural(kept.length, "output cell")}${dropped}`,
    };
  }
  const [t, u] = focus.output;
  const terms = termsOf(plane, focus.output);
  if (view === "forward") {
    const taps = terms.map(
      ({ from, tap }) => `forward[${from.join(", ")}] by w[${tap.join(", ")}]`,
    );
    return {
      head: `image[${t}, ${u}] = ${plane.image[t][u]}`,
      sum: `is read by ${plural(terms.length, "window")}`,
      detail: taps.join(", "),
    };
  }
  if (view === "overlap") return { head: `y[${t}, ${u}]`, sum: plural(terms.length, "product") };
  return {
    head: `y[${t}, ${u}]`,
    sum: equation(
      terms.map(({ value, weight }) => `${value}·${factor(weight)}`),
      plane.output[t][u],
    ),
    detail: terms.map(({ from, tap }) => `x[${from.join(", ")}] w[${tap.join(", ")}]`).join(" + "),
  };
}
