"""The page and the SVG in a real browser: read, filtered, chosen from, and safe."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.map.drawing import page, svg
from s3_links.operations.access import Stated
from s3_links.operations.graphs import graph
from tests.conftest import PROJECT
from tests.support.accesses import EC2, IDS, LISTS, NOTHING, READS, WRITES, role
from tests.support.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from s3_links.operations.summary import Summary

ASSETS = PROJECT / "s3_links" / "map" / "assets"
HALVES = (
    Stated("bucket policy", IDS["account2"], "aws_s3_bucket_policy.theirs", '{"Sid": "Theirs"}'),
    Stated("identity policy", IDS["account1"], "aws_iam_policy.ours", '{"Sid": "Ours"}'),
)
CHANGING = replace(
    NOTHING,
    stays=[replace(READS, statements=HALVES), replace(LISTS, statements=HALVES), EC2],
    appears=[replace(WRITES, target="bucket new-…", where="arn:aws:s3:::new-…/x")],
    disappears=[replace(READS, target="bucket old", where="arn:aws:s3:::old/x")],
)
HALF = replace(
    NOTHING,
    stack="half",
    stays=[
        replace(
            LISTS,
            principal="role other (account2)",
            who=role("other", "account2"),
            target="bucket theirs",
            where="arn:aws:s3:::theirs",
            works=False,
            halves=("identity policy",),
            statements=HALVES[1:],
            owner=IDS["account1"],
        )
    ],
)
NAME = "<script>hurt()</script><img src=x onerror=hurt()>\"'&{{script}}"


def many(links: int) -> list[Summary]:
    """Return as many links, every third of them with something that appears."""
    return [
        replace(
            NOTHING,
            stack=f"team{n:03}",
            stays=[
                replace(row, principal=f"role reader-{n} (account1)", who=role(f"reader-{n}"))
                for row in (replace(READS, statements=HALVES), LISTS)
            ],
            appears=[EC2] if n % 3 == 0 else [],
        )
        for n in range(links)
    ]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Browser:
    browser.show(1400, 900)
    browser.open(written(tmp_path, [CHANGING, HALF]), "lang=en")
    return browser


def written(folder: Path, summaries: list[Summary]) -> Path:
    file = folder / "map.html"
    file.write_text(page(graph(summaries)))
    return file


def texts(browser: Browser, selector: str) -> list[str]:
    found: list[str] = browser.run(
        f"[...document.querySelectorAll({selector!r})].map((one) => one.textContent)"
    )
    return found


def choose(browser: Browser, **filters: str) -> None:
    for name, value in filters.items():
        browser.run(f"document.getElementById('filters').elements[{name!r}].value = {value!r}")
    browser.run("document.getElementById('filters').dispatchEvent(new Event('change'))")
    browser.drawn()


def edges(browser: Browser) -> list[str]:
    return [" ".join(one.split()) for one in texts(browser, "#pictures g.edge title")]


in_a_browser = pytest.mark.cost("planned")


@in_a_browser
def test_the_page_draws_every_edge_and_loads_nothing(opened: Browser) -> None:
    assert edges(opened) == [
        "role other → bucket theirs: ListBucket; ✗ bucket policy not seen here (stays)",
        "service ec2.amazonaws.com → role reader: AssumeRole (stays)",
        "role reader → bucket new-…: + PutObject out/* (appears)",
        "role reader → bucket old: − GetObject in/* (disappears)",
        "role reader → bucket reports-…: read-only in/* (stays)",
    ]
    assert texts(opened, "#pictures .account text")[0].startswith("account1  111111111111")
    assert opened.complaints == []
    (own,) = opened.requests
    assert own.startswith("file:")


@in_a_browser
@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        ({"link": "half"}, 1),
        ({"bucket": "old"}, 1),
        ({"role": "reader"}, 4),
        ({"role": "reader", "action": "s3:PutObject"}, 1),
        ({"account": "account2"}, 4),
        ({"state": "appears"}, 1),
        ({"state": "half"}, 1),
        ({"bucket": "old", "action": "s3:PutObject"}, 0),
    ],
)
def test_filters_leave_what_fits(opened: Browser, filters: dict[str, str], shown: int) -> None:
    choose(opened, **filters)
    assert len(edges(opened)) == shown
    assert texts(opened, "#told") == [f"{shown} of 5 edges"]
    assert len(texts(opened, "#rows tr")) >= shown
    assert opened.run("location.hash").count("=") == len(filters) + 1  # it can be sent to others
    opened.run("document.querySelector('[type=reset]').click()")
    opened.drawn()
    assert len(edges(opened)) == 5


@in_a_browser
@pytest.mark.parametrize("where", ["#pictures g.edge", "#rows tr"])
def test_an_edge_or_a_row_tells_both_halves_with_their_statements(
    opened: Browser, where: str
) -> None:
    position = next(n for n, text in enumerate(texts(opened, where)) if "reports-…" in text)
    inside = " button" if "tr" in where else ""
    opened.run(
        f"(document.querySelectorAll('{where}')[{position}]"
        f"{'.querySelector(`button`)' if inside else ''})"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    assert texts(opened, "#chosen h3") == [
        "bucket policy, in account account2",
        "identity policy, in account account1",
    ]
    assert texts(opened, "#chosen pre") == ['{"Sid": "Theirs"}', '{"Sid": "Ours"}']
    assert "aws_s3_bucket_policy.theirs" in texts(opened, "#chosen")[0]


@in_a_browser
def test_a_missing_half_is_told_beside_the_one_that_is_there(opened: Browser) -> None:
    choose(opened, state="half")
    opened.run("document.querySelector('#rows button').click()")
    assert texts(opened, "#chosen h3") == [
        "identity policy, in account account1",
        "✗ bucket policy not seen here, in account account1",
    ]
    assert "nothing is granted" in texts(opened, "#chosen .absent")[0]


@in_a_browser
def test_the_keyboard_is_enough(opened: Browser) -> None:
    opened.run("document.getElementById('theme').focus()")
    opened.press("Tab")  # one stop for the whole picture
    at = "document.activeElement.dataset.edge"
    first = opened.run(at)
    opened.press("ArrowRight", "ArrowDown")
    assert opened.run(at) != first
    opened.press("ArrowLeft", "ArrowUp")
    assert opened.run(at) == first
    for key in ("Enter", " "):
        opened.press("Escape")
        assert texts(opened, "#chosen") == ["Choose an edge or a row."]
        opened.press(key)
        assert texts(opened, "#chosen h3")
    opened.press("Tab")
    assert not opened.run("document.activeElement.closest('#pictures')")
    assert opened.run(
        "[...document.querySelectorAll('select, button, .edge')].every((one) => one.tagName === 'g'"
        " ? one.getAttribute('role') === 'button' && one.getAttribute('aria-label')"
        " : one.closest('label') || one.textContent)"
    )


@in_a_browser
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_phone_shows_all_of_it_in_one_column(
    browser: Browser, tmp_path: Path, language: str
) -> None:
    browser.show(390, 844)
    browser.open(written(tmp_path, [CHANGING, HALF]), f"lang={language}")
    assert browser.run("document.documentElement.scrollWidth") == 390
    small = browser.run(
        "[...document.querySelectorAll('select, header button')].filter((one) =>"
        " one.getBoundingClientRect().height < 44).length"
    )
    assert small == 0
    left = browser.run("document.getElementById('details').getBoundingClientRect().left")
    assert left == 0
    browser.run("document.querySelector('#rows button').click()")
    top = browser.run("document.getElementById('details').getBoundingClientRect().top")
    assert -1 < top < 844


@in_a_browser
def test_each_word_is_there_in_both_languages(opened: Browser) -> None:
    english = texts(opened, "[data-words]")
    opened.run("document.getElementById('language').click()")
    opened.drawn()
    assert opened.run("document.documentElement.lang") == "ja"
    japanese = texts(opened, "[data-words]")
    assert not set(english) & set(japanese)
    words = re.search(r"const WORDS = \{\s+en: \{(.*?)\},\s+ja: \{(.*?)\},\s+\};", script(), re.S)
    assert words
    keys = [re.findall(r'(?:^|[ ,])"?([a-z ]+)"?: "', part) for part in words.groups()]
    assert keys[0] == keys[1]
    assert len(keys[0]) > 30


def script() -> str:
    return (ASSETS / "page.js").read_text()


@in_a_browser
def test_the_scheme_is_the_readers_until_another_is_chosen(
    browser: Browser, tmp_path: Path
) -> None:
    file = written(tmp_path, [CHANGING])
    ground = "getComputedStyle(document.body).backgroundColor"
    found = []
    for dark in (False, True):
        browser.show(1400, 900, dark=dark)
        browser.open(file)
        found.append(browser.run(ground))
        browser.run("document.getElementById('theme').click()")
        found.append(browser.run(ground))
    light, dark_ = "rgb(255, 255, 255)", "rgb(13, 17, 23)"
    assert found == [light, dark_, dark_, light]


@in_a_browser
def test_what_anybody_may_have_named_is_shown_and_never_run(
    browser: Browser, tmp_path: Path
) -> None:
    one = replace(
        READS,
        principal=f"role {NAME} (account1)",
        who=role(NAME),
        target=f"bucket {NAME}",
        actions=(NAME,),
        paths=(NAME,),
        conditions=(NAME,),
        statements=(Stated(NAME, NAME, NAME, NAME),),
    )
    ids = {"account1": IDS["account1"], NAME: IDS["account2"]}
    hostile = replace(NOTHING, stack=NAME, appears=[one], accounts=ids, undecided=[NAME])
    browser.show(1400, 900)
    browser.open(written(tmp_path, [hostile, *many(5)]))
    choose(browser, bucket=NAME)
    browser.run("document.querySelector('#rows button').click()")
    assert browser.run("typeof hurt") == "undefined"
    assert browser.complaints == []
    assert len(browser.requests) == 1
    assert browser.run("document.images.length + document.scripts.length") == 2  # both are ours
    assert texts(browser, "#chosen pre") == [NAME]
    assert texts(browser, "#unread li") == [f"{NAME}: {NAME}"]
    assert f"role {NAME}" in texts(browser, "#rows td")[0]
    assert set(texts(browser, "#pictures .node title")) == {f"bucket {NAME}", f"role {NAME}"}


@in_a_browser
def test_two_hundred_links_are_drawn_and_found_in(browser: Browser, tmp_path: Path) -> None:
    browser.show(1400, 900)
    browser.open(written(tmp_path, many(200)))
    assert len(texts(browser, "#pictures figcaption")) > 100
    assert len(edges(browser)) == 200 + 1
    choose(browser, role="reader-137")
    assert edges(browser) == ["role reader-137 → bucket reports-…: read-only in/* (stays)"]
    assert texts(browser, "#pictures figcaption") == []


@pytest.mark.cost("synthesized")
def test_an_svg_holds_all_that_it_shows() -> None:
    drawn = svg(graph([CHANGING, HALF, replace(HALF, stack=NAME), *many(4)]))
    assert drawn.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|<script|<image|href|@import", drawn)
    for words in (
        "reports-…",
        "+ PutObject out/*",
        "− GetObject in/*",
        "✗ bucket policy not seen",
        "link: team",
    ):
        assert words in drawn
    xmllint = shutil.which("xmllint")
    if xmllint:
        subprocess.run([xmllint, "--noout", "-"], input=drawn, text=True, check=True)


def channels(colour: str) -> list[float]:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours: "Relative luminance" in WCAG 2.2."""
    weights = (0.2126, 0.7152, 0.0722)
    bright = [
        sum(w * c for w, c in zip(weights, channels(colour), strict=True)) + 0.05
        for colour in (one, other)
    ]
    return max(bright) / min(bright)


PALETTE = re.findall(
    r"--([a-z-]+): light-dark\((#\w+), (#\w+)\)", (ASSETS / "picture.css").read_text()
)
READ_ON = {
    "text": ("ground", "box", "role", "bucket", "key", "other"),
    "muted": ("ground",),
    "green": ("ground",),
    "red": ("ground",),
}
SEEN_ON = {
    "plain": ("ground", "box"),
    "green": ("ground", "box"),
    "red": ("ground", "box"),
    "box-line": ("ground",),
    "role-line": ("box", "ground"),
    "bucket-line": ("box",),
    "key-line": ("box",),
    "other-line": ("box",),
}


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_each_colour_differs_enough_from_what_it_stands_on(scheme: int) -> None:
    colours = {name: values[scheme] for name, *values in PALETTE}
    for least, pairs in ((4.5, READ_ON), (3, SEEN_ON)):
        for name, grounds in pairs.items():
            for ground in grounds:
                assert contrast(colours[name], colours[ground]) >= least, (name, ground)


def test_the_page_allows_its_own_script_and_style_alone() -> None:
    text = page(graph([CHANGING]))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|src=|@import|<link|url\(['\"]", text)
    for asset in ASSETS.iterdir():
        ends = {".js": r"</?script|<!--", ".css": "</style"}.get(asset.suffix)
        assert ends is None or not re.search(ends, asset.read_text(), re.I)


def test_the_copy_of_dagre_is_the_one_that_is_installed_with_its_licence() -> None:
    kept = (ASSETS / "dagre.min.js").read_text()
    assert "Permission is hereby granted" in kept
    installed = PROJECT / "node_modules" / "@dagrejs" / "dagre" / "dist" / "dagre.min.js"
    if not installed.exists():
        pytest.skip("dagre is not installed: `make install` does it")
    lines = installed.read_text().splitlines(keepends=True)
    code = [line for line in lines if not line.startswith(("/*! For license", "//# source"))]
    licence = installed.with_name("dagre.min.js.LEGAL.txt").read_text()
    assert kept == licence + "".join(code)


def test_nothing_of_the_data_is_lost() -> None:
    data: Any = re.search(r'id="graph">(.*?)</script>', page(graph([CHANGING])), re.S)
    assert data[1] == graph([CHANGING]).as_json()
