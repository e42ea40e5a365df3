"""Plans made by hand, each with what the gates make of it."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.operations.insiders import Insiders, insiders
from s3_links.operations.markdown import as_markdown
from s3_links.operations.summary import as_json, summarize
from s3_links.reach import difference
from s3_links.reach.evaluate import evaluate
from s3_links.synthesized.blocks import Blocks

if TYPE_CHECKING:
    from s3_links.operations.summary import Summary
    from s3_links.reach.evaluate import Decision
    from s3_links.world import Request, World

HERE, THERE, STRANGER = "111111111111", "222222222222", "999999999999"
ROLE = f"arn:aws:iam::{HERE}:role/team/r"
POLICY = f"arn:aws:iam::{HERE}:policy/p"
LIMIT = f"arn:aws:iam::{HERE}:policy/limit"
BUCKET, COPY = "arn:aws:s3:::b", "arn:aws:s3:::copy"
KEY = f"arn:aws:kms:us-east-1:{THERE}:key/k"
GET = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/r/*"}
NAMED = GET | {"Principal": {"AWS": ROLE}}
TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [BUCKET, f"{BUCKET}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
FEWER = {key: value for key, value in TLS.items() if key != "Principal"} | {
    "NotPrincipal": {"AWS": [ROLE, f"arn:aws:iam::{HERE}:root"]}
}
IN_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}}
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "ec2.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
OWN_KEY = {
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{THERE}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
SSE_S3 = {"sse_algorithm": "AES256", "kms_master_key_id": ""}
SSE_KMS = {"sse_algorithm": "aws:kms", "kms_master_key_id": KEY}
RULE = {
    "status": "Enabled",
    "filter": [{"prefix": "r/"}],
    "destination": [{"bucket": COPY}],
}
ALIASES = {
    "aws_s3_bucket.b": "account2",
    "aws_s3_bucket_policy.b": "account2",
    "aws_s3_bucket_public_access_block.b": "account2",
    "aws_s3_bucket_ownership_controls.b": "account2",
    "aws_s3_bucket_versioning.b": "account2",
    "aws_s3_bucket_server_side_encryption_configuration.b": "account2",
    "aws_s3_bucket_replication_configuration.b": "account2",
    "aws_s3_bucket_lifecycle_configuration.b": "account2",
    "aws_s3_account_public_access_block.all": "account2",
    "aws_kms_key.k": "account2",
    "aws_kms_key_policy.k": "account2",
    "aws_iam_role.r": "account1",
    "aws_iam_policy.p": "account1",
    "aws_iam_policy.limit": "account1",
    "aws_iam_role_policy_attachment.a": "account1",
    "aws_iam_role_policy.inline": "account1",
}
SOURCE: dict[str, Any] = {
    "provider": {
        "aws": [
            {"alias": "account1", "allowed_account_ids": [HERE], "region": "us-east-1"},
            {"alias": "account2", "allowed_account_ids": [THERE], "region": "us-east-1"},
        ]
    },
    # The declared organization is the one that the stack's own policies ask for.
    "resource": {
        "aws_s3_bucket_policy": {
            "declared": {
                "bucket": "declared",
                "provider": "aws.account2",
                "policy": json.dumps(
                    {
                        "Statement": {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": "arn:aws:s3:::declared",
                            "Condition": {
                                "StringNotEquals": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}
                            },
                        }
                    }
                ),
            }
        }
    },
}
NO_BOUNDARY = {"permissions_boundary": None}
OWNERS = ("aws_iam_role.o", "aws_iam_role_policy.o")
ALIASES |= dict.fromkeys(OWNERS, "account2")
ALIASES |= dict.fromkeys(("aws_iam_role_policy.again", "aws_sqs_queue_policy.q"), "account1")
Values = dict[str, dict[str, Any]]


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


BEFORE: Values = {
    "aws_s3_bucket.b": {"arn": BUCKET, "bucket": "b", "force_destroy": False},
    "aws_s3_bucket_policy.b": {"bucket": "b", "policy": document(NAMED, TLS)},
    "aws_s3_bucket_public_access_block.b": {
        "bucket": "b",
        "block_public_acls": True,
        "block_public_policy": True,
        "ignore_public_acls": True,
        "restrict_public_buckets": False,
    },
    "aws_s3_bucket_ownership_controls.b": {
        "bucket": "b",
        "rule": [{"object_ownership": "BucketOwnerEnforced"}],
    },
    "aws_s3_bucket_versioning.b": {
        "bucket": "b",
        "versioning_configuration": [{"status": "Enabled"}],
    },
    "aws_s3_bucket_server_side_encryption_configuration.b": {
        "bucket": "b",
        "rule": [{"apply_server_side_encryption_by_default": [SSE_KMS]}],
    },
    "aws_s3_bucket_replication_configuration.b": {"bucket": "b", "rule": [RULE]},
    "aws_kms_key.k": {"arn": KEY, "key_id": "k"},
    "aws_kms_key_policy.k": {"key_id": "k", "policy": document(OWN_KEY)},
    "aws_iam_role.r": {
        "arn": ROLE,
        "name": "r",
        "assume_role_policy": document(TRUST),
        "permissions_boundary": LIMIT,
    },
    "aws_iam_policy.p": {"arn": POLICY, "policy": document(GET)},
    "aws_iam_policy.limit": {
        "arn": LIMIT,
        "policy": document({"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}),
    },
    "aws_iam_role_policy_attachment.a": {"role": "r", "policy_arn": POLICY},
}


def snapshot(values: Values) -> dict[str, Any]:
    resources = [{"address": a, "mode": "managed", "values": v} for a, v in values.items()]
    return {"root_module": {"resources": resources}}


def summary(edit: Any, *changes: dict[str, Any], before: Values = BEFORE, **plan: Any) -> Summary:
    after = deepcopy(before)
    edit(after)
    content = {
        "prior_state": {"values": snapshot(before)},
        "planned_values": snapshot(after),
        "resource_changes": list(changes),
    }
    return summarize("s", content | plan, SOURCE, ALIASES)


def sets(address: str, **values: Any) -> Any:
    return lambda after: after.setdefault(address, {}).update(values)


def removes(*addresses: str) -> Any:
    return lambda after: [after.pop(address) for address in addresses]


def bucket(*statements: dict[str, Any]) -> Any:
    return sets("aws_s3_bucket_policy.b", policy=document(*statements))


def adds(**elements: Any) -> Any:
    """The bucket's policy with one more statement."""
    more = {key: value for key, value in (GET | elements).items() if value is not None}
    return bucket(NAMED, TLS, more)


def role(*statements: dict[str, Any]) -> Any:
    return sets("aws_iam_policy.p", policy=document(*statements))


def both(refusal: dict[str, Any]) -> Any:
    """The refusal exchanged, and the boundary gone."""

    def edit(after: Values) -> None:
        bucket(NAMED, refusal)(after)
        after["aws_iam_role.r"]["permissions_boundary"] = None

    return edit


def replicates(*rules: dict[str, Any]) -> Any:
    return sets("aws_s3_bucket_replication_configuration.b", rule=list(rules))


def change(address: str, *actions: str, **more: Any) -> dict[str, Any]:
    return {"address": address, "mode": "managed", "change": {"actions": list(actions)} | more}


ACCESS, PUBLIC = ["access"], ["access", "public"]
KEEPS_DATA: list[tuple[str, Any, list[str]]] = [
    ("nothing changes", lambda _: None, []),
    ("another order and spelling", bucket(TLS, NAMED | {"Action": ["s3:getobject"]}), []),
    ("a Sid", bucket(NAMED | {"Sid": "Mine"}, TLS), []),
    # Principal
    ("everybody", adds(Principal="*"), PUBLIC),
    ("everybody by AWS", adds(Principal={"AWS": "*"}), PUBLIC),
    ("everybody in a list", adds(Principal={"AWS": [ROLE, "*"]}), PUBLIC),
    ("a stranger's id", adds(Principal={"AWS": STRANGER}), PUBLIC),
    ("a stranger's root", adds(Principal={"AWS": f"arn:aws:iam::{STRANGER}:root"}), PUBLIC),
    ("a stranger's role", adds(Principal={"AWS": f"arn:aws:iam::{STRANGER}:role/x"}), PUBLIC),
    ("an account that is declared", adds(Principal={"AWS": HERE}), ACCESS),
    ("the owner's own account, which its own policies let", adds(Principal={"AWS": THERE}), []),
    ("a service", adds(Principal={"Service": "logging.s3.amazonaws.com"}), ACCESS),
    ("a role's unique id", adds(Principal={"AWS": "AROAAAAAAAAAAAAAAAAAA"}), PUBLIC),
    ("S3's name of an account", adds(Principal={"CanonicalUser": "a" * 64}), PUBLIC),
    ("all but a role", adds(NotPrincipal={"AWS": ROLE}), PUBLIC),
    ("everybody in the organization", adds(Principal="*", Condition=IN_ORGANIZATION), ACCESS),
    (
        "everybody in another organization",
        adds(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-bbbbbbbbbb"}}),
        PUBLIC,
    ),
    (
        "everybody who is in no other organization",
        adds(
            Principal="*",
            Condition={"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}},
        ),
        PUBLIC,
    ),
    (
        "everybody in any organization",
        adds(
            Principal="*",
            Condition={"StringLike": {"aws:PrincipalOrgID": ["o-aaaaaaaaaa", "o-*"]}},
        ),
        PUBLIC,
    ),
    (
        "a stranger's user in any organization",
        adds(
            Principal={"AWS": f"arn:aws:iam::{STRANGER}:user/x"},
            Condition={"StringLike": {"aws:PrincipalOrgID": ["o-aaaaaaaaaa", "o-*"]}},
        ),
        PUBLIC,
    ),
    (
        "a stranger's user in the organization",
        adds(Principal={"AWS": f"arn:aws:iam::{STRANGER}:user/x"}, Condition=IN_ORGANIZATION),
        ACCESS,
    ),
    (
        "everybody over TLS",
        adds(Principal="*", Condition={"Bool": {"aws:SecureTransport": True}}),
        PUBLIC,
    ),
    (
        "nobody but who does not say who it is",
        adds(Principal="*", Condition={"StringEquals": {"aws:PrincipalAccount": "anonymous"}}),
        PUBLIC,
    ),
    (
        "everybody, refused where a key is said that only who signs has",
        bucket(
            NAMED,
            TLS,
            GET | {"Principal": "*"},
            TLS | {"Condition": {"Null": {"aws:PrincipalIsAWSService": "false"}}},
        ),
        PUBLIC,
    ),
    *(
        (f"everybody, {test} {key} {value}", adds(Principal="*", Condition=condition), PUBLIC)
        for test, key, value, condition in [
            (test, key, value, {test: {key: value}})
            for test, key, value in [
                ("NumericEquals", "aws:PrincipalTag/n", 123456789),
                ("NumericEquals", "aws:PrincipalTag/n", "1.2345678"),
                ("NumericGreaterThan", "aws:EpochTime", 1764403200),
                ("NumericLessThan", "s3:signatureAge", "6000000"),
                ("NumericGreaterThan", "s3:signatureAge", "1000001"),
                ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::9*:role/x"),
                ("StringLike", "aws:PrincipalArn", "arn:aws:iam::99999999999?:role/x"),
                ("ArnLike", "aws:PrincipalArn", f"arn:aws:sts::{STRANGER}:federated-user/*"),
                ("ArnLike", "aws:SourceArn", "arn:aws:*"),
            ]
        ]
    ),
    (
        "everybody between two versions of TLS",
        adds(
            Principal="*",
            Condition={
                "NumericGreaterThan": {"s3:TlsVersion": "1.1"},
                "NumericLessThan": {"s3:TlsVersion": "1.25"},
            },
        ),
        PUBLIC,
    ),
    (
        "everybody in accounts between two patterns",
        adds(
            Principal="*",
            Condition={
                "StringLike": {"aws:PrincipalAccount": "9*"},
                "StringNotLike": {"aws:PrincipalAccount": "90*"},
            },
        ),
        PUBLIC,
    ),
    (
        "everybody with three values of a key",
        adds(
            Principal="*",
            Condition={
                "ForAnyValue:StringEquals": {"aws:CalledVia": "a"},
                "ForAnyValue:StringLike": {"aws:CalledVia": "b"},
                "ForAnyValue:StringEqualsIgnoreCase": {"aws:CalledVia": "c"},
            },
        ),
        PUBLIC,
    ),
    (
        "a service, of fewer parts of an ARN",
        adds(
            Principal={"Service": "cloudtrail.amazonaws.com"},
            Condition={"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*"}},
        ),
        ACCESS,
    ),
    (
        "a stranger's session of GetFederationToken",
        adds(Principal={"AWS": f"arn:aws:sts::{STRANGER}:federated-user/bob"}),
        PUBLIC,
    ),
    ("keys by what they end with", adds(Principal="*", Resource="arn:aws:s3:::b*.csv"), PUBLIC),
    ("a question mark for a slash", adds(Principal="*", Resource="arn:aws:s3:::b?s/*"), PUBLIC),
    ("a wildcard over colons", role(GET, GET | {"Resource": "arn:aws:s3:*:other/*"}), ACCESS),
    ("a wildcard over colons, of all", adds(Principal="*", Resource="arn:aws:s3:*:b/*"), PUBLIC),
    # Action and Resource, on both halves
    (
        "all actions but one, one half",
        adds(Principal={"AWS": ROLE}, Action=None, NotAction="s3:PutObject"),
        [],
    ),
    (
        "all actions but one, of the role",
        role({"Effect": "Allow", "NotAction": "s3:PutObject", "Resource": f"{BUCKET}/*"}),
        [],
    ),
    ("a wildcard on one half", role(GET | {"Action": "s3:*"}), []),
    ("a wider key on one half", role(GET | {"Resource": f"{BUCKET}/*"}), []),
    (
        "all resources but some, one half",
        adds(Principal={"AWS": ROLE}, Resource=None, NotResource=f"{BUCKET}/secret/*"),
        [],
    ),
    (
        "all resources but some, everybody",
        adds(Principal="*", Resource=None, NotResource=f"{BUCKET}/secret/*"),
        PUBLIC,
    ),
    ("another bucket for the role", role(GET, GET | {"Resource": "arn:aws:s3:::other/*"}), ACCESS),
    # Refusals and conditions
    ("a refusal goes", bucket(NAMED), ACCESS),
    (
        "a refusal comes",
        bucket(NAMED, TLS, TLS | {"Action": "s3:DeleteObject", "Condition": {}}),
        [],
    ),
    ("a refusal leaves out whom a boundary limits", bucket(NAMED, FEWER), []),
    ("a refusal leaves out somebody", both(FEWER), ACCESS),
    (
        "a boolean instead of a text",
        bucket(NAMED, TLS | {"Condition": {"Bool": {"aws:SecureTransport": False}}}),
        [],
    ),
    (
        "a refusal of the opposite",
        bucket(NAMED, TLS | {"Condition": {"Bool": {"aws:SecureTransport": True}}}),
        ACCESS,
    ),
    ("a condition comes", role(GET | {"Condition": IN_ORGANIZATION}), []),
    # Roles
    (
        "who may assume it",
        sets(
            "aws_iam_role.r", assume_role_policy=document(TRUST | {"Principal": {"AWS": STRANGER}})
        ),
        PUBLIC,
    ),
    (
        "any service may assume it",
        sets(
            "aws_iam_role.r", assume_role_policy=document(TRUST | {"Principal": {"Service": "*"}})
        ),
        PUBLIC,
    ),
    ("a boundary goes", sets("aws_iam_role.r", permissions_boundary=None), ACCESS),
    (
        "a boundary of AWS's",
        sets("aws_iam_role.r", permissions_boundary="arn:aws:iam::aws:policy/X"),
        ACCESS,
    ),
    (
        "a narrower boundary",
        sets(
            "aws_iam_policy.limit",
            policy=document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}),
        ),
        [],
    ),
    (
        "a policy of AWS's",
        sets("aws_iam_role_policy_attachment.b", role="r", policy_arn="arn:aws:iam::aws:policy/X"),
        ACCESS,
    ),
    (
        "an inline policy",
        sets(
            "aws_iam_role_policy.inline",
            role="r",
            name="i",
            policy=document(GET | {"Resource": "arn:aws:s3:::o/*"}),
        ),
        ACCESS,
    ),
    ("an attachment goes", removes("aws_iam_role_policy_attachment.a"), []),
    # Keys
    (
        "a key for a stranger",
        sets(
            "aws_kms_key_policy.k",
            policy=document(OWN_KEY, OWN_KEY | {"Principal": {"AWS": STRANGER}}),
        ),
        PUBLIC,
    ),
    # Guards
    ("a public access block goes", removes("aws_s3_bucket_public_access_block.b"), ACCESS),
    ("a part of it", sets("aws_s3_bucket_public_access_block.b", ignore_public_acls=False), ACCESS),
    ("more of it", sets("aws_s3_bucket_public_access_block.b", restrict_public_buckets=True), []),
    (
        "ownership",
        sets("aws_s3_bucket_ownership_controls.b", rule=[{"object_ownership": "ObjectWriter"}]),
        ACCESS,
    ),
    ("no ownership", removes("aws_s3_bucket_ownership_controls.b"), ACCESS),
    ("encryption", removes("aws_s3_bucket_server_side_encryption_configuration.b"), ACCESS),
    ("a wider replication", replicates(RULE | {"filter": []}), ACCESS),
    ("a narrower replication", replicates(RULE | {"filter": [{"prefix": "r/x/"}]}), []),
    (
        "another destination",
        replicates(RULE, RULE | {"destination": [{"bucket": "arn:aws:s3:::x"}]}),
        ACCESS,
    ),
    (
        "copies for another account",
        replicates(RULE | {"destination": [{"bucket": COPY, "account": STRANGER}]}),
        ACCESS,
    ),
    ("no replication", removes("aws_s3_bucket_replication_configuration.b"), []),
    # What cannot be read
    ("no JSON", sets("aws_s3_bucket_policy.b", policy="no"), PUBLIC),
    ("an unknown policy", sets("aws_s3_bucket_policy.b", policy=None), PUBLIC),
    ("an unknown identity policy", sets("aws_iam_policy.p", policy=None), ACCESS),
]
LIFECYCLE = "aws_s3_bucket_lifecycle_configuration.b"
EXPIRES = {"id": "x", "status": "Enabled", "filter": [{"prefix": ""}]}
LOSES_DATA: list[tuple[str, Any, list[str]]] = [
    ("force_destroy", sets("aws_s3_bucket.b", force_destroy=True), ["access", "data-loss"]),
    ("versioning goes", removes("aws_s3_bucket_versioning.b"), ["access", "data-loss"]),
    (
        "force_destroy that nobody knows yet",
        sets("aws_s3_bucket.b", force_destroy="${terraform_data.y.output}"),
        ["access", "data-loss"],
    ),
    (
        "objects that expire",
        sets(LIFECYCLE, bucket="b", rule=[EXPIRES | {"expiration": [{"days": 1}]}]),
        ["access", "data-loss"],
    ),
    (
        "objects that expire on a day",
        sets(LIFECYCLE, bucket="b", rule=[EXPIRES | {"expiration": [{"date": "2027-01-01"}]}]),
        ["access", "data-loss"],
    ),
    (
        "old versions that expire",
        sets(
            LIFECYCLE,
            bucket="b",
            rule=[EXPIRES | {"noncurrent_version_expiration": [{"noncurrent_days": 1}]}],
        ),
        ["access", "data-loss"],
    ),
    (
        "uploads that are never completed",
        sets(
            LIFECYCLE,
            bucket="b",
            rule=[EXPIRES | {"abort_incomplete_multipart_upload": [{"days_after_initiation": 1}]}],
        ),
        [],
    ),
]
DEFAULT = "apply_server_side_encryption_by_default"


@pytest.mark.parametrize(
    ("address", "was", "now", "verdict"),
    [
        (
            "aws_s3_bucket.b",
            {"versioning": [{"enabled": True}]},
            {"versioning": [{"enabled": False}]},
            ["access", "data-loss"],
        ),
        (
            "aws_s3_bucket_versioning.b",
            {"versioning_configuration": [{"status": "Enabled", "mfa_delete": "Enabled"}]},
            {"versioning_configuration": [{"status": "Enabled", "mfa_delete": "Disabled"}]},
            ["access", "data-loss"],
        ),
        (
            LIFECYCLE,
            {"rule": [EXPIRES | {"expiration": [{"days": 30}]}]},
            {"rule": [EXPIRES | {"expiration": [{"days": 7}]}]},
            ["access", "data-loss"],
        ),
        (
            LIFECYCLE,
            {"rule": [EXPIRES | {"expiration": [{"days": 30}]}]},
            {"rule": [EXPIRES | {"expiration": [{"days": 90}]}]},
            [],
        ),
        (
            "aws_s3_bucket_server_side_encryption_configuration.b",
            {"rule": [{DEFAULT: [SSE_S3]}]},
            {"rule": [{DEFAULT: [SSE_KMS | {"kms_master_key_id": KEY.replace(THERE, STRANGER)}]}]},
            ["access"],
        ),
        (
            "aws_s3_bucket_replication_configuration.b",
            {"rule": [RULE]},
            {
                "rule": [
                    RULE
                    | {
                        "destination": [
                            {
                                "bucket": COPY,
                                "encryption_configuration": [
                                    {"replica_kms_key_id": KEY.replace(THERE, STRANGER)}
                                ],
                            }
                        ]
                    }
                ]
            },
            ["access"],
        ),
    ],
)
def test_a_guard_that_changes_is_compared(
    address: str, was: dict[str, Any], now: dict[str, Any], verdict: list[str]
) -> None:
    before = BEFORE | {address: BEFORE.get(address, {"bucket": "b"}) | was}
    found = summary(sets(address, **now), before=before)
    assert found.refused(["access", "public", "data-loss"]) == verdict, found


@pytest.mark.parametrize(
    ("edit", "verdict"),
    [(e, v) for _, e, v in KEEPS_DATA + LOSES_DATA],
    ids=[name for name, _, _ in KEEPS_DATA + LOSES_DATA],
)
def test_each_change_has_its_verdict(edit: Any, verdict: list[str]) -> None:
    found = summary(edit)
    assert found.refused(["access", "public", "data-loss"]) == verdict, found
    # Whatever is refused is told.
    told = as_markdown([found])
    assert bool(verdict) <= (told.count("\n- `s`") + told.count("\n| `s`") > 0), told


# Who is no outsider


WRITES = GET | {"Action": ["s3:GetObject", "s3:PutObject"]}
HIDES = {
    "Effect": "Deny",
    "Principal": {"AWS": ROLE},
    "Action": "s3:GetObject",
    "Resource": f"{BUCKET}/r/secret/*",
}
READS = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
ALL_OF_S3 = document(READS | {"Action": "s3:*"})


@pytest.mark.parametrize(
    "limit",
    [
        READS,
        {"Effect": "Allow", "NotAction": "s3:PutObject", "Resource": "*"},
        READS | {"Action": "s3:*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
    ],
)
def test_a_boundary_that_lets_more_is_refused(limit: dict[str, Any]) -> None:
    before = BEFORE | {
        "aws_iam_policy.p": {"arn": POLICY, "policy": document(WRITES)},
        "aws_iam_policy.limit": {"arn": LIMIT, "policy": document(limit)},
        "aws_s3_bucket_policy.b": {"bucket": "b", "policy": document(WRITES | NAMED | WRITES, TLS)},
    }
    found = summary(sets("aws_iam_policy.limit", policy=ALL_OF_S3), before=before)
    assert found.refused(["access"]) == ["access"]
    narrower = sets("aws_iam_policy.limit", policy=document(limit, READS | {"Effect": "Deny"}))
    assert summary(narrower, before=before).refused(["access"]) == []


def test_a_boundary_that_lets_more_does_not_hide_a_refusal_that_goes() -> None:
    policies = {"bucket": "b", "policy": document(NAMED, TLS, HIDES)}
    before = BEFORE | {"aws_s3_bucket_policy.b": policies}

    def edit(after: Values) -> None:
        after["aws_iam_policy.limit"]["policy"] = ALL_OF_S3
        after["aws_s3_bucket_policy.b"]["policy"] = document(NAMED, TLS)

    assert summary(edit, before=before).refused(["access"]) == ["access"]


@pytest.mark.parametrize("redundant", [False, True])
def test_what_a_key_s_policy_lets_already_hides_no_refusal_that_goes(*, redundant: bool) -> None:
    owner = f"arn:aws:iam::{THERE}:role/o"
    may = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY}
    of_key = may | {"Principal": {"AWS": owner}}
    refuses = of_key | {
        "Effect": "Deny",
        "Condition": {"StringNotEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
    }
    before = BEFORE | {
        "aws_iam_role.o": {"arn": owner, "name": "o", "assume_role_policy": document(TRUST)},
        "aws_iam_role_policy.o": {"role": "o", "name": "o", "policy": document(READS)},
        "aws_kms_key_policy.k": {"key_id": "k", "policy": document(OWN_KEY, of_key, refuses)},
    }

    def edit(after: Values) -> None:
        after["aws_kms_key_policy.k"]["policy"] = document(OWN_KEY, of_key)
        if redundant:
            after["aws_iam_role_policy.o"]["policy"] = document(READS, may)

    assert summary(edit, before=before).refused(["access"]) == ["access"]


def source(**provider: Any) -> dict[str, Any]:
    """A stack that is pinned to the first account only, and to what is given for the second."""
    first, second = SOURCE["provider"]["aws"]
    unpinned = {key: value for key, value in second.items() if key != "allowed_account_ids"}
    return {"provider": {"aws": [first, unpinned | provider]}}


def from_stack(edit: Any, stack: dict[str, Any], declared: Insiders | None = None) -> list[str]:
    """What the gate says of a plan of another stack than the usual one."""
    edit(after := deepcopy(BEFORE))
    plan = {"prior_state": {"values": snapshot(BEFORE)}, "planned_values": snapshot(after)}
    return summarize("s", plan, stack, ALIASES, declared).refused(["public"])


OWNER = f"arn:aws:iam::{THERE}:role/owner"
LETS_OWNER = adds(Principal={"AWS": THERE})
LETS_STRANGER = adds(Principal={"AWS": STRANGER})
IN_OTHER = {"StringEquals": {"aws:PrincipalOrgID": "o-bbbbbbbbbb"}}


@pytest.mark.parametrize(
    ("edit", "stack", "outside"),
    [
        (LETS_STRANGER, source(allowed_account_ids=[THERE]), True),
        (LETS_STRANGER, source(allowed_account_ids=[THERE, STRANGER]), False),
        # Nobody knows the id of an account that no provider is pinned to.
        (LETS_STRANGER, source(), True),
        (LETS_OWNER, source(), True),
        # What the state alone knows is declared no more.
        (
            adds(Principal={"AWS": HERE}),
            {"provider": {"aws": source()["provider"]["aws"][1:]}},
            True,
        ),
    ],
)
def test_the_declared_accounts_are_those_that_providers_are_pinned_to(
    edit: Any, stack: dict[str, Any], outside: bool
) -> None:
    assert from_stack(edit, stack) == ["public"] * outside


@pytest.mark.parametrize(
    ("address", "declared", "known"),
    [
        ("data.aws_iam_role.x", {"name": "owner"}, True),
        # The ARN of what is looked up by it may be anybody's.
        ("data.aws_iam_policy.x", {"arn": OWNER}, False),
    ],
)
def test_an_account_that_is_not_pinned_is_known_by_what_is_found_in_it(
    address: str, declared: dict[str, str], known: bool
) -> None:
    _, type_, name = address.split(".")
    block = {type_: {name: declared | {"provider": "aws.account2"}}}
    found = Blocks(
        [{"address": address, "values": {"arn": OWNER}}],
        {address: "account2"},
        source() | {"data": block},
    )
    assert found.declared_accounts == {HERE, THERE if known else "account2"}


def asks(effect: str, test: str, organization: str) -> dict[str, Any]:
    """A stack whose one policy speaks of an organization."""
    statement = {
        "effect": effect,
        "actions": ["s3:*"],
        "resources": [BUCKET],
        "principals": [{"type": "*", "identifiers": ["*"]}],
        "condition": [
            {"test": test, "variable": "aws:PrincipalOrgID", "values": [organization]},
        ],
    }
    return source(allowed_account_ids=[THERE]) | {
        "resource": {
            "aws_s3_bucket_policy": {
                "x": {"bucket": "x", "policy": "${data.aws_iam_policy_document.x.json}"}
            }
        },
        "data": {"aws_iam_policy_document": {"x": {"statement": [statement]}}},
    }


@pytest.mark.parametrize(
    ("stack", "declared"),
    [
        (asks("Allow", "StringEquals", "o-bbbbbbbbbb"), True),
        (asks("Deny", "StringNotEquals", "o-bbbbbbbbbb"), True),
        (asks("Deny", "StringNotEqualsIfExists", "o-bbbbbbbbbb"), True),
        (asks("Allow", "StringNotEquals", "o-bbbbbbbbbb"), False),
        (asks("Deny", "StringEquals", "o-bbbbbbbbbb"), False),
        (asks("Allow", "StringLike", "o-b*"), False),
    ],
)
def test_the_declared_organization_is_the_one_that_a_policy_asks_for(
    stack: dict[str, Any], declared: bool
) -> None:
    edit = adds(Principal="*", Condition=IN_OTHER)
    assert from_stack(edit, stack) == ["public"] * (not declared)


@pytest.mark.parametrize(
    ("principal", "outside"),
    [
        ({"AWS": ROLE}, False),
        ({"AWS": HERE}, False),
        ({"AWS": STRANGER}, True),
        ({"AWS": f"arn:aws:iam::{STRANGER}:role/x"}, True),
        ({"AWS": [ROLE, f"arn:aws:iam::{STRANGER}:user/x"]}, True),
        ({"Federated": "accounts.google.com"}, True),
        ({"CanonicalUser": "a" * 64}, True),
    ],
)
def test_an_outsider_who_is_named_in_what_cannot_be_read_is_one(
    principal: Any, outside: bool
) -> None:
    found = summary(adds(Principal=principal, Action={"not": "readable"}))
    assert found.refused(["access", "public"]) == (PUBLIC if outside else ACCESS)


def test_what_another_stack_declares_is_declared() -> None:
    other = source(allowed_account_ids=[STRANGER]) | {
        key: asks("Allow", "StringEquals", "o-bbbbbbbbbb")[key] for key in ("resource", "data")
    }
    everybody = insiders([SOURCE, other])
    for edit in (LETS_STRANGER, adds(Principal="*", Condition=IN_OTHER)):
        assert from_stack(edit, SOURCE) == ["public"]
        assert from_stack(edit, SOURCE, everybody) == []


# In which account


@pytest.mark.parametrize(
    ("type_", "values", "account", "shown"),
    [
        ("aws_iam_role", {"arn": f"arn:aws:iam::{HERE}:role/x"}, "account1", "`account1`"),
        ("aws_iam_role", {"arn": f"arn:aws:iam::{STRANGER}:role/x"}, STRANGER, f"`{STRANGER}`"),
        ("aws_iam_role_policy_attachment", {"policy_arn": POLICY}, "account1", "`account1`"),
        ("aws_kms_key", {"arn": KEY}, "account2", "`account2`"),
        ("aws_s3_bucket", {"arn": BUCKET}, "?", "an account that the plan does not name"),
    ],
)
def test_the_account_of_what_the_state_alone_has_is_told_by_its_arn(
    type_: str, values: dict[str, Any], account: str, shown: str
) -> None:
    gone = f"{type_}.gone"
    found = summary(removes(gone), change(gone, "delete"), before=BEFORE | {gone: values})
    assert [one.account for one in found.changes] == [account]
    assert f"- {shown}: delete `{gone}`" in as_markdown([found])
    assert "?" not in as_markdown([found])


def test_a_block_that_is_one_of_several_is_in_the_account_that_they_are_declared_in() -> None:
    found = summary(lambda _: None, change("aws_s3_bucket.b[0]", "create"))
    assert [one.account for one in found.changes] == ["account2"]


# Guards


ALL = "aws_s3_account_public_access_block.all"
BLOCKS = dict.fromkeys(
    ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"],
    True,
)
MANAGED = BEFORE | {ALL: BLOCKS}


@pytest.mark.parametrize(
    ("edit", "verdict"),
    [
        (removes(ALL), ACCESS),
        (sets(ALL, restrict_public_buckets=False), ACCESS),
        (sets(ALL, ignore_public_acls=False), ACCESS),
        (sets(ALL, restrict_public_buckets=True), []),
    ],
)
def test_the_block_of_an_account_is_a_guard(edit: Any, verdict: list[str]) -> None:
    found = summary(edit, before=MANAGED)
    assert found.refused(["access", "public"]) == verdict, found
    assert {guard.target for guard in found.guards} <= {"account account2"}


def test_the_block_of_an_account_keeps_strangers_out_of_its_buckets() -> None:
    open_ = {"policy": document(NAMED, GET | {"Principal": "*"})}
    before = MANAGED | {"aws_s3_bucket_policy.b": BEFORE["aws_s3_bucket_policy.b"] | open_}
    assert summary(removes(ALL), before=before).refused(["public"]) == ["public"]


def without(*addresses: str) -> Values:
    return {address: values for address, values in BEFORE.items() if address not in addresses}


NEW_GUARDS: list[tuple[str, dict[str, Any], bool]] = [
    (ALL, BLOCKS, False),
    (ALL, BLOCKS | {"block_public_policy": False}, True),
    ("aws_s3_bucket_public_access_block.b", BLOCKS, False),
    ("aws_s3_bucket_public_access_block.b", BLOCKS | {"restrict_public_buckets": False}, True),
    (
        "aws_s3_bucket_ownership_controls.b",
        {"rule": [{"object_ownership": "BucketOwnerEnforced"}]},
        False,
    ),
    ("aws_s3_bucket_ownership_controls.b", {"rule": [{"object_ownership": "ObjectWriter"}]}, True),
    ("aws_s3_bucket_versioning.b", {"versioning_configuration": [{"status": "Enabled"}]}, False),
    ("aws_s3_bucket_versioning.b", {"versioning_configuration": [{"status": "Suspended"}]}, True),
]


@pytest.mark.parametrize(("address", "values", "weakens"), NEW_GUARDS)
@pytest.mark.parametrize("existing", [False, True])
def test_what_was_not_managed_may_have_guarded_all(
    address: str, values: dict[str, Any], weakens: bool, existing: bool
) -> None:
    # A bucket that exists, and that no block has made, has its guards too.
    before = without(address, *(["aws_s3_bucket.b"] if existing else []))
    found = summary(sets(address, bucket="b", **values), before=before)
    assert found.refused(["access"]) == ACCESS * weakens, found
    assert {guard.before for guard in found.guards} == {"not managed"}


@pytest.mark.parametrize(
    ("there", "weakens"),
    [
        ([], False),
        ([{"rule": [{"apply_server_side_encryption_by_default": [SSE_S3]}]}], False),
        ([{"rule": [{"apply_server_side_encryption_by_default": [SSE_KMS]}]}], True),
        (None, True),  # not looked up
    ],
)
def test_the_encryption_of_a_bucket_that_is_imported_is_compared(there: Any, weakens: bool) -> None:
    address = "aws_s3_bucket_server_side_encryption_configuration.b"
    before = without(address)
    before["aws_s3_bucket.b"] = BEFORE["aws_s3_bucket.b"] | {
        "server_side_encryption_configuration": there
    }
    rule = {"apply_server_side_encryption_by_default": [SSE_S3]}
    found = summary(sets(address, bucket="b", rule=[rule]), before=before)
    assert found.refused(["access"]) == ACCESS * weakens


@pytest.mark.parametrize(
    "address",
    [
        "aws_s3control_access_grant.x",
        "aws_s3control_access_point_policy.x",
        "aws_s3control_multi_region_access_point_policy.x",
        "aws_s3control_object_lambda_access_point_policy.x",
        "aws_s3_bucket_acl.x",
        "aws_kms_grant.x",
        "aws_kms_replica_key.x",
        "aws_iam_user.x",
        "aws_iam_user_policy.x",
        "aws_iam_group_policy.x",
        "aws_iam_group_policy_attachment.x",
        "aws_iam_group_membership.x",
        "aws_iam_policy_attachment.x",
        "aws_iam_role_policies_exclusive.x",
        "aws_iam_role_policy_attachments_exclusive.x",
        "aws_organizations_policy_attachment.x",
        "aws_vpc_endpoint.x",
        "aws_vpc_endpoint_policy.x",
        "aws_ram_resource_share.x",
        "aws_ram_principal_association.x",
        "aws_ram_resource_association.x",
        "aws_lambda_layer_version_permission.x",
        "module.more.aws_s3_bucket_policy.x",
    ],
)
@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_what_is_not_evaluated_is_listed_and_refused(address: str, action: str) -> None:
    found = summary(lambda _: None, change(address, action))
    assert found.refused(["access", "public"]) == ["access"]
    assert any(address in why for why in found.undecided)
    assert address in as_markdown([found])
    assert summary(lambda _: None, change(address, "no-op")).undecided == []


CONFIGURED: dict[str, dict[str, Any]] = {
    "terraform_data.x": {"provisioners": [{"type": "local-exec"}]},
    "aws_s3_object.x": {"provisioners": [{"type": "local-exec"}]},
    "data.external.x": {"mode": "data", "type": "external"},
}


@pytest.mark.parametrize("address", CONFIGURED)
@pytest.mark.parametrize("index", ["", "[0]", '["a"]'])
def test_what_an_apply_would_run_is_listed_and_refused(address: str, index: str) -> None:
    """It has the rights to change everything, and nothing of it is in the plan's values."""
    mode = CONFIGURED[address].get("mode", "managed")
    resource = {"address": address, "mode": mode, "type": address.partition(".")[0]}
    resources = {"root_module": {"resources": [resource | CONFIGURED[address]]}}
    action = "read" if mode == "data" else "create"
    one = change(f"{address}{index}", action) | {"mode": mode}
    found = summary(lambda _: None, one, configuration=resources)
    assert found.refused(["access"]) == ["access"]
    assert {why.partition(":")[0].partition("[")[0] for why in found.undecided} == {address}
    kept = change(f"{address}{index}", "no-op") | {"mode": mode}
    assert summary(lambda _: None, kept, configuration=resources).undecided == []


@pytest.mark.parametrize(
    "address", ["data.aws_lambda_invocation.x", "module.x.data.external.y", "data.http.x"]
)
def test_what_is_read_by_running_something_is_listed_and_refused(address: str) -> None:
    one = change(address, "read") | {"mode": "data"}
    assert summary(lambda _: None, one).undecided == [f"{address}: what it runs is not evaluated"]
    looked_up = change("data.aws_iam_role.x", "read") | {"mode": "data"}
    assert summary(lambda _: None, looked_up).undecided == []


def test_a_policy_of_what_nobody_knows_yet_is_listed_and_refused() -> None:
    """It would write over the policy of whichever bucket that is."""
    resource = {
        "bucket": "${terraform_data.y.output}",
        "policy": document(NAMED),
        "provider": "aws.account2",
    }
    stack = deepcopy(SOURCE)
    stack["resource"]["aws_s3_bucket_policy"]["evil"] = resource
    aliases = ALIASES | {"aws_s3_bucket_policy.evil": "account2"}
    after = BEFORE | {"aws_s3_bucket_policy.evil": {"policy": resource["policy"]}}
    plan = {
        "prior_state": {"values": snapshot(BEFORE)},
        "planned_values": snapshot(after),
        "resource_changes": [change("aws_s3_bucket_policy.evil", "create")],
    }
    found = summarize("s", plan, stack, aliases)
    assert found.refused(["access"]) == ["access"]
    assert "aws_s3_bucket_policy.evil: its bucket is not known until it is applied" in str(
        found.undecided
    )


@pytest.mark.parametrize("attached", [False, True])
def test_a_policy_that_somebody_else_has_is_listed_and_refused(*, attached: bool) -> None:
    address = "aws_iam_policy.p" if attached else "aws_iam_policy.loose"
    arn = POLICY if attached else f"{POLICY}-loose"
    ours = {address: {"arn": arn, "policy": document(GET)}}
    narrower = document(GET | {"Resource": f"{BUCKET}/r/s/*"})
    one = change(
        address,
        "update",
        before={"policy": document(GET)},
        after={"policy": narrower},
    )
    found = summary(sets(address, policy=narrower), one, before=BEFORE | ours)
    told = [f"{address}: changes, and whom it is attached to is not known here"]
    assert found.undecided == ([] if attached else told)


def test_an_alias_that_policies_ask_for_is_listed_and_refused() -> None:
    asks = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/a"}}
    policy_ = document(OWN_KEY | {"Action": "kms:Decrypt", "Condition": asks})
    asking = BEFORE | {"aws_kms_key_policy.k": {"key_id": "k", "policy": policy_}}
    one = change("aws_kms_alias.x", "update", before={}, after={})
    assert summary(lambda _: None, one, before=asking).refused(["access"]) == ["access"]
    assert summary(lambda _: None, one).undecided == []


@pytest.mark.parametrize(("account", "refused"), [(HERE, []), (STRANGER, ["access"])])
def test_whoever_is_told_of_objects_is_in_a_declared_account(
    account: str, refused: list[str]
) -> None:
    address = "aws_s3_bucket_notification.b"
    queue = {"queue_arn": f"arn:aws:sqs:us-east-1:{account}:q", "events": ["s3:ObjectCreated:*"]}
    found = summary(sets(address, bucket="b", queue=[queue]), change(address, "create"))
    assert found.refused(["access"]) == refused
    assert len(found.undecided) == len(refused)


def test_two_inline_policies_of_one_name_are_listed_and_refused() -> None:
    inline = {"role": "r", "name": "inline", "policy": document(GET)}
    one = change("aws_iam_role_policy.again", "create")
    before = BEFORE | {"aws_iam_role_policy.inline": inline}
    found = summary(sets("aws_iam_role_policy.again", **inline), one, before=before)
    assert "write the same" in str(found.undecided)


ANY = [
    *("kms:Decrypt", "kms:*", "sts:AssumeRole", "s3:PutBucketPolicy", "s3:ListBucket"),
    *("s3:PutAccountPublicAccessBlock", "s3:CreateJob", "s3:CreateAccessPoint"),
    *("s3:PutAccessPointPolicy", "s3:*AccessGrant*", "iam:*AccessKey", "iam:CreatePolicyVersion*"),
]


@pytest.mark.parametrize("action", ANY)
def test_whatever_a_role_gains_on_what_nobody_names_is_refused(action: str) -> None:
    no_boundary = BEFORE | {"aws_iam_role.r": BEFORE["aws_iam_role.r"] | NO_BOUNDARY}
    more = {"Effect": "Allow", "Action": action, "Resource": "*"}
    found = summary(role(GET, more), before=no_boundary)
    assert found.refused(["access"]) == ["access"], found


@pytest.mark.parametrize("action", ["s3:*", "s3:GetObject", "kms:*"])
def test_whatever_a_role_gains_on_all_but_some_is_refused(action: str) -> None:
    no_boundary = BEFORE | {"aws_iam_role.r": BEFORE["aws_iam_role.r"] | NO_BOUNDARY}
    more = {"Effect": "Allow", "Action": action, "NotResource": f"{BUCKET}/*"}
    found = summary(role(GET, more), before=no_boundary)
    assert found.refused(["access"]) == ["access"], found
    confined = more | {"Effect": "Deny", "Action": action}
    every = {"Effect": "Allow", "Action": action, "Resource": "*"}
    was = no_boundary | {"aws_iam_policy.p": {"arn": POLICY, "policy": document(every, confined)}}
    found = summary(role(every), before=was)
    assert found.refused(["access"]) == ["access"], found


@pytest.mark.parametrize("action", ["SQS:ReceiveMessage", "sqs:Receive*", "sqs:*"])
def test_a_queue_for_everybody_is_refused(action: str) -> None:
    arn = f"arn:aws:sqs:us-east-1:{HERE}:q"
    url = f"https://sqs.us-east-1.amazonaws.com/{HERE}/q"
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": arn}
    found = summary(
        sets("aws_sqs_queue_policy.q", queue_url=url, policy=document(statement)),
        change("aws_sqs_queue_policy.q", "create"),
    )
    assert found.refused(["access", "public"]) == PUBLIC, found


def test_an_action_of_terraform_s_is_listed_and_refused() -> None:
    found = summary(lambda _: None, action_invocations=[{"address": "action.aws_lambda_invoke.x"}])
    assert found.refused(["access"]) == ["access"]


def test_two_blocks_that_write_one_policy_are_listed_and_refused() -> None:
    more = {"bucket": "b", "policy": document(NAMED, TLS)}
    one = change("aws_s3_bucket_policy.a", "create")
    found = summary(sets("aws_s3_bucket_policy.a", **more), one)
    assert found.refused(["access"]) == ["access"]
    told = "aws_s3_bucket_policy.b and aws_s3_bucket_policy.a: write the same"
    assert told in str(found.undecided)
    both = BEFORE | {"aws_s3_bucket_policy.a": more}
    kept = change("aws_s3_bucket_policy.a", "no-op")
    assert summary(lambda _: None, kept, before=both).undecided == []


@pytest.mark.parametrize(
    ("type_", "before", "after", "refused"),
    [
        ("aws_s3_bucket", {"acl": "private"}, {"acl": "public-read"}, True),
        ("aws_s3_bucket", {"acl": "private"}, {"acl": "private"}, False),
        ("aws_s3_bucket", {"grant": []}, {"grant": [{"permissions": ["READ"]}]}, True),
        ("aws_s3_bucket", {"policy": "x"}, {"policy": "y"}, True),
        ("aws_s3_bucket", {"policy": "x"}, {"policy": "x"}, False),
        ("aws_s3_bucket", {}, {"replication_configuration": [{"role": ROLE}]}, True),
        ("aws_s3_bucket", {"tags": {}}, {"tags": {"a": "b"}}, False),
        ("aws_s3_object", {"acl": "private"}, {"acl": "public-read"}, True),
        ("aws_s3_object", {"etag": "x"}, {"etag": "y"}, False),
        ("aws_iam_role", {"inline_policy": []}, {"inline_policy": [{"policy": "{}"}]}, True),
    ],
)
def test_what_an_argument_beside_the_policies_lets_is_listed(
    type_: str, before: dict[str, Any], after: dict[str, Any], refused: bool
) -> None:
    one = change(f"{type_}.b", "update", before=before, after=after)
    assert bool(summary(lambda _: None, one).refused(["access"])) is refused


def test_a_key_without_its_policy_has_the_one_by_which_its_account_may_let() -> None:
    limited = OWN_KEY | {"Principal": {"AWS": f"arn:aws:iam::{THERE}:role/owner"}}
    key = {"aws_kms_key.k": BEFORE["aws_kms_key.k"] | {"policy": document(limited)}}
    policy = {"aws_kms_key_policy.k": {"key_id": "k", "policy": document(limited)}}
    goes = change("aws_kms_key_policy.k", "delete")
    found = summary(removes("aws_kms_key_policy.k"), goes, before=BEFORE | key | policy)
    assert {access.principal for access in found.appears} == {"account account2"}
    assert found.refused(["access", "public"]) == ACCESS
    both = ("aws_kms_key_policy.k", "aws_kms_key.k")
    gone = summary(removes(*both), goes, before=BEFORE | key | policy)
    assert gone.refused(["access"]) == []


IN_TEAM = f"{BUCKET}/${{aws:PrincipalTag/team}}/*"
OF_TEAM = {"StringEquals": {"aws:ResourceTag/team": "a"}}
TAGGED = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}}


@pytest.mark.parametrize(
    ("address", "tags", "policy", "refused"),
    [
        ("aws_iam_role.r", {"team": "a"}, TAGGED, True),
        ("aws_iam_role.r", {"Team": "a"}, TAGGED, True),
        ("aws_iam_role.r", {"other": "a"}, TAGGED, False),
        ("aws_iam_role.r", {"team": "a"}, {}, False),
        ("aws_iam_role.r", {"team": "a"}, {"Resource": IN_TEAM}, True),
        ("aws_kms_key.k", {"team": "a"}, {"Condition": OF_TEAM}, True),
    ],
)
def test_a_tag_that_a_policy_asks_for_is_listed_when_it_changes(
    address: str, tags: dict[str, str], policy: dict[str, Any], refused: bool
) -> None:
    before = BEFORE | {"aws_iam_policy.p": {"arn": POLICY, "policy": document(GET | policy)}}
    one = change(address, "update", before={"tags_all": {}}, after={"tags_all": tags})
    found = summary(lambda _: None, one, before=before)
    assert found.refused(["access"]) == ACCESS * refused
    assert any(address in why for why in found.undecided) is refused


def test_what_is_only_forgotten_still_lets() -> None:
    addresses = [a for a in BEFORE if a.startswith("aws_iam")]
    found = summary(removes(*addresses), *(change(a, "forget") for a in addresses))
    assert (found.appears, found.disappears) == ([], [])
    assert summary(removes(*addresses)).disappears != []


def statement(effect: str, **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Resource": "*"} | elements


OTHERS = {"NotAction": ["s3:*", "kms:*", "sts:*", "iam:*"]}
EVERYTHING_ON = {"Action": "*", "Resource": BUCKET}
QUEUES = {"Action": "sqs:*"}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ([], [statement("Allow", **QUEUES)], "sqs:* is not evaluated"),
        ([statement("Allow", **QUEUES)], [], None),
        ([], [statement("Deny", **QUEUES)], None),
        ([statement("Deny", **QUEUES)], [], "sqs:* is not evaluated"),
        ([], [statement("Allow", **OTHERS)], f"everything but {', '.join(OTHERS['NotAction'])} is"),
        ([statement("Allow", **EVERYTHING_ON)], [statement("Deny", **EVERYTHING_ON)], None),
        ([], [statement("Allow", Action="*", Resource=f"{BUCKET}/*")], None),  # objects alone
    ],
)
@pytest.mark.parametrize("limited", [False, True])
def test_what_other_services_let_is_listed_where_it_may_be_more(
    before: list[Any], after: list[Any], told: str | None, limited: bool
) -> None:
    had = BEFORE | {"aws_iam_policy.p": {"arn": POLICY, "policy": document(GET, *before)}}
    had["aws_iam_role.r"] = BEFORE["aws_iam_role.r"] | {"permissions_boundary": None}

    def edit(now: Values) -> None:
        role(GET, *after)(now)
        if limited:  # with a boundary from now on
            now["aws_iam_role.r"]["permissions_boundary"] = LIMIT

    found = summary(edit, before=had)
    assert found.refused(["access"]) == ACCESS * (told is not None), found
    assert told is None or told in found.undecided[0]


@pytest.mark.parametrize("address", ["aws_s3_bucket.b", "aws_kms_key.k"])
@pytest.mark.parametrize("actions", [("delete",), ("delete", "create")])
def test_what_is_deleted_is_lost(address: str, actions: tuple[str, ...]) -> None:
    found = summary(lambda _: None, change(address, *actions))
    assert found.refused(["data-loss", "destroys"]) == ["data-loss", "destroys"]


@pytest.mark.parametrize(
    ("drift", "outside"),
    [
        ({"actions": ["update"], "before": {"policy": "x"}, "after": {"policy": "y"}}, True),
        ({"actions": ["update"], "before": {"id": None}, "after": {"id": "b"}}, False),
        ({"actions": ["delete"], "before": {"policy": "x"}, "after": None}, True),
    ],
)
def test_changed_outside_is_only_what_the_plan_repairs(
    drift: dict[str, Any], outside: bool
) -> None:
    repair = change(
        "aws_s3_bucket_policy.b", "update", before={"policy": "y"}, after={"policy": "x"}
    )
    entry = {"address": "aws_s3_bucket_policy.b", "change": drift}
    (told,) = summary(lambda _: None, repair, resource_drift=[entry]).changes
    assert told.changed_outside is outside


def test_a_moved_role_is_the_same_role() -> None:
    def moves(after: Values) -> None:
        after["aws_iam_role.moved"] = after.pop("aws_iam_role.r")

    moved = change("aws_iam_role.moved", "no-op") | {"previous_address": "aws_iam_role.r"}
    found = summary(moves, moved)
    assert (found.appears, found.disappears, found.undecided) == ([], [], [])


def test_a_replaced_bucket_is_another() -> None:
    def replaced(after: Values) -> None:
        after["aws_s3_bucket.b"] = {"arn": "arn:aws:s3:::b2", "bucket": "b2"}
        policy = document(NAMED | {"Resource": "arn:aws:s3:::b2/*"})
        after["aws_s3_bucket_policy.b"] = {"bucket": "b2", "policy": policy}
        after["aws_iam_policy.p"]["policy"] = document(GET | {"Resource": "arn:aws:s3:::b2/*"})

    found = summary(replaced, change("aws_s3_bucket.b", "delete", "create"))
    assert {a.target for a in found.appears if a.works} == {"bucket b2"}
    assert {a.target for a in found.disappears} == {"bucket b"}
    assert found.refused(["access", "data-loss"]) == ["access", "data-loss"]


def test_principals_are_objects_for_a_machine() -> None:
    found = summary(role(GET), resource_drift=[])
    assert found.appears == []
    text = as_json([summary(bucket(NAMED | {"Resource": f"{BUCKET}/*"}, TLS))], [], None)
    assert json.loads(text)["stacks"][0]["appears"][0]["who"] == {
        "kind": "role",
        "account": HERE,
        "path": "/team/",
        "name": "r",
    }


def grants(count: int, *, action: str) -> Values:
    """A link: a role with a policy for each of so many buckets, which have theirs."""
    values: Values = {
        "aws_iam_role.r": {"arn": ROLE, "name": "r", "assume_role_policy": document(TRUST)}
    }
    for n in range(count):
        arn, own = f"arn:aws:s3:::b{n}", f"arn:aws:iam::{HERE}:policy/p{n}"
        lists: dict[str, Any] = {"Action": "s3:ListBucket", "Resource": arn}
        lists["Condition"] = {"StringLike": {"s3:prefix": ["r/", "r/*"]}}
        halves: list[dict[str, Any]] = [
            GET | {"Action": ["s3:GetObject", action], "Resource": f"{arn}/r/*"},
            GET | lists,
        ]
        values |= {
            f"aws_s3_bucket.b{n}": {"arn": arn, "bucket": f"b{n}"},
            f"aws_s3_bucket_policy.b{n}": {
                "bucket": f"b{n}",
                "policy": document(*(half | {"Principal": {"AWS": ROLE}} for half in halves), TLS),
            },
            f"aws_iam_policy.p{n}": {"arn": own, "policy": document(*halves)},
            f"aws_iam_role_policy_attachment.a{n}": {"role": "r", "policy_arn": own},
        }
    return values


@pytest.mark.parametrize("fresh", [False, True])
def test_what_is_compared_grows_as_the_grants_do(
    fresh: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def counted(world: World, request: Request) -> Decision:
        asked.append(request)
        return evaluate(world, request)

    monkeypatch.setattr(difference, "evaluate", counted)
    counts = []
    for number in (5, 10):
        after = grants(number, action="s3:PutObject")
        before = {} if fresh else grants(number, action="s3:GetObjectTagging")
        plan = {"prior_state": {"values": snapshot(before)}, "planned_values": snapshot(after)}
        aliases = {a: "account1" if a.startswith("aws_iam") else "account2" for a in after}
        asked.clear()
        found = summarize("s", plan, SOURCE, aliases)
        assert len({a.target for a in found.appears if a.works}) == number + fresh
        counts.append(len(asked))
    assert 0 < counts[1] <= 2 * counts[0] < 1000
