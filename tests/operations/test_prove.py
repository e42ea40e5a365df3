"""A link's synthesized documents let what was declared, and nothing else."""

from __future__ import annotations

import json
import re
import sys
from copy import deepcopy
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies

from s3_links.declarations.link import Link
from s3_links.operations.prove import found_wrong, prove
from s3_links.operations.sharing import Declared
from s3_links.reach.difference import found
from s3_links.reach.evaluate import evaluate
from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks
from s3_links.synthesized.world import world_of
from s3_links.synthesized.written import misshapen
from s3_links.world import Request, World
from tests.command.test_cli import command
from tests.project.test_readme import ACCESS, README, REPLICATION, declared
from tests.stacks.test_properties import SETTINGS, links
from tests.support.links import accounts
from tests.support.synthesized import declared_and_synthesized

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from s3_links.declarations.links import Links
    from s3_links.operations.prove import Proof

    Stack = dict[str, Any]

pytestmark = pytest.mark.cost("synthesized")

BUCKETS = [
    {"account": "account1", "new_prefix": "home-"},
    {"account": "account2", "new_prefix": "away-"},
]
CONDITIONS = {
    "tls_only": True,
    "organization_id": "o-a1b2c3d4e5",
    "source_ips": ["203.0.113.0/24"],
    "same_accounts": True,
}
GENERAL: dict[str, Any] = {
    "StringEquals": {"aws:PrincipalTag/team": ["red", "blue"], "s3:x-amz-acl": "private"},
    "DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"},
    "DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"},
    "NotIpAddressIfExists": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.0/24"]},
    "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/r-ab12/*"]},
    "Null": {"aws:SourceIdentity": False},
    "NumericLessThan": {"s3:max-keys": 100},
}
OLD_KEY = "arn:aws:kms:ap-northeast-1:222222222222:key/11111111-2222-3333-4444-555555555555"
CENTRAL_KEY = OLD_KEY.replace("222222222222", "333333333333")
LINKS: dict[str, Any] = {
    "direct": {
        "pattern": "direct-access",
        "consumers": [
            {"account": "account1", "new_role": "reader", "instance": True},
            {"account": "account1", "new_role": "writer"},
        ],
        "buckets": BUCKETS,
        "access": {"level": "read-only", "prefixes": ["r/", "s/t/"]},
    },
    "general": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "general"}],
        "buckets": [bucket | {"key": "new"} for bucket in BUCKETS],
        "access": {
            "prefixes": ["home/{principal_tag:team}/", "shared/"],
            "tls_version": "1.2",
            "vpc_ids": ["vpc-0123abcd"],
            "conditions": GENERAL | {"Bool": {"kms:MultiRegion": False}},
        },
    },
    "general-assumed": {
        "pattern": "assume-role",
        "consumers": [
            {
                "account": "account1",
                "existing_role": "pods",
                "trusted_service": "pods.eks.amazonaws.com",
            }
        ],
        "assumed_role": {"account": "account2", "name": "general-worker", "self_assuming": True},
        "buckets": [bucket | {"key": "new"} for bucket in BUCKETS],
        "access": {
            "prefixes": ["shared/", "{principal_tag:kubernetes-namespace}/"],
            "conditions": GENERAL | {"StringLike": {"sts:RoleSessionName": "ci-*"}},
        },
    },
    "through": {
        "pattern": "direct-access",
        "consumers": [
            {"account": "account1", "new_role": "through"},
            {"account": "account1", "existing_user": "through-too"},
        ],
        "buckets": [
            {
                "account": "account2",
                "new_prefix": "through-",
                "key": "new",
                "access_points": [{"account": "account1", "name": "through", "vpc_id": "vpc-0a1"}],
            }
        ],
        "access": {"level": "read-only", "prefixes": ["in/"], "same_accounts": True},
        "hardening": True,
    },
    "through-its-own": {
        "pattern": "direct-access",
        "consumers": [
            {"account": "account1", "new_role": "through-ours"},
            {"organization_path": "o-a1b2c3d4e5/r-ab12/*"},
        ],
        "buckets": [
            {
                "account": "account2",
                "new_prefix": "through-",
                "access_points": [{"account": "account2", "name": "through"}],
            }
        ],
        "access": {"level": "read-write-delete", "source_ips": ["203.0.113.0/24"]},
    },
    "through-by-tag": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "through-tagged"}],
        "buckets": [
            {
                "account": "account2",
                "new_prefix": "through-",
                "access_points": [{"account": "account1", "name": "through"}],
            }
        ],
        "access": {"prefixes": ["home/{principal_tag:team}/", "b/"]},
    },
    "through-delegated": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "whole_account": True}],
        "buckets": [
            {
                "account": "account2",
                "new_prefix": "through-",
                "access_points": [{"account": "account1", "name": "through"}],
            }
        ],
    },
    "surviving": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "survivor"}],
        "buckets": [bucket | {"key": "new"} for bucket in BUCKETS],
        "survive_role_recreation": True,
        "hardening": True,
    },
    "assumed": {
        "pattern": "assume-role",
        "consumers": [
            {"account": "account1", "new_role": "caller"},
            {"account": "account1", "existing_role": "web"},
            {
                "account": "account1",
                "new_role": "pods",
                "trusted_service": "pods.eks.amazonaws.com",
            },
        ],
        "buckets": BUCKETS,
        "access": CONDITIONS,
        "assumed_role": {"account": "account2", "name": "worker", "external_id": "link-7f3a"},
    },
    "chained": {
        "pattern": "assume-role",
        "consumers": [
            {
                "account": "account1",
                "new_role": "pods",
                "trusted_service": "pods.eks.amazonaws.com",
            },
        ],
        "buckets": BUCKETS,
        "access": CONDITIONS,
        "assumed_role": {
            "account": "account2",
            "name": "worker",
            "external_id": "link-7f3a",
            "through": [
                {"account": "account1", "name": "gateway"},
                {"account": "account2", "name": "broker"},
            ],
        },
    },
    "chained-people": {
        "pattern": "assume-role",
        "consumers": [{"account": "account1", "existing_role": "people"}],
        "buckets": BUCKETS,
        "access": {
            "mfa": True,
            "organization_id": "o-a1b2c3d4e5",
            "conditions": {"StringEquals": {"aws:PrincipalTag/team": "red"}},
        },
        "assumed_role": {
            "account": "account2",
            "name": "worker",
            "through": [{"account": "account1", "name": "gateway"}],
        },
    },
    "two-organizations": {
        "pattern": "direct-access",
        "consumers": [
            {"organization_id": "o-a1b2c3d4e5"},
            {"organization_id": "o-zzzzzzzzzz"},
        ],
        "buckets": [bucket | {"key": "new"} for bucket in BUCKETS],
        "access": {"level": "read-only"},
    },
    "merged": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "instance_profile": "web"}],
        "buckets": [
            {"account": "account2", "existing": "a-bucket", "policy": "merge", "key": OLD_KEY},
            {"account": "account2", "existing": "b-bucket", "policy": "create"},
            {"account": "account2", "imported": "c-bucket", "policy": "import", "key": OLD_KEY},
        ],
        "access": {"level": "read-write-delete", **CONDITIONS},
    },
    "kinds": {
        "pattern": "direct-access",
        "consumers": [
            {"account": "account1", "existing_user": "arn:aws:iam::111111111111:user/x/backup"},
            {"account": "account1", "existing_role": "arn:aws:iam::111111111111:role/x/web"},
            {"account": "account1", "permission_set": "Analyst"},
            {"organization_path": "o-a1b2c3d4e5/r-ab12/*"},
        ],
        "buckets": [bucket | {"key": "new"} for bucket in BUCKETS],
        "access": {"level": "read-only", "source_ips": ["203.0.113.0/24"]},
        "survive_role_recreation": True,
    },
    "many-assume": {
        "pattern": "assume-role",
        "consumers": [
            {"account": "account1", "existing_user": "caller"},
            {"account": "account1", "permission_set": "Analyst"},
            {"account": "account2", "whole_account": True},
            {"organization_id": "o-a1b2c3d4e5"},
            {
                "account": "account1",
                "new_role": "pod",
                "path": "/pods/",
                "trusted_pod": {"cluster": "c", "namespace": "n", "service_account": "s"},
            },
        ],
        "buckets": BUCKETS,
        "access": {"level": "read-only"},
        "assumed_role": {"account": "account2", "name": "worker", "external_id": "link-7f3a"},
    },
    "same-prefix": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "reader"}],
        "buckets": [bucket | {"new_prefix": "same-"} for bucket in BUCKETS],
        "access": {"actions": ["s3:GetObject", "s3:ListBucketVersions", "s3:GetBucketLocation"]},
    },
    "delivered": {
        "pattern": "service-delivery",
        "service": "cloudtrail",
        "from": ["account1", "444444444444"],
        "bucket": BUCKETS[1] | {"key": "new"},
        "trail": "audit",
        "prefix": "logs",
        "hardening": True,
    },
    "notified": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "notified"}],
        "buckets": [
            BUCKETS[1]
            | {
                "notifications": [
                    {
                        "to": {"account": "account1", kind: f"new-{number}"},
                        "events": ["s3:ObjectCreated:Put"],
                        "prefix": f"{number}/",
                    }
                    for number, kind in enumerate(("new_queue", "new_topic", "new_bus"))
                ]
            }
        ],
    },
    "delivered-to-merge": {
        "pattern": "service-delivery",
        "service": "vpc-flow-logs",
        "from": ["account1"],
        "bucket": {
            "account": "account2",
            "existing": "a-bucket",
            "policy": "merge",
            "key": OLD_KEY,
        },
        "regions": ["ap-northeast-1", "eu-west-1"],
        "hive_compatible": True,
    },
    "granted": {
        "pattern": "direct-access",
        "consumers": [
            {"account": "account1", "new_role": "reader"},
            {"account": "account1", "new_role": "writer"},
        ],
        "buckets": [bucket | {"key": "new"} for bucket in BUCKETS],
        "grants": [
            {
                "consumers": ["reader"],
                "buckets": ["away-"],
                "access": {"level": "read-only", "prefixes": ["in/"], "tls_only": True},
            },
            {"consumers": ["account1/writer"], "access": {"level": "write-only"}},
            {
                "consumers": ["reader"],
                "buckets": ["away-"],
                "access": {"level": "write-only", "prefixes": ["out/"], "tls_only": True},
            },
        ],
    },
    "encrypted": {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": "reader"}],
        "buckets": [
            {"account": "account2", "new_prefix": "twice-", "key": "new", "dsse": True},
            {"account": "account2", "new_prefix": "central-", "key": CENTRAL_KEY, "keep": True},
            {"account": "account2", "imported": "was-kms", "policy": "create", "key": "none"},
        ],
        "access": {"level": "read-only"},
        "hardening": True,
    },
    "granted-to-assumed": {
        "pattern": "assume-role",
        "consumers": [{"account": "account1", "new_role": "caller"}],
        "buckets": BUCKETS,
        "grants": [
            {"buckets": ["home-"], "access": {"level": "read-only", **CONDITIONS}},
            {
                "buckets": ["away-"],
                "access": {
                    "level": "write-only",
                    "organization_id": "o-a1b2c3d4e5",
                    "same_accounts": True,
                },
            },
        ],
        "assumed_role": {"account": "account2", "name": "worker"},
    },
    "replicated": {
        "pattern": "replication",
        "source": BUCKETS[0] | {"key": "new"},
        "destination": BUCKETS[1] | {"key": "new"},
        "role_name": "replicates",
        "both_ways": True,
        "batch_role": True,
        "hardening": True,
    },
}
LINKS |= {
    "replicated-both-ways-by-prefix": LINKS["replicated"]
    | {"rules": [{"prefix": "a/"}, {"priority": 2, "prefix": "a/b/", "metrics": True}]},
    "replicated-to-several": {
        "pattern": "replication",
        "sources": [
            BUCKETS[0],
            {
                "account": "account1",
                "existing": "theirs",
                "policy": "create",
                "versioned": True,
                "replication": "merge",
                "role_name": "their-replication",
            },
        ],
        "destinations": [
            BUCKETS[1] | {"key": "new", "rules": [{"prefix": "a/"}]},
            {"account": "account1", "new_prefix": "near-"},
        ],
        "role_name": "replicates",
        "rules": [{"prefix": "b/"}],
    },
}
_LINK = declared(README)["links"]["reports"]
_REPLICATION = LINKS["replicated"] | {
    # Without keys: with one, the other end would need one too, and so would those of the rows.
    "source": BUCKETS[0],
    "destination": BUCKETS[1],
    "both_ways": False,
    "batch_role": False,
}
EXAMPLES: dict[str, Any] = LINKS | {
    **{wanted: _LINK | json.loads(f"{{{text}}}") for wanted, text in ACCESS.items()},
    **{wanted: _REPLICATION | json.loads(f"{{{text}}}") for wanted, text in REPLICATION.items()},
}


@cache
def example(name: str) -> tuple[Links, Stack]:
    boundary = "arn:aws:iam::111111111111:policy/boundary"
    return declared_and_synthesized(EXAMPLES[name], account1={"permissions_boundary": boundary})


def proof(read: Links, stack: Stack) -> Proof:
    return prove("link", stack, read.links["link"], read.accounts)


def first_problem(read: Links, stack: Stack) -> str | None:
    """Return what is found first: a statement that is missing or not declared."""
    blocks = Blocks(declared_blocks(stack), aliases_of(stack), stack)
    wrong = found_wrong(blocks, Declared(blocks, read.links["link"], read.accounts))
    return next((problem.text for problem in wrong), None)


def test_a_problem_names_the_first_of_many() -> None:
    """A statement may be for hundreds of roles: nobody reads them all."""
    link = {
        "pattern": "direct-access",
        "consumers": [{"account": "account1", "new_role": f"reader{n}"} for n in range(9)],
        "buckets": BUCKETS,
    }
    read, stack = declared_and_synthesized(link)
    stack = deepcopy(stack)
    for document in stack["data"]["aws_iam_policy_document"].values():
        for statement in document["statement"]:
            if "principals" in statement and "s3:ListBucket" in statement["actions"]:
                statement["actions"] = ["s3:DeleteBucket"]
    found = str(first_problem(read, stack))
    assert (
        "to role reader0 (account1), role reader1 (account1), role reader2 (account1) and" in found
    )
    assert found.count("role reader") == 3
    assert "and 6 more" in found


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_proved(name: str) -> None:
    assert [problem.text for problem in proof(*example(name)).problems] == []


@pytest.mark.cost("planned")
@SETTINGS
@given(link=links())
def test_every_declaration_is_proved(link: dict[str, Any]) -> None:
    assert [p.text for p in proof(*declared_and_synthesized(link)).problems] == []


def mutations(stack: Stack) -> Iterator[tuple[str, Stack]]:
    """Yield the stack with one fault in a policy document that is in use."""
    for name, block in stack["data"]["aws_iam_policy_document"].items():
        if f"aws_iam_policy_document.{name}.json" not in json.dumps(stack):
            continue
        for number, statement in enumerate(block["statement"]):
            for fault, mutated in faults(statement):
                changed = deepcopy(block)
                changed["statement"][number : number + 1] = mutated
                documents = stack["data"]["aws_iam_policy_document"] | {name: changed}
                data = stack["data"] | {"aws_iam_policy_document": documents}
                yield f"{name} {number}: {fault}", stack | {"data": data}


def faults(statement: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    yield "dropped", []
    conditions = statement.get("condition", [])
    for number, condition in enumerate(conditions):
        left = conditions[:number] + conditions[number + 1 :]
        yield f"{condition['variable']} dropped", [statement | {"condition": left}]
        values = [*condition["values"], "*"]
        wider = [*left, condition | {"values": values}]
        yield f"{condition['variable']} widened", [statement | {"condition": wider}]
    actions, resources = statement["actions"], statement.get("resources", [])
    if statement.get("effect") != "Deny":
        every = f"{actions[0].partition(':')[0]}:*"
        if every not in actions:
            yield "action widened", [statement | {"actions": [*actions, every]}]
    if len(actions) > 1:
        yield "action dropped", [statement | {"actions": actions[1:]}]
    for number, resource in enumerate(resources):
        wider = [*resources[:number], "*", *resources[number + 1 :]]
        if resource != "*":
            yield "resource widened", [statement | {"resources": wider}]
        if resource.endswith("/*") and not resource.endswith("}/*"):
            above = resource.removesuffix("/*").rpartition("/")[0]
            below = [*resources[:number], f"{above}/*", *resources[number + 1 :]]
            yield "prefix widened", [statement | {"resources": below}]
    if statement.get("principals"):
        stranger = {"type": "AWS", "identifiers": ["999999999999"]}
        more = [*statement["principals"], stranger]
        yield "principal widened", [statement | {"principals": more}]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_fault_in_a_document_fails_the_proof(name: str) -> None:
    read, stack = example(name)
    tried = 0
    for fault, mutated in mutations(stack):
        assert first_problem(read, mutated), fault
        tried += 1
    assert tried >= 5


@pytest.mark.cost("planned")
@settings(SETTINGS, max_examples=15)
@given(link=links())
def test_every_fault_in_a_generated_link_fails_the_proof(link: dict[str, Any]) -> None:
    read, stack = declared_and_synthesized(link)
    for fault, mutated in mutations(stack):
        assert first_problem(read, mutated), fault


@pytest.mark.parametrize("name", ["direct", "assumed", "replicated"])
@pytest.mark.parametrize("kind", ["dropped", "action widened", "principal widened"])
def test_a_failed_proof_names_the_statement_and_who_may_what_for_it(name: str, kind: str) -> None:
    read, stack = example(name)
    telling = []
    for fault, mutated in mutations(stack):
        document, _, rest = fault.partition(" ")
        if rest.endswith(f": {kind}"):
            problems = proof(read, mutated).problems
            assert any(document in p.address and p.document for p in problems), fault
            telling += [fault for p in problems if " may " in p.text or "half let" in p.text]
    assert telling  # some change nothing: of what another statement says, or refuses, as well


@pytest.mark.parametrize(
    ("type_", "told"),
    [
        ("aws_iam_role_policy_attachment", "a statement is missing"),
        ("aws_iam_policy", "a statement is missing"),
        ("aws_s3_bucket_policy", "a statement is missing"),
        ("aws_kms_key_policy", "a statement is missing"),
        ("aws_s3_bucket_public_access_block", "its public access is restricted"),
        ("aws_s3_bucket", "is not there"),
    ],
)
def test_a_block_that_is_missing_fails_the_proof(type_: str, told: str) -> None:
    read, stack = example("surviving")
    for name in stack["resource"][type_]:
        if type_ == "aws_s3_bucket" and "access-logs" in name:
            continue  # Terraform refuses what refers to no bucket
        less = deepcopy(stack)
        del less["resource"][type_][name]
        texts = [problem.text for problem in proof(read, less).problems]
        assert any(told in text for text in texts), (name, texts)


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("kinds", "aws_iam_user_policy_attachment"),
        ("kinds", "aws_iam_policy"),
        ("many-assume", "aws_iam_user_policy_attachment"),
    ],
)
def test_a_half_of_a_user_or_a_permission_set_that_is_missing_fails_the_proof(
    name: str, type_: str
) -> None:
    read, stack = example(name)
    for one in stack["resource"][type_]:
        less = deepcopy(stack)
        del less["resource"][type_][one]
        texts = [problem.text for problem in proof(read, less).problems]
        assert any("a statement is missing" in text for text in texts), (one, texts)


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("kinds", "policies_to_reference_account1_Analyst"),
        ("kinds", "identity_policy_to_attach_o-a1b2c3d4e5-r-ab12"),
        ("many-assume", "identity_policy_to_attach_account2_whole-account"),
    ],
)
def test_what_is_not_handed_out_fails_the_proof(name: str, output: str) -> None:
    read, stack = example(name)
    less = deepcopy(stack)
    del less["output"][output]
    assert any("a statement is missing" in p.text for p in proof(read, less).problems)


def test_a_policy_of_others_attached_to_a_role_fails_the_proof() -> None:
    read, stack = example("direct")
    more = deepcopy(stack)
    attachments = more["resource"]["aws_iam_role_policy_attachment"]
    one = next(iter(attachments.values()))
    attachments["more"] = one | {"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    assert "AdministratorAccess is not written here" in str(first_problem(read, more))


def test_a_block_that_is_not_evaluated_fails_the_proof() -> None:
    read, stack = example("direct")
    acl = {"one": {"provider": "aws.account2", "bucket": "x", "acl": "public-read"}}
    more = stack | {"resource": stack["resource"] | {"aws_s3_bucket_acl": acl}}
    told = "aws_s3_bucket_acl.one: what a aws_s3_bucket_acl lets is not evaluated"
    assert told in [problem.text for problem in proof(read, more).problems]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"vpc_configuration": None}, "from anywhere, which is not what is declared"),
        ({"vpc_configuration": {"vpc_id": "vpc-0b2"}}, "from vpc-0b2, which is not"),
        ({"bucket": "another"}, "is of bucket another"),
        (
            {"public_access_block_configuration": {"block_public_policy": False}},
            "what public_access_block_configuration lets is not evaluated",
        ),
    ],
)
def test_an_access_point_that_is_not_as_declared_fails_the_proof(
    change: dict[str, Any], told: str
) -> None:
    read, stack = example("through")
    more = deepcopy(stack)
    (point,) = more["resource"]["aws_s3_access_point"].values()
    point |= change
    assert told in str(proof(read, more).problems)


UNSEEN: dict[str, dict[str, Any]] = {
    "count": {"count": 0},
    "for_each": {"for_each": "${toset([])}"},
    "provisioner": {"provisioner": {"local-exec": {"command": "true"}}},
    "connection": {"connection": {"host": "x"}},
    "dynamic": {"dynamic": {"inline_policy": {"for_each": ["x"], "content": {}}}},
    "ignore_changes": {"lifecycle": {"ignore_changes": ["policy", "assume_role_policy"]}},
    "lifecycle": {"lifecycle": {"replace_triggered_by": ["aws_iam_role.x"]}},
}


@pytest.mark.parametrize("unseen", UNSEEN)
@pytest.mark.parametrize("type_", ["aws_iam_role", "aws_iam_policy", "aws_s3_bucket_policy"])
def test_what_a_block_s_values_do_not_say_fails_the_proof(type_: str, unseen: str) -> None:
    """By a meta-argument a policy may not be there, or another one stay, whatever it says."""
    read, stack = example("direct")
    more = deepcopy(stack)
    name, block = next(iter(more["resource"][type_].items()))
    block |= UNSEEN[unseen]
    told = f"{type_}.{name}: what its {unseen} does is not evaluated"
    assert told in [problem.text for problem in proof(read, more).problems]


def test_every_change_may_be_ignored_by_one_word() -> None:
    read, stack = example("direct")
    more = deepcopy(stack)
    for block in more["resource"]["aws_s3_bucket_policy"].values():
        block["lifecycle"] = {"ignore_changes": "all"}
    assert "what its ignore_changes does" in str(first_problem(read, more))


@pytest.mark.parametrize(
    ("section", "content", "told"),
    [
        ("module", {"more": {"source": "./more"}}, "module: what such blocks do"),
        ("removed", [{"from": "aws_s3_bucket_policy.x"}], "removed: what such blocks do"),
        ("action", {"aws_lambda_invoke": {}}, "action: what such blocks do"),
        ("locals", {"more": 1}, "locals: what such blocks do"),
    ],
)
def test_blocks_of_other_kinds_fail_the_proof(section: str, content: Any, told: str) -> None:
    read, stack = example("direct")
    assert told in str(first_problem(read, stack | {section: content}))


def test_a_data_source_that_runs_something_fails_the_proof() -> None:
    read, stack = example("direct")
    data = stack["data"] | {"external": {"one": {"program": ["true"]}}}
    told = [problem.text for problem in proof(read, stack | {"data": data}).problems]
    assert "data.external: what it runs is not evaluated" in told
    assert "data.external.one: names no provider alias that is declared" in told


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("direct", "aws_iam_policy"),
        ("direct", "aws_iam_role"),
        ("direct", "aws_s3_bucket"),
        ("direct", "aws_s3_bucket_ownership_controls"),
        ("direct", "aws_s3_bucket_policy"),
        ("encrypted", "aws_kms_key_policy"),
        ("through", "aws_s3_access_point"),
        ("through", "aws_s3_bucket_public_access_block"),
    ],
)
def test_what_two_blocks_write_is_not_proved(name: str, type_: str) -> None:
    """Whichever Terraform applies last counts: the one that is read here, or the other."""
    read, stack = example(name)
    blocks = stack["resource"][type_]
    one = next(iter(blocks))
    more = stack | {"resource": stack["resource"] | {type_: {"x": blocks[one], **blocks}}}
    told = f"{type_}.x and {type_}.{one}: write the same, and one alone will count"
    assert told in [problem.text for problem in proof(read, more).problems]


def test_a_key_s_own_policy_beside_another_is_not_proved() -> None:
    read, stack = example("encrypted")
    more = deepcopy(stack)
    key = next(iter(more["resource"]["aws_kms_key"].values()))
    key["policy"] = '{"Version": "2012-10-17", "Statement": []}'
    assert "write the same" in str(proof(read, more).problems)


ELSEWHERE = {"status": "Enabled", "destination": {"bucket": "arn:aws:s3:::elsewhere"}}


@pytest.mark.parametrize("name", ["direct", "replicated"])
def test_a_replication_that_is_not_declared_fails_the_proof(name: str) -> None:
    """It copies what the role of somebody else may read, to where that one may write."""
    read, stack = example(name)
    more = deepcopy(stack)
    label, bucket = next(iter(more["resource"]["aws_s3_bucket"].items()))
    more["resource"].setdefault("aws_s3_bucket_replication_configuration", {})["x"] = {
        "provider": bucket["provider"],
        "bucket": f"${{aws_s3_bucket.{label}.bucket}}",
        "role": "arn:aws:iam::222222222222:role/theirs",
        "rule": [ELSEWHERE],
    }
    told = [problem.text for problem in proof(read, more).problems]
    assert any("is replicated to arn:aws:s3:::elsewhere, other than declared" in t for t in told)


def test_a_declared_replication_that_is_not_there_fails_the_proof() -> None:
    read, stack = example("replicated")
    more = deepcopy(stack)
    del more["resource"]["aws_s3_bucket_replication_configuration"]
    assert "is not replicated to" in str(proof(read, more).problems)


def test_a_notification_that_is_not_declared_fails_the_proof() -> None:
    read, stack = example("direct")
    more = deepcopy(stack)
    label, bucket = next(iter(more["resource"]["aws_s3_bucket"].items()))
    queue = {"queue_arn": "arn:aws:sqs:eu-west-1:333333333333:theirs", "events": ["s3:*"]}
    more["resource"]["aws_s3_bucket_notification"] = {
        "x": {
            "provider": bucket["provider"],
            "bucket": f"${{aws_s3_bucket.{label}.bucket}}",
            "queue": [queue],
        }
    }
    assert "its notifications do not go as declared" in str(proof(read, more).problems)


def test_a_key_policy_by_the_key_s_arn_is_the_key_s_too() -> None:
    read, stack = example("encrypted")
    more = deepcopy(stack)
    policies = more["resource"]["aws_kms_key_policy"]
    one = next(iter(policies.values()))
    policies["x"] = one | {"key_id": re.sub(r"\.\w+}", ".arn}", one["key_id"])}
    assert "write the same" in str(proof(read, more).problems)


@pytest.mark.parametrize("ids", [None, [], ["999999999999"], ["111111111111", "999999999999"]])
def test_a_provider_that_may_work_elsewhere_fails_the_proof(ids: list[str] | None) -> None:
    read, stack = example("direct")
    more = deepcopy(stack)
    for provider in more["provider"]["aws"]:
        if provider["alias"] == "account1":
            provider["allowed_account_ids"] = ids
    told = [problem.text for problem in proof(read, more).problems]
    assert "provider aws.account1: is not limited to account 111111111111" in told


@pytest.mark.parametrize(
    "change",
    [
        {"dynamic": {"principals": {"for_each": ["x"], "content": {}}}},
        {"actions": "${var.actions}"},
        {"resources": "*"},
        {"effect": "${var.effect}"},
        {"condition": {"test": "Bool", "variable": "aws:SecureTransport", "values": ["true"]}},
        {"principals": [{"type": "AWS", "identifiers": "*"}]},
    ],
)
def test_a_statement_that_cdktf_does_not_write_fails_the_proof(change: dict[str, Any]) -> None:
    read, stack = example("direct")
    more = deepcopy(stack)
    policy = next(iter(more["resource"]["aws_s3_bucket_policy"].values()))["policy"]
    document = more["data"]["aws_iam_policy_document"][policy.split(".")[2]]
    document["statement"][0] |= change
    found = [problem.text for problem in proof(read, more).problems]
    assert any("has a statement that cdktf does not write" in text for text in found)


def test_a_document_of_the_older_version_fails_the_proof() -> None:
    """It knows no policy variables: `${aws:PrincipalTag/team}` is a text there."""
    read, stack = example("direct")
    more = deepcopy(stack)
    for block in more["data"]["aws_iam_policy_document"].values():
        block["version"] = "2008-10-17"
    assert any("has another version" in problem.text for problem in proof(read, more).problems)


FUZZED = ("encrypted", "through", "chained", "delivered", "notified")
ODD: tuple[Any, ...] = ("${var.x}", None, 7, [], {}, [[]], "zzz")


def places(value: Any, *at: str | int) -> Iterator[tuple[str | int, ...]]:
    """Yield where something stands in Terraform JSON."""
    if not isinstance(value, dict | list):
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if key != "//":
            yield (*at, key)
            yield from places(inner, *at, key)


@SETTINGS
@given(data=strategies.data())
def test_no_change_of_what_is_written_is_a_traceback(data: strategies.DataObject) -> None:
    read, stack = example(data.draw(strategies.sampled_from(FUZZED)))
    at = data.draw(strategies.sampled_from(sorted(places(stack), key=str)))
    more: Any = deepcopy(stack)
    inside = more
    for key in at[:-1]:
        inside = inside[key]
    inside[at[-1]] = data.draw(strategies.sampled_from(ODD))
    if not list(misshapen(more)):  # which stops every command
        proof(read, more)


@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:TagSession"])
def test_a_role_that_assumes_itself_takes_the_tags_of_its_session_along(action: str) -> None:
    """Those of EKS Pod Identity are transitive: "Chaining roles with session tags"."""
    read, stack = example("general-assumed")
    world = world_of(Blocks(declared_blocks(stack), aliases_of(stack), stack))
    (worker,) = [who for who in world.identities if who.name == "general-worker"]
    context = {"aws:RequestTag/kubernetes-namespace": ("n",), "aws:TagKeys": ()}
    request = Request(principal=worker, action=action, resource=str(worker.arn), context=context)
    assert evaluate(world, request).verdict == "allowed"
    for document in stack["data"]["aws_iam_policy_document"].values():
        for statement in document["statement"]:
            if statement.get("sid") == "AssumeItself":
                assert proof(read, without(stack, action, statement)).problems


def without(stack: Stack, action: str, statement: Any) -> Stack:
    more = deepcopy(stack)
    for document in more["data"]["aws_iam_policy_document"].values():
        for one in document["statement"]:
            if one == statement:
                one["actions"] = [a for a in one["actions"] if a != action] or [
                    "sts:GetCallerIdentity"
                ]
    return more


def test_a_permissions_boundary_that_is_dropped_fails_the_proof() -> None:
    read, stack = example("direct")
    less = deepcopy(stack)
    for role in less["resource"]["aws_iam_role"].values():
        role.pop("permissions_boundary")
    assert "its permissions boundary is missing" in str(first_problem(read, less))


@pytest.mark.parametrize(
    ("name", "noted"),
    [
        ("direct", "AmazonSSMManagedInstanceCore"),
        ("direct", "as far as its boundary"),
        ("assumed", "role/web may by its other policies is not looked up"),
        (
            "kinds",
            "link-Analyst-account2, in account1: the permission set Analyst has to reference",
        ),
        ("kinds", "user/x/backup may by its other policies is not looked up"),
        ("kinds", "the output identity_policy_to_attach_o-a1b2c3d4e5-r-ab12 has to be attached"),
        ("many-assume", "identity_policy_to_attach_account2_whole-account has to be attached"),
        ("merged", "the output bucket_policy_to_merge_account2_a-bucket has to be merged"),
        ("merged", "the output key_policy_to_merge_account2_a-bucket has to be merged"),
    ],
)
def test_what_nobody_can_see_here_is_said(name: str, noted: str) -> None:
    assert any(noted in note for note in proof(*example(name)).notes)


def test_a_proof_says_how_much_it_is_of() -> None:
    (line, *_) = proof(*example("direct")).lines()
    assert line == "link: proved: 4 grants for 2 roles, each half needed, nobody else"
    assert proof(*example("assumed")).grants == 6


@pytest.mark.cost("planned")
@settings(SETTINGS, max_examples=20)
@given(link=links())
def test_the_evaluator_finds_nobody_beyond_the_declaration(link: dict[str, Any]) -> None:
    read, stack = declared_and_synthesized(link)
    blocks = Blocks(declared_blocks(stack), aliases_of(stack), stack)
    one = read.links["link"]
    assert isinstance(one, Link)
    role = one.assumed_role
    names = {role.name} if role else {consumer.name for consumer in one.consumers}
    known = {consumer.name for consumer in one.consumers if consumer.existing_role}
    access = one.access.access
    for appears in found(World(), world_of(blocks))[0]:
        request = appears.now.request
        if appears.kind != "appears" or ":s3:::" not in request.resource:
            continue
        if request.principal.kind == "service":
            assert request.principal.name == "logging.s3.amazonaws.com"
            assert "-logs-" in request.resource
            continue
        if request.principal.name in known:  # whose other policies nobody knows
            continue
        assert request.principal.name in names, appears
        assert set(appears.actions) <= set(access.actions), appears
        _, slash, key = request.resource.partition("/")
        assert not slash or key.startswith(access.prefixes or ""), appears


BREAK = """
import json, pathlib
file = pathlib.Path("cdktf.out/stacks/link/cdk.tf.json")
stack = json.loads(file.read_text())
for block in stack["data"]["aws_iam_policy_document"].values():
    block["statement"] = [s for s in block["statement"] if "Objects" not in s.get("sid", "")]
file.write_text(json.dumps(stack))
"""


@pytest.mark.cost("planned")
def test_the_command_says_what_is_proved_and_exits_with_2_where_nothing_is(tmp_path: Path) -> None:
    unknown = {alias: {"region": "eu-west-1", "profile": alias} for alias in accounts()}
    content = {"accounts": unknown, "links": {"link": LINKS["same-prefix"]}}
    (tmp_path / "links.json").write_text(json.dumps(content))
    proved = command(tmp_path, "prove")
    assert (proved.returncode, proved.stderr) == (0, "")
    assert proved.stdout.startswith("link: proved: 2 grants for 1 role, each half needed")
    (told,) = json.loads(command(tmp_path, "prove", "link", "--json").stdout)["links"]
    assert (told["link"], told["proved"], told["grants"]) == ("link", True, 2)
    (tmp_path / "break.py").write_text(BREAK)
    app = f"{sys.executable} -m s3_links app && {sys.executable} break.py"
    (tmp_path / "cdktf.json").write_text(json.dumps({"app": app}))
    refused = command(tmp_path, "prove")
    assert refused.returncode == 2
    assert "link: not proved:\n" in refused.stdout
    assert "a statement is missing: Allow s3:GetObject on bucket same-…account2" in refused.stdout
    (told,) = json.loads(command(tmp_path, "prove", "--json").stdout)["links"]
    assert told["proved"] is False
    assert {p["document"] for p in told["problems"]} >= {
        "the bucket policy of bucket same-…account2",
        "the identity policy of role reader (account1)",
    }


@pytest.mark.cost("planned")
def test_only_links_can_be_proved(tmp_path: Path) -> None:
    state = {"backend": "s3", "account": "account1", "bucket": "states-x", "create_bucket": True}
    content = {"accounts": accounts(), "state": state, "links": {"link": LINKS["same-prefix"]}}
    (tmp_path / "links.json").write_text(json.dumps(content))
    result = command(tmp_path, "prove", "terraform-state")
    assert (result.returncode, result.stderr) == (
        1,
        "terraform-state: is no link: only links can be proved\n",
    )
