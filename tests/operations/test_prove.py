"""A link's synthesized documents let what was declared, and nothing else."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.declarations.link import Link
from s3_links.declarations.read_links import read_links
from s3_links.operations.prove import prove
from tests.support.links import accounts, stack_json, synthesize

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.cost("synthesized")

BUCKETS = [
    {"account": "account1", "new_prefix": "home-"},
    {"account": "account2", "new_prefix": "away-"},
]
LINKS: dict[str, Any] = {
    "direct": {
        "pattern": "direct-access",
        "consumers": [
            {"account": "account1", "new_role": "reader"},
            {"account": "account1", "new_role": "writer"},
        ],
        "buckets": BUCKETS,
        "access": {"level": "read-only", "prefixes": ["r/"]},
    },
    "surviving": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "survivor"}],
        "buckets": BUCKETS,
        "survive_role_recreation": True,
        "hardening": {"tls_only": True},
    },
    "assumed": {
        "pattern": "assume-role",
        "consumers": [{"account": "account1", "new_role": "caller"}],
        "buckets": BUCKETS,
        "assumed_role": {"account": "account2", "name": "worker"},
    },
}


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Any], Link]]:
    folder: Path = tmp_path_factory.mktemp("prove")
    content = {"accounts": accounts(), "links": LINKS}
    result = synthesize(folder, content)
    assert result.returncode == 0, result.stderr
    file = folder / "declared.json"
    file.write_text(json.dumps(content))
    declared = read_links(file).links
    found = {}
    for name in LINKS:
        link = declared[name]
        assert isinstance(link, Link)
        found[name] = (stack_json(folder, name), link)
    return found


@pytest.mark.parametrize("name", LINKS)
def test_a_link_is_proved_in_a_moment(
    name: str, links: dict[str, tuple[dict[str, Any], Link]]
) -> None:
    begun = time.process_time()
    assert prove(*links[name]) == []
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("name", LINKS)
def test_each_statement_that_is_taken_away_is_missed(
    name: str, links: dict[str, tuple[dict[str, Any], Link]]
) -> None:
    stack, link = links[name]
    taken = 0
    for document, block in stack["data"]["aws_iam_policy_document"].items():
        for number, statement in enumerate(block["statement"]):
            across = "away-" in json.dumps(statement)  # within one account a half is enough
            if across and statement.get("effect") != "Deny":
                less = deepcopy(stack)
                del less["data"]["aws_iam_policy_document"][document]["statement"][number]
                assert prove(less, link) != [], (document, statement)
                taken += 1
    assert taken


@pytest.mark.parametrize("name", LINKS)
def test_somebody_else_is_told(name: str, links: dict[str, tuple[dict[str, Any], Link]]) -> None:
    stack, link = links[name]
    more = deepcopy(stack)
    for block in more["data"]["aws_iam_policy_document"].values():
        for statement in block["statement"]:
            if statement.get("principals") and "s3:GetObject" in statement["actions"]:
                statement.pop("condition", None)
                statement["principals"].append({"type": "AWS", "identifiers": ["999999999999"]})
    told = prove(more, link)
    assert any("999999999999" in problem for problem in told), told
