"""What a reader can do with the explorer page, by mouse, keyboard, touch and address."""

import json
import re
import time

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from compat_tests.chromium import CONTRAST, LAPTOP, PHONE, colours, contrast, luminance

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VIEWS = ("zeros", "scatter", "phases", "forward", "overlap")
LARGEST = "#i=8&k=7&s=5&d=3&p=valid"


def find(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def text(browser, selector):
    return find(browser, selector).get_attribute("textContent").strip()


def texts(browser, selector):
    script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent.trim())"
    return browser.execute_script(script, selector)


def slide(browser, name, value):
    """Sets a slider as a hand would: with the event that tells the page."""
    script = """
        const range = document.getElementById(arguments[0]);
        range.value = arguments[1];
        range.dispatchEvent(new Event('input'));
    """
    browser.execute_script(script, name, value)


def cell(grid, row, column):
    return f"#grids figure:nth-of-type({grid}) [data-at='{row},{column}']"


def marked(browser, grid, kind):
    script = """
        const found = document.querySelectorAll(arguments[0]);
        return [...found].map(shape => shape.dataset.at);
    """
    return browser.execute_script(script, f"#grids figure:nth-of-type({grid}) .cell.{kind}")


def wait(browser, condition):
    WebDriverWait(browser, 20, poll_frequency=0.05).until(lambda _: condition())


def test_the_page_is_what_its_parts_make(builder):
    assert builder.PAGE.read_text(encoding="utf-8") == builder.build()


def test_loads_in_silence_and_asks_no_network(explorer):
    browser = explorer()
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    assert sum(url.startswith("file:") for url in asked) == 1


def test_the_classic_example(explorer):
    browser = explorer()
    assert text(browser, "#sum") == "y[5, 5] = 9·2 = 18"
    assert "odd zero at the beginning: 2 zeros before, 1 after" in text(browser, "#said")
    assert texts(browser, "#rule td") == ["3", "1", "0", "2", "1", "1", "3 → 6"]


def test_pointing_at_an_output_lights_what_reaches_it(explorer):
    browser = explorer()
    ActionChains(browser).move_to_element(find(browser, cell(3, 4, 4))).perform()
    assert text(browser, "#sum") == "y[4, 4] = 5·6 + 6·4 + 8·0 + 9·(−2) = 36"
    assert marked(browser, 1, "hit") == ["4,4", "4,6", "6,4", "6,6"]
    assert marked(browser, 2, "hit") == ["0,0", "0,2", "2,0", "2,2"]
    assert marked(browser, 3, "chosen") == ["4,4"]
    # Away from the grid the cell that was chosen for good comes back.
    ActionChains(browser).move_to_element(find(browser, "h1")).perform()
    assert text(browser, "#sum").startswith("y[5, 5]")


def test_pointing_at_an_input_shows_where_it_goes(explorer):
    browser = explorer("#view=scatter")
    ActionChains(browser).move_to_element(find(browser, cell(1, 2, 2))).perform()
    assert text(browser, "#sum") == (
        "x[2, 2] = 9 times the kernel is added to 4 output cells; 5 products dropped"
    )
    assert len(marked(browser, 3, "hit")) == 9


def test_keys_choose_a_cell(explorer):
    browser = explorer("#cell=2,2")
    grid = find(browser, "#grids figure:nth-of-type(3) [role=grid]")
    grid.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert text(browser, "#sum").startswith("y[3, 3] = ")
    active = grid.get_attribute("aria-activedescendant")
    assert find(browser, f"#{active}").get_attribute("aria-label").startswith("output 3, 3: ")
    grid = find(browser, "#grids figure:nth-of-type(3) [role=grid]")
    grid.send_keys(Keys.HOME)
    assert text(browser, "#sum").startswith("y[3, 0] = ")


def test_a_tap_chooses_a_cell(explorer):
    browser = explorer(size=PHONE)
    find(browser, cell(3, 1, 1)).click()
    assert text(browser, "#sum").startswith("y[1, 1] = ")
    wait(browser, lambda: "cell=1,1" in browser.current_url)


def test_keys_move_between_views(explorer):
    browser = explorer()
    find(browser, "#view-zeros").send_keys(Keys.ARROW_RIGHT)
    assert find(browser, "[role=tab][aria-selected=true]").text == "Scatter"
    focused = browser.switch_to.active_element
    assert focused.get_attribute("id") == "view-scatter"


def test_only_legal_sizes_can_be_chosen(explorer):
    browser = explorer("#i=5&k=3&s=2")
    options = "#rows-size-{}"
    assert texts(browser, "#rows .choices span") == ["9", "10 •"]
    browser.execute_script(f"document.querySelector('{options.format(9)}').click()")
    assert texts(browser, "#rule td")[-1] == "5 → 9"
    slide(browser, "rows-stride", 3)
    assert texts(browser, "#rows .choices span") == ["13", "14", "15 •"]
    assert "Output size 9 cannot come from 5 cells: legal are 13, 14, 15." in text(
        browser, "#notes"
    )


def test_the_address_restores_the_page(explorer):
    browser = explorer()
    find(browser, "#linked").click()
    for name, value in {"rows-input": 4, "columns-kernel": 5, "columns-dilation": 2}.items():
        slide(browser, name, value)
    find(browser, "label[for=padding-VALID]").click()
    find(browser, "#view-phases").click()
    wait(browser, lambda: "view=phases" in browser.current_url)
    fragment = browser.current_url.partition("#")[2]
    assert fragment == "i=4,3&k=3,5&s=2,2&d=1,2&p=valid&view=phases"
    before = (texts(browser, "#rule td"), texts(browser, ".call code"))
    again = explorer(f"#{fragment}")
    assert (texts(again, "#rule td"), texts(again, ".call code")) == before
    assert text(again, "[role=tab][aria-selected=true]") == "Phases"


def test_an_edited_address_changes_the_page(explorer):
    browser = explorer()
    browser.execute_script("location.hash = '#i=5&k=4&s=3&view=overlap'")
    wait(browser, lambda: texts(browser, "#rule td")[-1] == "5 → 15")
    assert text(browser, "[role=tab][aria-selected=true]") == "Overlap"


def test_the_largest_call_answers_at_once(explorer):
    script = """
        const started = performance.now();
        change(() => {});
        const drawn = performance.now();
        choose({output: [20, 20]}, "hover");
        return [drawn - started, performance.now() - drawn];
    """
    drawing, lighting = explorer(LARGEST).execute_script(script)
    # Many times what either takes; a person would call more slow.
    assert drawing < 3000
    assert lighting < 300


def test_every_state_survives_its_address(explorer):
    script = """
        const failed = [];
        for (const mode of MODES) for (const linked of [true, false]) for (let n = 0; n < 60; n++) {
          const made = usualState();
          Object.assign(made, {mode, linked, view: Object.keys(VIEWS)[n % 5]});
          made.axes.forEach((axis, at) => Object.entries(RANGES).forEach(([name, range], which) => {
            axis[name] = range.lowest + (n * (3 + which) + 5 * at + which) %
              (range.highest - range.lowest + 1);
            axis.pads = [(n + at) % 4, n % 3];
          }));
          settle(made);
          made.axes[0].size = sizesOf(settingOf(made, 0))[n % made.axes[0].stride] ?? null;
          settle(made);
          const read = fromFragment(toFragment(made));
          if (toFragment(read.state) !== toFragment(made) || read.notes.length) {
            failed.push([toFragment(made), toFragment(read.state), ...read.notes]);
          }
        }
        return failed;
    """
    assert explorer().execute_script(script) == []


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        ("#k=9", "k=9; it must be 1 or 2 integers from 1 to 7"),
        ("#i=3&k=3&s=2&o=8", "legal are 5, 6. Padding VALID reaches 8."),
        ("#i=8&k=3&s=2&o=17", "legal are 15, 16. Padding 0 before and 1 after reaches 17."),
        ("#i=8&k=3&s=2&p=valid&o=16", "legal are 17, 18. Padding SAME reaches 16."),
        ("#i=3&k=3&s=2&o=9", "No padding gives more than 8: it takes a larger kernel."),
        ("#i=8&k=7&s=1&p=valid&o=1", "cannot come from 8 cells: legal is 14."),
        ("#p=1", "p=1; it must be same, valid, or 2 or 4 integers from 0 to 6"),
        ("#view=3d", "view=3d; it must be one of zeros, scatter, phases, forward, overlap"),
        ("#p=full", "p=full; it must be same, valid, or"),
    ],
)
def test_an_address_that_makes_no_sense_is_answered(explorer, fragment, said):
    browser = explorer(fragment)
    assert said in text(browser, "#notes")
    assert find(browser, "#notes").is_displayed()


def test_the_film_steps_plays_and_pauses(explorer):
    browser = explorer("#i=2&k=2&s=1")
    find(browser, "#next").click()
    assert text(browser, "#count") == "1 of 4"
    assert len(marked(browser, 3, "pending")) == 3
    find(browser, "#back").click()
    assert text(browser, "#count") == "4 of 4"
    find(browser, "#play").click()
    wait(browser, lambda: text(browser, "#count") == "3 of 4")
    find(browser, "#play").click()
    assert text(browser, "#play") == "Play"
    time.sleep(0.9)  # more than a frame
    assert text(browser, "#count") == "3 of 4"


def test_scattering_adds_up_to_the_output(explorer):
    browser = explorer("#view=scatter")
    whole = texts(browser, "#grids figure:nth-of-type(3) .cell")
    find(browser, "#next").click()
    assert texts(browser, "#grids figure:nth-of-type(3) .cell") != whole
    find(browser, "#back").click()
    assert text(browser, "#count") == "9 of 9"
    assert texts(browser, "#grids figure:nth-of-type(3) .cell") == whole


def test_explicit_padding_leaves_an_output(explorer):
    browser = explorer("#i=1&k=1&s=1&p=0,0")
    assert find(browser, "#rows-before").get_attribute("max") == "0"
    browser = explorer("#i=2&k=3&s=2&p=6,6")
    assert int(texts(browser, "#rule td")[-1].split(" → ")[1]) >= 1


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [PHONE, LAPTOP])
def test_nothing_sticks_out(explorer, view, size):
    for fragment in (f"#view={view}", f"{LARGEST}&view={view}", f"#i=3,4&p=1,0,0,2&view={view}"):
        browser = explorer(fragment, size)
        needed, there = browser.execute_script(
            "return [document.documentElement.scrollWidth, innerWidth]"
        )
        assert needed <= there == size[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_is_legible(explorer, scheme):
    browser = explorer("#i=3&k=3&s=2&d=2&p=1,0", scheme=scheme)
    assert (luminance(colours(browser, "body")[1]) < 0.2) == (scheme == "dark")
    plain = ("h1", ".intro", ".hint", "#sum", "#terms", ".warning", ".call code", "#count")
    for selector in plain:
        assert contrast(*colours(browser, selector)) >= CONTRAST, selector
    for view in VIEWS:
        browser = explorer(f"#i=3&k=4&s=3&p=3,1&view={view}", scheme=scheme)
        roles = browser.execute_script(
            "return [...new Set([...document.querySelectorAll('#grids .cell')]"
            ".map(cell => cell.classList[1]))]"
        )
        for role in roles:
            ink, _ = colours(browser, f"#grids .cell.{role} text", "fill")
            fill, _ = colours(browser, f"#grids .cell.{role} rect", "fill")
            assert contrast(ink, fill) >= CONTRAST, (view, role)


def test_everything_has_a_name(explorer):
    for view in VIEWS:
        browser = explorer(f"#i=2,3&k=3,4&p=1,0,0,2&view={view}")
        nodes = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        wanted = {"slider", "radio", "checkbox", "button", "tab", "grid", "gridcell", "image"}
        seen = set()
        for node in nodes:
            role = node.get("role", {}).get("value")
            if not node["ignored"] and role in wanted:
                seen.add(role)
                assert node["name"]["value"].strip(), (view, node)
        assert {"slider", "radio", "checkbox", "button", "tab", "grid"} <= seen


def test_copies_a_call(explorer):
    browser = explorer("#k=4")
    browser.execute_script(
        "Object.defineProperty(navigator, 'clipboard', "
        "{value: {writeText: async (text) => { window.copied = text; }}})"
    )
    find(browser, "[data-dialect=Keras] button").click()
    wait(browser, lambda: text(browser, "[data-dialect=Keras] button") == "Copied")
    copied = browser.execute_script("return window.copied")
    assert copied == text(browser, "[data-dialect=Keras] code")
    assert re.fullmatch(r"keras\.layers\.Conv2DTranspose\(filters, kernel_size=4, .*\)", copied)
