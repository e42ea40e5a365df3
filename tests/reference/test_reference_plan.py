"""Parity with the reference deployment, by Terraform: validate and plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import FIXTURES, Terraform, stack_copy
from tests.reference.test_reference_blocks import BLOCKS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.cost("planned")

STATE = FIXTURES / "reference.tfstate"
REPAIRED = "aws_s3_bucket_ownership_controls.bucket_ownership_controls4"


@pytest.fixture(scope="module")
def plan_over_reference(
    terraform: Terraform, project_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    folder = stack_copy(project_folder, tmp_path_factory.mktemp("over"), state=STATE)
    plan = terraform.plan(folder, "-refresh=false")
    validated = terraform(folder, "validate", "-no-color")
    assert validated.returncode == 0, validated.stdout + validated.stderr
    return plan


def test_the_only_change_is_the_repair(plan_over_reference: dict[str, Any]) -> None:
    changes = {
        change["address"]: change["change"]
        for change in plan_over_reference["resource_changes"]
        if change["mode"] == "managed" and change["change"]["actions"] != ["no-op"]
    }
    assert list(changes) == [REPAIRED]
    assert changes[REPAIRED]["actions"] == ["delete", "create"]
    assert changes[REPAIRED]["before"]["bucket"].startswith("s3-account2-bucketpolicy-")
    assert changes[REPAIRED]["after"]["bucket"].startswith("s3-account2-assumerole-")


def test_every_block_is_in_the_plan(plan_over_reference: dict[str, Any]) -> None:
    managed = {change["address"] for change in plan_over_reference["resource_changes"]}
    assert managed == {address for address in BLOCKS if not address.startswith("data.")}


def test_no_output_of_the_reference_changes(plan_over_reference: dict[str, Any]) -> None:
    changes = plan_over_reference["output_changes"]
    for name in json.loads(STATE.read_text())["outputs"]:
        assert changes[name]["actions"] == ["no-op"]


def article_documents() -> list[Any]:
    parameters = json.loads((FIXTURES / "article_policies.json").read_text())["documents"]
    return [pytest.param(p, id=p["title"]) for p in parameters]


@pytest.mark.parametrize("article", article_documents())
def test_documents_are_the_articles(
    article: dict[str, Any], plan_over_reference: dict[str, Any]
) -> None:
    data = {
        resource["name"]: json.loads(resource["values"]["json"])
        for resource in plan_over_reference["prior_state"]["values"]["root_module"]["resources"]
        if resource["type"] == "aws_iam_policy_document"
    }
    ours = [comparable(s) for name in article["ours"] for s in data[name]["Statement"]]
    values = {
        "<account1-id>": "111111111111",
        "<account2-id>": "222222222222",
        **{f"<{name}>": value for name, value in article["names"].items()},
        **bucket_names(plan_over_reference),
    }
    text = json.dumps(article["statements"])
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    printed = [comparable(statement) for statement in json.loads(text)]
    missing = [statement for statement in printed if statement not in ours]
    added = [statement for statement in ours if statement not in printed]
    assert missing == []
    # Where the deployment has more than the article prints, the table lists it.
    assert [statement.get("Sid") for statement in added] == article["added"]


def bucket_names(plan: dict[str, Any]) -> dict[str, str]:
    return {
        f"<{name.removesuffix('_name')}>": change["after"]
        for name, change in plan["output_changes"].items()
        if name.startswith("bucket")
    }


def comparable(statement: dict[str, Any]) -> dict[str, Any]:
    def listed(value: Any) -> list[str]:
        return sorted([value] if isinstance(value, str) else value)

    return statement | {
        name: listed(statement[name]) for name in ("Action", "Resource") if name in statement
    }


def test_names_follow_the_variables(
    terraform: Terraform, project_folder: Path, tmp_path: Path
) -> None:
    folder = stack_copy(project_folder, tmp_path)
    plan = terraform.plan(folder, "-var=account1=team-a", "-var=account2=team-b")
    resources = plan["planned_values"]["root_module"]["resources"]
    planned = {resource["address"]: resource.get("values", {}) for resource in resources}
    followed = 0
    for address, block in BLOCKS.items():
        for name, argument in block["arguments"].items():
            has_default = isinstance(argument, dict) and "with_defaults" in argument
            default = json.dumps(argument["with_defaults"]) if has_default else ""
            if "account1" not in default and "account2" not in default:
                continue
            expected = json.loads(
                default.replace("account1", "team-a").replace("account2", "team-b")
            )
            assert planned[address][name] == expected
            followed += 1
    assert followed == 34
    assert "account1" not in json.dumps([v.get("name") for v in planned.values()])
