"""Builds the documentation site into build/site, and checks that its links lead somewhere.

Usage: python docs/build_site.py

The pages lie where readers of the repository look for them: at the top, in docs and in notebooks.
They are gathered into build/site-source. A link to a file of the repository that is no page of the
site gets a copy of that file. Links to other sites are not followed.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
SOURCE, SITE = ROOT / "build" / "site-source", ROOT / "build" / "site"
COPIES = "source"
"""The folder of the site for files of the repository that are no pages."""

LINK = re.compile(r"(\]\(|(?:src|srcset|href)=\")(?!https?:|#|mailto:)([^)\"#\s]+)")


def pages() -> dict[str, str]:
    """Where each file of the repository that is a page, or a part of one, stands in the site."""
    found = {"README.md": "index.md", "CONTRIBUTING.md": "CONTRIBUTING.md"}
    found["CHANGELOG.md"] = "CHANGELOG.md"
    for folder, pattern in (
        ("docs", "*.md"),
        ("docs", "*.html"),
        ("docs", "*.svg"),
        ("docs", "*.css"),
        ("notebooks", "*.ipynb"),
    ):
        for path in sorted((ROOT / folder).glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            found[name] = name.removeprefix("docs/")
    return found


def gather() -> None:
    """Copies the pages, with their links put right."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    places = pages()
    for name, place in places.items():
        target = SOURCE / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".md"):
            text = (ROOT / name).read_text(encoding="utf-8")
            target.write_text(relink(text, name, places), encoding="utf-8")
        elif name.endswith(".ipynb"):
            text = (ROOT / name).read_text(encoding="utf-8")
            target.write_text(relink_notebook(text, name, places), encoding="utf-8")
        else:
            shutil.copyfile(ROOT / name, target)


def relink(text: str, name: str, places: dict[str, str]) -> str:
    """A page with its links as the site needs them; copies what they lead to, if it is no page."""

    def replace(found: re.Match[str]) -> str:
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(name), found[2]))
        if wanted not in places:
            origin, copy = ROOT / wanted, SOURCE / COPIES / wanted
            if not origin.is_file():
                return found[0]  # mkdocs tells.
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, copy)
        place = places.get(wanted, f"{COPIES}/{wanted}")
        return found[1] + posixpath.relpath(place, posixpath.dirname(places[name]) or ".")

    return LINK.sub(replace, text)


def relink_notebook(text: str, name: str, places: dict[str, str]) -> str:
    """A notebook with the links in its words as the site needs them.

    They lead to what pages are built into, as mkdocs does not translate the links of notebooks.
    """
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            words = relink("".join(cell["source"]), name, places)
            cell["source"] = LINK.sub(
                lambda found: found[1] + re.sub(r"\.(md|ipynb)$", ".html", found[2]), words
            )
    return json.dumps(notebook)


class References(HTMLParser):
    """What a page of HTML links to, and what can be linked to in it."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Takes the links and the name of an element."""
        for name, value in attrs:
            if name in ("href", "src", "srcset") and value:
                self.links.append(value)
            elif name in ("id", "name") and value:
                self.anchors.add(value)


def dead_links(site: Path) -> Iterator[str]:
    """The links from page to page that lead nowhere."""
    known: dict[Path, References] = {}
    for path in sorted(site.rglob("*.html")):
        known[path.resolve()] = References()
        known[path.resolve()].feed(path.read_text(encoding="utf-8"))
    for path, references in known.items():
        for link in references.links:
            parts = urlsplit(link)
            # The page for missing pages is shown at any address, so its links are absolute.
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            # The explorer's fragments are settings.
            anchored = target in known and target.name != "explorer.html" and anchor
            if not target.exists():
                yield f"{path.relative_to(site.resolve())}: {link} does not exist"
            elif anchored and anchor not in known[target].anchors:
                yield f"{path.relative_to(site.resolve())}: {link} has no such place"


def main() -> int:
    """Builds and checks."""
    gather()
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--clean"]
    command += ["--config-file", str(ROOT / "mkdocs.yml")]
    # The theme's advertisement of its successor.
    built = subprocess.run(command, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    if built.returncode:
        return built.returncode
    dead = list(dead_links(SITE))
    for complaint in dead:
        print(complaint, file=sys.stderr)
    if not dead:
        print(f"{SITE.relative_to(ROOT)}/index.html")
    return int(bool(dead))


if __name__ == "__main__":
    sys.exit(main())
