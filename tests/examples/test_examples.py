"""Each example is a links file that lets what its page says, and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.declarations.read_links import read_links
from s3_links.operations.prove import proofs
from tests.conftest import PROJECT
from tools.examples import Example, examples, page, synthesized, together

if TYPE_CHECKING:
    from pathlib import Path

    from s3_links.declarations.links import Links
    from s3_links.operations.prove import Proof
    from s3_links.operations.stack import Stack
    from tests.conftest import Terraform

pytestmark = pytest.mark.cost("synthesized")

EXAMPLES = {example.folder.name: example for example in examples()}


@pytest.fixture(scope="module")
def synthesis(tmp_path_factory: pytest.TempPathFactory) -> tuple[Links, list[Stack]]:
    return synthesized(tmp_path_factory.mktemp("examples"))


@pytest.fixture(scope="module")
def proved(synthesis: tuple[Links, list[Stack]]) -> dict[str, Proof]:
    links, stacks = synthesis
    return {proof.link: proof for proof in proofs(stacks, links, named=False)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_lets_what_it_declares_and_nothing_else(name: str, proved: dict[str, Proof]) -> None:
    for link in EXAMPLES[name].content["links"]:
        assert proved[link].proved, proved[link].problems


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_stands_by_itself_and_says_what_it_is_for_in_both_languages(name: str) -> None:
    example: Example = EXAMPLES[name]
    assert read_links(example.folder / "links.json").links
    assert {link.split("-")[0] for link in example.content["links"]} == {name.split("-")[0]}
    for language in ("en", "ja"):
        title, *text = example.text(language).splitlines()
        assert re.match(r"## \S", title)
        assert 1 <= len([line for line in text if line]) <= 4


@pytest.mark.parametrize(("language", "file"), [("en", "examples.md"), ("ja", "examples.ja.md")])
def test_the_page_is_as_the_examples_are(
    language: str, file: str, synthesis: tuple[Links, list[Stack]]
) -> None:
    written = (PROJECT / "docs" / "reference" / file).read_text("utf-8")
    assert page(language, *synthesis) == written, "run `make api`"


@pytest.mark.cost("deployed")
def test_all_of_them_deployed_let_and_refuse_what_they_declare(
    terraform: Terraform,  # noqa: ARG001 (skips where it cannot be had)
    tmp_path: Path,
) -> None:
    (tmp_path / "links.json").write_text(json.dumps(together()))
    command = [sys.executable, "-m", "s3_links", "try", "--json"]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout[-4000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert found.keys() == together()["links"].keys()
    assert all(link["problems"] == [] for link in found.values())
    asked = [cell for link in found.values() for cell in link["cells"]]
    assert {cell["found"] for cell in asked} == {True, False}
    assert all(cell["found"] == cell["expected"] for cell in asked)
