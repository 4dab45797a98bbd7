"""Debian's Chromium for tests of pages, without a window and without a network."""

from __future__ import annotations

import os
import shutil
import unittest
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

REQUIRED = os.environ.get("COMPAT_BROWSER") == "required"
"""Whether a missing browser is a failure."""

OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

LAPTOP, PHONE = (1280, 900), (390, 844)

CONTRAST = 4.5
"""Of text, as WCAG 2.2 wants it at level AA (success criterion 1.4.3)."""

COLOURS = """
    let element = document.querySelector(arguments[0]);
    const layers = [getComputedStyle(element)[arguments[1]]];
    for (; element; element = element.parentElement) {
      layers.push(getComputedStyle(element).backgroundColor);
    }
    const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1});
    const context = canvas.getContext("2d", {willReadFrequently: true});
    const painted = (colours) => {
      for (const colour of colours.reverse()) {
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
      }
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map(n => n / 255);
    };
    return [painted([...layers]), painted(layers.slice(1))];
"""


def start(folder: str) -> Any:
    """A browser with its profile in `folder`; skips the test, or fails it, where there is none."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        reason = "chromium and chromedriver are not both installed"
        if REQUIRED:
            raise AssertionError(f"COMPAT_BROWSER=required, but {reason}")
        raise unittest.SkipTest(reason)
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for option in (*OPTIONS, f"--user-data-dir={Path(folder, 'profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


def load(browser: Any, address: str, size: tuple[int, int], scheme: str = "light") -> None:
    """Reloads a page in a window of that size, with empty logs."""
    width, height = size
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE},
    )
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get("about:blank")  # so that a fragment alone loads the page as well
    for kind in ("browser", "performance"):
        browser.get_log(kind)  # empties it
    browser.get(address)


def colours(
    browser: Any, selector: str, ink: str = "color"
) -> tuple[Sequence[float], Sequence[float]]:
    """Colours of an element's `ink` and of what is behind it, red, green and blue up to 1."""
    of_ink, behind = browser.execute_script(COLOURS, selector, ink)
    return of_ink, behind


def contrast(one: Sequence[float], other: Sequence[float]) -> float:
    """The contrast of two colours, as WCAG 2.2 defines it, from 1 to 21."""
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: Sequence[float]) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
