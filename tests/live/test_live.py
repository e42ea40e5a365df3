"""What is read of live accounts, of two emulated ones."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.live.everybody import everybody
from s3_links.live.identities import identity
from s3_links.live.reader import Account, Reader
from s3_links.live.world import Live
from s3_links.sandbox.access import root
from s3_links.sandbox.emulator import ACCOUNTS, Emulator
from s3_links.world import Document, Principal, principal
from tests.support.recorded import Recorded, policy

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.cost("deployed")
ONE = ACCOUNTS["account1"]


def document(**statement: Any) -> str:
    whole = {"Effect": "Allow", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [whole]})


LISTS = document(Action="s3:ListBucket", Resource="*")
GETS = document(Action="s3:GetObject", Resource="*")
TRUST = document(Action="sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"})


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """An account with a role and a user that have policies of every kind."""
    with Emulator(tmp_path_factory.mktemp("live")) as emulator:
        iam = root(emulator.endpoint, "account1").client("iam")
        managed = iam.create_policy(PolicyName="lists", PolicyDocument=LISTS)["Policy"]["Arn"]
        iam.create_role(
            RoleName="app",
            Path="/apps/",
            AssumeRolePolicyDocument=TRUST,
        )
        iam.put_role_policy(RoleName="app", PolicyName="gets", PolicyDocument=GETS)
        iam.attach_role_policy(RoleName="app", PolicyArn=managed)
        iam.create_user(UserName="ann")
        iam.attach_user_policy(UserName="ann", PolicyArn=managed)
        iam.create_group(GroupName="readers")
        iam.put_group_policy(GroupName="readers", PolicyName="gets", PolicyDocument=GETS)
        iam.add_user_to_group(GroupName="readers", UserName="ann")
        client = root(emulator.endpoint, "account1").client
        yield Reader([Account(alias="account1", id=ONE, client=client)])


@pytest.mark.parametrize("kind", ["role/apps/app", "user/ann"])
def test_one_and_everybody_are_read_alike(reader: Reader, kind: str) -> None:
    arn = f"arn:aws:iam::{ONE}:{kind}"
    one = identity(reader, principal(arn))
    assert one is not None
    (among_all,) = [found for found in everybody(reader, ONE) if found.who.arn == arn]
    assert one == among_all
    names = [policy.name for policy in one.identity.policies]
    assert sorted(names) == [f"arn:aws:iam::{ONE}:policy/lists", "gets"]


def test_a_boundary_and_tags_are_read_of_everybody() -> None:
    boundary = f"arn:aws:iam::{ONE}:policy/limit"
    version = {"IsDefaultVersion": True, "Document": policy()}
    role = {
        "Arn": f"arn:aws:iam::{ONE}:role/app",
        "RoleId": "AROAAAAAAAAAAAAAAAAA1",
        "AssumeRolePolicyDocument": policy(),
        "PermissionsBoundary": {"PermissionsBoundaryArn": boundary},
        "Tags": [{"Key": "team", "Value": "blue"}],
    }
    details = {
        "RoleDetailList": [role],
        "Policies": [{"Arn": boundary, "PolicyVersionList": [version]}],
    }
    recorded = Recorded(ONE, {f"{ONE}.iam.get_account_authorization_details": details})
    (found,) = everybody(Reader([Account(alias="one", id=ONE, client=recorded.client)]), ONE)
    assert found.identity.tags == {"team": "blue"}
    assert found.identity.boundary == Document(
        kind="permissions boundary", account=ONE, name=boundary, statements=()
    )


def test_a_session_is_of_its_role_wherever_that_is(reader: Reader) -> None:
    found = Live(reader).identity(principal(f"arn:aws:sts::{ONE}:assumed-role/app/i-1"))
    assert found is not None
    assert found.arn == f"arn:aws:iam::{ONE}:role/apps/app"
    assert (found.session, (found.unique_id or "")[:4]) == ("i-1", "AROA")


def test_everybody_is_in_the_world(reader: Reader) -> None:
    live = Live(reader)
    assert {who.name for who in live.everybody(ONE)} == {"app", "ann"}
    assert {who.name for who in live.world.identities} == {"app", "ann"}


def test_of_an_account_that_cannot_be_asked_everything_is_unread() -> None:
    reader = Reader([])
    live = Live(reader)
    who = Principal(kind="role", account=ONE, name="app")
    assert live.identity(who) == who
    assert live.everybody(ONE) == []
    whole = partial(str.__contains__, str([str(one) for one in reader.unread]))
    assert whole("iam:GetRole (role app) in 111111111111: the links file names no account")
    assert whole("iam:GetAccountAuthorizationDetails (everybody in the account)")
