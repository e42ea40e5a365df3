"""The examples of the README and of the pages run, in both languages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from s3_cross_account.aws_cli import WITHOUT_TAGS
from s3_cross_account.delivery_services import SERVICES
from s3_links.map.mermaid import mermaid
from s3_links.operations import mapped
from s3_links.operations.graphs import graph
from s3_links.operations.stack import synthesized
from tests.conftest import PROJECT
from tests.support.invariants import RULES
from tests.support.links import stack_json, synthesize

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.cost("synthesized")

README = (PROJECT / "README.md").read_text()
LINKS = (PROJECT / "docs" / "links.md").read_text()
SCHEMA = (PROJECT / "links.schema.json").read_text()


def declared(text: str) -> dict[str, Any]:
    """Return the links file that a README shows."""
    blocks = re.findall(r"```json\n(\{.*?)```", text, flags=re.S)
    (block,) = [block for block in blocks if "links.schema.json" in block]
    content: dict[str, Any] = json.loads(block)
    return content


def rows(heading: str, text: str = LINKS) -> dict[str, str]:
    """Return the rows of the table with this heading: what is wanted, and what to write."""
    table = re.split(rf"^\| {heading} \| .*\|$", text, flags=re.M)[1].split("\n\n")[0]
    return dict(re.findall(r'^\| ([^|]+?) \| `(".*?)` \|$', table, flags=re.M))


def settings(page: str) -> list[str]:
    """Return what a page's tables say to write beside the accounts."""
    text = (PROJECT / "docs" / page).read_text()
    return re.findall(r'^\| [^|]+ \| `("(?:state|pipeline)": \{.*?\})` \|$', text, flags=re.M)


SETTINGS = {
    f"{name}{language}.md": settings(f"{name}{language}.md")
    for name in ("workstation", "pipelines")
    for language in ("", ".ja")
}
ACCESS = rows("What you want")
REPLICATION = rows("What you want of a replication")
SERVICE_PAGES = {
    language: (PROJECT / "docs" / f"service-delivery{language}.md").read_text()
    for language in ("", ".ja")
}
DELIVERY = rows("What you want of a delivery", SERVICE_PAGES[""])


def test_the_tables_were_found() -> None:
    assert (len(ACCESS), len(REPLICATION), len(DELIVERY)) == (81, 16, 21)
    assert {name: len(found) for name, found in SETTINGS.items()} == {
        "workstation.md": 5,
        "workstation.ja.md": 5,
        "pipelines.md": 7,
        "pipelines.ja.md": 7,
    }


def test_the_level_for_copies_stands_where_the_default_is_met() -> None:
    (default,) = [wanted for wanted, text in ACCESS.items() if "list-get-put" in text]
    assert "the default" in default
    assert "copy-with-tags" in default
    schema = json.loads((PROJECT / "links.schema.json").read_text())
    level = schema["$defs"]["LinkAccess"]["properties"]["level"]
    assert level["default"] == "list-get-put"
    assert "copies between buckets: copy-with-tags" in level["description"]


@pytest.mark.parametrize("language", ["", ".ja"])
def test_what_version_1_takes_is_told_where_the_copy_commands_are(language: str) -> None:
    for name in ("reference-deployment", "troubleshooting"):
        assert WITHOUT_TAGS.strip() in (PROJECT / "docs" / f"{name}{language}.md").read_text()


def written(folder: Path, link: dict[str, Any]) -> None:
    """Synthesize a link, hold it against the invariants, and ask the schema too."""
    content = declared(README) | {"links": {"reports": link}}
    Draft202012Validator(json.loads(SCHEMA)).validate(content)
    result = synthesize(folder, content)
    assert (result.returncode, result.stderr) == (0, "")
    stack = stack_json(folder, "reports")
    for rule in RULES:
        assert rule(stack) == [], rule.__name__


@pytest.mark.parametrize("wanted", ACCESS)
def test_what_you_write(wanted: str, tmp_path: Path) -> None:
    link = declared(README)["links"]["reports"]
    written(tmp_path, link | json.loads(f"{{{ACCESS[wanted]}}}"))


@pytest.mark.parametrize("wanted", REPLICATION)
def test_what_you_write_for_a_replication(wanted: str, tmp_path: Path) -> None:
    blocks = re.findall(r"```json\n(\{.*?)```", LINKS, flags=re.S)
    (block,) = [block for block in blocks if '"replication"' in block]
    written(tmp_path, json.loads(block) | json.loads(f"{{{REPLICATION[wanted]}}}"))


@pytest.mark.parametrize("wanted", DELIVERY)
def test_what_you_write_for_a_delivery(wanted: str, tmp_path: Path) -> None:
    more = json.loads(f"{{{DELIVERY[wanted]}}}")
    shown = service_example("") | {"trail": None}  # of cloudtrail, which each row names itself
    written(tmp_path, {k: v for k, v in (shown | more).items() if v is not None})


def service_example(language: str) -> dict[str, Any]:
    (block,) = re.findall(r"```json\n(\{.*?)```", SERVICE_PAGES[language], flags=re.S)
    content: dict[str, Any] = json.loads(block)
    return content


@pytest.mark.parametrize("language", SERVICE_PAGES)
def test_every_service_has_its_row_and_its_documents(language: str) -> None:
    page = SERVICE_PAGES[language]
    for word, service in SERVICES.items():
        (row,) = re.findall(rf"^\| `{word}` \| .*$", page, flags=re.M)
        for document in service.documents:
            assert f'"{document.rpartition(" (")[0]}"' in row
        for name in (service.name, *service.asks):
            assert name is None or f"`{name}`" in row
    assert service_example(language) == service_example("")
    written_there = re.findall(r"^\| [^|]+ \| `(\"service\": .*?)` \|$", page, flags=re.M)
    assert written_there == list(DELIVERY.values())


@pytest.mark.parametrize("written", sorted({text for found in SETTINGS.values() for text in found}))
def test_what_you_write_beside_the_accounts(written: str, tmp_path: Path) -> None:
    state = {"backend": "s3", "account": "account1", "bucket": "my-terraform-state"}
    more = {"state": state} | json.loads(f"{{{written}}}")  # which a pipeline needs
    result = synthesize(tmp_path, declared(README) | more)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("name", ["workstation", "pipelines"])
def test_both_languages_show_the_same_settings(name: str) -> None:
    assert SETTINGS[f"{name}.md"] == SETTINGS[f"{name}.ja.md"]


def test_both_languages_say_what_to_write() -> None:
    japanese = (PROJECT / "docs" / "links.ja.md").read_text()
    assert [*rows("したいこと", japanese).values()] == [*ACCESS.values()]
    assert [*rows("レプリケーションでしたいこと", japanese).values()] == [*REPLICATION.values()]
    assert re.findall(r"```json.*?```", japanese, flags=re.S) == re.findall(
        r"```json.*?```", LINKS, flags=re.S
    )


def test_both_languages_show_the_same_links_file(tmp_path: Path) -> None:
    japanese = declared((PROJECT / "README.ja.md").read_text())
    assert japanese == declared(README)
    assert synthesize(tmp_path, japanese).returncode == 0


def test_both_languages_show_the_map_of_the_links_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert synthesize(tmp_path, declared(README)).returncode == 0
    monkeypatch.chdir(tmp_path)
    drawn = mermaid(graph(mapped.declared(synthesized())))
    for name in ("README.md", "README.ja.md"):
        assert f"```mermaid\n{drawn}```\n" in (PROJECT / name).read_text()


@pytest.mark.cost("planned")
@pytest.mark.parametrize("page", ["library.md", "library.ja.md"])
def test_the_librarys_example_runs_as_it_is_printed(page: str, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (PROJECT / "docs" / page).read_text(), flags=re.S)
    (tmp_path / "example.py").write_text(code)
    result = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    stack = stack_json(tmp_path, "reports")
    stack["terraform"]["backend"] = {}  # the default one, of no interest here
    for rule in RULES:
        assert rule(stack) == [], rule.__name__


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "README.ja.md",
        *(str(p.relative_to(PROJECT)) for p in sorted(PROJECT.glob("docs/**/*.md"))),
    ],
)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    text = (PROJECT / name).read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (PROJECT / name).parent.joinpath(target).exists(), target
