"""The two pages, made from sample documents."""

from __future__ import annotations

import json
import re
import unittest
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from typing import Any

import pytest
from parameterized import parameterized

from compat_tests.cases.case import Case
from compat_tests.cases.registry import CAPABILITY, FAMILIES, select
from compat_tests.judge import Verdict
from compat_tests.pages.capability import COLUMNS, Ability, Cell, capability_table
from compat_tests.pages.differences import differences
from compat_tests.pages.html import render_html
from compat_tests.pages.markdown import render_markdown
from compat_tests.pages.packing import LETTERS, NOT_RUN, WORDLESS
from compat_tests.pages.reading import Standing, read, shortened, tally
from compat_tests.sample_documents import (
    EXPLICIT,
    SHIFTED,
    Result,
    exact,
    make_document,
    native_like,
    shifting,
)

SOME = select(sample=120)
"""Every family is in it."""

HOSTILE = "</script><b>&amp; \"'`|"

LIMIT = 6_000_000
"""Bytes of a page of a whole run with every subject: it is to open at once from a slow disk."""


class _Elements(HTMLParser):
    """The elements of a page, and the text of its data."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.data = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][1].get("id") == "data" and not self.data:
            self.data = data
        self.texts.append(data)

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.found]


def _data(page: str) -> dict[str, Any]:
    """What the page's script works on."""
    found: dict[str, Any] = json.loads(_Elements(page).data)
    return found


def _ids(data: Mapping[str, Any]) -> list[str]:
    """The ids of a page, read as `data.js` reads them."""
    ids, before = [], ""
    for shared, ending in zip(data["ids"]["shared"], data["ids"]["endings"], strict=True):
        before = before[:shared] + ending
        ids.append(before)
    return ids


def _text(data: Mapping[str, Any], number: int) -> str:
    """A text of a page, read as `data.js` reads it."""
    filling = data["texts"]["fillings"][number]
    template, numbers = filling if isinstance(filling, list) else (filling, "")
    left = iter(numbers.split(" "))
    return re.sub("\0", lambda _: next(left), data["texts"]["templates"][template])


def _details(data: Mapping[str, Any], subject: Mapping[str, Any]) -> dict[str, str]:
    """What is said of a subject's calls, by id."""
    ids, place, found = _ids(data), 0, {}
    for step, detail in zip(subject["steps"], subject["details"], strict=True):
        place += step
        found[ids[place]] = _text(data, detail)
    return found


def _value(data: Mapping[str, Any], column: str, case: Case) -> str:
    """What a column says of a case."""
    (found,) = [c for c in (*data["columns"], data["heat"]) if c["name"] == column]
    return str(found["values"][found["places"][_ids(data).index(case.id)]])


def _document(*results: Result, **changes: Any) -> dict[str, Any]:
    """A document with one subject and these results."""
    document = make_document([], {"one": exact}, illegal=False)
    one = {**document["subjects"]["one"], "results": list(results), "planned": len(results)}
    document["subjects"] = {"one": {**one, **changes}}
    return document


def _spoken(word: str) -> dict[str, Any]:
    """A document in which a word stands wherever text of others may stand."""
    document = _document(
        {"id": f"axis-{word}", "verdict": "wrong values", "detail": word, "reproducer": word},
        {"id": f"axis-é🙂{word}", "verdict": "refused", "expected": word, "link": word},
        {"id": f"edge-{word}", "verdict": "refused", "diagnosis": word},
        description={"implementation": word, word: word},
        failure=word,
        ledger={"file": word, "entries": 1, "expected": 1, "complaints": [word]},
    )
    document["subjects"][word] = document["subjects"].pop("one")
    document["subjects"][f"other {word}"] = {"absent": word}
    document["machine"] = word
    return document


class Reading(unittest.TestCase):
    """What verdicts come to, and how they are counted."""

    @parameterized.expand([(verdict.value, verdict) for verdict in Verdict])
    def test_every_verdict_has_a_standing_and_a_letter(self, name: str, verdict: Verdict) -> None:
        (subject,) = read(_document({"id": SOME[0].id, "verdict": name})).subjects
        self.assertIsInstance(subject.results[0].standing, Standing)
        self.assertIn(verdict, LETTERS)

    def test_letters_differ(self) -> None:
        letters = [*LETTERS.values(), WORDLESS, NOT_RUN]
        self.assertEqual(len(set(letters)), len(letters))

    @parameterized.expand([(2999, 3000, "99.9 %"), (3000, 3000, "100 %"), (0, 3, "0.0 %")])
    def test_only_all_is_a_hundred_per_cent(self, good: int, asked: int, share: str) -> None:
        verdicts = ["exact"] * good + ["refused"] * (asked - good)
        results = [{"id": f"x-{n}", "verdict": verdict} for n, verdict in enumerate(verdicts)]
        (subject,) = read(_document(*results)).subjects
        self.assertEqual(tally(subject.results).share, share)

    @parameterized.expand(
        [
            ("{{function_node __wrapped__X}} no [Op:X]", "no [Op:X]"),
            ("no\n\t [[{{node X}}]] [Op:X]", "no [Op:X]"),
            ("a" * 50, "a" * 39 + "…"),
        ]
    )
    def test_messages_are_shortened(self, message: str, told: str) -> None:
        self.assertEqual(shortened(message, 40), told)

    def test_want_of_words_is_no_difference(self) -> None:
        wordless = {"id": "a-1", "verdict": "refused", "inexpressible": True}
        (subject,) = read(_document(wordless, {"id": "a-2", "verdict": "refused"})).subjects
        counted = tally(subject.results)
        self.assertEqual(counted.counts, {Standing.CANNOT_SAY: 1, Standing.REFUSED: 1})
        self.assertEqual((counted.differing, counted.unforeseen), (1, 1))

    def test_foreseen_is_counted_apart(self) -> None:
        foreseen = {"id": "a-1", "verdict": "refused", "expected": "known"}
        (subject,) = read(_document(foreseen, {"id": "a-2", "verdict": "refused"})).subjects
        counted = tally(subject.results)
        self.assertEqual(counted.foreseen[Standing.REFUSED], 1)
        self.assertEqual(counted.unforeseen, 1)

    def test_families_in_the_order_of_the_tables_and_unknown_ones_last(self) -> None:
        ids = ("lost-1", SOME[-1].id, SOME[0].id)
        run = read(_document(*({"id": call, "verdict": "exact"} for call in ids)))
        self.assertEqual(run.families, (SOME[0].family, SOME[-1].family, "lost"))
        self.assertEqual(run.ids, (SOME[0].id, SOME[-1].id, "lost-1"))

    def test_an_older_file_has_fewer_keys(self) -> None:
        document = _document({"id": SOME[0].id, "verdict": "exact", "ulps": 0.0})
        one = document["subjects"]["one"]
        for key in ("absent", "sample", "ledger"):
            del one[key]
        del document["settings"]["memory"]
        self.assertIn(SOME[0].id, _ids(_data(render_html(document))))
        self.assertIn("## one", render_markdown(document))


class Differences(unittest.TestCase):
    """Alike findings are told once."""

    def test_alike_findings_are_grouped_and_the_worst_come_first(self) -> None:
        wrong = {"verdict": "wrong values", "detail": "output[0,1] is 5, should be 7"}
        results: list[Result] = [
            {"id": "a-1", "verdict": "refused", "detail": "no", "inexpressible": True},
            {"id": "a-2", "verdict": "refused", "detail": "size 3 is beyond me"},
            {"id": "a-3", "verdict": "refused", "detail": "size 14 is beyond me"},
            {"id": "a-4", **wrong, "diagnosis": SHIFTED},
            {"id": "a-5", **wrong, "expected": EXPLICIT},
            {"id": "a-6", **wrong, "expected": EXPLICIT, "reproducer": "print(1)"},
            {"id": "a-7", "verdict": "fatal", "detail": "signal 6"},
            {"id": "a-8", "verdict": "exact"},
            {"id": "illegal-1", "verdict": "fatal", "detail": "signal 6"},
            {"id": "illegal-2", "verdict": "fatal", "detail": "signal 11"},
            {"id": "illegal-3", "verdict": "fatal", "detail": "killed"},
        ]
        (subject,) = read(_document(*results)).subjects
        kinds = [(k.verdict.value, k.count, k.example) for k in differences(subject.results)]
        self.assertEqual(
            kinds,
            [
                ("fatal", 1, "a-7"),
                ("wrong values", 1, "a-4"),
                ("refused", 2, "a-2"),
                ("wrong values", 2, "a-6"),
                ("fatal", 3, "illegal-1"),
                ("refused", 1, "a-1"),
            ],
        )


class Capability(unittest.TestCase):
    """What a subject computes at all."""

    @staticmethod
    def _cell(results: Mapping[str, Result], case: Case) -> Cell:
        """The cell of a case's combination, where results are by id."""
        found = [{"id": call_id, **result} for call_id, result in results.items()]
        (subject,) = read(_document(*found)).subjects
        (row,) = [
            row
            for row in capability_table(subject.results)
            if (row.dtype, row.layout) == (case.dtype, case.data_format)
        ]
        settings = (case.dilations[0], case.strides[0], case.groups)
        (at,) = [n for n, c in enumerate(COLUMNS) if (c.dilation, c.stride, c.groups) == settings]
        return row.cells[at]

    @parameterized.expand(
        [
            ("exact", {"verdict": "exact"}, Ability.COMPUTES),
            ("close", {"verdict": "close"}, Ability.COMPUTES),
            ("refused", {"verdict": "refused"}, Ability.REFUSES),
            ("wordless", {"verdict": "refused", "inexpressible": True}, Ability.CANNOT_SAY),
            ("values", {"verdict": "wrong values"}, Ability.WRONG),
            ("shape", {"verdict": "wrong shape"}, Ability.WRONG),
            ("fatal", {"verdict": "fatal"}, Ability.FATAL),
            ("late", {"verdict": "timed out"}, Ability.FATAL),
            ("output_alone", {"verdict": "exact", "forward_only": True}, Ability.CANNOT_SAY),
        ]
    )
    def test_each_verdict_gives_its_ability(
        self, name: str, result: Result, ability: Ability
    ) -> None:
        (case,) = [
            c
            for c in FAMILIES[CAPABILITY]()
            if (c.dtype, c.data_format, c.groups) == ("float64", "NCHW", 4)
            and (c.dilations, c.strides) == ((2, 2), (1, 1))
            and c.gradients
        ]
        self.assertEqual(self._cell({case.id: result}, case), Cell(Ability.NOT_RUN, ability))

    def test_every_case_has_a_place_of_its_own(self) -> None:
        document = make_document(FAMILIES[CAPABILITY](), {"one": exact}, illegal=False)
        table = capability_table(read(document).subjects[0].results)
        marks = [mark for row in table for c in row.cells for mark in (c.forward, c.gradient)]
        self.assertEqual(marks.count(Ability.COMPUTES), len(FAMILIES[CAPABILITY]()))
        missing = [row.dtype for row in table for c in row.cells if c.gradient is Ability.NOT_RUN]
        self.assertEqual(set(missing), {"int32"})

    def test_no_table_without_its_cases(self) -> None:
        (subject,) = read(_document({"id": SOME[0].id, "verdict": "exact"})).subjects
        self.assertEqual(capability_table(subject.results), ())


class Html(unittest.TestCase):
    """The page, without a browser."""

    document: dict[str, Any]
    page: str
    data: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        cls.document = make_document(SOME)
        cls.page = render_html(cls.document)
        cls.data = _data(cls.page)

    def test_every_verdict_arrives(self) -> None:
        ids = _ids(self.data)
        for packed in self.data["subjects"]:
            results = self.document["subjects"][packed["name"]]["results"]
            wanted = {
                r["id"]: "cannot say" if r.get("inexpressible") else r["verdict"] for r in results
            }
            found = {
                call: self.data["verdicts"][letter][0]
                for call, letter in zip(ids, packed["letters"], strict=True)
                if letter != NOT_RUN
            }
            self.assertEqual(found, wanted)

    def test_every_word_arrives(self) -> None:
        for packed in self.data["subjects"]:
            details = _details(self.data, packed)
            for result in self.document["subjects"][packed["name"]]["results"]:
                said = re.sub(r"\{\{.*?\}\} ", "", result.get("detail", ""))
                self.assertIn(said, details.get(result["id"], ""))

    def test_numbers_and_reproducers_arrive(self) -> None:
        (packed,) = [s for s in self.data["subjects"] if s["name"] == "shift:same"]
        results = {r["id"]: r for r in self.document["subjects"]["shift:same"]["results"]}
        shown = 0
        for place, (part, found, right, lines) in packed["shown"].items():
            result = results[_ids(self.data)[int(place)]]
            script = "\n".join(_text(self.data, line) for line in lines)
            self.assertEqual(script, result["reproducer"])
            if part:
                shown += 1
                numbers = result["numbers"]
                self.assertEqual(self.data["arrays"][found], _flat(numbers["found"]))
                self.assertEqual(self.data["arrays"][right], _flat(numbers["right"]))
        self.assertGreater(shown, 5)

    def test_needs_no_network(self) -> None:
        for tag, attributes in _Elements(self.page).found:
            for name in ("src", "href", "srcset", "data", "action"):
                address = attributes.get(name) or ""
                if tag != "a" and address:
                    self.assertEqual(address, "data:,", tag)
                elif address:
                    self.assertRegex(address, "^(#|https://)")
        self.assertNotRegex(self.page, r"@import|url\(|fetch\(|import\(")

    def test_counts_in_the_matrix(self) -> None:
        results = self.document["subjects"]["native"]["results"]
        plane = [r["verdict"] for r in results if r["id"].startswith("plane")]
        label = f"native, plane: {plane.count('exact')} of {len(plane)} exact"
        self.assertIn(label, self.page)

    def test_absent_and_failed_subjects_are_listed(self) -> None:
        text = " ".join(" ".join(_Elements(self.page).texts).split())
        self.assertIn("absent No module named 'torch'", text)
        self.assertIn("could not run exit code 1 while loading: ImportError", text)

    def test_sample_and_missing_calls_are_said(self) -> None:
        document = _document({"id": SOME[0].id, "verdict": "exact"}, sample=400, planned=3)
        text = render_html(document) + render_markdown(document)
        self.assertEqual(text.count("sample of 400 legal calls"), 3)
        self.assertEqual(text.count("1 of 3 calls judged"), 3)

    def test_interruption_is_said(self) -> None:
        self.assertNotIn("Interrupted", self.page)
        document = {**self.document, "interrupted": True}
        self.assertIn("Interrupted", render_html(document))
        self.assertIn("Interrupted", render_markdown(document))

    def test_processor_is_told(self) -> None:
        """As half precision depends on it."""
        told = "processor Some CPU, 2 cores, has avx512f, lacks avx512_fp16"
        self.assertIn(told, render_markdown(self.document))
        self.assertIn(told.partition(" ")[2], render_html(self.document))
        settings = {**self.document["settings"], "processor": None}
        older = render_markdown({**self.document, "settings": settings})
        self.assertNotIn("processor", older.partition("## ")[0])

    def test_broken_promises_of_a_ledger_are_told(self) -> None:
        document = make_document(SOME)
        document["subjects"]["native"]["ledger"]["complaints"] = ["axis-1 is exact at last"]
        self.assertIn("axis-1 is exact at last", render_html(document))
        self.assertIn("axis-1 is exact at last", render_markdown(document))

    def test_an_empty_run(self) -> None:
        document = make_document([], {}, illegal=False)
        self.assertIn("No module named", render_html(document))
        self.assertIn("No module named", render_markdown(document))

    def test_unknown_ids_are_shown(self) -> None:
        document = _document({"id": "lost-i3", "verdict": "fatal", "detail": "signal 6"})
        data = _data(render_html(document))
        self.assertEqual(_ids(data), ["lost-i3"])
        self.assertEqual(data["families"], ["lost"])
        self.assertEqual(_details(data, data["subjects"][0]), {"lost-i3": "signal 6"})

    def test_nothing_becomes_markup(self) -> None:
        page = render_html(_spoken(HOSTILE))
        harmless = _Elements(render_html(_spoken("harmless")))
        self.assertEqual(_Elements(page).tags, harmless.tags)
        self.assertEqual(page.count("</script"), 2)
        data = _data(page)
        self.assertEqual(data["subjects"][0]["name"], HOSTILE)
        self.assertEqual(
            _ids(data), [f"{start}{HOSTILE}" for start in ("axis-", "axis-é🙂", "edge-")]
        )
        self.assertEqual(_details(data, data["subjects"][0])[_ids(data)[0]], HOSTILE)

    def test_a_link_is_a_link_only_if_it_leads_to_the_web(self) -> None:
        result = {"id": SOME[0].id, "verdict": "refused", "expected": "known"}
        for address, wanted in (("https://example.org/1", 1), ("javascript:alert(1)", 0)):
            document = _document({**result, "link": address})
            found = [a.get("href") for _, a in _Elements(render_html(document)).found]
            self.assertEqual(found.count(address), wanted)
            self.assertEqual(render_markdown(document).count(f"]({address})"), wanted)

    def test_same_document_same_pages(self) -> None:
        again = json.loads(json.dumps(self.document))
        self.assertEqual(render_html(again), self.page)
        self.assertEqual(render_markdown(again), render_markdown(self.document))

    def test_numbers_that_json_has_no_words_for(self) -> None:
        numbers = {"part": "y", "found": [float("nan"), "inf", 1.5], "right": [0, 1e16, 2.0]}
        result = {"id": SOME[0].id, "verdict": "wrong values", "numbers": numbers}
        data = _data(render_html(_document(result)))
        self.assertEqual(data["arrays"], ["", "3:nan inf 1.5", "3:0 1e+16 2"])

    def test_empty_arrays_are_left_out(self) -> None:
        for found, kept in (([], False), ([1], True)):
            numbers = {"part": "dx", "found": found, "right": []}
            result = {"id": SOME[0].id, "verdict": "wrong shape", "numbers": numbers}
            (shown,) = _data(render_html(_document(result)))["subjects"][0]["shown"].values()
            self.assertEqual(shown[0], "dx" if kept else "")

    @pytest.mark.slow
    def test_a_whole_run_stays_small(self) -> None:
        kinds = (exact, native_like, shifting, shifting, native_like)
        behaviours = {f"subject{n}": kinds[n % len(kinds)] for n in range(25)}
        size = len(render_html(make_document(behaviours=behaviours)).encode())
        self.assertLess(size, LIMIT)


class Words(unittest.TestCase):
    """What the page says of a call, and where the call counts in the maps."""

    def _data(self, *cases: Case) -> dict[str, Any]:
        results = [{"id": case.id, "verdict": "exact"} for case in cases]
        return _data(render_html(_document(*results)))

    def test_parameters_are_packed(self) -> None:
        case = FAMILIES["explicit"]()[-1]
        self.assertEqual(case.padding, ((1, 2), (3, 0)))
        data = self._data(case)
        wanted = {
            "batch": "2",
            "input": "5 × 4",
            "kernel": "3 × 4",
            "stride": "2 × 3",
            "padding": "top 1, bottom 2, left 3, right 0",
            "channels": "3 to 2",
            "type": "float32",
            "gradients": "by input and filters",
            "unknown until run": "",
        }
        self.assertEqual({name: _value(data, name, case) for name in wanted}, wanted)

    def test_layers_of_models_are_named(self) -> None:
        case = next(case for case in FAMILIES["models"]())
        self.assertIn("DCGAN", _value(self._data(case), "found in", case))

    def test_one_axis_counts_once(self) -> None:
        for wanted in ("k3x1-s2x1", "k1x3-s1x2"):
            (case,) = [c for c in FAMILIES["axis"]() if wanted in c.id and c.padding == "SAME"][:1]
            self.assertEqual(_value(self._data(case), "heat", case), "SAME 3 2")

    def test_a_single_cell_counts_as_what_it_is(self) -> None:
        case = FAMILIES["axis"]()[0]
        self.assertEqual((case.input, case.output), ((1, 1), (1, 1)))
        self.assertEqual(_value(self._data(case), "heat", case), "SAME 1 1")

    def test_two_axes_count_twice(self) -> None:
        (case,) = [
            c
            for c in FAMILIES["plane"]()
            if c.kernel == (2, 3) and c.strides[0] != c.strides[1] and c.padding == "VALID"
        ][:1]
        cells = [f"VALID {k} {s}" for k, s in zip(case.kernel, case.strides, strict=True)]
        self.assertEqual(_value(self._data(case), "heat", case).split("\n"), cells)

    def test_explicit_padding_is_a_mode(self) -> None:
        case = FAMILIES["explicit"]()[0]
        self.assertRegex(_value(self._data(case), "heat", case), r"^explicit \d \d$")

    def test_other_families_do_not_count(self) -> None:
        case = FAMILIES["edge"]()[0]
        self.assertEqual(_value(self._data(case), "heat", case), "")


class Markdown(unittest.TestCase):
    """The map."""

    document: dict[str, Any]
    text: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.document = make_document(SOME)
        cls.text = render_markdown(cls.document)

    def _row(self, name: str) -> list[str]:
        (row,) = [line for line in self.text.splitlines() if line.startswith(f"| [{name}](")]
        return [cell.strip() for cell in row.strip("|").split("|")]

    def test_says_how_it_is_made(self) -> None:
        self.assertIn("$ make compat SUBJECTS=all", self.text)
        self.assertIn("2026-11-22 18:00", self.text)

    def test_rows_are_as_long_as_their_heads(self) -> None:
        length = 0
        for line in self.text.splitlines():
            cells = line.count("|") - line.count("\\|")
            if line.startswith("|"):
                length = length or cells
                self.assertEqual(cells, length, line)
            else:
                length = 0

    def test_counts_are_in_the_map(self) -> None:
        results = self.document["subjects"]["native"]["results"]
        explicit = [r["verdict"] for r in results if r["id"].startswith("explicit")]
        exactly, refused = explicit.count("exact"), explicit.count("refused")
        (head,) = [line for line in self.text.splitlines() if line.startswith("| subject |")]
        column = [cell.strip() for cell in head.strip("|").split("|")].index("explicit")
        share = f"{1000 * exactly // len(explicit) / 10:.1f} %"
        self.assertEqual(self._row("native")[column], f"{share}<br>{refused} refused")

    def test_absent_subject_is_said(self) -> None:
        self.assertEqual(self._row("torch")[1], "absent")
        self.assertIn("Absent: `No module named 'torch'`", self.text)
        self.assertEqual(self._row("broken")[1], "could not run")

    def test_differences_come_with_a_command(self) -> None:
        lines = self.text.splitlines()
        (at,) = [n for n, line in enumerate(lines) if f"wrong values**: {SHIFTED}" in line]
        ids = {r["id"] for r in self.document["subjects"]["shift:same"]["results"]}
        start = "  `python -m compat_tests --subject shift:same --case "
        self.assertTrue(lines[at + 1].startswith(start))
        self.assertIn(lines[at + 1].removeprefix(start).rstrip("`"), ids)

    def test_alike_rows_of_capabilities_are_told_once(self) -> None:
        document = make_document(FAMILIES[CAPABILITY](), {"one": exact}, illegal=False)
        rows = [line for line in render_markdown(document).splitlines() if "✓ ✓ |" in line]
        (row,) = rows
        self.assertTrue(row.startswith("| half, bfloat16, float32, float64 |"))

    def test_nothing_becomes_markup(self) -> None:
        result = {"id": f"axis-{HOSTILE}", "verdict": "refused", "detail": f"``` {HOSTILE}"}
        foreseen = {"id": "axis-1", "verdict": "refused", "expected": "<b> | *a* [b](c) `d`"}
        text = render_markdown(_document(result, foreseen))
        outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
        self.assertNotIn("<b>", outside.replace("\\<b\\>", ""))
        self.assertIn(r"\<b\> \| \*a\* \[b\](c) \`d\`", text)
        self.assertIn(f"```` ``` {HOSTILE} ````", text)


def _flat(nested: Sequence[Any]) -> str:
    """Nested lists of whole numbers, written down by hand as the page has them."""
    shape = []
    inner: Any = nested
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    numbers = re.findall(r"-?\d+", json.dumps(nested))
    return "x".join(map(str, shape)) + ":" + " ".join(numbers)
