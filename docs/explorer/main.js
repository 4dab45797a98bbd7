// The page: state in, pictures out.

const FRAME_SECONDS = 0.7;
const MOST_SECONDS = 30;

let state = usualState();
let plane = null;
let view = null;
let wires = [];
let hover = null;
/** The film: which frame is shown, or null; and the timer that goes on to the next. */
let frame = null;
let timer = null;

/** Applies an edit and draws everything anew. */
function change(edit) {
  rewind();
  edit(state);
  tell(settle(state));
  draw();
  save();
}

function tell(notes) {
  byId("notes").textContent = notes.join(" ");
  byId("notes").hidden = !notes.length;
}

let saving = null;
function save() {
  // Browsers limit how often an address may change.
  clearTimeout(saving);
  saving = setTimeout(() => history.replaceState(null, "", toFragment(state)), 150);
}

function draw() {
  const axes = [0, 1].map((at) => solveAxis(settingOf(state, at)));
  plane = computePlane(axes);
  hover = null;
  updateControls(state);
  drawRule(axes, state);
  wires = state.linked
    ? [drawWires("rows and columns", axes[0])]
    : [drawWires("rows", axes[0]), drawWires("columns", axes[1])];
  byId("wires").replaceChildren(...wires.map(({ figure }) => figure));
  drawView();
  drawCalls(axes, commandLine(axes, state, chosenCell()));
}

function drawView() {
  const chosen = VIEWS[state.view];
  const pick = (cell, how) => choose(cell && (Array.isArray(cell) ? { output: cell } : cell), how);
  view = chosen.draw(plane, pick);
  byId("about").textContent = chosen.about;
  byId("legend").dataset.view = state.view;
  byId("cropped-key").hidden = [plane.rows, plane.columns].every(
    ({ lead, trail }) => lead >= 0 && trail >= 0,
  );
  byId("grids").replaceChildren(
    ...view.grids.map((grid) => grid.figure),
    ...(view.extra ? [view.extra] : []),
  );
  for (const tab of byId("views").children) {
    const current = tab.dataset.view === state.view;
    tab.setAttribute("aria-selected", current);
    tab.tabIndex = current ? 0 : -1;
  }
  byId("panel").setAttribute("aria-labelledby", `view-${state.view}`);
  for (const button of document.querySelectorAll("#film button"))
    button.disabled = !view.frames.length;
  show();
}

/** A cell is pointed at, or chosen for good. */
function choose(focus, how) {
  if (how === "hover") {
    if (timer) return;
    hover = focus;
  } else {
    rewind();
    hover = null;
    if (focus?.output) {
      state.cell = focus.output;
      save();
    } else if (focus) {
      hover = focus;
    }
  }
  show();
}

/** The cell chosen, or the last that something reaches. */
function chosenCell() {
  return state.cell ?? [plane.rows.output - 1, plane.columns.output - 1];
}

function show() {
  const film = frame !== null && !hover;
  const focus = hover ?? (film ? view.frames[frame] : { output: chosenCell() });
  for (const grid of view.grids) grid.clear();
  view.show(focus, film ? frame : null);
  wires.forEach(({ light }, at) => {
    const part = (cell) => cell?.[wires.length > 1 ? at : 0];
    light({ output: part(focus.output), input: part(focus.input) });
  });
  const { head, sum, detail = "" } = account(plane, state.view, focus);
  byId("sum").replaceChildren(element("b", {}, head), ` ${sum}`);
  byId("terms").textContent = detail;
  byId("count").textContent = view.frames.length
    ? `${film ? frame + 1 : MINUS} of ${view.frames.length}`.replace(MINUS, "–")
    : "";
}

function step(by) {
  const count = view.frames.length;
  frame = frame === null ? (by > 0 ? 0 : count - 1) : (frame + by + count) % count;
  hover = null;
  show();
}

function play() {
  const pace = Math.min(FRAME_SECONDS, MOST_SECONDS / view.frames.length);
  // A screen reader is not to read out a film.
  byId("sum").setAttribute("aria-live", "off");
  byId("play").textContent = "Pause";
  step(1);
  timer = setInterval(() => (frame === view.frames.length - 1 ? pause() : step(1)), 1000 * pace);
}

/** Stops the film where it is. */
function pause() {
  clearInterval(timer);
  timer = null;
  byId("play").textContent = "Play";
  byId("sum").setAttribute("aria-live", "polite");
}

/** Ends the film, and shows the whole. */
function rewind() {
  pause();
  frame = null;
}

function chooseView(name) {
  rewind();
  hover = null;
  state.view = name;
  drawView();
  save();
}

function buildTabs() {
  byId("views").append(
    ...Object.entries(VIEWS).map(([name, { label }]) => {
      const tab = element(
        "button",
        {
          type: "button",
          role: "tab",
          id: `view-${name}`,
          "data-view": name,
          "aria-controls": "panel",
        },
        label,
      );
      tab.addEventListener("click", () => chooseView(name));
      return tab;
    }),
  );
  byId("views").addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const names = Object.keys(VIEWS);
    chooseView(names[(names.indexOf(state.view) + by + names.length) % names.length]);
    byId(`view-${state.view}`).focus();
  });
}

function open() {
  rewind();
  const { state: asked, notes } = fromFragment(location.hash);
  state = asked;
  tell(notes);
  draw();
}

buildTabs();
const updateControls = buildControls(byId("controls"), change);
byId("play").addEventListener("click", () => (timer ? pause() : play()));
byId("next").addEventListener("click", () => {
  pause();
  step(1);
});
byId("back").addEventListener("click", () => {
  pause();
  step(-1);
});
byId("share").addEventListener("click", async () => {
  history.replaceState(null, "", toFragment(state));
  byId("share").textContent = (await copied(location.href))
    ? "Link copied"
    : "The link is in the address bar";
  setTimeout(() => {
    byId("share").textContent = "Copy link";
  }, 2000);
});
window.addEventListener("hashchange", open);
open();
