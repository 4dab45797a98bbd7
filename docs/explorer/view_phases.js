// Phases: output cells that lie a stride apart have the same taps.

const HUES = 8;

function phasesView(plane, pick) {
  const { rows, columns } = plane;
  const phaseOf = (t, u) => [t % rows.stride, u % columns.stride];
  const hue = ([p, q]) => `phase${(p * columns.stride + q) % HUES}`;
  const down = phaseTaps(rows);
  const across = phaseTaps(columns);
  const tapPhase = (a, b) => [
    down.findIndex((taps) => taps.includes(a)),
    across.findIndex((taps) => taps.includes(b)),
  ];
  const input = inputGrid(plane);
  const kernel = kernelGrid(plane, (a, b) => hue(tapPhase(a, b)));
  const output = outputGrid(plane, pick, (t, u) =>
    down[t % rows.stride].length && across[u % columns.stride].length ? hue(phaseOf(t, u)) : "gap",
  );
  const phases = cellsOf(rows.stride, columns.stride);
  const parts = element(
    "ul",
    { class: "parts", "aria-label": "the kernel of each phase" },
    ...phases.map(([p, q]) => {
      const [taps, others] = [down[p], across[q]];
      const table = element(
        "table",
        {},
        ...taps.map((a) =>
          element(
            "tr",
            {},
            ...others.map((b) => element("td", { class: hue([p, q]) }, shown(plane.kernel[a][b]))),
          ),
        ),
      );
      const empty = !taps.length || !others.length;
      return element(
        "li",
        { "data-phase": `${p},${q}` },
        element("code", {}, `[${p}::${rows.stride}, ${q}::${columns.stride}]`),
        empty ? element("p", {}, "no taps: holes that stay 0") : table,
      );
    }),
  );
  return {
    grids: [input, kernel, output],
    extra: element(
      "figure",
      { class: "wide" },
      element(
        "figcaption",
        {},
        element("b", {}, "a smaller kernel for each phase"),
        ` ${plural(rows.stride * columns.stride, "phase")}`,
      ),
      parts,
    ),
    frames: phases
      .filter(([p, q]) => p < rows.output && q < columns.output)
      .map((phase) => ({ phase })),
    show(focus) {
      const phase = focus.phase ?? phaseOf(...focus.output);
      const same = ([t, u]) => phaseOf(t, u).join() === phase.join();
      output.mark("seen", cellsOf(rows.output, columns.output).filter(same));
      kernel.mark(
        "seen",
        down[phase[0]].flatMap((a) => across[phase[1]].map((b) => [a, b])),
      );
      for (const part of parts.children)
        part.classList.toggle("current", part.dataset.phase === phase.join());
      if (focus.output)
        markTerms({ output, input, kernel }, focus.output, termsOf(plane, focus.output));
    },
  };
}
