"""Who reaches what: one table of cases for each of AWS's documents."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from s3_cross_account import policy
from s3_cross_account.policy import Condition
from s3_links.reach import actions
from s3_links.reach.conditions import holds
from s3_links.reach.evaluate import Decision, Missing, evaluate, through
from s3_links.reach.logic import Test, Unknown
from s3_links.reach.matching import action_matches, resource_matches
from s3_links.reach.principals import Named, excepted, named
from s3_links.world import (
    ANONYMOUS,
    POLICIES,
    Bucket,
    Document,
    DocumentKind,
    Identity,
    KeyGrant,
    Principal,
    Request,
    Resource,
    World,
    document,
    principal,
)

A, B = "111111111111", "222222222222"
BUCKET = "arn:aws:s3:::reports"
KEY = f"arn:aws:kms:eu-west-1:{B}:key/k"
ROLE = Principal(kind="role", account=A, name="consumer", path="/app/")
RUN = replace(ROLE, session="run")
USER = principal(f"arn:aws:iam::{A}:user/ann")
ROOT = principal(f"arn:aws:iam::{A}:root")
OWNER = principal(f"arn:aws:iam::{B}:role/owner")
SERVICE = Principal(kind="service", name="logging.s3.amazonaws.com")
SESSION = f"arn:aws:sts::{A}:assumed-role/consumer/run"
OPEN = "depends"
POINT = f"arn:aws:s3:eu-west-1:{A}:accesspoint"
S3_CONTEXT = "aws:s3:arn"


def statement(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **elements}


def doc(kind: DocumentKind, *statements: dict[str, Any]) -> Document:
    content = {"Version": "2012-10-17", "Statement": list(statements)}
    return document(kind, A if "policy" not in kind else B, kind, content)


def ask(
    who: Principal = ROLE,
    *,
    identity: list[dict[str, Any]] | None = None,
    boundary: list[dict[str, Any]] | None = None,
    session: list[dict[str, Any]] | None = None,
    bucket: list[dict[str, Any]] | None = None,
    owner: str = B,
    action: str = "s3:GetObject",
    on: str = f"{BUCKET}/a",
    context: dict[str, tuple[str, ...]] | None = None,
    endpoint: str | None = None,
    settings: dict[str, Any] | None = None,
    **world: Any,
) -> Decision:
    of = Bucket(
        arn=BUCKET,
        account=owner,
        policy=None if bucket is None else doc("bucket policy", *bucket),
        **(settings or {}),
    )
    own = Identity(
        policies=(doc("identity policy", *(identity or [])),),
        boundary=None if boundary is None else doc("permissions boundary", *boundary),
        session_policy=None if session is None else doc("session policy", *session),
    )
    everything = World(
        identities={who.identity(): own}, resources={BUCKET: of, **world.pop("also", {})}, **world
    )
    request = Request(
        principal=who, action=action, resource=on, context=context or {}, endpoint=endpoint
    )
    return evaluate(everything, request)


# Pass session tags in AWS STS


@pytest.mark.parametrize(
    ("who", "trusted", "expected"),
    [
        (ROLE, ["sts:AssumeRole"], "allowed"),
        (ROLE, ["sts:AssumeRole", "sts:Tag*"], OPEN),
        (ROLE, None, OPEN),  # nobody knows what sessions it may have
        (USER, None, "allowed"),
    ],
)
def test_a_session_may_have_other_tags_than_its_role(
    who: Principal, trusted: list[str] | None, expected: str
) -> None:
    team = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}}}
    own = Identity(policies=(doc("identity policy", statement(**team)),), tags={"Team": "red"})
    bucket = Bucket(arn=BUCKET, account=A)
    resources: dict[str, Resource] = {BUCKET: bucket}
    if trusted:
        trust = statement(Action=trusted, Principal={"Service": "ec2.amazonaws.com"})
        del trust["Resource"]
        arn = str(ROLE.arn)
        resources[arn] = Resource(arn=arn, account=A, policy=doc("trust policy", trust))
    world = World(identities={who: own}, resources=resources)
    request = Request(principal=who, action="s3:GetObject", resource=f"{BUCKET}/a")
    assert evaluate(world, request).verdict == expected


# IAM JSON policy elements: Condition operators


@pytest.mark.parametrize(
    ("test", "ours", "theirs", "expected"),
    [
        ("StringEquals", "a", ["a"], True),
        ("StringEquals", "a", ["A"], False),
        ("StringEquals", "a*", ["ab"], False),
        ("StringEquals", "a", [], False),
        ("StringEqualsIfExists", "a", [], True),
        ("StringEqualsIgnoreCase", "a", ["A"], True),
        ("StringNotEquals", "a", ["b"], True),
        ("StringNotEquals", "a", [], True),
        ("StringNotEqualsIgnoreCase", "a", ["A"], False),
        ("StringLike", "a?c*", ["abcd"], True),
        ("StringNotLike", "a*", ["abcd"], False),
        ("NumericEquals", "10", ["10.0"], True),
        ("NumericNotEquals", "10", ["10"], False),
        ("NumericLessThan", "10", ["9"], True),
        ("NumericLessThanEquals", "10", ["10"], True),
        ("NumericGreaterThan", "10", ["9"], False),
        ("NumericGreaterThanEqualsIfExists", "10", [], True),
        ("NumericEquals", "10", ["ten"], OPEN),
        ("DateGreaterThan", "2026-01-01T00:00:00Z", ["2026-01-02T00:00:00Z"], True),
        ("DateLessThan", "2026-01-01", ["1790000000"], False),
        ("DateEquals", "yesterday", ["2026-01-02T00:00:00Z"], OPEN),
        ("Bool", "true", ["True"], True),
        ("Bool", "false", ["true"], False),
        ("Bool", "maybe", ["true"], OPEN),
        ("BinaryEquals", "b25l", ["b25l"], True),
        ("BinaryEquals", "b25l", ["dHdv"], False),
        ("IpAddress", "203.0.113.0/24", ["203.0.113.9"], True),
        ("IpAddress", "2001:db8::/32", ["2001:db8::7"], True),
        ("IpAddress", "0.0.0.0/0", ["2001:db8::7"], False),
        ("NotIpAddress", "203.0.113.0/24", ["2001:db8::7"], True),
        ("IpAddress", "here", ["203.0.113.9"], OPEN),
        ("ArnEquals", "arn:aws:s3:::*", ["arn:aws:s3:::logs"], True),
        ("ArnLike", "arn:aws:iam::*:role/a?", ["arn:aws:iam::111111111111:role/ab"], True),
        ("ArnLike", "arn:aws:*", ["arn:aws:s3:::logs"], True),
        ("ArnNotLike", "arn:aws:s3:::a*", ["arn:aws:s3:::logs"], True),
        ("Null", "true", [], True),
        ("Null", "true", ["x"], False),
        ("Null", "false", ["x"], True),
        ("StringResembles", "a", ["a"], OPEN),
        ("Equals", "a", ["a"], OPEN),
    ],
)
def test_condition_operators(test: str, ours: str, theirs: list[str], expected: Any) -> None:
    condition = Condition(test=test, variable="aws:PrincipalTag/X", values=(ours,))
    found = holds(condition, {"aws:principaltag/x": tuple(theirs)})
    assert (OPEN if isinstance(found, Unknown) else found) == expected
    assert isinstance(holds(condition, {}), Test)


# Set operators for multi-valued context keys


@pytest.mark.parametrize(
    ("test", "theirs", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "c"], False),
        ("ForAllValues:StringEquals", [], True),
        ("ForAllValues:StringEquals", [""], True),
        ("ForAnyValue:StringEquals", ["a", "c"], True),
        ("ForAnyValue:StringEquals", ["c"], False),
        ("ForAnyValue:StringEquals", [], False),
        ("ForAllValues:StringNotEquals", ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["a", "d"], False),
        ("ForAnyValue:StringNotEquals", ["a", "d"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], False),
        ("StringEquals", ["a", "b"], OPEN),  # AWS does not say
    ],
)
def test_set_operators(test: str, theirs: list[str], expected: Any) -> None:
    condition = Condition(test=test, variable="aws:TagKeys", values=("a", "b"))
    found = holds(condition, {"aws:tagkeys": tuple(theirs)})
    assert (OPEN if isinstance(found, Unknown) else found) == expected


# IAM policy elements: Variables and tags; IAM JSON policy elements: Resource


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("*", f"{BUCKET}/a", True),
        (f"{BUCKET}/*", f"{BUCKET}/a/b", True),
        (f"{BUCKET}/*", BUCKET, False),
        (f"{BUCKET}/?", f"{BUCKET}/ab", False),
        (f"{BUCKET}/A", f"{BUCKET}/a", False),
        ("arn:aws:s3:*", f"{BUCKET}/a", True),
        ("arn:aws:*reports/a", f"{BUCKET}/a", False),
        ("arn:aws:s3:*:reports/*", f"{BUCKET}/a", True),
        ("arn:aws:*:reports/a", f"{BUCKET}/a", True),
        ("arn:*:reports/a", f"{BUCKET}/a", True),
        ("arn:aws:s3:*x:reports/a", f"{BUCKET}/a", False),
        ("arn:aws:s3:*:*:reports/a", f"{BUCKET}/a", True),
        ("arn:aws:s3:*:reports/*", "arn:aws:s3:::others/a", False),
        ("arn:aws:s3:*:${aws:username}/a", "arn:aws:s3:::ann/a", True),
        ("arn:aws:s3", f"{BUCKET}/a", False),
        (f"{BUCKET}/${{aws:username}}/*", f"{BUCKET}/ann/x", True),
        (f"{BUCKET}/${{AWS:UserName}}/*", f"{BUCKET}/bob/x", False),
        (f"{BUCKET}/${{aws:PrincipalTag/team, 'all'}}/*", f"{BUCKET}/all/x", True),
        (f"{BUCKET}/${{aws:PrincipalTag/team}}/*", f"{BUCKET}/all/x", False),
        (f"{BUCKET}/${{*}}", f"{BUCKET}/*", True),
        (f"{BUCKET}/${{*}}", f"{BUCKET}/a", False),
        (f"{BUCKET}/${{?}}${{$}}", f"{BUCKET}/?$", True),
        (f"{BUCKET}/${{s3:unheard}}", f"{BUCKET}/a", OPEN),
    ],
)
def test_patterns_of_resources(pattern: str, arn: str, expected: Any) -> None:
    known = {"aws:username": ("ann",), "aws:principaltag/team": ()}
    found = resource_matches(pattern, arn, known)
    assert (found if isinstance(found, bool) else OPEN) == expected


def test_a_variable_brings_no_wildcards() -> None:
    pattern = f"{BUCKET}/${{aws:PrincipalTag/team}}"
    assert not resource_matches(pattern, f"{BUCKET}/a", {"aws:principaltag/team": ("*",)})


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("*", True), ("s3:*", True), ("S3:get*", True), ("s3:GetObjec?", True), ("s3:Get", False)],
)
def test_patterns_of_actions(pattern: str, *, expected: bool) -> None:
    assert action_matches(pattern, "s3:GetObject") is expected


# AWS JSON policy elements: Principal


@pytest.mark.parametrize(
    ("type_", "identifier", "who", "expected"),
    [
        ("*", "*", ANONYMOUS, Named.DIRECTLY),
        ("AWS", "*", RUN, Named.DIRECTLY),
        ("AWS", "*", SERVICE, Named.DIRECTLY),
        ("AWS", A, RUN, Named.ACCOUNT),
        ("AWS", f"arn:aws:iam::{A}:root", USER, Named.ACCOUNT),
        ("AWS", f"arn:aws:iam::{A}:root", ROOT, Named.ACCOUNT),
        ("AWS", f"arn:aws-cn:iam::{A}:root", USER, None),
        ("AWS", str(ROLE.arn), RUN, Named.ROLE),
        ("AWS", f"arn:aws:iam::{A}:role/consumer", RUN, None),  # another path
        ("AWS", SESSION, RUN, Named.DIRECTLY),
        ("AWS", SESSION, replace(ROLE, session="other"), None),
        ("AWS", SESSION, ROLE, OPEN),  # the session's name is not known
        ("AWS", str(USER.arn), USER, Named.DIRECTLY),
        ("AWS", str(USER.arn), RUN, None),
        ("AWS", B, RUN, None),
        ("AWS", "AROAEXAMPLEEXAMPLE22", replace(RUN, unique_id="AROAEXAMPLEEXAMPLE22"), Named.ROLE),
        ("AWS", "AROAEXAMPLEEXAMPLE22", replace(RUN, unique_id="AROAEXAMPLEEXAMPLE33"), None),
        ("AWS", "AROAEXAMPLEEXAMPLE22", RUN, OPEN),
        ("AWS", f"arn:aws:iam::{A}:role/*", RUN, OPEN),  # AWS refuses it
        ("AWS", "consumer", RUN, OPEN),
        ("Service", SERVICE.name, SERVICE, Named.DIRECTLY),
        ("Service", "ec2.amazonaws.com", SERVICE, None),
        ("Service", SERVICE.name, RUN, None),
        ("Federated", "accounts.google.com", Principal(kind="federated", name="x"), None),
        ("CanonicalUser", "79a5", RUN, OPEN),
        ("CanonicalUser", "79a5", ANONYMOUS, None),
    ],
)
def test_principals(type_: Any, identifier: str, who: Principal, expected: Any) -> None:
    found = named([policy.Principal(type=type_, identifiers=(identifier,))], who)
    if expected is None:
        assert found == []
    else:
        ((how, formula),) = found
        assert (OPEN if isinstance(formula, Unknown) else how) == expected


# AWS JSON policy elements: NotPrincipal


@pytest.mark.parametrize(
    ("identifiers", "who", "bounded", "left_out"),
    [
        ([str(ROLE.arn), A], RUN, False, True),
        ([str(ROLE.arn), A, SESSION], RUN, False, True),
        ([str(ROLE.arn)], RUN, False, OPEN),
        ([SESSION, A], RUN, False, OPEN),
        ([A], RUN, False, False),
        ([A], ROOT, False, True),
        ([str(USER.arn), f"arn:aws:iam::{A}:root"], USER, False, True),
        ([str(USER.arn), f"arn:aws:iam::{A}:root"], USER, True, False),
        ([B], USER, False, False),
        ([A], ANONYMOUS, False, False),
    ],
)
def test_not_principal(
    identifiers: list[str], who: Principal, *, bounded: bool, left_out: Any
) -> None:
    principals = (policy.Principal(type="AWS", identifiers=tuple(identifiers)),)
    found = excepted(principals, who, bounded=bounded)
    assert (found if isinstance(found, bool) else OPEN) == left_out


@pytest.mark.parametrize(
    ("who", "expected"), [(OWNER, "allowed"), (ANONYMOUS, "allowed"), (RUN, "refused")]
)
def test_an_allow_with_not_principal_lets_everybody_else_in(who: Principal, expected: str) -> None:
    bucket = [{"NotPrincipal": {"AWS": [str(ROLE.arn), A]}, **statement()}]
    assert ask(who, bucket=bucket).verdict == expected


# Policy evaluation logic; Permissions boundaries for IAM entities

ALLOW, NOTHING = [statement()], [statement(Action="ec2:*")]
DENY = [statement(Effect="Deny"), *ALLOW]


def named_in(identifier: Any) -> list[dict[str, Any]]:
    return [statement(Principal="*" if identifier == "*" else {"AWS": identifier})]


@pytest.mark.parametrize(
    ("who", "documents", "expected"),
    [
        (RUN, {}, "refused"),
        (RUN, {"identity": ALLOW}, "allowed"),
        (RUN, {"identity": DENY}, "refused"),
        (RUN, {"identity": ALLOW, "boundary": ALLOW}, "allowed"),
        (RUN, {"identity": ALLOW, "boundary": NOTHING}, "refused"),
        (RUN, {"identity": ALLOW, "session": NOTHING}, "refused"),
        (RUN, {"bucket": named_in(A)}, "refused"),
        (RUN, {"bucket": named_in(ROLE.arn)}, "allowed"),
        (RUN, {"bucket": named_in(ROLE.arn), "boundary": NOTHING}, "refused"),
        (RUN, {"bucket": named_in(ROLE.arn), "session": NOTHING}, "refused"),
        (RUN, {"bucket": named_in(ROLE.arn), "boundary": ALLOW}, "allowed"),
        (RUN, {"bucket": named_in(SESSION), "boundary": NOTHING}, "allowed"),
        (RUN, {"bucket": named_in(SESSION), "boundary": DENY}, "refused"),
        (RUN, {"bucket": named_in("*"), "boundary": NOTHING, "session": NOTHING}, "allowed"),
        (USER, {"bucket": named_in(USER.arn), "boundary": NOTHING}, "allowed"),
        (USER, {"bucket": named_in(A), "boundary": NOTHING}, "refused"),
        (ROOT, {}, "allowed"),
        (ROOT, {"bucket": [statement(Principal="*", Effect="Deny")]}, "refused"),
        (ANONYMOUS, {"bucket": named_in("*")}, "allowed"),
        (ANONYMOUS, {"bucket": named_in(A)}, "refused"),
        (SERVICE, {"bucket": [statement(Principal={"Service": SERVICE.name})]}, "allowed"),
        (SERVICE, {"bucket": [statement(Principal={"Service": "ec2.amazonaws.com"})]}, "refused"),
    ],
)
def test_within_one_account(who: Principal, documents: dict[str, Any], expected: str) -> None:
    assert ask(who, owner=A, **documents).verdict == expected


def test_the_owner_may_mend_a_bucket_policy_that_denies_everybody() -> None:
    bucket = [statement(Principal="*", Effect="Deny", Action="s3:*")]
    for action, expected in (("s3:PutBucketPolicy", "allowed"), ("s3:ListBucket", "refused")):
        found = ask(ROOT, owner=A, bucket=bucket, action=action, on=BUCKET)
        assert found.verdict == expected


# Cross-account policy evaluation logic


@pytest.mark.parametrize(
    ("who", "documents", "expected", "missing"),
    [
        (RUN, {"identity": ALLOW, "bucket": named_in(A)}, "allowed", []),
        (RUN, {"identity": ALLOW, "bucket": named_in(ROLE.arn)}, "allowed", []),
        (RUN, {"identity": ALLOW, "bucket": named_in("*")}, "allowed", []),
        (RUN, {"identity": ALLOW}, "refused", ["bucket policy"]),
        (RUN, {"identity": ALLOW, "bucket": named_in(B)}, "refused", ["bucket policy"]),
        (RUN, {"bucket": named_in(SESSION)}, "refused", ["identity policy"]),
        (RUN, {}, "refused", ["identity policy", "bucket policy"]),
        (
            RUN,
            {"identity": ALLOW, "bucket": named_in(SESSION), "boundary": NOTHING},
            "refused",
            ["permissions boundary"],
        ),
        (ROOT, {"bucket": named_in(A)}, "allowed", []),
        (ROOT, {}, "refused", ["bucket policy"]),
    ],
)
def test_between_two_accounts(
    who: Principal, documents: dict[str, Any], expected: str, missing: list[str]
) -> None:
    found = ask(who, **documents)
    assert found.verdict == expected
    assert [half.what for half in found.missing] == missing


def test_the_missing_half_is_named_with_its_account() -> None:
    found = ask(RUN, identity=ALLOW)
    assert found.missing == (Missing(what="bucket policy", account=B, of=BUCKET),)
    found = ask(RUN, bucket=named_in(A))
    assert found.missing == (Missing(what="identity policy", account=A, of=str(ROLE.arn)),)


def test_the_statements_that_let_and_refuse_are_named() -> None:
    deny = statement(Sid="Tls", Principal="*", Effect="Deny")
    found = ask(RUN, identity=ALLOW, bucket=[*named_in(A), deny])
    assert [(f.effect, f.document.kind) for f in found.findings] == [
        ("Allow", "identity policy"),
        ("Allow", "bucket policy"),
        ("Deny", "bucket policy"),
    ]
    assert getattr(found.findings[-1].statement, "sid", None) == "Tls"


def test_nothing_reaches_across_partitions() -> None:
    found = ask(replace(RUN, partition="aws-cn"), identity=ALLOW, bucket=named_in("*"))
    assert (found.verdict, found.note) == ("refused", "no request reaches from aws-cn into aws")


def test_a_principal_whose_policies_are_not_known_is_let_by_what_they_say() -> None:
    found = ask(RUN, bucket=named_in(A))
    everything = World(
        resources={BUCKET: Bucket(arn=BUCKET, account=B, policy=doc("bucket policy", *named_in(A)))}
    )
    found = evaluate(everything, found.request)
    assert found.only_if() == [[f"the policies of {ROLE.arn} allow it"]]


# Key policies in AWS KMS; How to use trust policies with IAM roles

TRUSTED = f"arn:aws:iam::{B}:role/reader"


@pytest.mark.parametrize("kind", ["key policy", "trust policy"])
@pytest.mark.parametrize(
    ("who", "own", "names", "expected"),
    [
        (OWNER, True, None, "refused"),
        (OWNER, True, f"arn:aws:iam::{B}:root", "allowed"),
        (OWNER, False, f"arn:aws:iam::{B}:root", "refused"),
        (OWNER, False, str(OWNER.arn), "allowed"),
        (RUN, True, f"arn:aws:iam::{A}:root", "allowed"),
        (RUN, True, f"arn:aws:iam::{B}:root", "refused"),
        (RUN, False, str(ROLE.arn), "refused"),
        (RUN, True, str(ROLE.arn), "allowed"),
        (principal(f"arn:aws:iam::{B}:root"), False, None, "refused"),
        (principal(f"arn:aws:iam::{B}:root"), False, B, "allowed"),
    ],
)
def test_keys_and_roles_are_reached_by_what_their_own_policy_says(
    kind: DocumentKind, who: Principal, names: str | None, expected: str, *, own: bool
) -> None:
    arn, action = (KEY, "kms:Decrypt") if kind == "key policy" else (TRUSTED, "sts:AssumeRole")
    theirs = [] if names is None else [statement(Action=action, Principal={"AWS": names})]
    for each in theirs if kind == "trust policy" else ():
        del each["Resource"]
    of = Resource(arn=arn, account=B, policy=doc(kind, *theirs))
    identity = [statement(Action=action)] if own else []
    found = ask(who, identity=identity, action=action, on=arn, also={arn: of})
    assert found.verdict == expected


def test_a_chain_is_as_strong_as_its_weakest_hop() -> None:
    reader = principal(TRUSTED)
    trust = statement(Action="sts:AssumeRole", Principal={"AWS": str(ROLE.arn)})
    del trust["Resource"]
    may = doc("identity policy", statement(Action="sts:AssumeRole", Resource=TRUSTED))
    reads = doc("identity policy", statement())
    everything = World(
        identities={ROLE: Identity(policies=(may,)), reader: Identity(policies=(reads,))},
        resources={
            BUCKET: Bucket(arn=BUCKET, account=B),
            TRUSTED: Resource(arn=TRUSTED, account=B, policy=doc("trust policy", trust)),
        },
    )
    request = Request(principal=RUN, action="s3:GetObject", resource=f"{BUCKET}/a")
    assert [d.verdict for d in through(everything, [reader], request)] == ["allowed", "allowed"]
    assert evaluate(everything, request).verdict == "refused"
    untrusted = replace(everything, identities={**everything.identities, ROLE: Identity()})
    assert [d.verdict for d in through(untrusted, [reader], request)] == ["refused", "allowed"]


def test_a_grant_of_a_key_may_let_what_nothing_else_does() -> None:
    of = Resource(arn=KEY, account=B, grants=(KeyGrant(name="a grant of the key"),))
    may = [statement(Action="kms:Decrypt")]
    for identity in (may, []):  # in another account it may stand in an IAM policy's place
        found = ask(RUN, identity=identity, action="kms:Decrypt", on=KEY, also={KEY: of})
        assert found.only_if() == [["a grant of the key allows it"]]


@pytest.mark.parametrize(
    ("grant", "verdict"),
    [
        ({"actions": frozenset({"kms:Decrypt"})}, "depends"),
        ({"actions": frozenset({"kms:Encrypt"})}, "refused"),
        ({"context": ((S3_CONTEXT, f"{BUCKET}/a"),)}, "depends"),
        ({"context": ((S3_CONTEXT, f"{BUCKET}/b"),)}, "refused"),
        ({"context": ((S3_CONTEXT, f"{BUCKET}/a"),), "whole_context": True}, "depends"),
        ({"context": (("team", "blue"),), "whole_context": True}, "refused"),
        # Of what nobody knows a request carries: it may be what the grant is for.
        ({"context": (("team", "blue"),)}, "depends"),
    ],
)
def test_a_grant_of_a_key_is_for_its_actions_and_its_encryption_context(
    grant: dict[str, Any], verdict: str
) -> None:
    of = Resource(arn=KEY, account=B, grants=(KeyGrant(name="the grant", **grant),))
    known: dict[str, tuple[str, ...]] = {f"kms:EncryptionContext:{S3_CONTEXT}": (f"{BUCKET}/a",)}
    found = ask(RUN, action="kms:Decrypt", on=KEY, also={KEY: of}, context=known)
    assert found.verdict == verdict


def test_a_role_is_changed_and_passed_by_its_own_account_alone() -> None:
    trust = doc("trust policy", statement(Action="sts:AssumeRole", Principal={"AWS": A}))
    role = Resource(arn=TRUSTED, account=B, policy=trust)
    may = [statement(Action="iam:PassRole")]
    for who, expected in ((OWNER, "allowed"), (RUN, "refused")):
        found = ask(who, identity=may, action="iam:PassRole", on=TRUSTED, also={TRUSTED: role})
        assert found.verdict == expected


# AWS global condition context keys; Condition keys for AWS KMS


NOBODY_S = {"Null": {"aws:SourceAccount": "false", "aws:SourceArn": "false"}}


@pytest.mark.parametrize(
    ("who", "condition", "expected"),
    [
        (ANONYMOUS, {"StringEquals": {"aws:PrincipalAccount": "anonymous"}}, "allowed"),
        (ANONYMOUS, {"StringLike": {"aws:PrincipalAccount": "*"}}, "allowed"),
        (ANONYMOUS, {"Null": {"aws:PrincipalIsAWSService": "false"}}, "refused"),
        (ANONYMOUS, {"Bool": {"aws:PrincipalIsAWSService": "false"}}, "refused"),
        (ANONYMOUS, {"StringEquals": {"aws:PrincipalTag/team": "red"}}, "refused"),
        (RUN, {"Bool": {"aws:PrincipalIsAWSService": "false"}}, "allowed"),
        (RUN, {"StringEquals": {"aws:SourceAccount": A}}, "refused"),
        (RUN, NOBODY_S, "refused"),
        (USER, NOBODY_S, "refused"),
        (ANONYMOUS, NOBODY_S, "refused"),
        (SERVICE, NOBODY_S, OPEN),
    ],
)
def test_what_a_request_says_of_its_caller(
    who: Principal, condition: dict[str, Any], expected: str
) -> None:
    bucket = [statement(Principal="*", Condition=condition)]
    assert ask(who, identity=ALLOW, bucket=bucket).verdict == expected


@pytest.mark.parametrize(("who", "expected"), [(OWNER, "allowed"), (RUN, "refused")])
def test_the_account_of_whoever_calls_kms_is_known(who: Principal, expected: str) -> None:
    own = {"Principal": "*", "Condition": {"StringEquals": {"kms:CallerAccount": B}}}
    may = statement(Action="kms:Decrypt")
    key = Resource(arn=KEY, account=B, policy=doc("key policy", may | own))
    found = ask(who, identity=[may], action="kms:Decrypt", on=KEY, also={KEY: key})
    assert found.verdict == expected


# Blocking public access to your Amazon S3 storage


@pytest.mark.parametrize(
    ("condition", "who", "expected"),
    [
        ({}, RUN, "refused"),
        ({}, ANONYMOUS, "refused"),
        ({}, OWNER, "allowed"),
        ({}, SERVICE, "allowed"),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-a"}}, RUN, "allowed"),
        ({"StringLike": {"aws:PrincipalOrgID": "o-*"}}, RUN, "refused"),
        ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, RUN, "allowed"),
        ({"IpAddress": {"aws:SourceIp": "128.0.0.0/1"}}, RUN, "refused"),
        ({"Bool": {"aws:SecureTransport": "true"}}, RUN, "refused"),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{A}:role/app/*"}}, RUN, OPEN),
        ({"ArnLike": {"s3:DataAccessPointArn": f"{POINT}/*"}}, RUN, "allowed"),
        ({"StringLike": {"s3:DataAccessPointArn": f"{POINT.replace(A, '*')}/*"}}, RUN, "refused"),
    ],
)
def test_a_public_policy_is_restricted(
    condition: dict[str, Any], who: Principal, expected: str
) -> None:
    known: dict[str, tuple[str, ...]] = {
        "aws:PrincipalOrgID": ("o-a",),
        "aws:SourceIp": ("203.0.113.9",),
        "aws:SecureTransport": ("true",),
        "s3:DataAccessPointArn": (f"{POINT}/reports",),
    }
    bucket = [statement(Principal="*", Condition=condition)]
    settings = {"restrict_public": True}
    found = ask(who, identity=ALLOW, bucket=bucket, context=known, settings=settings)
    assert found.verdict == expected
    unrestricted = ask(who, identity=ALLOW, bucket=bucket, context=known)
    assert unrestricted.verdict == "allowed"


# Controlling ownership of objects and disabling ACLs for your bucket


@pytest.mark.parametrize(
    ("who", "action", "on", "expected"),
    [
        (RUN, "s3:PutObject", f"{BUCKET}/a", [["an ACL of {} or its objects allows it"], []]),
        (RUN, "s3:GetBucketPolicy", BUCKET, [[]]),
        (OWNER, "s3:GetObject", f"{BUCKET}/a", [[f"the object is owned by {B}, as its bucket is"]]),
    ],
)
def test_without_enforced_ownership_acls_and_owners_are_open(
    who: Principal, action: str, on: str, expected: Any
) -> None:
    may = [statement(Action="s3:*")]
    settings = {"ownership": "ObjectWriter"}
    bucket = [statement(Action="s3:*", Principal={"AWS": A})]
    found = ask(who, identity=may, bucket=bucket, action=action, on=on, settings=settings)
    if who is OWNER:
        assert found.only_if() == expected
    else:
        assert found.verdict == "allowed"
        found = ask(who, identity=may, action=action, on=on, settings=settings)
        assert found.verdict == (OPEN if action == "s3:PutObject" else "refused")


# Service control policies, resource control policies, VPC endpoint policies

SCP: DocumentKind = "service control policy"


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        ({"service_control": {A: ((doc(SCP, *ALLOW),), (doc(SCP, *ALLOW),))}}, "allowed"),
        ({"service_control": {A: ((doc(SCP, *ALLOW),), (doc(SCP, *NOTHING),))}}, "refused"),
        ({"service_control": {A: ((doc(SCP, *DENY),),)}}, "refused"),
        ({"service_control": {B: ((doc(SCP, *DENY),),)}}, "allowed"),
        (
            {
                "resource_control": {
                    B: ((doc("resource control policy", statement(Principal="*", Effect="Deny")),),)
                }
            },
            "refused",
        ),
        ({"endpoint": "vpce-1"}, OPEN),
        (
            {
                "endpoint": "vpce-1",
                "endpoints": {"vpce-1": doc("VPC endpoint policy", *named_in("*"))},
            },
            "allowed",
        ),
        (
            {
                "endpoint": "vpce-1",
                "endpoints": {"vpce-1": doc("VPC endpoint policy", *named_in(B))},
            },
            "refused",
        ),
    ],
)
def test_what_stands_above_the_halves(world: dict[str, Any], expected: str) -> None:
    assert ask(RUN, identity=ALLOW, bucket=named_in(A), **world).verdict == expected


@pytest.mark.parametrize(
    ("action", "on", "expected"),
    [
        ("sns:Publish", f"arn:aws:sns:eu-west-1:{B}:t", "allowed"),
        ("lambda:InvokeFunction", f"arn:aws:lambda:eu-west-1:{B}:function:f", "allowed"),
        ("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{B}:q", "refused"),
    ],
)
def test_services_without_resource_control_policies(action: str, on: str, expected: str) -> None:
    may = statement(Action=action, Resource=on)
    kind = POLICIES[action.partition(":")[0]]
    target = Resource(arn=on, account=B, policy=doc(kind, may | {"Principal": {"AWS": A}}))
    denied = doc("resource control policy", statement(Principal="*", Effect="Deny", Action="*"))
    above = {B: ((denied,),)}
    found = ask(
        RUN, identity=[may], action=action, on=on, also={on: target}, resource_control=above
    )
    assert found.verdict == expected


# Three-valued answers


def test_it_says_under_which_conditions_it_is_allowed() -> None:
    tls = statement(
        Principal="*", Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}}
    )
    organization = {"StringEquals": {"aws:PrincipalOrgID": "o-a"}}
    address = {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "198.51.100.1"]}}
    bucket = [
        statement(Principal={"AWS": A}, Condition=organization),
        statement(Principal={"AWS": A}, Condition=address),
        tls,
    ]
    assert ask(RUN, identity=ALLOW, bucket=bucket).only_if() == [
        ["aws:PrincipalOrgID is o-a", "aws:SecureTransport is true or absent"],
        [
            "aws:SecureTransport is true or absent",
            "aws:SourceIp is in 203.0.113.0/24 or 198.51.100.1",
        ],
    ]


def test_a_deny_under_the_same_condition_as_the_allow_leaves_nothing() -> None:
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-a"}}
    bucket = [
        statement(Principal={"AWS": A}, Condition=condition),
        statement(Principal="*", Effect="Deny", Condition=condition),
    ]
    assert ask(RUN, identity=ALLOW, bucket=bucket).verdict == "refused"


@pytest.mark.parametrize("content", ["${aws_iam_policy.this.json}", {"Statement": [{"effect": 1}]}])
def test_what_cannot_be_read_may_let_and_may_refuse(content: Any) -> None:
    unread = document("bucket policy", B, "reports", content)
    of = Bucket(arn=BUCKET, account=B, policy=unread)
    found = ask(RUN, identity=ALLOW, also={BUCKET: of})
    assert found.verdict == OPEN
    assert any("can't be read" in text for text in found.only_if()[0])


def test_a_key_that_an_action_never_carries_is_absent() -> None:
    below = {"StringLike": {"s3:prefix": "a/*"}}
    bucket = [statement(Action="s3:*", Principal={"AWS": A}, Condition=below)]
    may = [statement(Action="s3:*")]
    assert ask(RUN, identity=may, bucket=bucket).verdict == "refused"
    assert ask(RUN, identity=may, bucket=bucket, action="s3:ListBucket", on=BUCKET).verdict == OPEN


def test_a_bucket_that_is_not_among_the_documents_is_open() -> None:
    found = ask(RUN, identity=ALLOW, on="arn:aws:s3:::elsewhere/a")
    assert found.verdict == OPEN
    assert ask(RUN, on="arn:aws:s3:::elsewhere/a").verdict == "refused"


# The table of actions


def test_the_table_knows_the_actions_their_resources_and_their_keys() -> None:
    assert actions.canonical("S3:GETOBJECT") == "s3:GetObject"
    assert "object" in actions.resource_types("s3:GetObject")
    assert actions.never_carries("s3:GetObject", "s3:prefix")
    assert not actions.never_carries("s3:ListBucket", "s3:prefix")
    assert not actions.never_carries("s3:GetObject", "aws:SourceIp")
    assert not actions.never_carries("s3:GetObject", "s3:unheard")
    assert not actions.never_carries("kms:Decrypt", "kms:EncryptionContext:aws:s3:arn")
    assert {"iam:PassRole", "sts:AssumeRole", "kms:Decrypt"} <= actions.known()
