"""What a foreign account cannot have is refused, with the reason."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from s3_links.declarations.errors import ConfigurationError
from s3_links.declarations.links import schema
from s3_links.declarations.read_links import read_links
from tests.conftest import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

OWN = {"region": "ap-northeast-1", "profile": "own", "account_id": "111111111111"}
PARTNER = {"account_id": "444444444444", "foreign": True}
OURS = {"account": "own", "new_prefix": "shared-"}
THEIRS = {"account": "partner", "existing": "theirs", "policy": "merge"}
THEIR_ROLE = {"account": "partner", "existing_role": "etl"}
OUR_ROLE = {"account": "own", "new_role": "reader"}


def links(partner: Any = PARTNER, **link: Any) -> dict[str, Any]:
    usual = {"pattern": "direct-access", "consumers": [THEIR_ROLE], "buckets": [OURS]}
    return {"accounts": {"own": OWN, "partner": partner}, "links": {"x": usual | link}}


def replication(**link: Any) -> dict[str, Any]:
    ends = {"source": OURS, "destination": THEIRS | {"versioned": True}, "role_name": "copier"}
    content = links()
    content["links"]["x"] = {"pattern": "replication", **ends, **link}
    return content


def delivered(**link: Any) -> dict[str, Any]:
    content = links()
    usual = {"service": "cloudtrail", "from": ["own"], "bucket": THEIRS, "trail": "audit"}
    content["links"]["x"] = {"pattern": "service-delivery", **usual, **link}
    return content


def balanced(**link: Any) -> dict[str, Any]:
    content = delivered(service="application-load-balancer", **link)
    del content["links"]["x"]["trail"]
    return content


def said(content: dict[str, Any], folder: Path) -> list[str]:
    file = folder / "links.json"
    file.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError) as told:
        read_links(file)
    return str(told.value).splitlines()[1:]


FINE = {
    "a role of theirs": links(),
    "a user of theirs, by ARN": links(
        consumers=[{"account": "partner", "existing_user": "arn:aws:iam::444444444444:user/x/u"}]
    ),
    "a role of theirs in GovCloud, by ARN": {
        **links(
            consumers=[
                {"account": "partner", "existing_role": "arn:aws-us-gov:iam::444444444444:role/etl"}
            ]
        ),
        "accounts": {"own": OWN | {"region": "us-gov-west-1"}, "partner": PARTNER},
    },
    "their whole account": links(consumers=[{"account": "partner", "whole_account": True}]),
    "a bucket of theirs": links(consumers=[OUR_ROLE], buckets=[THEIRS]),
    "with its region": links(PARTNER | {"region": "us-east-1"}),
    "a role of theirs to assume": links(
        pattern="assume-role",
        consumers=[OUR_ROLE],
        buckets=[THEIRS],
        assumed_role={"account": "partner", "name": "for-us"},
    ),
    "copies to them": replication(),
    "their trail": delivered(**{"from": ["partner"], "bucket": OURS}),
    "our trail": delivered(),
    "their load balancer": balanced(**{"from": ["partner"], "bucket": OURS}),
    "our load balancer": balanced(),
    "copies to them, and to ours": replication(
        destinations=[{"account": "own", "new_prefix": "near-"}]
    ),
}
MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "no id": (links({"foreign": True}), "accounts.partner.account_id", "known by its id alone"),
    "credentials": (
        links(PARTNER | {"profile": "partner"}),
        "accounts.partner.profile",
        "nobody here has credentials",
    ),
    "a boundary": (
        links(PARTNER | {"permissions_boundary": "arn:aws:iam::444444444444:policy/b"}),
        "accounts.partner.permissions_boundary",
        "nobody here has credentials",
    ),
    "an own account without a region": (
        {**links(), "accounts": {"own": {"profile": "own"}, "partner": PARTNER}},
        "accounts.own.region",
        "is missing: give an AWS region",
    ),
    "a new role": (
        links(consumers=[{"account": "partner", "new_role": "etl"}]),
        "links.x.consumers[0]",
        '"new_role" would be created there',
    ),
    "an instance profile": (
        links(consumers=[{"account": "partner", "instance_profile": "web"}]),
        "links.x.consumers[0]",
        '"instance_profile" would be looked up there',
    ),
    "a permission set": (
        links(consumers=[{"account": "partner", "permission_set": "Analyst"}]),
        "links.x.consumers[0]",
        '"permission_set" would be given a policy there',
    ),
    "a new bucket": (
        links(consumers=[OUR_ROLE], buckets=[{"account": "partner", "new_prefix": "x-y-z-"}]),
        "links.x.buckets[0]",
        '"new_prefix" would be created there',
    ),
    "a bucket policy to create": (
        links(consumers=[OUR_ROLE], buckets=[THEIRS | {"policy": "create"}]),
        "links.x.buckets[0]",
        'give "policy": "merge"',
    ),
    "nothing of ours": (
        links(buckets=[THEIRS]),
        "links.x",
        "everything in it is in foreign accounts (partner)",
    ),
    "an imported role to assume": (
        links(
            pattern="assume-role",
            assumed_role={"account": "partner", "name": "for-us", "imported": True},
        ),
        "links.x.assumed_role",
        '"imported" would be managed there',
    ),
    "the state": (
        {**links(), "state": {"backend": "s3", "account": "partner", "bucket": "states"}},
        "state.account",
        "keep the state in an account of yours",
    ),
    "a role of another account": (
        links(
            consumers=[
                {"account": "partner", "existing_role": "arn:aws:iam::555555555555:role/etl"}
            ]
        ),
        "links.x.consumers[0].existing_role",
        "declared is 444444444444",
    ),
    "a role of another partition": (
        links(
            consumers=[
                {"account": "partner", "existing_role": "arn:aws-us-gov:iam::444444444444:role/etl"}
            ]
        ),
        "links.x.consumers[0].existing_role",
        "is in the partition aws-us-gov, its account in aws",
    ),
    "copies from them": (
        replication(source=THEIRS | {"versioned": True}, destination=OURS),
        "links.x.source",
        "its owner has to declare it",
    ),
    "copies to a new bucket of theirs": (
        replication(destinations=[{"account": "partner", "new_prefix": "x-y-z-"}]),
        "links.x.destinations[0]",
        '"new_prefix" would be created there',
    ),
    "a new bucket for our trail": (
        delivered(bucket={"account": "partner", "new_prefix": "x-y-z-"}),
        "links.x.bucket",
        '"new_prefix" would be created there',
    ),
    "copies both ways": (replication(both_ways=True), "links.x.both_ways", "the way back"),
}


@pytest.mark.parametrize("what", FINE)
def test_a_side_may_be_foreign(what: str, tmp_path: Path) -> None:
    file = tmp_path / "links.json"
    file.write_text(json.dumps(FINE[what]))
    assert read_links(file).accounts["partner"].is_foreign
    Draft202012Validator(json.loads(schema())).validate(FINE[what])


@pytest.mark.parametrize("what", MISTAKES)
def test_what_it_cannot_have_is_told_with_its_place(what: str, tmp_path: Path) -> None:
    content, place, reason = MISTAKES[what]
    lines = said(content, tmp_path)
    assert len(lines) == 1, lines
    assert f"{place}: " in lines[0]
    assert reason in lines[0]


@pytest.mark.parametrize("what", ["no id", "credentials", "a boundary"])
def test_an_editor_sees_it_too(what: str) -> None:
    assert list(Draft202012Validator(json.loads(schema())).iter_errors(MISTAKES[what][0]))


def test_it_needs_no_roles_of_a_pipeline(tmp_path: Path) -> None:
    content = deepcopy(links())
    content["state"] = {"backend": "s3", "account": "own", "bucket": "my-states"}
    content["pipeline"] = {"platform": "github", "repository": "acme/links"}
    file = tmp_path / "links.json"
    file.write_text(json.dumps(content))
    assert read_links(file).pipeline is not None


@pytest.mark.parametrize("name", ["snowflake", "databricks"])
def test_the_examples_are_as_the_schema_says(name: str) -> None:
    content = json.loads((PROJECT / "examples" / name / "links.json").read_text())
    Draft202012Validator(json.loads(schema())).validate(content)
