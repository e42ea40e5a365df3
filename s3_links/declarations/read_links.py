"""Reads the files of links: every part of them is right, or all that is not is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .checking import checked, located
from .documents import read
from .files import place_of_links
from .links import Links

if TYPE_CHECKING:
    from pathlib import Path


def declared() -> Links | None:
    """Return the checked links of this folder, or nothing where there are none."""
    path = place_of_links()
    return read_links(path) if path else None


def read_links(path: Path) -> Links:
    """Return the checked links in a file or a folder, or raise :class:`ConfigurationError`."""
    return read_with_notes(path)[0]


def read_with_notes(path: Path) -> tuple[Links, list[str]]:
    """Return the checked links, and what cannot be known of them, each with its place."""
    documents = read(path)
    links = checked(Links, documents.content, source=documents.where, found=documents.problems)
    return links, [located(documents.where, note) for note in links.notes()]
