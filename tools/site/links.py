"""Follow every link of the rendered site: a dead one fails its build, whoever wrote it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _Read(HTMLParser):
    """What a rendered page leads to, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: dict[str, None] = {}
        self.anchors = {"", "__top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Keep what the tag leads to, and what it can be reached by."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.targets[value] = None
            elif name in ("id", "name") and value:
                self.anchors.add(value)


def dead(site: Path) -> Iterator[str]:
    """Yield every link inside the site that leads to nothing, with its page."""
    read = {file: _Read(file.read_text(encoding="utf-8")) for file in sorted(site.rglob("*.html"))}
    for file, page in read.items():
        if file.name == "404.html":  # shown at any address, so that its links begin at the root
            continue
        for target in page.targets:
            address = urlsplit(target)
            if address.scheme or address.netloc:
                continue
            reached = (file.parent / unquote(address.path)).resolve() if address.path else file
            if reached.is_dir():
                reached /= "index.html"
            anchors = read[reached].anchors if reached in read else {"", unquote(address.fragment)}
            if not reached.exists() or unquote(address.fragment) not in anchors:
                yield f"{file.relative_to(site)}: leads to {target}, which is not there"
