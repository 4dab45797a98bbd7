// One axis as wires from input to output: the convolution downwards, its transpose upwards.

const WIRE_CELL = 34;
const WIRE_GAP = 74;

/** The picture of one axis, with `light` to light the wires of an output or input cell. */
function drawWires(name, axis) {
  const first = -axis.padBefore;
  const last = Math.max(
    axis.output + axis.padAfter,
    (axis.input - 1) * axis.stride + axis.reach - axis.padBefore,
  );
  const width = (last - first) * WIRE_CELL;
  const outputX = (cell) => (cell - first + 0.5) * WIRE_CELL;
  // Every input stands under the middle of its window.
  const inputX = (cell) => outputX(cell * axis.stride - axis.padBefore + (axis.reach - 1) / 2);
  const low = Math.min(0, inputX(0) - WIRE_CELL / 2);
  const high = Math.max(width, inputX(axis.input - 1) + WIRE_CELL / 2);
  const bottom = WIRE_CELL + WIRE_GAP;
  const wires = [];
  const group = element("svg:g", {});
  for (let input = 0; input < axis.input; input++) {
    for (let tap = 0; tap < axis.kernel; tap++) {
      const output = outputIndex(axis, input, tap);
      const kept = output >= 0 && output < axis.output;
      const wire = element("svg:line", {
        class: kept ? "wire" : "wire lost",
        x1: inputX(input),
        y1: bottom,
        x2: outputX(output),
        y2: WIRE_CELL,
      });
      wires.push({ wire, output, input });
      group.append(wire);
    }
  }
  const box = (x, y, text, role) =>
    element(
      "svg:g",
      { class: `cell ${role}`, transform: `translate(${x - WIRE_CELL / 2} ${y})` },
      element("svg:rect", { width: WIRE_CELL, height: WIRE_CELL }),
      element("svg:text", { x: WIRE_CELL / 2, y: WIRE_CELL / 2, "font-size": 13 }, text),
    );
  const outputs = new Map();
  for (let cell = first; cell < last; cell++) {
    const role = cell < 0 ? "lead" : cell >= axis.output ? "trail" : "output";
    outputs.set(cell, box(outputX(cell), 0, role === "output" ? `${cell}` : "0", role));
  }
  const inputs = Array.from({ length: axis.input }, (_, cell) =>
    box(inputX(cell), bottom, `${cell}`, "value"),
  );
  const picture = element(
    "svg:svg",
    {
      viewBox: `${low - 2} -2 ${high - low + 4} ${bottom + WIRE_CELL + 4}`,
      role: "img",
      "aria-label":
        `${name}: ${plural(axis.output, "output cell")} above, ` +
        `${plural(axis.input, "input cell")} below, each joined to its window by ` +
        `${plural(axis.kernel, "tap")}; the forward convolution pads ${axis.padBefore} before ` +
        `and ${axis.padAfter} after`,
    },
    group,
    ...outputs.values(),
    ...inputs,
  );
  const figure = element(
    "figure",
    { class: "wires" },
    element("figcaption", {}, element("b", {}, name), ` ${axis.input} → ${axis.output}`),
    element(
      "div",
      {
        class: "scroll",
        tabindex: 0,
        role: "group",
        "aria-label": `wires of the ${name}`,
        style: `--cells: ${(high - low) / WIRE_CELL}`,
      },
      picture,
    ),
  );
  const light = (chosen) => {
    for (const shape of [...outputs.values(), ...inputs]) shape.classList.remove("hit");
    for (const { wire, output, input } of wires) {
      const lit = chosen?.output === output || chosen?.input === input;
      wire.classList.toggle("lit", lit);
      if (!lit) continue;
      for (const shape of [outputs.get(output), inputs[input]]) {
        shape.classList.add("hit");
        shape.parentNode.append(shape); // Above its neighbours.
      }
    }
  };
  return { figure, light };
}
