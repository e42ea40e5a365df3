"""The pages of the site: which files they are, where they stand, how each is rewritten for it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGES = {"en": "", "ja": ".ja"}
"""What the names of a language's files have before ``.md``."""

ROOT_PAGES = ("README", "CONTRIBUTING", "CHANGELOG")
"""The pages outside ``docs`` and ``examples``."""

_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_WIDE = "[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]"
_FENCE = re.compile(r" *```")
_ITEM = re.compile(r" *([-*]|\d+\.) +\S")
_FENCED_ITEM = re.compile(r" *([-*]|\d+\.) +```")


class PageError(ValueError):
    """Something in a page cannot become one of the site."""


@dataclass(frozen=True)
class Page:
    """A Markdown file of the project, and what it is on the site."""

    root: Path
    file: PurePosixPath
    language: str

    @property
    def name(self) -> str:
        """Return what the page has in common with its counterparts in other languages."""
        return str(self.file)[: -len(LANGUAGES[self.language] + ".md")]

    @property
    def place(self) -> str:
        """Return the page's file in its language's tree."""
        parts = self.name.removeprefix("docs/").split("/")
        if parts[-1] == "README":
            parts[-1:] = ["index"] if not self.is_example else []
        return "/".join(parts).lower() + ".md"

    @property
    def address(self) -> str:
        """Return the rendered page's file, from the site's root."""
        folder = "" if self.language == "en" else f"{self.language}/"
        return folder + self.place.removesuffix(".md") + ".html"

    @property
    def is_example(self) -> bool:
        """Return whether a folder of ``examples`` is described."""
        return self.file.parts[0] == "examples"

    @property
    def text(self) -> str:
        """Return the file's content."""
        return (self.root / self.file).read_text(encoding="utf-8")

    @property
    def title(self) -> str:
        """Return the page's first heading, as plain text."""
        found = re.search(r"^# (.+)", self.text, flags=re.M)
        if found is None:
            raise PageError(f"{self.file}: has no heading to be named by")
        return found[1].replace("`", "")


def pages(root: Path) -> dict[str, Page]:
    """Return every page by its file; ``examples/*`` are taken as they come."""
    files = [root / f"{name}{suffix}.md" for name in ROOT_PAGES for suffix in LANGUAGES.values()]
    files += sorted((root / "docs").rglob("*.md"))
    files += sorted((root / "examples").glob("*/README*.md"))
    found = {}
    for file in files:
        if file.exists():
            path = PurePosixPath(file.relative_to(root).as_posix())
            language = "ja" if path.name.endswith(".ja.md") else "en"
            found[str(path)] = Page(root, path, language)
    return found


def rewritten(page: Page, every: dict[str, Page], repository: str | None) -> str:
    """Return a page's text for the site; raises :class:`PageError` for a link to nothing.

    What is not on the site is linked to in ``repository``, or named without a link.
    """

    def linked(found: re.Match[str]) -> str:
        text, target = found.groups()
        if re.match(r"[a-z]+:|#", target):
            return found[0]
        path, mark, anchor = target.partition("#")
        file = os.path.normpath(page.file.parent / path)
        if other := every.get(file):
            text = other.title if text == PurePosixPath(path).name else text
            return f"[{text}]({_way(page, other)}{mark}{anchor})"
        if not (page.root / file).exists():
            raise PageError(f"{page.file}: leads to {target}, which is not there")
        return f"[{text}]({repository}/{file})" if repository else text

    parts = re.split(r"(^ *```.*?^ *```$)", page.text, flags=re.M | re.S)  # every second is code
    parts[::2] = [_LINK.sub(linked, _unbroken(part)) for part in parts[::2]]
    return "\n".join([*_lists("".join(parts).splitlines()), *_added(page, every), ""])


def _added(page: Page, every: dict[str, Page]) -> Iterator[str]:
    """Yield an example's declaration, and below the page of the examples each of them."""
    if page.name == "docs/examples":
        own = [p for p in every.values() if p.is_example and p.language == page.language]
        names = {p.name for p in own}
        missing = (p for p in every.values() if p.is_example and p.name not in names)
        yield ""
        yield from (f"- [{other.title}]({_way(page, other)})" for other in (*own, *missing))
    elif page.is_example:
        for file in sorted((page.root / page.file).parent.glob("links.*")):
            kind = file.suffix.lstrip(".").replace("yml", "yaml")
            yield f"\n```{kind}\n{file.read_text(encoding='utf-8').rstrip()}\n```"


def _unbroken(text: str) -> str:
    """Join lines between Japanese letters, where a browser would show a space."""
    return re.sub(rf"^(?![#|])(.*{_WIDE})\n *(?={_WIDE})", r"\1", text, flags=re.M)


def _way(page: Page, other: Page) -> str:
    """Return how a link reaches another page: as Markdown, or rendered in another language."""
    if page.language == other.language:
        return os.path.relpath(other.place, PurePosixPath(page.place).parent)
    return os.path.relpath(other.address, PurePosixPath(page.address).parent)


def _lists(lines: list[str]) -> Iterator[str]:
    """Indent what stands in a list as Zensical's Markdown wants it: by four spaces a level."""
    levels: list[int] = []  # where the text of each open item begins
    fenced = False
    for line in lines:
        if not fenced and _FENCED_ITEM.match(line):
            raise PageError(
                f"{line.strip()}: put a word between the list's item and its code block"
            )
        indent = len(line) - len(line.lstrip())
        item = None if fenced else _ITEM.match(line)
        if line.strip() and not fenced:
            while levels and indent < levels[-1]:
                levels.pop()
        depth, shift = len(levels), levels[-1] if levels else 0
        yield " " * 4 * depth + line[shift:] if line.strip() else line
        if item:
            levels.append(item.end() - 1)
        fenced ^= bool(_FENCE.match(line))
