"""The site: all pages in both languages, and no dead link."""

from __future__ import annotations

import functools
import html
import re
import shutil
import threading
import time
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import PROJECT
from tests.support.browser import Browser
from tools.site.__main__ import build, navigation
from tools.site.generated import PAGES as PAGES_MADE
from tools.site.generated import stale
from tools.site.links import dead
from tools.site.pages import PageError, pages, rewritten

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.cost("synthesized")

PAGES = pages(PROJECT)
JAPANESE = sorted(name for name, page in PAGES.items() if page.language == "ja")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    assert list(build(folder)) == []
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one page in each language, one decision and one example."""
    root = tmp_path / "project"
    write(root, "README.md", "# Start\n\nSee [the decision](docs/decisions/one.md#why).\n")
    write(root, "README.ja.md", "# 始める\n\n[決定](docs/decisions/one.md#why)を見る。\n")
    write(root, "docs/decisions/one.md", "# One\n\n## Why\n\nSo.\n")
    write(root, "docs/examples.md", "# Examples\n")
    write(root, "examples/lambda/README.md", "# A function\n\nReads.\n")
    write(root, "examples/lambda/links.json", '{"links": {}}\n')
    return root


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def built(root: Path) -> str:
    return "\n".join(build(root.parent / "site", root))


def test_every_page_is_there(site: Path) -> None:
    assert {page.address for page in PAGES.values()} <= {
        file.relative_to(site).as_posix() for file in site.rglob("*.html")
    }


def test_a_page_that_is_not_as_its_sources_say_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(PROJECT / "docs", tmp_path / "docs")
    assert list(stale(tmp_path / "docs")) == []
    write(tmp_path, "docs/api.md", "# Older\n")

    def silent() -> str:
        raise ValueError("without a docstring: s3_cross_account.policy.Silent")

    monkeypatch.setitem(PAGES_MADE, "reference/commands.md", silent)
    assert list(stale(tmp_path / "docs")) == [
        "docs/api.md: is not as its sources say: run `make api`",
        "docs/reference/commands.md: without a docstring: s3_cross_account.policy.Silent",
    ]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_navigation_leads_to_every_page_once(language: str) -> None:
    shown = [
        address
        for section in navigation(PAGES, language)
        for entries in section.values()
        for entry in entries
        for address in entry.values()
    ]
    assert len(shown) == len({page.name for page in PAGES.values()}) == len(set(shown))
    assert (shown[0], language) in {("index.md", "en"), ("index.md", "ja")}
    assert all(address.endswith((".md", ".html")) for address in shown)


@pytest.mark.parametrize("name", JAPANESE)
def test_both_languages_have_the_same_sections(name: str) -> None:
    def levels(text: str) -> list[str]:
        return re.findall(
            r"^#+(?= )", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S), re.M
        )

    english = PAGES[name.replace(".ja.md", ".md")]
    assert levels(PAGES[name].text) == levels(english.text)


def test_a_small_project_becomes_a_site(project: Path) -> None:
    assert built(project) == ""
    site = project.parent / "site"
    assert 'href="decisions/one.html#why"' in (site / "index.html").read_text()
    assert 'href="../decisions/one.html#why"' in (site / "ja" / "index.html").read_text()


def test_an_example_is_taken_as_it_comes(project: Path) -> None:
    assert built(project) == ""
    site = project.parent / "site"
    assert 'href="examples/lambda.html"' in (site / "examples.html").read_text()
    shown = re.sub("<[^>]+>", "", (site / "examples" / "lambda.html").read_text())
    assert html.unescape(shown).count('{"links": {}}') == 1
    assert "examples/lambda.html" in (site / "index.html").read_text()  # the navigation


def test_a_link_to_nothing_is_refused(project: Path) -> None:
    write(project, "docs/decisions/one.md", "# One\n\nSee [two](two.md).\n")
    with pytest.raises(PageError, match=r"^docs/decisions/one.md: leads to two.md, which is not"):
        built(project)


@pytest.mark.parametrize("language", ["", ".ja"])
def test_a_link_to_a_missing_section_is_refused(project: Path, language: str) -> None:
    write(project, "docs/decisions/one.md", "# One\n")
    (project / f"README{'' if language else '.ja'}.md").write_text("# No link\n")
    told = built(project)
    if not language:  # within one language Zensical sees it as well, and shows the line
        assert "anchor does not exist" in told
        assert "Traceback" not in told
        assert "\x1b" not in told
    page, way = ("ja/index.html", "../") if language else ("index.html", "")
    assert f"{page}: leads to {way}decisions/one.html#why, which is not there" in told


def test_a_page_without_a_heading_is_refused(project: Path) -> None:
    write(project, "docs/decisions/one.md", "So.\n")
    with pytest.raises(PageError, match=r"^docs/decisions/one.md: has no heading"):
        built(project)


def test_what_is_not_on_the_site_is_linked_to_in_the_repository_or_only_named(
    project: Path,
) -> None:
    write(
        project, "README.md", "# Start\n\nSee [the file](Makefile), [`x`](https://example.com).\n"
    )
    write(project, "Makefile", "")
    every = pages(project)
    start = every["README.md"]
    assert "See the file, [`x`](https://example.com)." in rewritten(start, every, None)
    there = "https://git.example.com/a/b/blob/main"
    assert f"[the file]({there}/Makefile)" in rewritten(start, every, there)


def test_lists_are_indented_and_code_is_left_alone(project: Path) -> None:
    text = (
        "# Start\n\n1. One:\n\n   ```sh\n   a [b](c.md)\n     d\n   ```\n\n   More.\n\n"
        "- Two\n  lines\n  - three\n\nEnd.\n"
    )
    write(project, "README.md", text)
    every = pages(project)
    assert rewritten(every["README.md"], every, None) == (
        "# Start\n\n1. One:\n\n    ```sh\n    a [b](c.md)\n      d\n    ```\n\n    More.\n\n"
        "- Two\n    lines\n    - three\n\nEnd.\n"
    )
    write(project, "README.md", "# Start\n\n1. ```sh\n   a\n   ```\n")
    with pytest.raises(PageError, match="put a word between"):
        rewritten(every["README.md"], every, None)


def test_japanese_lines_are_joined_outside_code(project: Path) -> None:
    text = "# 始める\n\n一行目\n二行目の `code`\n三行目\n\n```sh\n甲\n乙\n```\n"
    write(project, "README.ja.md", text)
    every = pages(project)
    assert rewritten(every["README.ja.md"], every, None) == (
        "# 始める\n\n一行目二行目の `code`\n三行目\n\n```sh\n甲\n乙\n```\n"
    )


def test_every_link_of_a_rendered_page_is_followed(tmp_path: Path) -> None:
    write(tmp_path, "a/index.html", '<h2 id="here">A</h2><a href="../b.html#there">b</a>')
    write(
        tmp_path,
        "b.html",
        '<a href="a/#here">a</a><a href="a/index.html#gone">a</a><a href="#gone">b</a>'
        '<img src="c.png"><a href="https://example.com/gone">d</a>',
    )
    assert list(dead(tmp_path)) == [
        "a/index.html: leads to ../b.html#there, which is not there",
        "b.html: leads to a/index.html#gone, which is not there",
        "b.html: leads to #gone, which is not there",
        "b.html: leads to c.png, which is not there",
    ]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def awaited(browser: Browser, script: str) -> Any:
    """Return what an expression gives, once it gives something; fail after twenty seconds."""
    deadline = time.monotonic() + 20
    while not (given := browser.run(script)):
        assert time.monotonic() < deadline, script
        time.sleep(0.05)
    return given


ROOTS = "[...document.querySelectorAll('*')].map((e) => e.shadowRoot)"
SEARCH = f"{ROOTS}.find((root) => root?.querySelector('input'))"
DRAWN = "[...document.querySelectorAll('div.mermaid')].filter((e) => e.offsetHeight > 100).length"
BUTTON = "document.querySelector('.md-search__button')"
OPEN = f"{SEARCH} ? !!{SEARCH}.activeElement || ({BUTTON}.click(), false) : false"
FOUND = f"[...{SEARCH}.querySelectorAll('a')].map((a) => a.innerText).join(' ')"


@pytest.mark.cost("planned")
@pytest.mark.parametrize(
    ("page", "word", "answer"),
    [
        ("index.html", "survive recreation", "survive"),
        ("ja/index.html", "拒否", "なぜ拒否されるのか"),
    ],
)
def test_a_reader_sees_the_diagrams_and_finds_a_word_without_another_server(
    page: str, word: str, answer: str, site: Path, tmp_path: Path
) -> None:
    with served(site) as address, Browser(tmp_path) as browser:
        browser.order("Page.navigate", url=f"{address}/{page}")
        awaited(browser, DRAWN)
        awaited(browser, OPEN)
        browser.order("Input.insertText", text=word)
        assert answer in awaited(browser, FOUND)
        assert [r for r in browser.requests if not r.startswith((address, "data:"))] == []
        assert browser.complaints == []
