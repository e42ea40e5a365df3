"""The project's own evaluator against an independent one, on random policies and requests."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.reach import context
from s3_links.reach.conditions import decided
from s3_links.reach.evaluate import evaluate
from s3_links.reach.logic import Atom, Formula, Test, atoms, given
from tests.evaluator import decide
from tests.support.random_worlds import BUCKET, CALLERS, Case, Worlds, assembled

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3_links.reach.matching import Context
    from s3_links.world import Principal

pytestmark = pytest.mark.cost("synthesized")

CASES = 1_000
ROLE = CALLERS[2]
OPTIONAL = ("boundary", "session", "serviceControl", "resourceControl", "endpoint")


@dataclass
class Asked:
    """One way to complete a case: what we answer, and what the other does."""

    case: Case
    context: dict[str, tuple[str, ...]]
    ours: Formula
    theirs: bool | None = None

    @property
    def text(self) -> str:
        return json.dumps(self.case.raw)


def asked(case: Case) -> list[Asked]:
    """Return the ways to complete a case; our open answer has to say of each what we answer."""
    open_ = evaluate(case.world, case.request)
    keys = {key for atom in atoms(open_.allowed) if isinstance(atom, Test) for key in atom.keys}
    result = []
    for completed in case.completed(frozenset(keys)):
        request = replace(case.request, context=completed)
        known = context.known(request, case.world.resource(request.resource), None)
        closed = given(open_.allowed, partial(_decided, known))
        ours = evaluate(case.world, request).allowed
        assert closed == ours, (case, completed)
        result.append(Asked(case, completed, ours))
    return result


def _decided(known: Context, atom: Atom) -> Formula:
    return decided(atom, known) if isinstance(atom, Test) else atom


def question(one: Asked) -> dict[str, Any]:
    """Return a request as the other evaluator takes it."""
    raw, who = one.case.raw, one.case.request.principal
    request = replace(one.case.request, context=one.context)
    known = context.known(request, one.case.world.resource(request.resource), None)
    full = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    everything = [{"Version": "2012-10-17", "Statement": [full]}]
    names = {"anonymous": "anonymous", "service": who.name}
    return {
        "principal": names.get(who.kind) or who.session_arn() or who.arn,
        "action": request.action,
        "resource": request.resource,
        "account": raw["owner"],
        "identity": everything if who.kind == "account" else raw.get("identity", []),
        "resourcePolicy": raw.get("resource"),
        "context": {k: v[0] if len(v) == 1 else list(v) for k, v in dict(known).items() if v},
        "restrictPublic": raw.get("restrictPublic", False),
        **{name: raw[name] for name in OPTIONAL if name in raw},
    }


def compared(cases: list[Case]) -> list[Asked]:
    """Return every way to complete ``cases``, with both answers."""
    every = [one for case in cases for one in asked(case)]
    for one, answer in zip(every, decide([question(one) for one in every]), strict=True):
        one.theirs = answer
    return every


@dataclass
class Known:
    """A disagreement that AWS's document, by ``title``, decides for us."""

    title: str
    says: str
    involved: Callable[[Asked], bool]
    raw: dict[str, Any]
    context: dict[str, tuple[str, ...]]
    allowed: bool
    who: Principal = ROLE
    action: str = "s3:GetObject"


def allow(**elements: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **elements}
    return {"Version": "2012-10-17", "Statement": [statement]}


def own(condition: dict[str, Any]) -> dict[str, Any]:
    return {"owner": ROLE.account, "identity": [allow(Condition=condition)]}


KNOWN = [
    Known(
        "IAM JSON policy elements: Resource",
        "a * that ends a part of an ARN may match beyond the colons",
        lambda one: "arn:aws:s3:*:reports/*" in one.text,
        {"owner": ROLE.account, "identity": [allow(Resource="arn:aws:s3:*:reports/*")]},
        {},
        True,
    ),
    Known(
        "IAM JSON policy elements: Condition operators",
        "NotIpAddress: all addresses except the given, of whichever version",
        lambda one: "NotIpAddress" in one.text and ":" in "".join(one.context["aws:SourceIp"]),
        own({"NotIpAddress": {"aws:SourceIp": "198.51.100.1"}}),
        {"aws:SourceIp": ("2001:db8::7",)},
        True,
    ),
    Known(
        "IAM JSON policy elements: Condition operators",
        "IpAddress: a range in CIDR notation, of which /0 is the widest",
        lambda one: "/0" in one.text,
        own({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
        {"aws:SourceIp": ("203.0.113.9",)},
        True,
    ),
    Known(
        "IAM JSON policy elements: Condition operators",
        "Date: the values are dates and times in ISO 8601, or in epoch time",
        lambda one: re.search(r'"Date\w+": \{[^}]*"1790000000"', one.text) is not None,
        own({"DateLessThan": {"aws:CurrentTime": "1790000000"}}),
        {"aws:CurrentTime": ("2026-01-01T00:00:00Z",)},
        True,
    ),
    Known(
        "IAM JSON policy elements: Condition operators",
        "…IfExists: true where the key is absent, with ForAnyValue too",
        lambda one: re.search(r"ForAnyValue:\w+IfExists", one.text) is not None,
        own({"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": "red"}}),
        {"aws:TagKeys": ()},
        True,
    ),
    Known(
        "AWS JSON policy elements: NotPrincipal",
        "a user or a role is left out where it is named with its account, not by the account alone",
        lambda one: one.ours is False and "NotPrincipal" in one.text,
        {
            "owner": ROLE.account,
            "identity": [allow()],
            "resource": allow(Effect="Deny", NotPrincipal={"AWS": ROLE.account}),
        },
        {},
        False,
    ),
    Known(
        "How AWS enforcement code logic evaluates requests to allow or deny access",
        "a session policy does not limit what a resource-based policy grants to everybody",
        lambda one: one.ours is True and "session" in one.case.raw,
        {
            "owner": ROLE.account,
            "resource": allow(Principal="*"),
            "session": allow(Action="s3:ListBucket"),
        },
        {},
        True,
    ),
    Known(
        "IAM JSON policy elements: Version",
        "without version 2012-10-17 a policy variable is the text that it is",
        lambda one: "${" in one.text and re.search(r'\{"Statement"', one.text) is not None,
        {
            "owner": ROLE.account,
            "identity": [
                {"Statement": allow(Resource=f"{BUCKET}/${{aws:username, 'a'}}")["Statement"]}
            ],
        },
        {},
        False,
    ),
    Known(
        "PutBucketPolicy",
        "the root user of the bucket's owner may mend its policy, whatever that denies",
        lambda one: one.ours is True and one.case.request.action == "s3:GetBucketPolicy",
        {"owner": ROLE.account, "resource": allow(Effect="Deny", Principal="*", Action="s3:*")},
        {},
        True,
        CALLERS[0],
        "s3:GetBucketPolicy",
    ),
]


def _case(known: Known) -> Case:
    on = BUCKET if known.action == "s3:GetBucketPolicy" else f"{BUCKET}/a"
    return assembled(known.who, known.action, on, known.context, {}, known.raw)


@pytest.fixture(scope="module")
def answers() -> tuple[list[Asked], list[Asked]]:
    """Both answers to the known disagreements and to random cases, from one process."""
    worlds = Worlds(seed=1)
    every = compared([*map(_case, KNOWN), *(worlds.case() for _ in range(CASES))])
    return every[: len(KNOWN)], every[len(KNOWN) :]


@pytest.mark.parametrize("index", range(len(KNOWN)), ids=lambda index: KNOWN[index].says)
def test_where_the_other_disagrees_a_document_of_aws_decides(
    answers: tuple[list[Asked], list[Asked]], index: int
) -> None:
    one, known = answers[0][index], KNOWN[index]
    assert (one.ours, one.theirs) == (known.allowed, not known.allowed), known.title


def wrong(every: list[Asked]) -> list[Asked]:
    """Return the disagreements that no document explains, and say the figures."""
    closed = [one for one in every if isinstance(one.ours, bool)]
    differ = [one for one in closed if one.ours is not one.theirs]
    found = [one for one in differ if not any(known.involved(one) for known in KNOWN)]
    print(
        f"{len(every)} answers, {sum(one.ours is True for one in every)} allowed, "
        f"{len(every) - len(closed)} left open, {len(differ)} disagreements, "
        f"{len(found)} unexplained"
    )
    return found


def test_it_agrees_with_an_independent_evaluator_on_random_policies(
    answers: tuple[list[Asked], list[Asked]],
) -> None:
    every = answers[1]
    assert wrong(every) == []
    assert sum(not isinstance(one.ours, bool) for one in every) < len(every) / 50
