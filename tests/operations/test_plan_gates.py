"""Plans made by hand, each with what the gates make of it."""

from __future__ import annotations

import json
import time
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.operations.markdown import as_markdown
from s3_links.operations.summary import as_json, summarize

if TYPE_CHECKING:
    from s3_links.operations.summary import Summary

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
    # The declared organization is the one that the stack's own policies name.
    "data": {
        "aws_iam_policy_document": {
            "d": {
                "statement": [
                    {
                        "condition": [
                            {
                                "test": "StringEquals",
                                "variable": "aws:PrincipalOrgID",
                                "values": ["o-aaaaaaaaaa"],
                            }
                        ]
                    }
                ]
            }
        }
    },
}
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
        "rule": [
            {
                "apply_server_side_encryption_by_default": [
                    {"sse_algorithm": "aws:kms", "kms_master_key_id": KEY}
                ]
            }
        ],
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


def summary(edit: Any, *changes: dict[str, Any], **plan: Any) -> Summary:
    after = deepcopy(BEFORE)
    edit(after)
    content = {
        "prior_state": {"values": snapshot(BEFORE)},
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
        "everybody over TLS",
        adds(Principal="*", Condition={"Bool": {"aws:SecureTransport": True}}),
        PUBLIC,
    ),
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
LOSES_DATA: list[tuple[str, Any, list[str]]] = [
    ("force_destroy", sets("aws_s3_bucket.b", force_destroy=True), ["access", "data-loss"]),
    ("versioning goes", removes("aws_s3_bucket_versioning.b"), ["access", "data-loss"]),
]


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


@pytest.mark.parametrize(
    "address",
    [
        "aws_s3_access_point.x",
        "aws_kms_grant.x",
        "aws_s3_bucket_acl.x",
        "aws_iam_user_policy.x",
        "aws_iam_group_policy_attachment.x",
        "aws_lambda_permission.x",
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


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [
        ({"acl": "private"}, {"acl": "public-read"}, True),
        ({"acl": "private"}, {"acl": "private"}, False),
        ({"grant": []}, {"grant": [{"permissions": ["READ"]}]}, True),
        ({"tags": {}}, {"tags": {"a": "b"}}, False),
    ],
)
def test_acls_of_a_bucket_are_listed(
    before: dict[str, Any], after: dict[str, Any], refused: bool
) -> None:
    one = change("aws_s3_bucket.b", "update", before=before, after=after)
    assert bool(summary(lambda _: None, one).refused(["access"])) is refused


def test_what_is_only_forgotten_still_lets() -> None:
    addresses = [a for a in BEFORE if a.startswith("aws_iam")]
    found = summary(removes(*addresses), *(change(a, "forget") for a in addresses))
    assert (found.appears, found.disappears) == ([], [])
    assert summary(removes(*addresses)).disappears != []


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
def test_a_link_of_ten_grants_is_told_in_a_moment(fresh: bool) -> None:
    after = grants(10, action="s3:PutObject")
    before = {} if fresh else grants(10, action="s3:GetObjectTagging")
    plan = {"prior_state": {"values": snapshot(before)}, "planned_values": snapshot(after)}
    aliases = {a: "account1" if a.startswith("aws_iam") else "account2" for a in after}
    summarize("s", plan, SOURCE, aliases)  # the table of actions is read once
    begun = time.process_time()
    found = summarize("s", plan, SOURCE, aliases)
    taken = time.process_time() - begun
    assert len({a.target for a in found.appears if a.works}) == 10 + fresh
    assert taken < 0.2, taken
