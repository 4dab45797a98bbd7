// One call of one subject, in a dialog that has an address of its own.

const dialog = document.getElementById("call");
const dialogBody = document.getElementById("call-body");
let shownCall = null;

function openCall(subject, place) {
  shownCall = { subject, place };
  dialogBody.replaceChildren(...callView(subject, place));
  const at = listedPlaces.indexOf(place);
  document.getElementById("call-where").textContent =
    at < 0 ? "" : `${grouped(at + 1)} of ${grouped(listedPlaces.length)}`;
  document.getElementById("call-previous").disabled = at < 1;
  document.getElementById("call-next").disabled = at < 0 || at === listedPlaces.length - 1;
  if (!dialog.open) dialog.showModal();
  dialogBody.scrollTop = 0;
}

/** Opens the neighbour of the call that is shown. */
function stepCall(step) {
  const place = listedPlaces[listedPlaces.indexOf(shownCall.place) + step];
  if (place === undefined) return;
  history.replaceState(null, "", addressOf(shownCall.subject, place));
  openCall(shownCall.subject, place);
}

function callView(subject, place) {
  const letter = subject.letters[place];
  const note = notesOf(subject).get(place);
  const parts = [
    make("h2", { id: "call-title" }, IDS[place]),
    make("p", { className: "verdict" }, pill(letter), make("span", {}, subject.name)),
  ];
  if (note) parts.push(...noteView(subject, letter, note));
  parts.push(make("h3", {}, "The call"), parametersView(place));
  const [part, found, right, lines] = subject.shown[place] || ["", 0, 0, []];
  if (part) {
    parts.push(make("h3", {}, `Numbers: ${DATA.parts[part] || part}`));
    parts.push(numbersView(part, DATA.arrays[found], DATA.arrays[right]));
  }
  if (lines.length) parts.push(copyable("Reproducer", lines.map(text).join("\n")));
  parts.push(copyable("Run it again", command(subject, place)));
  const others = othersView(subject, place);
  if (others) parts.push(make("h3", {}, "The others"), others);
  return parts;
}

/** Why the verdict is what it is. */
function noteView(subject, letter, note) {
  const parts = [];
  if (note.detail) parts.push(make("p", { className: "message" }, text(note.detail)));
  const told = make("dl", { className: "plain" });
  const tell = (name, ...value) =>
    told.append(make("div", {}, make("dt", {}, name), make("dd", {}, ...value)));
  if (note.diagnosis) tell("diagnosis", text(note.diagnosis));
  if (note.expected) {
    const link = text(note.link);
    const shown = link.startsWith("https://")
      ? make("a", { href: link, rel: "noreferrer" }, link)
      : link;
    tell("foreseen by the ledger", `${text(note.expected)} `, shown);
  } else if (subject.ledger && differs(letter)) {
    tell("ledger", "does not foresee it");
  }
  if (note.forwardOnly) tell("gradients", "none were there to be judged, only the output");
  if (told.children.length) parts.push(told);
  return parts;
}

/** The parameters of a call in words. */
function parametersView(place) {
  const list = make("dl", { className: "parameters" });
  const rows =
    DATA.illegal[place] || DATA.columns.map((column) => [column.name, valueOf(column, place)]);
  for (const [name, value] of rows) {
    if (value) list.append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  }
  if (list.children.length) return list;
  return make("p", { className: "quiet" }, "The tables of this suite do not know this call.");
}

function command(subject, place) {
  const quoted = (word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
  return `python -m compat_tests --subject ${quoted(subject.name)} --case ${quoted(IDS[place])}`;
}

/** What became of the same call elsewhere. */
function othersView(subject, place) {
  const list = make("ul", { className: "others" });
  for (const other of SUBJECTS) {
    if (other === subject || !other.letters[place] || other.letters[place] === NOT_RUN) continue;
    const link = make("a", { href: addressOf(other, place) }, other.name);
    list.append(make("li", {}, pill(other.letters[place]), link));
  }
  return list.children.length ? list : null;
}

/** Text under a heading with a button that copies it. */
function copyable(heading, content) {
  const pre = make("pre", { tabIndex: 0 }, content);
  const button = make("button", { type: "button", className: "copy" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(content);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(pre); // no clipboard here: leave it selected
      button.textContent = "Selected";
    }
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  const top = make("div", { className: "copy-top" }, make("h3", {}, heading), button);
  return make("div", {}, top, pre);
}

document.getElementById("call-previous").addEventListener("click", () => stepCall(-1));
document.getElementById("call-next").addEventListener("click", () => stepCall(1));
document.getElementById("call-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => history.replaceState(null, "", "#cases"));
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // beside the panel
});
dialog.addEventListener("keydown", (event) => {
  if (event.target.closest("select, pre, [tabindex]:not(dialog)")) return;
  if (event.key === "ArrowLeft") stepCall(-1);
  if (event.key === "ArrowRight") stepCall(1);
});
