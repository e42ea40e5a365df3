"""The pages that are made of the sources: complete, and as the sources say now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from s3_links.cli import app
from s3_links.declarations.links import schema
from tools import api
from tools.reference import ENGLISH, JAPANESE, commands, links_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PAGES: dict[str, Callable[[], str]] = {
    "api.md": lambda: api.page(api.public()),
    "reference/links-file.md": lambda: links_file(json.loads(schema()), ENGLISH),
    "reference/links-file.ja.md": lambda: links_file(json.loads(schema()), JAPANESE),
    "reference/commands.md": lambda: commands(app, ENGLISH),
    "reference/commands.ja.md": lambda: commands(app, JAPANESE),
}


def stale(docs: Path) -> Iterator[str]:
    """Yield what a page lacks: a public name says nothing of itself, or it was made before."""
    for name, made in PAGES.items():
        try:
            if made() != (docs / name).read_text(encoding="utf-8"):
                yield f"docs/{name}: is not as its sources say: run `make api`"
        except ValueError as error:
            yield f"docs/{name}: {error}"
