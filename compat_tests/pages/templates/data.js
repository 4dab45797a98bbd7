// The values that packing.py has made, read back, and how to make elements of the page.

const DATA = JSON.parse(document.getElementById("data").textContent);
const NOT_RUN = ".";
const WORDLESS = "n";
const SUBJECTS = DATA.subjects;
const IDS = readIds(DATA.ids);
const PLACES = new Map(IDS.map((id, place) => [id, place]));

/** The ids of all calls: each begins as the one before it does. */
function readIds({ shared, endings }) {
  let before = "";
  return endings.map((ending, n) => (before = before.slice(0, shared[n]) + ending));
}

/** A text by its number, its own numbers put back into the template. */
function text(number) {
  const filling = DATA.texts.fillings[number];
  const [template, numbers] = Array.isArray(filling) ? filling : [filling, ""];
  const left = numbers.split(" ");
  return DATA.texts.templates[template].replaceAll("\0", () => left.shift());
}

/** What there is to say of a subject's calls, by their places. */
function notesOf(subject) {
  if (!subject.notes) {
    subject.notes = new Map();
    let place = 0;
    subject.steps.forEach((step, n) => {
      place += step;
      const [diagnosis, expected, link, forwardOnly] = subject.remarks[subject.remark[n]];
      const detail = subject.details[n];
      subject.notes.set(place, { detail, diagnosis, expected, link, forwardOnly });
    });
  }
  return subject.notes;
}

/** The value that a call has in a column. */
function valueOf(column, place) {
  return column.values[column.places[place]];
}

function verdictOf(letter) {
  return DATA.verdicts[letter][0];
}

/** The class that colours a letter. */
function standingOf(letter) {
  return DATA.verdicts[letter][1].replace(" ", "_");
}

/** Whether a call came out otherwise than is wanted, and not for want of words. */
function differs(letter) {
  return letter !== NOT_RUN && letter !== WORDLESS && standingOf(letter) !== "exact";
}

/** Whether a subject's ledger says so beforehand. */
function isForeseen(subject, place) {
  const note = notesOf(subject).get(place);
  return Boolean(note && note.expected);
}

function addressOf(subject, place) {
  return `#${encodeURIComponent(subject.name)}/${encodeURIComponent(IDS[place])}`;
}

function grouped(number) {
  return number.toLocaleString("en-US");
}

/** An element with properties, attributes (whose names have a dash), and children. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function pill(letter) {
  return make("span", { className: `pill ${standingOf(letter)}` }, verdictOf(letter));
}
