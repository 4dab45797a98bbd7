// The list of calls: filters, pages, and addresses of single calls.

const PAGE = 50;
const LEGAL = "legal";
const ILLEGAL = DATA.families.indexOf("illegal");
const controls = Object.fromEntries(
  ["subject", "family", "foreseen", "search", "cell", "chips", "found", "rows", "pager", "page"]
    .concat(["earlier", "later"])
    .map((id) => [id, document.getElementById(id)]),
);
const chosen = { letters: new Set(), cell: null, page: 0 };
let listedPlaces = [];

function fillControls() {
  SUBJECTS.forEach((subject, n) => {
    const state = subject.absent ? " (absent)" : subject.letters.match(/[^.]/) ? "" : " (not run)";
    controls.subject.append(make("option", { value: String(n) }, subject.name + state));
  });
  const first = SUBJECTS.findIndex((subject) => /[^.]/.test(subject.letters));
  controls.subject.value = String(Math.max(first, 0));
  controls.family.append(make("option", { value: "" }, "all families"));
  controls.family.append(make("option", { value: LEGAL }, "all legal"));
  for (const family of DATA.families) controls.family.append(make("option", {}, family));
}

/** The calls that pass every filter but that of verdicts. */
function candidates(subject) {
  const family = DATA.families.indexOf(controls.family.value);
  const words = controls.search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const foreseen = controls.foreseen.value;
  const places = [];
  for (let place = 0; place < IDS.length; place++) {
    const letter = subject.letters[place];
    if (letter === NOT_RUN) continue;
    if (controls.family.value === LEGAL && DATA.family[place] === ILLEGAL) continue;
    if (family >= 0 && DATA.family[place] !== family) continue;
    if (words.length && !words.every((word) => IDS[place].toLowerCase().includes(word))) continue;
    if (foreseen && !differs(letter)) continue;
    if (foreseen === "news" && isForeseen(subject, place)) continue;
    if (chosen.cell && !countsIn(place, chosen.cell)) continue;
    places.push(place);
  }
  return places;
}

function chosenSubject() {
  return SUBJECTS[Number(controls.subject.value)];
}

/** Works out the list and shows it from its first page. */
function update() {
  const subject = chosenSubject();
  if (!subject) return;
  for (const about of document.querySelectorAll("[data-about]")) {
    about.hidden = about.dataset.about !== subject.name;
  }
  const { cell } = chosen;
  controls.cell.hidden = !cell;
  if (cell) {
    controls.cell.textContent = `kernel ${cell.kernel}, stride ${cell.stride}, ${cell.mode} ×`;
    controls.cell.setAttribute("aria-label", `No longer only ${controls.cell.textContent}`);
  }
  const places = candidates(subject);
  drawChips(subject, places);
  listedPlaces = places
    .filter((place) => !chosen.letters.size || chosen.letters.has(subject.letters[place]))
    .sort((a, b) => rankOf(subject, a) - rankOf(subject, b));
  chosen.page = 0;
  drawPage();
}

/** Where a call belongs in the list: the worst first, and of one kind the unforeseen ones. */
function rankOf(subject, place) {
  const badness = STANDINGS.indexOf(standingOf(subject.letters[place]));
  return (isForeseen(subject, place) ? 1 : 0) - 2 * badness;
}

/** A chip for each verdict; none chosen means all. */
function drawChips(subject, places) {
  const counts = {};
  for (const place of places) {
    counts[subject.letters[place]] = (counts[subject.letters[place]] || 0) + 1;
  }
  const focused = document.activeElement?.dataset?.letter;
  const chips = Object.keys(DATA.verdicts)
    .filter((letter) => counts[letter] || chosen.letters.has(letter))
    .map((letter) => {
      const chip = make(
        "button",
        {
          type: "button",
          className: `chip ${standingOf(letter)}`,
          "aria-pressed": String(chosen.letters.has(letter)),
          "data-letter": letter,
        },
        make("i", { className: `swatch ${standingOf(letter)}` }),
        verdictOf(letter),
        make("b", {}, grouped(counts[letter] || 0)),
      );
      chip.addEventListener("click", () => {
        if (!chosen.letters.delete(letter)) chosen.letters.add(letter);
        update();
      });
      return chip;
    });
  controls.chips.replaceChildren(...chips);
  if (focused) controls.chips.querySelector(`[data-letter="${focused}"]`)?.focus();
}

function drawPage() {
  const subject = chosenSubject();
  const from = chosen.page * PAGE;
  const places = listedPlaces.slice(from, from + PAGE);
  controls.rows.replaceChildren(...places.map((place) => callRow(subject, place)));
  controls.found.textContent =
    listedPlaces.length === 1 ? "1 call" : `${grouped(listedPlaces.length)} calls, the worst first`;
  controls.pager.hidden = listedPlaces.length <= PAGE;
  controls.page.textContent =
    `${grouped(from + 1)}–${grouped(from + places.length)} of ${grouped(listedPlaces.length)}`;
  controls.earlier.disabled = chosen.page === 0;
  controls.later.disabled = from + PAGE >= listedPlaces.length;
}

function callRow(subject, place) {
  const letter = subject.letters[place];
  const note = notesOf(subject).get(place);
  const said = note ? [text(note.diagnosis), text(note.detail)].filter(Boolean) : [];
  const happened = make("td", { className: "happened" }, said.join(": "));
  if (note && note.expected) happened.prepend(make("span", { className: "tag" }, "foreseen"));
  const link = make("a", { href: addressOf(subject, place) }, IDS[place]);
  return make("tr", {}, make("td", {}, pill(letter)), make("td", {}, link), happened);
}

/** Sets filters from outside the list, clears the rest, and goes there. */
function showCalls({ subject, family = "", cell = null }) {
  chooseCalls(subject, family, cell);
  document.getElementById("cases").scrollIntoView({ block: "start" });
  controls.subject.focus({ preventScroll: true });
}

function chooseCalls(name, family, cell) {
  controls.subject.value = String(SUBJECTS.findIndex((subject) => subject.name === name));
  controls.family.value = family;
  controls.search.value = "";
  controls.foreseen.value = "";
  chosen.letters.clear();
  chosen.cell = cell;
  update();
}

/** Opens the call that the address names, if it names one. */
function followAddress() {
  const [name, id] = location.hash.slice(1).split("/").map(decoded);
  const subject = SUBJECTS.find((candidate) => candidate.name === name);
  const place = PLACES.get(id);
  if (!subject || place === undefined) return;
  if ((subject.letters[place] || NOT_RUN) === NOT_RUN) return;
  if (subject !== chosenSubject() || !listedPlaces.includes(place)) {
    chooseCalls(name, DATA.families[DATA.family[place]], null);
  }
  openCall(subject, place);
}

/** Part of an address as text; anything else is itself. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

fillControls();
update();
for (const control of [controls.subject, controls.family, controls.foreseen]) {
  control.addEventListener("change", update);
}
controls.search.addEventListener("input", update);
controls.cell.addEventListener("click", () => {
  chosen.cell = null;
  update();
});
for (const [button, step] of [[controls.earlier, -1], [controls.later, 1]]) {
  button.addEventListener("click", () => {
    chosen.page += step;
    drawPage();
    controls.found.scrollIntoView({ block: "nearest" });
  });
}
controls.rows.addEventListener("click", (event) => {
  const row = event.target.closest("tr");
  if (row && !event.target.closest("a")) row.querySelector("a").click();
});
addEventListener("hashchange", followAddress);
followAddress();
