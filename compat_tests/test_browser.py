"""The page in a browser: Debian's Chromium, without a window and without a network."""

from __future__ import annotations

import json
import shutil
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from parameterized import parameterized
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from compat_tests.cases.registry import select
from compat_tests.chromium import CONTRAST, LAPTOP, PHONE, colours, contrast, load, luminance, start
from compat_tests.judge import Verdict
from compat_tests.pages.html import render_html
from compat_tests.sample_documents import make_document

PATIENCE = 60
"""Seconds that the page may take to be ready, on a machine that is busy with other tests."""

SUBJECT = "shift:same"
"""The subject that has every kind of evidence."""

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Page(unittest.TestCase):
    """What a reader can do with the page."""

    browser: Any
    folder: str
    address: str
    document: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.browser = start(cls.folder)
        cls.addClassCleanup(cls.browser.quit)
        cls.document = make_document(select(sample=400))
        path = Path(cls.folder, "page.html")
        path.write_text(render_html(cls.document), encoding="utf-8")
        cls.address = path.as_uri()

    def setUp(self) -> None:
        self.open(LAPTOP)

    def open(self, size: tuple[int, int], scheme: str = "light", fragment: str = "") -> None:
        """Reloads the page, in a window of that size."""
        load(self.browser, f"{self.address}{fragment}", size, scheme)
        WebDriverWait(self.browser, PATIENCE).until(lambda _: self.texts("#rows a"))

    def find(self, selector: str) -> Any:
        """The first element that a selector finds."""
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements that a selector finds, shown or not."""
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)"
        return [text.strip() for text in self.browser.execute_script(script, selector)]

    def press(self, selector: str) -> None:
        """Clicks the element, wherever on the page it is."""
        self.browser.execute_script("document.querySelector(arguments[0]).click()", selector)

    def choose(self, control: str, value: str) -> None:
        """Sets a control of the list by the text of its option."""
        at = self.texts(f"#{control} option").index(value)
        self.browser.execute_script(
            "const select = document.getElementById(arguments[0]);"
            "select.selectedIndex = arguments[1];"
            "select.dispatchEvent(new Event('change'));",
            control,
            at,
        )

    def results(self, subject: str) -> list[dict[str, Any]]:
        """What the document says of a subject."""
        found: list[dict[str, Any]] = self.document["subjects"][subject]["results"]
        return found

    def result_with(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first result of `SUBJECT` that is wanted."""
        return next(result for result in self.results(SUBJECT) if wanted(result))

    def fragment(self, call_id: str) -> str:
        """The address of a call of `SUBJECT`."""
        return f"#{quote(SUBJECT, safe='')}/{call_id}"

    def test_loads_in_silence(self) -> None:
        self.assertEqual(self.browser.get_log("browser"), [])
        events = [json.loads(e["message"])["message"] for e in self.browser.get_log("performance")]
        asked = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        self.assertEqual([url for url in asked if not url.startswith("data:")], [self.address])

    def test_sorts_by_a_family(self) -> None:
        names = self.texts(".matrix tbody .name")
        self.assertEqual(names, list(self.document["subjects"]))
        shares = {
            name: sum(r["verdict"] == "exact" for r in found) / len(found)
            for name in names
            if (found := [r for r in self.results(name) if r["id"].startswith("dtype")])
        }
        self.press(".matrix button[data-sort=dtype]")
        worst_first = self.texts(".matrix tbody .name")
        self.assertEqual(worst_first[: len(shares)], sorted(shares, key=lambda n: shares[n]))
        self.assertEqual(set(worst_first[len(shares) :]), {"torch", "broken"})
        header = self.find(".matrix th:has(button[data-sort=dtype])")
        self.assertEqual(header.get_attribute("aria-sort"), "ascending")
        self.press(".matrix button[data-sort=dtype]")
        best_first = self.texts(".matrix tbody .name")
        self.assertEqual(
            [shares[name] for name in best_first[: len(shares)]], sorted(shares.values())[::-1]
        )
        self.assertEqual(header.get_attribute("aria-sort"), "descending")

    def test_sorts_by_name(self) -> None:
        self.press(".matrix button[data-sort=name]")
        names = self.texts(".matrix tbody .name")
        self.assertEqual(names, sorted(self.document["subjects"]))

    def test_a_cell_of_the_matrix_lists_its_calls(self) -> None:
        self.press(f".count[data-subject='{SUBJECT}'][data-family=plane]")
        wanted = {r["id"] for r in self.results(SUBJECT) if r["id"].startswith("plane")}
        self.assertEqual(set(self.texts("#rows a")), wanted)

    def test_a_verdict_restricts_the_list(self) -> None:
        self.choose("subject", SUBJECT)
        counted = self.document["subjects"][SUBJECT]["counts"]
        self.press("#chips .fatal")
        self.assertEqual(self.texts("#found"), [f"{counted['fatal']} calls, the worst first"])
        self.assertEqual(set(self.texts("#rows .pill")), {"fatal"})
        self.press("#chips .wrong")
        both = counted["fatal"] + counted["wrong values"]
        self.assertEqual(self.texts("#found"), [f"{both} calls, the worst first"])
        self.press("#chips .fatal")
        self.assertEqual(set(self.texts("#rows .pill")), {"wrong values"})

    def test_only_differences_and_only_unforeseen_ones(self) -> None:
        results = self.results("native")
        differing = [r for r in results if r["verdict"] not in ("exact", "clear error")]
        news = [r for r in differing if "expected" not in r]
        self.assertLess(0, len(news))
        self.assertLess(len(news), len(differing))
        self.choose("subject", "native")
        for option, found in (("differences only", differing), ("unforeseen only", news)):
            self.choose("foreseen", option)
            self.assertEqual(self.texts("#found"), [f"{len(found)} calls, the worst first"])

    def test_searches_ids(self) -> None:
        self.find("#search").send_keys("K3X1 same")
        wanted = [r["id"] for r in self.results("ours") if "k3x1" in r["id"] and "same" in r["id"]]
        self.assertEqual(self.texts("#rows a"), wanted)

    def test_turns_pages(self) -> None:
        ids = [r["id"] for r in self.results("ours")]
        self.assertEqual(self.texts("#rows a"), ids[:50])
        self.press("#later")
        self.assertEqual(self.texts("#rows a"), ids[50:100])
        self.assertIn("51–100", self.find("#page").text)
        self.press("#earlier")
        self.assertEqual(self.texts("#rows a"), ids[:50])

    def test_a_map_lists_the_calls_of_its_cell(self) -> None:
        cell = self.find("#heat .card:nth-child(1) table:nth-child(1) tbody tr:nth-child(3) button")
        said = cell.get_attribute("aria-label")
        self.assertRegex(said, "^ours, kernel 3, stride 1, SAME: ")
        self.browser.execute_script("arguments[0].click()", cell)
        ids = self.texts("#rows a")
        self.assertIn(f": {len(ids)} exact", said)
        for call_id in ids:
            self.assertRegex(call_id, "^(axis|plane)-.*-same-")
            self.assertRegex(call_id, "k(3x.*-s1x|.x3-s.x1)")
        self.press("#cell")
        self.assertGreater(len(self.texts("#rows a")), len(ids))

    def test_arrows_move_in_a_map(self) -> None:
        first = self.find("#heat .card button[tabindex='0']")
        first.send_keys(Keys.ARROW_RIGHT)
        label = "return document.activeElement.getAttribute('aria-label')"
        self.assertIn("kernel 1, stride 2", self.browser.execute_script(label))
        self.browser.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
        self.assertIn("kernel 2, stride 2", self.browser.execute_script(label))

    def test_a_call_shows_its_numbers_and_reproducer(self) -> None:
        result = self.result_with(lambda r: "numbers" in r and r["id"].startswith("plane"))
        self.choose("subject", SUBJECT)
        self.find("#search").send_keys(result["id"])
        self.find("#rows a").send_keys(Keys.ENTER)
        self.assertEqual(self.find("#call-title").text, result["id"])
        self.assertIn(result["reproducer"], self.texts("#call pre"))
        self.assertIn(result["detail"], self.texts("#call-body > .message"))
        found, right = result["numbers"]["found"], result["numbers"]["right"]
        chosen = {"batch": 0, "channel": 0}
        script = "return [...arguments[0].labels][0].textContent.split(' ')[0]"
        for select_element in self.browser.find_elements(By.CSS_SELECTOR, "#call .slices select"):
            axis = self.browser.execute_script(script, select_element)
            chosen[axis] = int(select_element.get_attribute("value"))
        for n, (array, other) in enumerate(((found, right), (right, found)), start=1):
            planes = [
                [[row[chosen["channel"]] for row in rows] for rows in values[chosen["batch"]]]
                for values in (array, other)
            ]
            rows = f".planes .scroll:nth-child({n}) tbody"
            shown = [int(text) for text in self.texts(f"{rows} td")]
            self.assertEqual(shown, _listed(planes[0]))
            differing = [
                a for a, b in zip(_listed(planes[0]), _listed(planes[1]), strict=True) if a != b
            ]
            marked = [int(text) for text in self.texts(f"{rows} td.differs")]
            self.assertEqual(marked, differing)
            self.assertTrue(marked)

    def test_an_address_opens_a_call(self) -> None:
        result = self.result_with(lambda r: "expected" in r)
        self.open(LAPTOP, fragment=self.fragment(result["id"]))
        self.assertTrue(self.find("#call").is_displayed())
        self.assertEqual(self.find("#call-title").text, result["id"])
        self.assertIn(result["expected"], self.find("#call-body").text)
        self.assertEqual(self.find("#call-body dd a").get_attribute("href"), result["link"])
        self.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
        self.assertFalse(self.find("#call").is_displayed())
        self.assertTrue(self.browser.current_url.endswith("#cases"))

    def test_neighbours_of_a_call_have_addresses_too(self) -> None:
        result = self.result_with(lambda r: r["verdict"] == "fatal")
        self.open(LAPTOP, fragment=self.fragment(result["id"]))
        before = self.browser.current_url
        self.press("#call-next")
        title = self.find("#call-title").text
        self.assertNotEqual(title, result["id"])
        self.assertTrue(self.browser.current_url.endswith(self.fragment(title)))
        self.press("#call-previous")
        self.assertEqual(self.browser.current_url, before)

    def test_the_same_call_elsewhere(self) -> None:
        result = self.result_with(lambda r: r["verdict"] == "wrong values")
        self.open(LAPTOP, fragment=self.fragment(result["id"]))
        others = dict(zip(self.texts(".others a"), self.texts(".others .pill"), strict=True))
        wanted = {
            name: "cannot say" if r.get("inexpressible") else r["verdict"]
            for name in self.document["subjects"]
            for r in self.results(name)
            if r["id"] == result["id"] and name != SUBJECT
        }
        self.assertEqual(others, wanted)

    @parameterized.expand([(f"at_{size[0]}", size) for size in (PHONE, LAPTOP)])
    def test_nothing_sticks_out(self, name: str, size: tuple[int, int]) -> None:
        result = self.result_with(lambda r: "numbers" in r)
        width = "return [document.documentElement.scrollWidth, innerWidth]"
        for fragment in ("", self.fragment(result["id"])):
            self.open(size, fragment=fragment)
            needed, there = self.browser.execute_script(width)
            self.assertEqual(there, size[0])
            self.assertLessEqual(needed, there)
        self.press("#call-close")
        for subject in self.document["subjects"]:
            state = {"torch": " (absent)", "broken": " (not run)"}.get(subject, "")
            self.choose("subject", subject + state)
            needed, there = self.browser.execute_script(width)
            self.assertLessEqual(needed, there, subject)

    def test_names_stay_in_view_on_a_phone(self) -> None:
        self.open(PHONE)
        left = (
            "const box = document.querySelector('.scroll:has(.matrix)'); box.scrollLeft = 400;"
            "return [box.scrollLeft, box.querySelector('.name').getBoundingClientRect().left]"
        )
        scrolled, place = self.browser.execute_script(left)
        self.assertEqual(scrolled, 400)
        self.assertLess(place, 100)
        self.assertGreater(place, 0)

    @parameterized.expand([("light",), ("dark",)])
    def test_is_legible(self, scheme: str) -> None:
        result = self.result_with(lambda r: "numbers" in r)
        self.open(LAPTOP, scheme, self.fragment(result["id"]))
        self.assertEqual(luminance(colours(self.browser, "body")[1]) < 0.2, scheme == "dark")
        for selector in ("h1", ".lead", ".news", ".figures span", "#call .pill", "td.differs"):
            text, behind = colours(self.browser, selector)
            self.assertGreaterEqual(contrast(text, behind), CONTRAST, selector)

    def test_knows_every_verdict_of_the_document(self) -> None:
        said: set[str] = set()
        for subject in ("ours", "native", SUBJECT, "rough"):
            self.choose("subject", subject)
            said |= {text.rstrip("0123456789,") for text in self.texts("#chips button")}
        self.assertLessEqual(said, {*(verdict.value for verdict in Verdict), "cannot say"})
        self.assertGreaterEqual(len(said), 9)


def _listed(plane: list[list[int]]) -> list[int]:
    return [value for row in plane for value in row]
