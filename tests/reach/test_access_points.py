"""Requests through access points: both they and the bucket behind them have to let them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from s3_links.reach.difference import difference
from s3_links.reach.evaluate import evaluate
from s3_links.world import (
    ACCESS_POINT,
    AccessPoint,
    Bucket,
    DocumentKind,
    Identity,
    Principal,
    Request,
    World,
    document,
)

A, B = "111111111111", "222222222222"
BUCKET, OTHER = "arn:aws:s3:::reports", "arn:aws:s3:::others"
ROLE = Principal(kind="role", account=A, name="r")


def get(on: str, *, to: Principal | None = None, **asked: str) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{on}*"}
    if to is not None:
        statement["Principal"] = {"AWS": str(to.arn)}
    if asked:
        keys = {f"s3:DataAccessPoint{key}": value for key, value in asked.items()}
        statement["Condition"] = {"StringEquals": keys}
    return statement


def policy(kind: DocumentKind, account: str, name: str, *statements: dict[str, Any]) -> Any:
    return document(kind, account, name, {"Statement": list(statements)})


def world(
    owner: str = A, *, named: bool = True, bucket: str = BUCKET, vpc: str | None = None
) -> World:
    """Return a role of A and a bucket of B behind an access point, which may name the role."""
    arn = point(owner)
    own = policy(
        "identity policy",
        A,
        "own",
        get(f"{arn}/object/"),
        *(get(f"{one}/", Arn=arn) for one in (BUCKET, OTHER)),
    )
    lets = policy(ACCESS_POINT, owner, arn, get(f"{arn}/object/", to=ROLE))
    buckets = {
        one: Bucket(
            arn=one,
            account=B,
            policy=policy("bucket policy", B, one, get(f"{one}/", to=ROLE, Account=owner)),
        )
        for one in (BUCKET, OTHER)
    }
    through = AccessPoint(
        arn=arn, account=owner, bucket=bucket, vpc=vpc, policy=lets if named else None
    )
    return World(identities={ROLE: Identity(policies=(own,))}, resources={arn: through, **buckets})


def point(owner: str = A) -> str:
    return f"arn:aws:s3:eu-west-1:{owner}:accesspoint/reports"


def asked(of: World, on: str, **context: str) -> str:
    request = Request(
        principal=ROLE,
        action="s3:GetObject",
        resource=on,
        context={key.replace("_", ":"): (value,) for key, value in context.items()},
    )
    return evaluate(of, request).verdict


def without_bucket_policy(one: World) -> World:
    resources = dict(one.resources)
    resources[BUCKET] = replace(resources[BUCKET], policy=None)
    return replace(one, resources=resources)


@pytest.mark.parametrize(
    ("of", "verdict"),
    [
        (world(), "allowed"),
        (world(named=False), "allowed"),  # within its account the role's half is enough
        (world(B), "allowed"),
        (world(B, named=False), "refused"),
        (without_bucket_policy(world()), "refused"),
        (replace(world(), identities={ROLE: Identity()}), "refused"),
    ],
)
def test_both_sides_have_to_let_it(of: World, verdict: str) -> None:
    owner = next(r.account for r in of.resources.values() if isinstance(r, AccessPoint))
    assert asked(of, f"{point(owner)}/object/a") == verdict


def test_by_the_buckets_name_it_depends_on_what_it_comes_through() -> None:
    assert asked(world(), f"{BUCKET}/a") == "depends"


@pytest.mark.parametrize(
    ("context", "verdict"),
    [
        ({"aws_SourceVpc": "vpc-1"}, "allowed"),
        ({"aws_SourceVpc": "vpc-2"}, "refused"),
        ({}, "depends"),
    ],
)
def test_one_of_a_vpc_takes_requests_from_there_alone(
    context: dict[str, str], verdict: str
) -> None:
    assert asked(world(vpc="vpc-1"), f"{point()}/object/a", **context) == verdict


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (world(vpc="vpc-1"), world()),
        (world(vpc="vpc-1"), world(vpc="vpc-2")),
        (world(bucket=OTHER), world()),
        (world(B, named=False), world(B)),
    ],
)
def test_one_that_is_opened_or_moved_lets_more(before: World, after: World) -> None:
    assert difference(before, after).of("appears")
    assert not difference(after, after).of("appears")


def test_a_new_one_of_anothers_bucket_lets_its_account_in() -> None:
    delegated = get(f"{BUCKET}/", Account=A) | {"Principal": {"AWS": f"arn:aws:iam::{A}:root"}}
    bucket = Bucket(arn=BUCKET, account=B, policy=policy("bucket policy", B, BUCKET, delegated))
    before = World(resources={BUCKET: bucket})
    new = AccessPoint(arn=point(), account=A, bucket=BUCKET)
    after = World(resources={BUCKET: bucket, new.arn: new})
    appears = difference(before, after).of("appears")
    assert (A, f"{point()}/object/x") in [(one.who.account, one.example) for one in appears]
