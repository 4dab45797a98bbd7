"""The explorer page in Debian's Chromium, loaded once for the tests that only compute."""

import importlib.util
import sys
import unittest
from pathlib import Path

import pytest

from compat_tests import chromium

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="session")
def builder():
    """docs/build_explorer.py as a module."""
    spec = importlib.util.spec_from_file_location("build_explorer", DOCS / "build_explorer.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Chromium; without one the test is skipped, or fails where COMPAT_BROWSER=required."""
    try:
        started = chromium.start(str(tmp_path_factory.mktemp("chromium")))
    except unittest.SkipTest as reason:
        pytest.skip(str(reason))
    yield started
    started.quit()


@pytest.fixture
def explorer(browser):
    """Opens the page with a fragment and gives the browser."""

    def open_page(fragment="", size=chromium.LAPTOP, scheme="light"):
        address = (DOCS / "explorer.html").as_uri()
        chromium.load(browser, f"{address}{fragment}", size, scheme)
        return browser

    return open_page
