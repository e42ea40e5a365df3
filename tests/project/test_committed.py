"""What must not be committed is seen."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import PROJECT
from tools.committed import problems

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.cost("synthesized")

INDEX = "https://" + "pypi.org/simple"
CASES = [
    ("Pipfile", f'[[source]]\nurl = "{INDEX}"\n', "Pipfile: names a package index"),
    ("Pipfile.lock", '{"_meta": {"sources": [{}]}}', "Pipfile.lock: names a package index"),
    ("package-lock.json", '{"a": {"resolved": "x"}}', "records download addresses"),
    ("notes.md", f"pip install -i {INDEX} x", "holds a package index's address"),
    ("constructs/__init__.py", "", "shadows the PyPI package"),
    ("notes.md", "see {machine}/project/x", "holds a path of this machine"),
]


@pytest.mark.parametrize(("name", "content", "problem"), CASES)
def test_a_finding(tmp_path: Path, name: str, content: str, problem: str) -> None:
    root = tmp_path / "project"
    (root / name).parent.mkdir(parents=True)
    (root / name).write_text(content.replace("{machine}", str(tmp_path)))
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    assert problem in "\n".join(problems(root))


def test_the_project_itself_is_clean() -> None:
    assert list(problems(PROJECT)) == []
