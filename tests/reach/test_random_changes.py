"""Random single changes to two policies: what lets anybody in is refused, and little else."""

from __future__ import annotations

import json
import os
import random
import time
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.operations.summary import Summary, summarize
from s3_links.reach.evaluate import evaluate
from s3_links.world import Bucket, Identity, Principal, Request, World, principal
from s3_links.world import document as reach_document
from tests.evaluator import EVERYTHING, decide

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.cost("synthesized")

CHANGES = int(os.environ.get("RANDOM_CHANGES", "60"))
DENSELY = 500
"""With more changes than this every request is tried, not some of them."""
HERE, THERE, STRANGER = "111111111111", "222222222222", "999999999999"
ROLE = f"arn:aws:iam::{HERE}:role/team/r"
SESSION = f"arn:aws:sts::{HERE}:assumed-role/r/s"
BUCKET = "arn:aws:s3:::b"
ACTIONS = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "s3:DeleteObject",
    "s3:GetObjectTagging",
]
PATTERNS = [*ACTIONS, "s3:Get*", "s3:*Object", "s3:*", "*"]
RESOURCES = [BUCKET, f"{BUCKET}/*", f"{BUCKET}/r/*", f"{BUCKET}/r/x*", "arn:aws:s3:::other/*", "*"]
PRINCIPALS: list[Any] = [
    {"AWS": ROLE},
    {"AWS": f"arn:aws:iam::{HERE}:root"},
    {"AWS": THERE},
    {"AWS": f"arn:aws:iam::{STRANGER}:root"},
    {"AWS": [ROLE, "*"]},
    {"Service": "logging.s3.amazonaws.com"},
    "*",
]
CONDITIONS: list[dict[str, Any]] = [
    {"Bool": {"aws:SecureTransport": "true"}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"Bool": {"aws:SecureTransport": False}},
    {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}},
    {"ArnEquals": {"aws:PrincipalArn": ROLE}},
    {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}},
]
CONTEXTS = [
    {"aws:SecureTransport": tls, "aws:SourceIp": ip, **org}
    for tls in ("true", "false")
    for ip in ("203.0.113.7", "198.51.100.1")
    for org in ({}, {"aws:PrincipalOrgID": "o-aaaaaaaaaa"})
]
ALIASES = {
    "aws_s3_bucket.b": "account2",
    "aws_s3_bucket_policy.b": "account2",
    "aws_iam_role.r": "account1",
    "aws_iam_policy.p": "account1",
    "aws_iam_role_policy_attachment.a": "account1",
}
SOURCE = {
    "provider": {
        "aws": [
            {"alias": "account1", "allowed_account_ids": [HERE], "region": "us-east-1"},
            {"alias": "account2", "allowed_account_ids": [THERE], "region": "us-east-1"},
        ]
    }
}
GET = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{BUCKET}/r/*"]}
LIST = {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [BUCKET]}
TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [BUCKET, f"{BUCKET}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
Policies = tuple[list[dict[str, Any]], list[dict[str, Any]]]
START: Policies = (
    [GET, LIST],
    [GET | {"Principal": {"AWS": ROLE}}, LIST | {"Principal": {"AWS": ROLE}}, TLS],
)


@dataclass
class Change:
    """One change: the policies of the role and of the bucket, before and after."""

    before: Policies
    after: Policies

    def summary(self) -> Summary:
        plan = {
            "prior_state": {"values": snapshot(self.before)},
            "planned_values": snapshot(self.after),
        }
        return summarize("s", plan, SOURCE, ALIASES)


def document(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def snapshot(policies: Policies) -> dict[str, Any]:
    identity, bucket = (json.dumps(document(statements)) for statements in policies)
    nobody = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
    trust = document([nobody])
    arn = f"arn:aws:iam::{HERE}:policy/p"
    values: dict[str, dict[str, Any]] = {
        "aws_s3_bucket.b": {"arn": BUCKET, "bucket": "b"},
        "aws_s3_bucket_policy.b": {"bucket": "b", "policy": bucket},
        "aws_iam_role.r": {"arn": ROLE, "name": "r", "assume_role_policy": json.dumps(trust)},
        "aws_iam_policy.p": {"arn": arn, "policy": identity},
        "aws_iam_role_policy_attachment.a": {"role": "r", "policy_arn": arn},
    }
    resources = [{"address": a, "mode": "managed", "values": v} for a, v in values.items()]
    return {"root_module": {"resources": resources}}


def changed(policies: Policies, source: random.Random) -> Policies:
    """Return the policies with one thing changed."""
    after = deepcopy(policies)
    on_bucket = source.random() < 0.6
    statements = after[on_bucket]
    statement = source.choice(statements)
    what = source.randrange(9)
    if what == 0 and len(statements) > 1:
        statements.remove(statement)
    elif what == 1:
        new: dict[str, Any] = {
            "Effect": source.choice(["Allow", "Allow", "Deny"]),
            "Action": source.sample(PATTERNS, 1),
            "Resource": source.sample(RESOURCES, 1),
        }
        if on_bucket:
            new["Principal"] = source.choice(PRINCIPALS)
        if source.random() < 0.4:
            new["Condition"] = source.choice(CONDITIONS)
        statements.append(new)
    elif what == 2:
        statement["Condition"] = source.choice(CONDITIONS)
    elif what == 3:
        statement.pop("Condition", None)
    elif what == 4 and on_bucket:
        principal = statement.pop("Principal", None) or statement.pop("NotPrincipal")
        if source.random() < 0.3 and principal != "*":
            statement["NotPrincipal"] = principal
        else:
            statement["Principal"] = source.choice(PRINCIPALS)
    elif what == 5:
        statement.pop("Action", None)
        statement.pop("NotAction", None)
        name = source.choice(["Action", "Action", "NotAction"])
        statement[name] = source.sample(PATTERNS, source.choice([1, 2]))
    elif what == 6:
        statement.pop("Resource", None)
        statement.pop("NotResource", None)
        name = source.choice(["Resource", "Resource", "NotResource"])
        statement[name] = source.sample(RESOURCES, source.choice([1, 2]))
    elif what == 7:
        statement["Effect"] = source.choice(["Allow", "Deny"])
    else:  # spelt otherwise, and in another order
        statements.reverse()
        statement["Sid"] = f"S{source.randrange(100)}"
    return after


def random_changes(count: int) -> Iterator[Change]:
    source = random.Random(3)
    for _ in range(count):
        before = START
        for _ in range(source.choice([0, 0, 1, 2])):
            before = changed(before, source)
        yield Change(before, changed(before, source))


@dataclass(frozen=True)
class Caller:
    """Somebody who asks: as our evaluator knows them, and as the other one is told."""

    principal: Principal
    arn: str
    told: str


CALLERS = [
    Caller(replace(principal(ROLE), session="s"), ROLE, SESSION),
    *(
        Caller(principal(arn), arn, arn)
        for account in (HERE, THERE, STRANGER)
        for arn in [f"arn:aws:iam::{account}:user/u"]
    ),
]
ON = [BUCKET, f"{BUCKET}/r/a", f"{BUCKET}/r/xy", f"{BUCKET}/q"]
REQUESTS = [
    (caller, action, resource, context)
    for caller in CALLERS
    for action in ACTIONS
    for resource in ON
    if (action == "s3:ListBucket") is (resource == BUCKET)
    for context in CONTEXTS
]
Asked = tuple[Caller, str, str, dict[str, str]]


def theirs(policies: Policies, asked: Asked) -> dict[str, Any]:
    """Return a request as the other evaluator takes it."""
    caller, action, resource, context = asked
    identity, bucket = map(document, policies)
    account = caller.principal.account
    return {
        "principal": caller.told,
        "action": action,
        "resource": resource,
        "account": THERE,
        "identity": [identity if caller.arn == ROLE else EVERYTHING],
        "resourcePolicy": bucket,
        "context": {"aws:PrincipalArn": caller.arn, "aws:PrincipalAccount": account, **context},
    }


def gained(change: Change, source: random.Random) -> tuple[list[Asked], list[Asked]]:
    """Return the requests that are newly allowed by our own evaluator, and those to compare."""
    worlds = [world(policies) for policies in (change.before, change.after)]
    found = []
    for one in REQUESTS if CHANGES > DENSELY else source.sample(REQUESTS, 100):
        caller, action, resource, context = one
        request = Request(
            principal=caller.principal,
            action=action,
            resource=resource,
            context={key: (value,) for key, value in context.items()}
            | ({} if "aws:PrincipalOrgID" in context else {"aws:PrincipalOrgID": ()}),
        )
        was, now = (evaluate(one_world, request).verdict for one_world in worlds)
        if now == "allowed" and was != "allowed":
            found.append(one)
    return found, source.sample(REQUESTS, 4)


def world(policies: Policies) -> World:
    identity, bucket = map(document, policies)
    identities = {
        caller.principal.identity(): Identity(
            policies=(
                reach_document(
                    "identity policy",
                    caller.principal.account,
                    "p",
                    identity if caller.arn == ROLE else EVERYTHING,
                ),
            )
        )
        for caller in CALLERS
    }
    policy = reach_document("bucket policy", THERE, BUCKET, bucket)
    return World(
        identities=identities,
        resources={BUCKET: Bucket(arn=BUCKET, account=THERE, policy=policy)},
    )


def test_what_lets_anybody_in_is_refused_and_little_else() -> None:
    changes, source = list(random_changes(CHANGES)), random.Random(4)
    sampled = [gained(change, source) for change in changes]
    asked = [
        theirs(policies, one)
        for change, (_, compared) in zip(changes, sampled, strict=True)
        for one in compared
        for policies in (change.before, change.after)
    ]
    answers = iter(decide(asked))
    appeared = none = strangers = needless = 0
    taken = 0.0
    for change, (found, compared) in zip(changes, sampled, strict=True):
        found += [one for one in compared if next(answers) < next(answers)]
        begun = time.perf_counter()
        summary = change.summary()
        taken += time.perf_counter() - begun
        refused = summary.refused(["access", "public"])
        outside = [one for one in found if one[0].principal.account == STRANGER]
        appeared += bool(found)
        strangers += bool(outside)
        assert not found or "access" in refused, (change, found[0])
        assert not outside or "public" in refused, (change, outside[0])
        if not found:
            none += 1
            assert not refused or summary.appears or summary.undecided
            # Another bucket, or another service: nobody asked for that here.
            asked_for = all(row.target == "bucket b" for row in summary.appears)
            needless += bool(refused) and asked_for and not summary.undecided
    print(f"{appeared} appear ({strangers} for strangers), {none} do not: {needless} refused;")
    print(f"{taken / len(changes):.3f} s each")
    assert appeared > CHANGES / 15
    assert needless <= none / 20
