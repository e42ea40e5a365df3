"""The pages on the successor and on AWS provider 6 say what holds, in both languages."""

from __future__ import annotations

import fnmatch
import json
import re
import tomllib

import pytest

from s3_cross_account import slim
from s3_cross_account.slim.__main__ import imported_modules
from tests.conftest import PROJECT

DOCS = PROJECT / "docs"
LANGUAGES = ["", ".ja"]


def sections(page: str) -> list[str]:
    """Return the parts of a page below its headings."""
    return re.split(r"^## .*\n", (DOCS / page).read_text(), flags=re.M)


def not_written(language: str) -> dict[str, list[str]]:
    """Return the types that the page on provider 6 says are not written, by kind."""
    items = re.split(r"^- ", sections(f"provider-6{language}.md")[3], flags=re.M)[1:]
    services, nullable, data, resources = (re.findall(r"`(aws_[\w*]+)`", item) for item in items)
    return {"data": data, "resources": [*services, *nullable, *resources]}


def test_no_type_that_does_not_concern_us_is_written() -> None:
    found = not_written("")
    assert (len(found["data"]), len(found["resources"])) == (18, 63)
    for module in imported_modules():
        kind = "data" if module.startswith("data_aws_") else "resources"
        name = module.removeprefix("data_") if kind == "data" else f"aws_{module}"
        assert [said for said in found[kind] if fnmatch.fnmatch(name, said)] == [], module


def test_both_languages_name_the_same_types() -> None:
    assert not_written("") == not_written(".ja")


@pytest.mark.parametrize("page", ["successor", "provider-6"])
def test_both_languages_have_the_same_parts(page: str) -> None:
    english, japanese = (sections(f"{page}{language}.md") for language in LANGUAGES)
    assert len(english) == len(japanese)
    for ours, theirs in zip(english, japanese, strict=True):
        # The rows of tables, the steps, and the beginnings of code.
        shape = [re.findall(r"^ *(\||\d\. |```)", text, flags=re.M) for text in (ours, theirs)]
        assert shape[0] == shape[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_names_the_versions_that_are_tried(language: str) -> None:
    text = (DOCS / f"successor{language}.md").read_text()
    for versions in json.loads(slim.MANIFEST.read_text())["versions"].values():
        for version in versions:
            assert version in text
    lines = (PROJECT / "tests" / "bindings" / "cdktn.txt").read_text()
    (version,) = re.findall(r"^cdktn==(\S+) ", lines, flags=re.M)
    assert f"`cdktn` {version}" in text
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert list(project["optional-dependencies"]) == ["cdktn"]
    assert f"{project['name']}[cdktn]" in text
