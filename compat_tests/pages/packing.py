"""The results as the page carries them: every text once, every call by its place in one list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Any

import numpy as np

from compat_tests.cases.case import FIRST_ORDER, SECOND_ORDER, Case
from compat_tests.cases.illegal import IllegalCase
from compat_tests.cases.models import names
from compat_tests.judge import PARTS, Verdict
from compat_tests.oracle import Pair
from compat_tests.pages.reading import (
    STANDINGS,
    Result,
    Run,
    Standing,
    SubjectResults,
    without_nodes,
)

LETTERS: Mapping[Verdict, str] = {
    Verdict.EXACT: "e",
    Verdict.CLOSE: "c",
    Verdict.WRONG_VALUES: "v",
    Verdict.WRONG_SHAPE: "s",
    Verdict.REFUSED: "r",
    Verdict.CLEAR: "k",
    Verdict.UNCLEAR: "u",
    Verdict.ACCEPTED: "a",
    Verdict.FATAL: "f",
    Verdict.TIMED_OUT: "t",
}
"""A letter for each verdict; a case that was not run is a dot."""

WORDLESS = "n"
"""The letter of what was refused for want of words."""

NOT_RUN = "."

HEAT_FAMILIES = ("axis", "explicit", "plane")
"""Families whose cases count in the maps of kernel and stride."""

_NUMBER = re.compile(r"\d+")


def pack(run: Run) -> dict[str, Any]:
    """Makes the values that the page's script works on.

    Args:
        run: a document, read.

    Returns:
        Plain values, small once they are written as JSON: `data.js` reads them back.
    """
    texts, arrays, layers = _Interned(), _Interned(), names()
    places = {call_id: place for place, call_id in enumerate(run.ids)}
    packed = [_subject(subject, places, texts, arrays) for subject in run.subjects]
    families = {call: f for s in run.subjects for call, f in ((r.id, r.family) for r in s.results)}
    return {
        "verdicts": _verdicts(packed),
        "families": list(run.families),
        "ids": without_shared_starts(run.ids),
        "family": [run.families.index(families[call_id]) for call_id in run.ids],
        "columns": [
            _column("found in", run, lambda case: layers.get(case.id, "")),
            *(_column(name, run, words) for name, words in _WORDS.items()),
        ],
        "heat": _column("heat", run, _heat_cells),
        "illegal": {
            str(places[call.id]): _illegal(call)
            for call in run.calls.values()
            if isinstance(call, IllegalCase)
        },
        "parts": dict(PARTS),
        "subjects": packed,
        "texts": _templates(texts.values),
        "arrays": list(arrays.values),
    }


def without_shared_starts(texts: Sequence[str]) -> dict[str, Any]:
    """Leaves out of each text what it begins with as the text before it does.

    Returns:
        For "ab-1", "ab-2": "shared" 0, 3 and "endings" "ab-1", "2".
    """
    shared = [_shared(*pair) for pair in pairwise(["", *texts])]
    endings = [text[n:] for n, text in zip(shared, texts, strict=True)]
    return {"shared": shared, "endings": endings}


def _shared(before: str, text: str) -> int:
    """How many characters two texts have in common from the start; none if Python and JavaScript
    may count them differently."""
    if not text.isascii():
        return 0
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, text, strict=False))
    )


class _Interned:
    """Texts, each with a number; 0 is the empty one."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {"": 0}

    def place(self, text: str) -> int:
        """The number of a text."""
        return self._places.setdefault(text, len(self._places))

    @property
    def values(self) -> tuple[str, ...]:
        """The texts in the order of their numbers."""
        return tuple(self._places)


def _subject(
    subject: SubjectResults, places: Mapping[str, int], texts: _Interned, arrays: _Interned
) -> dict[str, Any]:
    """One subject: a letter a call, and notes on those of which there is something to say."""
    letters = [NOT_RUN] * len(places)
    notes: dict[int, tuple[int, ...]] = {}
    shown = {}
    for result in subject.results:
        place = places[result.id]
        letters[place] = (
            WORDLESS if result.standing is Standing.CANNOT_SAY else LETTERS[result.verdict]
        )
        said = (without_nodes(result.detail), result.diagnosis, result.expected, result.link)
        if any(said) or result.forward_only:
            notes[place] = (*map(texts.place, said), int(result.forward_only))
        if result.numbers or result.reproducer:
            shown[str(place)] = _shown(result, texts, arrays)
    order = sorted(notes)
    remarks = {remark: n for n, remark in enumerate(dict.fromkeys(notes[p][1:] for p in order))}
    return {
        "name": subject.name,
        "absent": subject.absent,
        "failure": subject.failure,
        "ledger": subject.ledger is not None,
        "letters": "".join(letters),
        "steps": [after - before for before, after in pairwise([0, *order])],
        "details": [notes[place][0] for place in order],
        "remarks": list(remarks),
        "remark": [remarks[notes[place][1:]] for place in order],
        "shown": shown,
    }


def _shown(result: Result, texts: _Interned, arrays: _Interned) -> list[Any]:
    """The numbers and the reproducer of a result: part, found, right, lines of the script."""
    lines = [texts.place(line) for line in result.reproducer.splitlines()]
    if result.numbers is None:
        return ["", 0, 0, lines]
    found, right = (_array(values) for values in (result.numbers.found, result.numbers.right))
    if found.endswith(":") and right.endswith(":"):  # nothing in them; the detail gives the shapes
        return ["", 0, 0, lines]
    return [result.numbers.part, arrays.place(found), arrays.place(right), lines]


def _array(values: Any) -> str:
    """Shape and elements of nested lists: "1x2x2x1:1 2 3 4"."""
    array = np.asarray(values, dtype=object)
    elements = (_element(value) for value in array.ravel())
    return "x".join(map(str, array.shape)) + ":" + " ".join(elements)


def _element(value: Any) -> str:
    """A number as text that says no less than the number."""
    text = str(value)
    return text[:-2] if text.endswith(".0") else text


def _verdicts(packed: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Name and standing of the letters that occur."""
    used = set("".join(subject["letters"] for subject in packed))
    named = {
        LETTERS[verdict]: [verdict.value, standing.value]
        for standing in Standing
        for verdict in Verdict
        if STANDINGS[verdict] is standing
    }
    named[WORDLESS] = [Standing.CANNOT_SAY.value, Standing.CANNOT_SAY.value]
    return {letter: names for letter, names in named.items() if letter in used}


def _templates(texts: Sequence[str]) -> dict[str, Any]:
    """Texts that differ in their numbers only, told once.

    Returns:
        "templates", with "\\0" for each number, and "fillings": for each text its template and,
        where there are any, the numbers.
    """
    templates = _Interned()
    fillings: list[Any] = []
    for text in texts:
        plain = text.replace("\0", " ")
        place = templates.place(_NUMBER.sub("\0", plain))
        numbers = " ".join(_NUMBER.findall(plain))
        fillings.append([place, numbers] if numbers else place)
    return {"templates": list(templates.values), "fillings": fillings}


def _column(name: str, run: Run, value: Callable[[Case], str]) -> dict[str, Any]:
    """An attribute of all calls: its values, and which of them each call has."""
    values = _Interned()
    places = []
    for call_id in run.ids:
        call = run.calls.get(call_id)
        places.append(values.place(value(call) if isinstance(call, Case) else ""))
    return {"name": name, "values": list(values.values), "places": places}


def _illegal(call: IllegalCase) -> list[list[str]]:
    """An illegal call in words."""
    told = [[name, _argument(value)] for name, value in call.changes.items()]
    told.append(["it wants", f"a {call.error} that matches {call.message}"])
    if call.note:
        told.append(["known", call.note])
    return told


def _argument(value: object) -> str:
    """An argument for a reader: arrays by type and shape."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"{value.dtype} array of shape {value.shape}"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def _heat_cells(case: Case) -> str:
    """Where a case counts in the maps: "SAME 3 2" is kernel 3 with stride 2, a line each."""
    if case.family not in HEAT_FAMILIES:
        return ""
    axes = [
        (case.kernel[axis], case.strides[axis]) for axis in (0, 1) if not _is_trivial(case, axis)
    ]
    mode = case.padding if isinstance(case.padding, str) else "explicit"
    return "\n".join(f"{mode} {k} {s}" for k, s in dict.fromkeys(axes or [(1, 1)]))


def _is_trivial(case: Case, axis: int) -> bool:
    """Whether an axis only makes up the number: where one axis is tried, the other is so."""
    values = (case.input, case.kernel, case.strides, case.dilations, case.output_size)
    return all(pair[axis] == 1 for pair in values)


def _by(pair: Pair) -> str:
    return f"{pair[0]} × {pair[1]}"


def _padding(case: Case) -> str:
    if isinstance(case.padding, str):
        return case.padding
    (top, bottom), (left, right) = case.padding
    return f"top {top}, bottom {bottom}, left {left}, right {right}"


def _convolution_pads(case: Case) -> str:
    rows, columns = case.pads(0), case.pads(1)
    return (
        f"rows {rows[0]} before, {rows[1]} after; columns {columns[0]} before, {columns[1]} after"
    )


def _output(case: Case) -> str:
    return _by(case.output_size) + (", left to the default" if case.output is None else "")


def _gradients(case: Case) -> str:
    if not case.gradients:
        return "none"
    known = {FIRST_ORDER: "by input and filters", SECOND_ORDER: "first and second order"}
    return known.get(case.gradients) or ", ".join(PARTS[part] for part in case.gradients)


_WORDS: dict[str, Callable[[Case], str]] = {
    "batch": lambda case: str(case.batch),
    "input": lambda case: _by(case.input),
    "kernel": lambda case: _by(case.kernel),
    "stride": lambda case: _by(case.strides),
    "dilation": lambda case: _by(case.dilations),
    "padding": _padding,
    "output": _output,
    "the convolution pads": _convolution_pads,
    "channels": lambda case: f"{case.in_channels} to {case.out_channels}",
    "groups": lambda case: str(case.groups),
    "type": lambda case: case.dtype,
    "layout": lambda case: case.data_format,
    "gradients": _gradients,
    "unknown until run": lambda case: ", ".join(case.unknown),
}
"""The parameters of a legal call in words."""
