"""Grants to whoever is no role of the link's own, in a stack of the library alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cdktf import TerraformStack
from cdktf import Testing as Cdktf

from s3_cross_account.account import Account
from s3_cross_account.assume_role import AssumeRole
from s3_cross_account.bucket import Bucket
from s3_cross_account.direct_access import DirectAccess
from s3_cross_account.grantees import (
    ExistingUser,
    Organization,
    PermissionSet,
    WholeAccount,
)
from s3_cross_account.naming import organization_limits, permission_set_arns
from s3_cross_account.policy import (
    Condition,
    Principal,
    Statement,
    allows_everybody,
    of_pod,
    trust_token,
)
from s3_cross_account.role import ExistingRole
from s3_cross_account.settings import AccountSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from s3_cross_account.role import RoleBase

pytestmark = pytest.mark.cost("synthesized")
ORGANIZATION = "o-a1b2c3d4e5"
UNIT = f"{ORGANIZATION}/r-ab12/ou-ab12-11111111/*"


def user(stack: TerraformStack, account: Account) -> RoleBase:
    return ExistingUser(stack, "who", account=account, policy_name_prefix="p", name="backup")


def permission_set(stack: TerraformStack, account: Account) -> RoleBase:
    return PermissionSet(stack, "who", account=account, policy_name_prefix="p", name="Analyst")


def whole(stack: TerraformStack, account: Account) -> RoleBase:
    return WholeAccount(stack, "who", account=account)


def organization(stack: TerraformStack, account: Account) -> RoleBase:
    return Organization(stack, "who", account=account, organization_id=ORGANIZATION, path=UNIT)


def documents(
    who: Callable[[TerraformStack, Account], RoleBase], *, own: bool = False, assume: bool = False
) -> dict[str, Any]:
    """Return a stack that grants a bucket of an account to somebody of another, or of its own."""
    stack = TerraformStack(Cdktf.app(), "stack")
    home, away = (
        Account(
            stack,
            alias,
            alias=alias,
            settings=AccountSettings(region="eu-west-1", profile=alias, account_id=id_ * 12),
        )
        for alias, id_ in (("home", "1"), ("away", "2"))
    )
    one = who(stack, away if own else home)
    buckets = [Bucket(stack, "bucket", account=away, prefix="bucket-")]
    if assume:
        AssumeRole(
            stack, "access", roles=[one], buckets=buckets, account=away, assumed_role_name="worker"
        )
    else:
        DirectAccess(stack, "access", roles=[one], buckets=buckets)
    found: dict[str, Any] = json.loads(Cdktf.synth(stack))
    return found


def principals(stack: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the principals that the stack's documents name."""
    return [
        principal
        for block in stack["data"]["aws_iam_policy_document"].values()
        for statement in block["statement"]
        for principal in statement.get("principals", [])
    ]


def test_a_policy_is_attached_to_the_user_itself() -> None:
    stack = documents(user)
    (attachment,) = stack["resource"]["aws_iam_user_policy_attachment"].values()
    assert attachment["user"] == "backup"
    assert "aws_iam_role_policy_attachment" not in stack["resource"]
    (named,) = principals(stack)
    assert named["identifiers"][0].startswith("${data.aws_iam_user.")


def test_nothing_is_attached_to_the_role_of_a_permission_set() -> None:
    stack = documents(permission_set)
    assert not [type_ for type_ in stack["resource"] if "attachment" in type_]
    (policy,) = stack["resource"]["aws_iam_policy"].values()
    assert policy["name"] == "p-away"


@pytest.mark.parametrize("who", [whole, organization])
@pytest.mark.parametrize("assume", [False, True])
def test_what_is_handed_out_makes_no_policy_of_the_accounts(who: Any, assume: bool) -> None:
    stack = documents(who, assume=assume)
    names = {policy["name"] for policy in stack["resource"].get("aws_iam_policy", {}).values()}
    assert names == ({"worker-away"} if assume else set())


def test_an_organization_is_named_in_every_account() -> None:
    (named,) = principals(documents(organization, own=True))
    assert named == {"type": "*", "identifiers": ["*"]}


def test_a_whole_account_is_not_named_in_its_own_bucket() -> None:
    assert principals(documents(whole, own=True)) == []


@pytest.mark.parametrize(
    ("test", "value", "everybody"),
    [
        ("StringEquals", ORGANIZATION, False),
        ("StringEquals", "o-*", True),
        ("StringLike", ORGANIZATION, True),
        ("StringNotEquals", ORGANIZATION, True),
    ],
)
def test_only_one_organization_is_not_everybody(test: str, value: str, everybody: bool) -> None:
    asked = Condition(test=test, variable="aws:PrincipalOrgID", values=(value,))
    everyone = (Principal(type="*", identifiers=("*",)),)
    statement = Statement(actions=("s3:GetObject",), principals=everyone, conditions=(asked,))
    assert allows_everybody(statement) is everybody


def test_a_unit_is_asked_for_beside_its_organization() -> None:
    assert [c.variable for c in organization_limits(ORGANIZATION, UNIT)] == [
        "aws:PrincipalOrgID",
        "aws:PrincipalOrgPaths",
    ]


def test_the_path_of_a_permission_set_may_have_a_region() -> None:
    role = f"AWSReservedSSO_Analyst_{'?' * 16}"
    start = "arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com"
    assert permission_set_arns("aws", "1" * 12, "Analyst") == (
        f"{start}/*/{role}",
        f"{start}/{role}",
    )


def test_a_role_by_its_arn_is_named_by_it_and_looked_up_nowhere() -> None:
    arn = "arn:aws:iam::111111111111:role/teams/web"
    stack = documents(
        lambda stack, account: ExistingRole(
            stack, "who", account=account, policy_name_prefix="p", arn=arn
        )
    )
    assert "aws_iam_role" not in stack["data"]
    (attachment,) = stack["resource"]["aws_iam_role_policy_attachment"].values()
    assert attachment["role"] == "web"
    assert principals(stack) == [{"type": "AWS", "identifiers": [arn]}]


@pytest.mark.parametrize("given", [{}, {"name": "a", "arn": "arn:aws:iam::111111111111:user/a"}])
def test_a_user_has_one_name(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="name or its ARN, one of the two"):
        documents(
            lambda stack, account: ExistingUser(
                stack, "who", account=account, policy_name_prefix="p", **given
            )
        )


@pytest.mark.parametrize(("subject", "test"), [("a:b", "StringEquals"), ("a:*", "StringLike")])
def test_a_token_is_asked_for_its_audience_and_its_subject(subject: str, test: str) -> None:
    provider = "arn:aws:iam::111111111111:oidc-provider/oidc.example.com/id/A"
    trusted = trust_token(
        provider, issuer="oidc.example.com/id/A", audience="sts", subjects=(subject,)
    )
    assert trusted.actions == ("sts:AssumeRoleWithWebIdentity",)
    assert [(c.test, c.variable, c.values) for c in trusted.conditions] == [
        ("StringEquals", "oidc.example.com/id/A:aud", ("sts",)),
        (test, "oidc.example.com/id/A:sub", (subject,)),
    ]


def test_a_pod_is_known_by_its_session_tags() -> None:
    limits = of_pod(namespace="n", service_account="s", cluster_arn="c")
    assert {c.variable.rpartition("/")[2]: c.values for c in limits} == {
        "eks-cluster-arn": ("c",),
        "kubernetes-namespace": ("n",),
        "kubernetes-service-account": ("s",),
    }
