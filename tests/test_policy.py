"""Statements as plain values, without Node.js."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from s3_cross_account import aws_cli, policy
from s3_cross_account.access import REFERENCE, Access, Conditions
from s3_cross_account.actions import (
    COPY_WITH_TAGS,
    LEVELS,
    LIST_GET_PUT,
    READ_ONLY,
    READ_WRITE_DELETE,
    problems,
)

from .conftest import PROJECT

BUCKET = "arn:aws:s3:::reports"
ROLE = "arn:aws:iam::111111111111:role/consumer"
NAMED = policy.Principal(type="AWS", identifiers=(ROLE,))


def test_the_default_access_covers_the_bucket_and_its_objects_in_one_statement() -> None:
    (statement,) = REFERENCE.identity_half(BUCKET, sid="Reports")
    assert statement.actions == LIST_GET_PUT
    assert statement.resources == (BUCKET, f"{BUCKET}/*")
    assert statement.principals == ()


def test_other_accesses_put_each_action_on_the_right_arn() -> None:
    bucket, objects = Access(actions=READ_ONLY).identity_half(BUCKET, sid="Reports")
    assert (bucket.actions, bucket.resources) == (("s3:ListBucket",), (BUCKET,))
    assert (objects.actions, objects.resources) == (("s3:GetObject",), (f"{BUCKET}/*",))


def test_both_halves_allow_the_same() -> None:
    access = Access(actions=("s3:GetObject",))
    (half,) = access.resource_half(BUCKET, sid="Allow ", principal=NAMED)
    (identity,) = access.identity_half(BUCKET, sid="Reports")
    assert (half.actions, half.resources) == (identity.actions, identity.resources)
    assert policy.document([half])["Statement"] == [
        {
            "Sid": "Allow Objects",
            "Effect": "Allow",
            "Principal": {"AWS": ROLE},
            "Action": "s3:GetObject",
            "Resource": f"{BUCKET}/*",
        }
    ]


def test_a_prefix_limits_objects_and_listing() -> None:
    access = Access(actions=READ_WRITE_DELETE, prefixes=("a/", "b/c/"))
    listing, objects = access.identity_half(BUCKET, sid="R")
    assert listing.resources == (BUCKET,)
    assert [(c.test, c.variable, c.values) for c in listing.conditions] == [
        ("StringLike", "s3:prefix", ("a/", "a/*", "b/c/", "b/c/*"))
    ]
    assert objects.resources == (f"{BUCKET}/a/*", f"{BUCKET}/b/c/*")
    assert objects.conditions == ()


def test_conditions_stand_on_both_halves_each_with_its_own_keys() -> None:
    conditions = Conditions(
        tls_only=True,
        organization_id="o-a1b2c3d4e5",
        vpc_endpoint_ids=("vpce-1", "vpce-2"),
        same_accounts=True,
    )
    access = Access(actions=("s3:GetObject",), conditions=conditions)
    (identity,) = access.identity_half(BUCKET, sid="R", account_id="222222222222")
    (resource,) = access.resource_half(BUCKET, sid="R", principal=NAMED, account_id="111111111111")
    common = {
        "aws:SecureTransport": ("true",),
        "aws:SourceVpce": ("vpce-1", "vpce-2"),
    }
    assert {c.variable: c.values for c in identity.conditions} == common | {
        "aws:ResourceOrgID": ("o-a1b2c3d4e5",),
        "aws:ResourceAccount": ("222222222222",),
    }
    assert {c.variable: c.values for c in resource.conditions} == common | {
        "aws:PrincipalOrgID": ("o-a1b2c3d4e5",),
        "aws:PrincipalAccount": ("111111111111",),
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"actions": ("s3:GetObjects",)}, "write 's3:GetObject'"),
        ({"actions": ("s3:*",)}, "is a wildcard: name each action"),
        ({"actions": ("ec2:RunInstances",)}, "is no S3 action on a bucket or an object: remove it"),
        ({"actions": ("s3:ListAllMyBuckets",)}, "is no S3 action on a bucket or an object"),
        ({"actions": ()}, "no action is granted"),
        ({"prefixes": ("reports",)}, "must end with '/'"),
        ({"prefixes": ("*/",)}, "hold no \\*"),
        (
            {"actions": ("s3:ListBucketMultipartUploads",), "prefixes": ("a/",)},
            "cannot be limited to a prefix",
        ),
        ({"actions": ("s3:X", "s3:Y")}, "'s3:X'.*'s3:Y'"),
    ],
)
def test_what_cannot_be_granted_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Access(**arguments)


def test_the_s3_actions_are_those_of_the_service_reference() -> None:
    result = subprocess.run(
        ["node", "actions.mjs"],
        cwd=PROJECT / "tests" / "evaluator",
        capture_output=True,
        text=True,
        check=True,
    )
    ours = PROJECT / "constructs" / "s3_cross_account" / "s3_actions.json"
    assert ours.read_text() == result.stdout, "run `make actions`"


def test_every_level_is_known_and_holds_the_one_before_it() -> None:
    for actions in LEVELS.values():
        assert problems(actions) == []
    assert set(READ_ONLY) < set(LIST_GET_PUT) < set(COPY_WITH_TAGS) < set(READ_WRITE_DELETE)


def test_the_size_counts_what_is_unknown_at_its_longest() -> None:
    known = policy.size([policy.may_assume(ROLE, sid="A")])
    unknown = policy.size([policy.may_assume("${TfToken[TOKEN.7]}", sid="A")])
    assert known == len(
        json.dumps(policy.document([policy.may_assume(ROLE, sid="A")]), separators=(",", ":"))
    )
    assert unknown >= known


def test_the_halves_of_an_assume_role() -> None:
    caller = policy.document([policy.may_assume(ROLE, sid="Assume")])
    assert caller["Statement"] == [
        {"Sid": "Assume", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}
    ]
    role = policy.document([policy.trust(policy.service("ec2.amazonaws.com"))])
    assert role["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]


def test_sids_of_one_document_are_unique() -> None:
    access = policy.may_assume(ROLE, sid="Reports")
    trust = policy.trust(NAMED)
    sids = [s.sid for s in policy.unique_sids([access, trust, access, trust, access])]
    assert sids == ["Reports", None, "Reports2", None, "Reports3"]


def test_a_statement_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        policy.trust(NAMED).sid = "other"  # type: ignore[misc]


def test_the_copy_command_copies_recursively_and_asks_for_no_tags() -> None:
    command = "aws s3 cp s3://a s3://b --recursive --copy-props metadata-directive"
    assert aws_cli.copy_command("a", "b") == command
    assert aws_cli.copy_command("a", "b", profile="p") == f"{command} --profile p"


def test_none_of_it_loads_jsii() -> None:
    modules = "access, actions, aws_cli, hardening, policy, settings"
    script = f"import sys; from s3_cross_account import {modules}; print('jsii' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("False\n", "")
