// Overlap: how many products reach each output cell.

function overlapView(plane, pick) {
  const { rows, columns } = plane;
  const [down, across] = [overlapCounts(rows), overlapCounts(columns)];
  const most = Math.max(1, Math.max(...down) * Math.max(...across));
  const counts = new Grid({
    title: "products a cell",
    name: `how many products reach each output cell: arrow keys choose a cell`,
    height: rows.output,
    width: columns.output,
    pick,
    cell: (t, u) => {
      const count = down[t] * across[u];
      return {
        text: `${count}`,
        role: "heat",
        level: count / most,
        said: `output ${t}, ${u}: ${plural(count, "product")}`,
      };
    },
  });
  const [ofRows, ofColumns] = [evennessInWords(rows), evennessInWords(columns)];
  const advice = ofRows === ofColumns ? [ofRows] : [`rows: ${ofRows}`, `columns: ${ofColumns}`];
  return {
    grids: [counts],
    extra: element("ul", { class: "advice" }, ...advice.map((line) => element("li", {}, line))),
    frames: [],
    show(focus) {
      if (focus.output) counts.choose(focus.output);
    },
  };
}

function evennessInWords(axis) {
  const even = evenKernelSizes(axis);
  const score =
    `evenness ${evenness(axis).toFixed(2)} ` +
    "(fewest products of a cell over most, away from the borders)";
  const stride = `at stride ${axis.stride}`;
  if (even.includes(axis.kernel)) return `${score}: kernel ${axis.kernel} is even ${stride}.`;
  if (!even.length) return `${score}: with dilation ${axis.dilation}, no kernel is even ${stride}.`;
  const are = even.length > 1 ? "are kernels" : "is kernel";
  return `${score}: the nearest even ${stride} ${are} ${even.join(" and ")}.`;
}
