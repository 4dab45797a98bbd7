// Sliders and choices. `change(edit)` applies an edit to the state and draws the page anew.

function slider({ id, label, hint, lowest, highest, read, write, change }) {
  const range = element("input", { type: "range", id, min: lowest, max: highest, step: 1 });
  const value = element("output", { for: id });
  range.addEventListener("input", () => change((state) => write(state, Number(range.value))));
  const row = element(
    "div",
    { class: "slider" },
    element("label", { for: id }, label, " ", element("span", {}, hint)),
    value,
    range,
  );
  const update = (state, most = highest) => {
    range.max = most;
    range.value = read(state);
    range.disabled = most <= lowest;
    value.textContent = read(state);
  };
  return { row, update };
}

/** Exclusive choices side by side. `options` are [value, label]. */
class Choices {
  constructor(name, legend, pick) {
    Object.assign(this, { name, pick, known: "" });
    this.row = element(
      "fieldset",
      { class: "choices" },
      element("legend", {}, legend),
      element("div", {}),
    );
  }

  update(options, chosen) {
    // Made anew only when they change, so that the keyboard's focus stays.
    if (this.known !== JSON.stringify(options)) {
      this.known = JSON.stringify(options);
      this.row.lastChild.replaceChildren(
        ...options.map(([value, label, said]) => {
          const radio = element("input", {
            type: "radio",
            name: this.name,
            value,
            id: `${this.name}-${value}`,
            "aria-label": said ?? null,
          });
          radio.addEventListener("change", () => this.pick(value));
          return element("label", { for: radio.id }, radio, element("span", {}, label));
        }),
      );
    }
    for (const radio of this.row.querySelectorAll("input"))
      radio.checked = radio.value === `${chosen}`;
  }
}

/** The sliders of one axis and its output size. */
function axisControls(at, change) {
  const id = ["rows", "columns"][at];
  const legend = element("legend", {});
  const sliders = Object.entries(RANGES).map(([name, { letter, label, lowest, highest }]) =>
    slider({
      id: `${id}-${name}`,
      label,
      hint: letter,
      lowest,
      highest,
      change,
      read: (state) => state.axes[at][name],
      write: (state, value) => {
        state.axes[at][name] = value;
      },
    }),
  );
  const pads = ["before", "after"].map((word, side) =>
    slider({
      id: `${id}-${word}`,
      label: `Padding ${word}`,
      hint: "",
      lowest: 0,
      highest: MOST_PADDING,
      change,
      read: (state) => state.axes[at].pads[side],
      write: (state, value) => {
        state.axes[at].pads[side] = value;
      },
    }),
  );
  const size = new Choices(`${id}-size`, "Output size o", (value) =>
    change((state) => {
      state.axes[at].size = value;
    }),
  );
  const box = element(
    "fieldset",
    { class: "axis", id },
    legend,
    ...[...sliders, ...pads].map(({ row }) => row),
    size.row,
  );
  const update = (state) => {
    box.hidden = at === 1 && state.linked;
    legend.textContent = state.linked ? "Both axes" : ["Rows", "Columns"][at];
    for (const control of sliders) control.update(state);
    pads.forEach(({ row, update: show }, side) => {
      row.hidden = state.mode !== "EXPLICIT";
      show(state, Math.max(mostPadding(state.axes[at], side), 0));
    });
    const setting = settingOf(state, at);
    const usual = defaultSize(setting);
    const options = sizesOf(setting).map((cells) => [
      cells,
      cells === usual ? `${cells} •` : `${cells}`,
      cells === usual ? `${cells}, Keras' default` : `${cells}`,
    ]);
    size.update(options, solveAxis(setting).output);
  };
  return { box, update };
}

/** All controls in one form. */
function buildControls(form, change) {
  const mode = new Choices("padding", "Padding", (value) =>
    change((state) => {
      state.mode = value;
    }),
  );
  const linked = element("input", { type: "checkbox", id: "linked" });
  linked.addEventListener("change", () =>
    change((state) => {
      state.linked = linked.checked;
      if (!state.linked) state.axes[1] = { ...state.axes[0], pads: [...state.axes[0].pads] };
    }),
  );
  const axes = [0, 1].map((at) => axisControls(at, change));
  const reset = element("button", { type: "button" }, "Start again");
  reset.addEventListener("click", () =>
    change((state) => Object.assign(state, usualState(), { view: state.view })),
  );
  form.append(
    mode.row,
    element("label", { class: "check" }, linked, "rows and columns alike"),
    ...axes.map(({ box }) => box),
    element("p", { class: "hint" }, "• Keras' default size"),
    reset,
  );
  return (state) => {
    mode.update(
      MODES.map((name) => [name, name === "EXPLICIT" ? "explicit" : name]),
      state.mode,
    );
    linked.checked = state.linked;
    for (const { update } of axes) update(state);
  };
}
