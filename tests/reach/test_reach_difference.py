"""Which access appears and disappears between two sets of documents."""

from __future__ import annotations

import random
import time
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from s3_links.reach.difference import Change, Difference, difference
from s3_links.reach.evaluate import evaluate
from s3_links.reach.regions import representatives
from s3_links.world import (
    Bucket,
    DocumentKind,
    Identity,
    Principal,
    Request,
    Resource,
    World,
    anyone_else,
    document,
)
from tests.support.random_worlds import ACTIONS, KEYS, ON, Case, Worlds, assembled
from tests.support.random_worlds import BUCKET as RANDOM_BUCKET

A, B = "111111111111", "222222222222"
BUCKET = "arn:aws:s3:::reports"
KEY = f"arn:aws:kms:eu-west-1:{B}:key/k"
ROLE = Principal(kind="role", account=A, name="consumer")
OTHER = Principal(kind="role", account=A, name="other")


def statement(**elements: Any) -> dict[str, Any]:
    result = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*", **elements}
    return {key: value for key, value in result.items() if value is not None}


def policy(kind: DocumentKind, content: Any) -> Any:
    statements = {"Version": "2012-10-17", "Statement": content}
    return document(kind, B if kind == "bucket policy" else A, "p", statements)


def world(
    identity: Any = (),
    bucket: Any = (),
    *,
    boundary: Any = None,
    key: Any = None,
    **settings: Any,
) -> World:
    own = Identity(
        policies=(policy("identity policy", list(identity)),),
        boundary=None if boundary is None else policy("permissions boundary", boundary),
    )
    of = Bucket(arn=BUCKET, account=B, policy=policy("bucket policy", list(bucket)), **settings)
    keys = (
        {} if key is None else {KEY: Resource(arn=KEY, account=B, policy=policy("key policy", key))}
    )
    return World(identities={ROLE: own}, resources={BUCKET: of, **keys})


def names(**elements: Any) -> dict[str, Any]:
    return statement(**{"Principal": {"AWS": str(ROLE.arn)}, **elements})


def told(changes: list[Change]) -> list[tuple[str, tuple[str, ...], str, Any]]:
    return sorted((str(c.who), c.actions, c.on, c.only_if) for c in changes)


GET = ("s3:GetObject",)
BOTH = world([statement()], [names()])
ELSE = f"anyone else in {A}"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (BOTH, BOTH, []),
        (world(), BOTH, [(str(ROLE), GET, f"{BUCKET}/*", ())]),
        (world([statement()]), BOTH, [(str(ROLE), GET, f"{BUCKET}/*", ())]),
        (world([statement()]), world(), []),
        (world(), world([], [names()]), []),
        # the same, written differently
        (BOTH, world([statement(Action=["s3:GetObject", "S3:getobject"])], [names()]), []),
        (
            BOTH,
            world(
                [statement()],
                [names(Resource=f"{BUCKET}/a/*"), names(Action=None, NotAction="s3:Put*")],
            ),
            [],
        ),
        # a prefix more
        (
            world([statement()], [names(Resource=f"{BUCKET}/a/*")]),
            world([statement()], [names(Resource=[f"{BUCKET}/a/*", f"{BUCKET}/b/*"])]),
            [(str(ROLE), GET, f"{BUCKET}/b/*", ())],
        ),
        # a boundary taken off
        (
            world([statement()], [names()], boundary=[statement(Action="ec2:*")]),
            BOTH,
            [(str(ROLE), GET, f"{BUCKET}/*", ())],
        ),
        # a Deny taken off
        (
            world([statement()], [names(), names(Effect="Deny", Resource=f"{BUCKET}/secret/*")]),
            BOTH,
            [(str(ROLE), GET, f"{BUCKET}/*", ())],
        ),
        # public access no longer restricted
        (
            world([statement()], [statement(Principal="*")], restrict_public=True),
            world([statement()], [statement(Principal="*")]),
            [
                ("anonymous", GET, f"{BUCKET}/*", ()),
                (f"anyone else in {'0' * 12}", GET, f"{BUCKET}/*", 1),
                (ELSE, GET, f"{BUCKET}/*", 1),
                (str(ROLE), GET, f"{BUCKET}/*", ()),
            ],
        ),
        # a condition taken off one of two
        (
            world(
                [statement()],
                [
                    names(
                        Condition={
                            "StringEquals": {"aws:PrincipalOrgID": "o-a"},
                            "Bool": {"aws:SecureTransport": "true"},
                        }
                    )
                ],
            ),
            world(
                [statement()], [names(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a"}})]
            ),
            [(str(ROLE), GET, f"{BUCKET}/*", (("aws:PrincipalOrgID is o-a",),))],
        ),
        # a condition that the other includes
        (
            world([statement()], [names(Condition={"StringLike": {"aws:SourceVpce": "vpce-*"}})]),
            world([statement()], [names(Condition={"StringLike": {"aws:SourceVpce": "vpce-1*"}})]),
            [],
        ),
        (
            world([statement()], [names(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})]),
            world([statement()], [names(Condition={"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}})]),
            [],
        ),
        (
            world([statement()], [names(Condition={"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}})]),
            world([statement()], [names(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})]),
            [(str(ROLE), GET, f"{BUCKET}/*", (("aws:SourceIp is in 10.0.0.0/8",),))],
        ),
        # two alternatives are not one condition
        (
            world(
                [statement()],
                [
                    names(Condition={"StringEquals": {"aws:PrincipalTag/a": "1"}}),
                    names(Condition={"StringEquals": {"aws:PrincipalTag/b": "1"}}),
                ],
            ),
            world(
                [statement()],
                [
                    names(
                        Condition={
                            "StringEquals": {"aws:PrincipalTag/a": "1", "aws:PrincipalTag/b": "1"}
                        }
                    )
                ],
            ),
            [],
        ),
        # whoever the account's own policies let
        (
            world(),
            world([], [names(Principal={"AWS": A})]),
            [(ELSE, GET, f"{BUCKET}/*", ((f"the policies of {ELSE} allow it",),))],
        ),
    ],
)
def test_what_appears(before: World, after: World, expected: list[Any]) -> None:
    found = difference(before, after)
    assert found.undecided == ()
    appears = [
        (who, actions, on, only_if if isinstance(known[3], tuple) else len(only_if))
        for (who, actions, on, only_if), known in zip(
            told(found.of("appears")), sorted(expected), strict=True
        )
    ]
    assert appears == sorted(expected)


@pytest.mark.parametrize(
    "elements",
    [
        {"NotPrincipal": {"AWS": B}, "Principal": None},
        {"Principal": {"AWS": "*"}},
        {
            "Principal": "*",
            "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{A}:role/x*"}},
        },
        {"NotResource": "arn:aws:s3:::elsewhere/*", "Resource": None, "Principal": "*"},
        {"NotAction": "s3:PutObject", "Action": None, "Principal": "*"},
        {"Principal": {"AWS": "AROAEXAMPLEEXAMPLE22"}},
        {"Principal": {"CanonicalUser": "79a5"}},
        {"Principal": {"Service": "logging.s3.amazonaws.com"}},
        {"effect": "Allow"},
        *(
            {"Principal": "*", "Condition": condition}
            for condition in (
                {"StringEquals": {"aws:PrincipalAccount": "333333333333"}},
                {"StringLike": {"aws:PrincipalAccount": "33*"}},
                {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x*"}},
                {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::333333333333:user/u"}},
                {"StringLike": {"aws:PrincipalArn": "*admin*"}},
                {"StringLike": {"aws:PrincipalServiceName": "logging*"}},
                {"StringNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{A}:role/*"}},
                {"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/group}"}},
                {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a/*"}},
                {"ForAnyValue:StringEquals": {"aws:CalledVia": ["athena.amazonaws.com"]}},
                {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}},
                {"NumericGreaterThan": {"aws:MultiFactorAuthAge": "10"}},
                {"NotIpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
                {"BinaryEquals": {"aws:PrincipalTag/data": "b25l"}},
                {"Null": {"aws:PrincipalTag/data": "true"}},
                {"StringResembles": {"aws:PrincipalTag/data": "x"}},
            )
        ),
    ],
)
def test_every_way_to_let_somebody_in_appears(elements: dict[str, Any]) -> None:
    found = difference(world(), world([], [names(**elements)]))
    assert found.of("appears")


def test_a_condition_on_who_asks_lets_in_only_whom_it_means() -> None:
    condition = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{A}:role/x*"}}
    found = difference(world(), world([], [names(Principal="*", Condition=condition)]))
    assert [str(change.who) for change in found.of("appears")] == [ELSE]


def test_a_half_without_the_other_is_told_with_what_is_missing() -> None:
    (alone,) = difference(world(), world([], [names()])).of("alone")
    assert (alone.who, alone.actions) == (ROLE, GET)
    assert [half.what for half in alone.halves] == ["bucket policy"]
    assert [half.what for half in alone.missing] == ["identity policy"]


def test_both_halves_of_an_access_are_named() -> None:
    (row,) = difference(world(), BOTH).of("appears")
    assert [(half.what, half.account) for half in row.halves] == [
        ("bucket policy", B),
        ("identity policy", A),
    ]


def test_actions_that_are_not_evaluated_are_undecided() -> None:
    more = statement(Action=["ec2:*", "s3:GetObject"])
    assert difference(world(), world([more])).undecided == ()  # on objects, S3 alone has actions
    found = difference(world(), world([more | {"Resource": "*"}]))
    assert found.undecided == (f"{ROLE}: ec2:* is not evaluated",)


def test_a_role_and_a_bucket_that_are_new_had_no_access() -> None:
    found = difference(World(), BOTH)
    assert told(found.of("appears")) == [(str(ROLE), GET, f"{BUCKET}/*", ())]
    assert told(difference(BOTH, World()).of("disappears")) == told(found.of("appears"))


def test_a_key_policy_that_hands_over_to_its_account() -> None:
    decrypt = {"Action": "kms:Decrypt", "Resource": "*"}
    given = [statement(**decrypt)]
    before = world(given, key=[statement(**decrypt, Principal={"AWS": B})])
    after = world(given, key=[statement(**decrypt, Principal={"AWS": [A, B]})])
    assert {(str(c.who), c.actions) for c in difference(before, after).of("appears")} == {
        (str(ROLE), ("kms:Decrypt",)),
        (str(anyone_else(A)), ("kms:Decrypt",)),
    }


def test_what_lies_below_a_tag_that_is_asked_for_is_looked_at() -> None:
    """A sample of the whole pattern is below no tag at all, which the condition refuses."""
    own = f"{BUCKET}/home/${{aws:PrincipalTag/team}}/*"
    asked = {"StringEquals": {"aws:PrincipalTag/team": ["red", "blue"]}}
    below = {"StringLike": {"s3:prefix": "home/${aws:PrincipalTag/team}/*"}}
    both: list[dict[str, Any]] = [
        {"Resource": own, "Condition": asked},
        {"Action": "s3:ListBucket", "Resource": BUCKET, "Condition": {**asked, **below}},
    ]
    after = world([statement(**one) for one in both], [names(**one) for one in both])
    appears = {c.actions: (c.on, c.only_if) for c in difference(world(), after).of("appears")}
    team = "aws:PrincipalTag/team is red or blue"
    assert appears == {
        ("s3:GetObject",): (own, ((team,),)),
        ("s3:ListBucket",): (
            BUCKET,
            ((team, "s3:prefix is like home/${aws:PrincipalTag/team}/*"),),
        ),
    }


def test_patterns_cut_keys_into_regions() -> None:
    found = representatives(frozenset({"a/*", "*.csv", "a/b/?"}))
    assert {(k.startswith("a/"), k.endswith(".csv"), len(k) == 5) for k in found} == {
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (True, True, False),
        (True, False, True),
    }


# Against every request that there is


def mutated(case: Case, source: random.Random, worlds: Worlds) -> Case:
    """Return ``case`` with a statement or a document taken away, added or exchanged."""
    request, raw = case.request, deepcopy(case.raw)
    other = worlds.case()
    while other.request.action.partition(":")[0] != request.action.partition(":")[0]:
        other = worlds.case()
    name = source.choice(["identity", "boundary", "session", "resource", "restrictPublic"])
    if name in ("boundary", "session", "restrictPublic") and source.random() < 0.6:
        raw.pop(name, None)
    elif name in ("identity", "resource") and source.random() < 0.7:
        documents = {"identity": raw["identity"], "resource": [raw.get("resource")]}[name]
        statements = documents[0]["Statement"] if documents and documents[0] else []
        if len(statements) > 1 and source.random() < 0.5:
            statements.pop(source.randrange(len(statements)))
        elif statements:
            everybody = {"Principal": "*"} if name == "resource" else {}
            on = {} if request.action == "sts:AssumeRole" and everybody else {"Resource": "*"}
            statements.append({"Effect": "Allow", "Action": "*", **on, **everybody})
    elif name in other.raw:
        raw[name] = other.raw[name]
    return assembled(request.principal, request.action, request.resource, {}, {}, raw)


def test_no_request_is_newly_allowed_unseen() -> None:
    source, worlds = random.Random(1), Worlds(1)
    appeared = 0
    for _ in range(150):
        case = worlds.case()
        service = case.request.action.partition(":")[0]
        after = mutated(case, source, worlds)
        found = difference(case.world, after.world)
        seen = {(c.who, action) for c in found.of("appears") for action in c.actions}
        for action in ACTIONS[service]:
            on_bucket = action in ("s3:ListBucket", "s3:GetBucketPolicy")
            for resource in [RANDOM_BUCKET] if on_bucket else ON[service]:
                context = {key: source.choice(values) for key, (_, values) in KEYS.items()}
                request = Request(
                    principal=case.request.principal,
                    action=action,
                    resource=resource,
                    context={k: v for k, v in context.items() if k.startswith("aws:")},
                )
                was, now = (evaluate(w, request) for w in (case.world, after.world))
                if now.verdict == "allowed" and was.verdict == "refused":
                    appeared += 1
                    who = request.principal
                    shown = {(who, action), (who.identity(), action)} & seen
                    assert shown or found.undecided, (case.raw, after.raw, request)
    assert appeared > 5


def link(index: int, grants: int) -> tuple[dict[Principal, Identity], dict[str, Bucket]]:
    who = Principal(kind="role", account=A, name=f"consumer-{index}")
    own: list[Any] = []
    resources = {}
    for grant in range(grants):
        arn = f"arn:aws:s3:::bucket-{index}-{grant}"
        on = {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{arn}/team/*"}
        listing = {
            "Action": "s3:ListBucket",
            "Resource": arn,
            "Condition": {"StringLike": {"s3:prefix": ["team/", "team/*"]}},
        }
        tls = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        own += [statement(**on), statement(**listing)]
        theirs = [names(**each, Principal={"AWS": str(who.arn)}) for each in (on, listing)]
        resources[arn] = Bucket(
            arn=arn, account=B, policy=policy("bucket policy", [*theirs, statement(**tls)])
        )
    return {who: Identity(policies=(policy("identity policy", own),))}, resources


def test_ten_grants_are_compared_in_a_moment() -> None:
    identities, resources = link(0, 10)
    after = World(identities=identities, resources=resources)
    start = time.process_time()
    found = difference(World(), after)
    took = time.process_time() - start
    assert {len(c.actions) for c in found.of("appears")} == {1, 2}
    assert len({c.on for c in found.of("appears")}) == 20
    assert took < 2  # a fifth of a second on a machine of its own


def test_nothing_changes_between_a_world_and_itself() -> None:
    worlds = Worlds(9)
    for _ in range(50):
        case = worlds.case()
        assert difference(case.world, replace(case.world)) == Difference(changes=())
