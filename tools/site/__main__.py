"""Build the site: ``python -m tools.site [folder]``."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.site.generated import stale
from tools.site.links import dead
from tools.site.pages import LANGUAGES, Page, PageError, pages, rewritten

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[2]
MERMAID = PROJECT / "node_modules" / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"

NAMES = {"en": "S3 across AWS accounts", "ja": "AWS アカウントをまたぐ S3"}
IN_ENGLISH = "（英語）"  # noqa: RUF001 (as Japanese has them)
# By what their names have in common. A page of docs that no other section names is a how-to.
SECTIONS = (
    ({"en": "Start", "ja": "始める"}, ("README", "docs/first-hour", "docs/patterns")),
    (
        {"en": "How-to", "ja": "手引き"},
        (
            *("docs/links", "docs/commands", "docs/workstation", "docs/pipelines", "docs/takeover"),
            *("docs/troubleshooting", "docs/hardening", "docs/library", "docs/*"),
        ),
    ),
    ({"en": "Examples", "ja": "例"}, ("docs/examples", "examples/*")),
    (
        {"en": "Reference", "ja": "リファレンス"},
        ("docs/reference/links-file", "docs/reference/*", "docs/api"),
    ),
    ({"en": "Decisions", "ja": "決定の記録"}, ("docs/decisions/*", "docs/deviations")),
    (
        {"en": "The project", "ja": "プロジェクト"},
        ("docs/development", "docs/dependencies", "CONTRIBUTING", "CHANGELOG"),
    ),
)


def navigation(every: dict[str, Page], language: str) -> list[dict[str, Any]]:
    """Return a language's sections; a page that it lacks leads to the English one."""
    own = {page.name: page for page in every.values() if page.language == language}
    english = {page.name: page for page in every.values() if page.language == "en"}
    named = {name for _, names in SECTIONS for name in names}
    result = []
    for titles, names in SECTIONS:
        shown = [name for entry in names for name in _meant(entry, english, named)]
        entries = [_entry(own.get(name, english[name]), language) for name in shown]
        if entries:
            result.append({titles[language]: entries})
    return result


def _meant(entry: str, existing: dict[str, Page], named: set[str]) -> Iterator[str]:
    if not entry.endswith("*"):
        yield from [entry] * (entry in existing)
        return
    folder = entry[:-1]
    for name in sorted(existing, key=lambda name: (not name.endswith("/README"), name)):
        if name.startswith(folder) and name not in named:
            nested = f"{folder}{name[len(folder) :].split('/')[0]}/*"
            if nested == entry or nested not in named:
                yield name


def _entry(page: Page, language: str) -> dict[str, str]:
    if page.language == language:
        return {page.title: page.place}
    return {f"{page.title}{IN_ENGLISH}": f"../{page.address}"}


def settings(every: dict[str, Page], language: str) -> dict[str, Any]:
    """Return Zensical's settings for a language."""
    shared = tomllib.loads(Path(__file__).with_name("zensical.toml").read_text(encoding="utf-8"))
    shared["theme"]["language"] = language
    here = language == "en"
    return shared | {
        "site_name": NAMES[language],
        "docs_dir": language,
        "site_dir": "site" if here else f"site/{language}",
        "nav": navigation(every, language),
        "extra": {
            "generator": False,
            "alternate": [
                {"name": "English", "link": "./" if here else "../", "lang": "en"},
                {"name": "日本語", "link": "./ja/" if here else "./", "lang": "ja"},
            ],
        },
    }


def build(site: Path, root: Path = PROJECT) -> Iterator[str]:
    """Build the site of a project into a folder, and yield what is wrong with it."""
    every = pages(root)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for page in every.values():
            file = folder / page.language / page.place
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(rewritten(page, every, _repository()), encoding="utf-8")
        for language in LANGUAGES:
            assets = folder / language / "assets"
            assets.mkdir()
            shutil.copy(MERMAID, assets / "mermaid.js")
            shutil.copy(Path(__file__).with_name("site.css"), assets)
            file = folder / f"{language}.yml"  # JSON is YAML
            file.write_text(json.dumps(settings(every, language)), encoding="utf-8")
            command = ["zensical", "build", "--strict", "--config-file", str(file)]
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            if made.returncode:  # in colour wherever it is, with a traceback behind what is wrong
                told = re.sub(r"\x1b\[[0-9;]*m", "", made.stdout + made.stderr)
                yield f"zensical ({language}): {told.partition('Traceback')[0].strip() or told}"
        yield from dead(folder / "site")
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(folder / "site", site)


def _repository() -> str | None:
    """Return where the repository's files are read, which only a pipeline knows."""
    server, name = (os.environ.get(f"GITHUB_{word}") for word in ("SERVER_URL", "REPOSITORY"))
    return f"{server}/{name}/blob/main" if server and name else None


def main() -> None:
    """Build the site, and exit with 1 if anything is wrong with it."""
    site = Path(sys.argv[1] if len(sys.argv) > 1 else "site").absolute()
    try:
        wrong = [*stale(PROJECT / "docs"), *build(site)]
    except PageError as error:
        wrong = [str(error)]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{os.path.relpath(site)}/index.html")


if __name__ == "__main__":
    main()
