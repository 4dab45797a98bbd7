// Grids of numbered cells, as SVG.

const UNIT = 40;
const OUTLINED = ["seen", "hit", "chosen"];
const MARKS = [...OUTLINED, "pending"];

/** A picture of rows and columns of cells, with marks on some of them and frames around others. */
class Grid {
  /**
   * `cell(row, column)` gives {text, role, level, said}: role is a colour, level from 0 to 1 its
   * strength. `name` says what the picture is; `pick`, if any, hears of cells that are pointed at
   * or chosen by key, which makes the picture a grid for assistive technology too. `size` is what
   * the caption says where some of the cells do not count.
   */
  constructor({
    title,
    name,
    height,
    width,
    cell,
    pick = null,
    note = "",
    size = [height, width],
  }) {
    Object.assign(this, { height, width, pick, marked: [] });
    this.shapes = Array.from({ length: height }, () => []);
    this.svg = element("svg:svg", {
      viewBox: `-2 -2 ${width * UNIT + 4} ${height * UNIT + 4}`,
      role: pick ? "grid" : "img",
      "aria-label": name,
      tabindex: pick ? 0 : null,
    });
    const looks = cellsOf(height, width).map(([row, column]) => cell(row, column));
    const longest = Math.max(1, ...looks.map(({ text }) => `${text}`.length));
    this.letters = Math.min(0.42, 1.5 / longest) * UNIT;
    for (let row = 0; row < height; row++) {
      const line = element("svg:g", { role: pick ? "row" : null });
      for (let column = 0; column < width; column++) {
        line.append(this.#draw(row, column, looks[row * width + column]));
      }
      this.svg.append(line);
    }
    this.frames = this.svg.appendChild(element("svg:g", { "aria-hidden": "true" }));
    this.figure = element(
      "figure",
      {},
      element("figcaption", {}, element("b", {}, title), ` ${size.join(" × ")}`),
      element(
        "div",
        {
          class: "scroll",
          style: `--cells: ${width}`,
          tabindex: pick ? null : 0,
          role: pick ? null : "group",
          "aria-label": pick ? null : title,
        },
        this.svg,
      ),
      ...(note ? [element("p", { class: "note" }, note)] : []),
    );
    if (pick) this.#listen();
  }

  #draw(row, column, { text, role, level = null, said = null }) {
    const shape = element("svg:g", {
      class: `cell ${role}`,
      "data-at": `${row},${column}`,
      role: this.pick ? "gridcell" : null,
      "aria-label": this.pick ? (said ?? `${text}`) : null,
      transform: `translate(${column * UNIT} ${row * UNIT})`,
      style: level === null ? null : `--level: ${level.toFixed(3)}`,
    });
    shape.append(element("svg:rect", { width: UNIT, height: UNIT }));
    const label = element("svg:text", {
      x: UNIT / 2,
      y: UNIT / 2,
      "font-size": this.letters.toFixed(1),
    });
    label.textContent = text;
    shape.append(label);
    this.shapes[row].push(shape);
    return shape;
  }

  #listen() {
    const at = (event) => {
      const shape = event.target.closest("[data-at]");
      return shape && shape.dataset.at.split(",").map(Number);
    };
    this.svg.addEventListener("pointerover", (event) => {
      if (event.pointerType === "mouse" && at(event)) this.pick(at(event), "hover");
    });
    this.svg.addEventListener("pointerleave", () => this.pick(null, "hover"));
    this.svg.addEventListener("click", (event) => at(event) && this.pick(at(event), "choose"));
    this.svg.addEventListener("keydown", (event) => {
      const step = {
        ArrowUp: [-1, 0],
        ArrowDown: [1, 0],
        ArrowLeft: [0, -1],
        ArrowRight: [0, 1],
      }[event.key];
      const ends = { Home: 0, End: this.width - 1 };
      const [row, column] = this.current ?? [0, 0];
      const within = (value, size) => Math.min(Math.max(value, 0), size - 1);
      let next = null;
      if (step) next = [within(row + step[0], this.height), within(column + step[1], this.width)];
      if (event.key in ends) next = [row, ends[event.key]];
      if (!next) return;
      event.preventDefault();
      this.pick(next, "choose");
      this.shapes[next[0]][next[1]].scrollIntoView({ block: "nearest", inline: "nearest" });
    });
  }

  /** Takes all marks and frames away. */
  clear() {
    for (const shape of this.marked) shape.classList.remove(...MARKS);
    this.marked = [];
    this.frames.replaceChildren();
    this.svg.removeAttribute("aria-activedescendant");
    this.shapes.active?.removeAttribute("id");
    this.current = null;
  }

  mark(kind, cells) {
    for (const [row, column] of cells) {
      const shape = this.shapes[row]?.[column];
      if (!shape) continue;
      shape.classList.add(kind);
      this.marked.push(shape);
      // Outlines lie above all cells, since a neighbour would cover half of a cell's own.
      if (OUTLINED.includes(kind)) this.frame(kind, [row, column], 1, 1);
    }
  }

  /** Marks the cell that keys move from. */
  choose(cell) {
    this.mark("chosen", [cell]);
    this.current = cell;
    const shape = this.shapes[cell[0]]?.[cell[1]];
    if (!shape || !this.pick) return;
    shape.id = "chosen-cell";
    this.shapes.active = shape;
    this.svg.setAttribute("aria-activedescendant", shape.id);
  }

  /** A frame around cells: "window", "kept", or one of `OUTLINED`. */
  frame(kind, [row, column], height, width) {
    this.frames.append(
      element("svg:rect", {
        class: `frame ${kind}`,
        x: column * UNIT,
        y: row * UNIT,
        width: width * UNIT,
        height: height * UNIT,
      }),
    );
  }

  write(row, column, text) {
    this.shapes[row][column].lastChild.textContent = text;
  }
}
