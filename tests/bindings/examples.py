"""Synthesize every example into a folder: ``python -m tests.bindings.examples FOLDER``.

The reference, each line of the READMEs' tables and of the pages' settings, the links that the proof
is tried on, and those that the documents of AWS are asked of. Says with which bindings.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3_cross_account import slim
from tests.conftest import run_main
from tests.operations.test_prove import EXAMPLES
from tests.project.test_readme import README, SETTINGS, declared
from tests.support.links import accounts, synthesize
from tests.support.requirements import cases, link_name

if TYPE_CHECKING:
    from collections.abc import Iterator


def contents() -> Iterator[tuple[str, Any]]:
    """Yield the links file of each example, and its name."""
    for name, link in EXAMPLES.items():
        yield name, {"accounts": accounts(), "links": {"link": link}}
    unpinned = {
        alias: {key: value for key, value in settings.items() if key != "account_id"}
        for alias, settings in accounts().items()
    }
    yield (
        "accounts that only AWS knows",
        {
            "accounts": unpinned,
            "links": {"link": EXAMPLES["surviving"]},
        },
    )
    for page, settings in SETTINGS.items():
        state = {"backend": "s3", "account": "account1", "bucket": "my-terraform-state"}
        for number, text in enumerate(settings):
            more = {"state": state} | json.loads(f"{{{text}}}")  # which a pipeline needs
            yield f"{page} {number}", declared(README) | more
    asked: dict[str, Any] = {}
    for name, case in cases().items():
        content = {"accounts": accounts(), "links": {}, **case.settings}
        together = asked.setdefault(json.dumps(case.settings), content)
        together["links"][link_name(name)] = case.link
        for other, link in case.beside.items():
            together["links"][f"{link_name(name)}-{other}"] = link
    yield from asked.items()


def main(folder: Path) -> None:
    """Write them all, each into a folder of its own."""
    result = run_main(folder / "reference")
    assert (result.returncode, result.stderr) == (0, "")
    for number, (name, content) in enumerate(contents()):
        result = synthesize(folder / f"{number:03}", content)
        assert (result.returncode, result.stderr) == (0, ""), (name, result.stderr)
    print(slim.DISTRIBUTION, importlib.metadata.version(slim.DISTRIBUTION))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
