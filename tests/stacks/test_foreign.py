"""A side that nobody here has credentials for: ours is written, theirs is handed over."""

from __future__ import annotations

import json
import re
import subprocess
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from s3_cross_account import reading
from s3_links.declarations.read_links import read_links
from s3_links.operations import check, mapped
from s3_links.operations.explain.explain import reader_of
from s3_links.operations.graphs import graph
from s3_links.operations.handover import Handover, handovers
from s3_links.operations.prove import prove
from s3_links.operations.stack import OperationError, Stack
from s3_links.operations.who_can import who_can
from tests.conftest import PROJECT, Terraform
from tests.evaluator import decide
from tests.support.links import read_and_stacks, stack_json, synthesize
from tests.support.synthesized import Synthesized

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.cost("synthesized")

ACCOUNTS = {
    "own": {"region": "ap-northeast-1", "profile": "own", "account_id": "111111111111"},
    "partner": {"account_id": "444444444444", "foreign": True},
}
THEIR_KEY = "arn:aws:kms:us-east-1:444444444444:key/11111111-2222-3333-4444-555555555555"
LINKS: dict[str, Any] = {
    "their-role": {
        "pattern": "direct-access",
        "consumers": [{"account": "partner", "existing_role": "etl"}],
        "buckets": [{"account": "own", "new_prefix": "shared-", "key": "new"}],
        "access": {"level": "read-only", "same_accounts": True},
        "hardening": True,
    },
    "their-bucket": {
        "pattern": "direct-access",
        "consumers": [{"account": "own", "new_role": "reader"}],
        "buckets": [
            {"account": "partner", "existing": "theirs", "policy": "merge", "key": THEIR_KEY}
        ],
        "access": {"level": "read-only", "prefixes": ["in/", "{principal_tag:team}/"]},
    },
    "their-caller": {
        "pattern": "assume-role",
        "consumers": [
            {"account": "partner", "existing_role": "arn:aws:iam::444444444444:role/jobs/etl"}
        ],
        "buckets": [{"account": "own", "new_prefix": "lake-"}],
        "assumed_role": {"account": "own", "name": "for-them", "external_id": "link-7f3a"},
    },
    "their-assumed-role": {
        "pattern": "assume-role",
        "consumers": [{"account": "own", "new_role": "caller"}],
        "buckets": [
            {"account": "partner", "existing": "their-lake", "policy": "merge"},
            {"account": "own", "new_prefix": "copies-"},
        ],
        "assumed_role": {"account": "partner", "name": "for-us", "external_id": "link-7f3a"},
    },
    "their-account": {
        "pattern": "direct-access",
        "consumers": [{"account": "partner", "whole_account": True}],
        "buckets": [{"account": "own", "new_prefix": "open-"}],
    },
    "our-trail": {
        "pattern": "service-delivery",
        "service": "cloudtrail",
        "from": ["own"],
        "bucket": {"account": "partner", "existing": "trails", "policy": "merge"},
        "trail": "audit",
    },
    "our-balancer": {
        "pattern": "service-delivery",
        "service": "application-load-balancer",
        "from": ["own"],
        "bucket": {"account": "partner", "existing": "balancers", "policy": "merge"},
    },
    "their-copies": {
        "pattern": "replication",
        "source": {"account": "own", "new_prefix": "from-"},
        "destination": {
            "account": "partner",
            "existing": "copies-of-ours",
            "policy": "merge",
            "versioned": True,
        },
        "role_name": "copier",
    },
}
HANDED_OVER = {
    "their-role": {"identity-policy-etl.json"},
    "their-bucket": {
        "bucket-policy-theirs.json",
        "key-policy-11111111-2222-3333-4444-555555555555.json",
    },
    "their-caller": {"identity-policy-etl.json"},
    "their-assumed-role": {"trust-policy-for-us.json", "identity-policy-for-us.json"},
    "their-account": {"identity-policy-whole-account.json"},
    "our-trail": {"bucket-policy-trails.json"},
    "our-balancer": {"bucket-policy-balancers.json"},
    "their-copies": {"bucket-policy-copies-of-ours.json"},
}


@cache
def everything() -> tuple[Any, dict[str, dict[str, Any]]]:
    """Return the links as they are read, and their stacks."""
    return read_and_stacks({"accounts": ACCOUNTS, "links": LINKS})


def stack_of(link: str, content: dict[str, Any] | None = None) -> Stack:
    return Stack(link, Path("cdk.tf.json"), content or everything()[1][link], "")


def handed_over(link: str) -> Handover:
    (found,) = handovers(stack_of(link), everything()[0].links[link])
    return found


@pytest.mark.parametrize("link", LINKS)
def test_nothing_is_made_or_looked_up_in_a_foreign_account(link: str) -> None:
    stack = everything()[1][link]
    assert [provider["alias"] for provider in stack["provider"]["aws"]] == ["own"]
    blocks = [
        block
        for section in ("resource", "data")
        for of_type in stack.get(section, {}).values()
        for block in of_type.values()
    ]
    assert {block["provider"] for block in blocks} <= {"aws.own"}


@pytest.mark.parametrize("link", LINKS)
def test_both_halves_together_are_proved_and_said_to_be_owed(link: str) -> None:
    read, stacks = everything()
    proof = prove(link, stacks[link], read.links[link], read.accounts)
    assert proof.problems == ()
    assert any("partner" in note or "has to be attached" in note for note in proof.notes)


@pytest.mark.parametrize(
    "service", [{"service": "config"}, {"service": "application-load-balancer"}]
)
def test_their_service_delivers_from_where_our_bucket_is(
    service: dict[str, Any], tmp_path: Path
) -> None:
    bucket = {"account": "own", "new_prefix": "logs-"}
    link = {"pattern": "service-delivery", "from": ["partner"], "bucket": bucket, **service}
    result = synthesize(tmp_path, {"accounts": ACCOUNTS, "links": {"x": link}})
    assert result.returncode == 0, result.stderr
    read, stack = read_links(tmp_path / "links.json"), stack_json(tmp_path, "x")
    assert prove("x", stack, read.links["x"], read.accounts).problems == ()
    (policy,) = Synthesized(stack).on_buckets.values()
    text = json.dumps(policy.document)
    assert "AWSLogs/444444444444/" in text
    assert set(re.findall(r":config:([^:]*):", text)) <= {"ap-northeast-1"}


def test_terraform_takes_no_variable_of_iam_for_one_of_its_own() -> None:
    stack = everything()[1]["their-bucket"]
    handed = stack["output"]["bucket_policy_to_merge_partner_theirs"]["value"]
    assert set(re.findall(r"\$*\{aws:[^}]*", handed)) == {"$${aws:PrincipalTag/team"}
    assert "${aws:PrincipalTag/team}/*" in handed_over("their-bucket").documents[0].json


@pytest.mark.parametrize("link", LINKS)
def test_the_proof_fails_where_less_or_more_is_handed_over(link: str) -> None:
    read, stacks = everything()
    owed = [name for name in stacks[link]["output"] if re.search("_to_(attach|merge|write)_", name)]
    assert owed
    for name in owed:
        for change in (without_a_statement, with_more):
            stack = deepcopy(stacks[link])
            document = json.loads(stack["output"][name]["value"])
            change(document["Statement"])
            stack["output"][name]["value"] = json.dumps(document)
            assert prove(link, stack, read.links[link], read.accounts).problems, (name, change)


def without_a_statement(statements: list[Any]) -> None:
    statements.pop()


def with_more(statements: list[Any]) -> None:
    statements[0]["Action"] = ["s3:DeleteObject", "sts:TagSession", "kms:Encrypt"]


@pytest.mark.parametrize("link", LINKS)
def test_each_document_is_a_file_and_stands_in_the_terraform_file(link: str) -> None:
    found = handed_over(link)
    files = dict(found.files())
    assert set(files) == HANDED_OVER[link] | {f"{link}.tf", "README.md"}
    for name in HANDED_OVER[link]:
        assert json.loads(files[name])["Version"] == "2012-10-17"
        assert name in files["README.md"]
    for name in found.fill_in:
        assert f'variable "{name}"' in files[f"{link}.tf"]
        assert f"`{name}`" in files["README.md"]
        assert any(f"<{name}>" in files[one] for one in HANDED_OVER[link])
    assert "…" not in "".join(files[name] for name in HANDED_OVER[link])


@pytest.mark.cost("planned")
def test_terraform_takes_the_files(terraform: Terraform, tmp_path: Path) -> None:  # noqa: ARG001
    for link in LINKS:
        text = dict(handed_over(link).files())[f"{link}.tf"]
        (tmp_path / f"{link}.tf").write_text(text)
        said = subprocess.run(
            ["terraform", "fmt", "-check", "-diff", f"{link}.tf"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.cost("planned")
def test_terraform_plans_from_the_files_what_the_json_says(
    terraform: Terraform, tmp_path: Path
) -> None:
    """Each file is a module that its owner calls, with the names filled in."""
    called: dict[str, Any] = {}
    for link in LINKS:
        found, folder = handed_over(link), tmp_path / link
        folder.mkdir()
        (folder / "main.tf").write_text(dict(found.files())[f"{link}.tf"])
        called[link] = {"source": f"./{link}", **{name: f"the-{name}" for name in found.fill_in}}
    required = {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}
    root = {
        "terraform": {"required_providers": required},
        "provider": {"aws": {"region": "ap-northeast-1", "profile": "account1"}},
        "module": called,
    }
    (tmp_path / "main.tf.json").write_text(json.dumps(root))
    plan = terraform.plan(tmp_path)
    for link in LINKS:
        found = handed_over(link)
        expected = []
        for document in found.documents:
            text = document.json
            for name in found.fill_in:
                text = text.replace(f"<{name}>", f"the-{name}")
            expected.append(normal(json.loads(text)))
        made = [*planned(plan, link)]
        assert sorted(map(repr, made)) == sorted(map(repr, expected)), link


def planned(plan: dict[str, Any], link: str) -> Iterator[object]:
    """Yield the policies that a module writes, and those that it reads for somebody's."""
    arguments = {
        "aws_iam_policy": "policy",
        "aws_iam_role": "assume_role_policy",
        "aws_iam_policy_document": "json",
    }
    for part in (plan["planned_values"], plan.get("prior_state", {}).get("values", {})):
        for module in part.get("root_module", {}).get("child_modules", []):
            for resource in module["resources"] if module["address"] == f"module.{link}" else ():
                if resource["type"] in arguments:
                    yield normal(json.loads(resource["values"][arguments[resource["type"]]]))


def normal(document: dict[str, Any]) -> object:
    """Return a document however its texts and lists are spelt, and its conditions ordered."""
    return tuple(
        replace(statement, conditions=tuple(sorted(statement.conditions, key=repr)))
        for statement in reading.read(document)
        if not isinstance(statement, reading.Unreadable)  # which the other side has not
    )


def test_a_deployed_link_leaves_nothing_to_fill_in() -> None:
    name = "identity_policy_to_attach_partner_etl"
    value = json.dumps({"Version": "2012-10-17", "Statement": [{"Resource": "${aws:userid}"}]})
    link = everything()[0].links["their-role"]
    (found,) = handovers(stack_of("their-role"), link, {name: value})
    assert found.fill_in == {}
    (document,) = found.documents
    assert json.loads(document.json) == json.loads(value)
    assert "$${aws:userid}" in dict(found.files())["their-role.tf"]
    with pytest.raises(OperationError, match="deploy it first"):
        handovers(stack_of("their-role"), link, {})


def test_without_a_foreign_account_there_is_nothing_to_hand_over() -> None:
    read, stacks = everything()
    content = deepcopy(stacks["their-role"])
    del content["output"]["foreign_accounts"]
    with pytest.raises(OperationError, match="names no account with"):
        handovers(stack_of("their-role", content), read.links["their-role"])


def test_their_role_need_not_be_there_when_ours_is_deployed() -> None:
    stack = Synthesized(everything()[1]["their-role"])
    (policy,) = (p.document for arn, p in stack.on_buckets.items() if "shared-2" in arn)
    ours = [s for s in policy["Statement"] if s["Effect"] == "Allow"]
    assert ours
    for statement in ours:
        assert statement["Principal"] == {"AWS": ["arn:aws:iam::444444444444:root"]}
        by_arn = {"aws:PrincipalArn": ["arn:aws:iam::444444444444:role/etl"]}
        assert statement["Condition"]["ArnEquals"] == by_arn


def test_their_halves_and_ours_let_them_in_together_only() -> None:
    stack = Synthesized(everything()[1]["their-role"])
    (identity,) = stack.attached_there["arn:aws:iam::444444444444:role/etl"]
    arn = stack.bucket("shared-")

    def request(who: str, identity_: list[Any], policy: Any) -> dict[str, Any]:
        context = {
            "aws:SecureTransport": "true",
            "aws:PrincipalArn": f"arn:aws:iam::444444444444:role/{who}",
            "aws:PrincipalAccount": "444444444444",
            "aws:ResourceAccount": "111111111111",
        }
        return {
            "principal": f"arn:aws:sts::444444444444:assumed-role/{who}/session",
            "action": "s3:GetObject",
            "resource": f"{arn}/x",
            "account": "111111111111",
            "identity": identity_,
            "resourcePolicy": policy,
            "context": context,
        }

    ours = stack.on_buckets[arn].document
    asked = [
        request("etl", [identity.document], ours),
        request("etl", [], ours),
        request("etl", [identity.document], None),
        request("other", [identity.document], ours),
    ]
    assert decide(asked) == [True, False, False, False]


def test_a_foreign_account_is_never_asked_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stacks = [stack_of(link) for link in LINKS]
    looking = "s3_links.operations.check."
    monkeypatch.setattr(f"{looking}accounts.reached", lambda _: [])
    monkeypatch.setattr(f"{looking}_state_problems", lambda _: [])
    monkeypatch.setattr(f"{looking}declared", dict)
    monkeypatch.setattr(f"{looking}read_links.declared", lambda: everything()[0])
    theirs = [stack_of("their-role"), stack_of("their-caller")]
    found = check.look(theirs)
    assert found.problems == []
    assert next(found.lines()).startswith("partner: account 444444444444, foreign")
    told = "links.their-role.consumers[0]: the role 'etl' is not looked at: partner is a foreign"
    assert any(line.startswith(told) for line in found.lines())
    monkeypatch.setattr("s3_links.operations.explain.explain.accounts.reached", lambda _: [])
    reader = reader_of(stacks)
    reply, why = reader.answer("444444444444", "iam", "get_role", RoleName="etl")
    assert (reply, why) == (None, "partner is foreign: nobody here has credentials for it")


def test_a_pipeline_has_no_roles_in_a_foreign_account(tmp_path: Path) -> None:
    content = {
        "accounts": ACCOUNTS,
        "links": {"their-role": LINKS["their-role"]},
        "state": {"backend": "s3", "account": "own", "bucket": "my-states"},
        "pipeline": {"platform": "github", "repository": "acme/links"},
    }
    result = synthesize(tmp_path, content)
    assert (result.returncode, result.stderr) == (0, "")
    roles = stack_json(tmp_path, "pipeline-roles")
    assert set(roles["output"]) == {"plan_role_arn_own", "deploy_role_arn_own"}
    assert [provider["alias"] for provider in roles["provider"]["aws"]] == ["own"]


def test_who_can_knows_them_by_what_is_handed_over() -> None:
    stacks = [stack_of(link) for link in LINKS]
    answer = who_can(stacks, everything()[0], "shared-", ("s3:GetObject",))
    rows = [(who, halves) for who, _, _, halves in answer.cells()]
    assert rows == [("role etl (partner)", "bucket policy in own, identity policy in partner")]


def test_the_map_shows_the_foreign_account() -> None:
    drawn = graph(mapped.declared([stack_of(link) for link in LINKS]))
    assert ("partner", "444444444444") in {(a.name, a.id) for a in drawn.accounts}
    theirs = {node.name for node in drawn.nodes if node.account == "partner"}
    assert {"theirs", "copies-of-ours", "for-us"} <= theirs


# What two vendors document

VENDORS = {
    # "Option 1: Configuring a Snowflake storage integration to access Amazon S3", Snowflake.
    "snowflake": ("snowflake-stage", "arn:aws:iam::123456789001:user/abc1-b-self1234"),
    # "Create a storage credential for connecting to AWS S3", Databricks.
    "databricks": (
        "databricks-catalog",
        "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL",
    ),
}


@cache
def vendor(name: str) -> tuple[dict[str, Any], Synthesized]:
    content = json.loads((PROJECT / "examples" / name / "links.json").read_text())
    (link,) = content["links"]
    with TemporaryDirectory() as folder:
        result = synthesize(Path(folder), content)
        assert result.returncode == 0, result.stderr
        stack = stack_json(Path(folder), link)
        read = read_links(Path(folder) / "links.json")
        assert prove(link, stack, read.links[link], read.accounts).problems == ()
    return content["links"][link], Synthesized(stack)


@pytest.mark.parametrize("name", VENDORS)
def test_a_vendor_assumes_the_role_as_it_documents(name: str) -> None:
    link, stack = vendor(name)
    _, who = VENDORS[name]
    assumed = link["assumed_role"]
    (arn,) = stack.roles[assumed["name"]]
    statements = stack.trusts[arn].document["Statement"]
    given = {"StringEquals": {"sts:ExternalId": [assumed["external_id"]]}}
    assert {k: statements[0][k] for k in ("Action", "Principal", "Condition")} == {
        "Action": ["sts:AssumeRole"],
        "Principal": {"AWS": [who]},
        "Condition": given,
    }

    def request(by: str, external: str) -> dict[str, Any]:
        account = by.split(":")[4]
        return {
            "principal": by,
            "action": "sts:AssumeRole",
            "resource": arn,
            "account": "222222222222",
            "identity": [
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
                }
            ],
            "resourcePolicy": stack.trusts[arn].document,
            "context": {
                "sts:ExternalId": external,
                "aws:PrincipalArn": by,
                "aws:PrincipalAccount": account,
            },
        }

    right, another = assumed["external_id"], f"{who}-other"
    asked = [request(who, right), request(who, "another"), request(another, right)]
    assert decide(asked) == [True, False, False]
    itself = [request(arn, right), request(arn, "another"), request(f"{arn}-other", right)]
    assert decide(itself) == [bool(assumed.get("self_assuming")), False, False]


@pytest.mark.parametrize(
    ("name", "needs", "refused"),
    [
        (
            "snowflake",
            {
                "stage/x": [
                    *("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"),
                    *("s3:DeleteObject", "s3:DeleteObjectVersion"),
                ],
                "": ["s3:GetBucketLocation"],
            },
            {"else/x": ["s3:GetObject"], "stage/x": ["s3:PutObjectAcl"]},
        ),
        (
            "databricks",
            {
                "x": [
                    *("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
                    *("s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"),
                ],
                "": ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"],
            },
            {"x": ["s3:PutObjectAcl"], "": ["s3:DeleteBucket"]},
        ),
    ],
)
def test_the_role_may_do_what_the_vendor_documents(
    name: str, needs: dict[str, list[str]], refused: dict[str, list[str]]
) -> None:
    link, stack = vendor(name)
    (arn,) = stack.roles[link["assumed_role"]["name"]]
    bucket = stack.bucket(link["buckets"][0]["new_prefix"])

    def request(key: str, action: str) -> dict[str, Any]:
        return {
            "principal": arn,
            "action": action,
            "resource": f"{bucket}/{key}" if key else bucket,
            "account": "222222222222",
            "identity": [policy.document for policy in stack.identity[arn]],
            "resourcePolicy": stack.on_buckets[bucket].document,
            "context": {"aws:SecureTransport": "true", "s3:prefix": "stage/"},
        }

    for asked, answer in ((needs, True), (refused, False)):
        requests = [request(key, action) for key, actions in asked.items() for action in actions]
        assert decide(requests) == [answer] * len(requests)
