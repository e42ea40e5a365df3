"""Who can reach a bucket of live accounts, of two emulated ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.live.reader import Account, Reader
from s3_links.operations.stack import OperationError
from s3_links.operations.who_can_live import answered
from s3_links.sandbox.access import root
from s3_links.sandbox.emulator import ACCOUNTS, REGION, Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.cost("deployed")
BUCKET = "live-reports"
ARN = f"arn:aws:s3:::{BUCKET}"
BOTH = "bucket policy in account2, identity policy in account1"


def role(alias: str, name: str) -> str:
    return f"arn:aws:iam::{ACCOUNTS[alias]}:role/{name}"


def document(**statement: Any) -> str:
    whole = {"Effect": "Allow", **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [whole]})


POLICY = document(
    Principal={"AWS": [role("account1", "reader"), role("account1", "nothing")]},
    Action="s3:GetObject",
    Resource=f"{ARN}/out/*",
)
ROLES = {
    ("account1", "reader"): ("s3:Get*", "lambda.amazonaws.com"),
    ("account1", "everything"): ("s3:*", "lambda.amazonaws.com"),
    ("account1", "nothing"): ("sqs:*", "lambda.amazonaws.com"),
    ("account2", "owner"): ("s3:PutObject", "lambda.amazonaws.com"),
}


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("who-can")) as emulator:
        for (alias, name), (action, service) in ROLES.items():
            iam = root(emulator.endpoint, alias).client("iam")
            trust = document(Action="sts:AssumeRole", Principal={"Service": service})
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
            policy = document(Action=action, Resource="*")
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
        s3 = root(emulator.endpoint, "account2").s3
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_policy(Bucket=BUCKET, Policy=POLICY)
        yield emulator


def asked(emulator: Emulator, what: str, *actions: str) -> set[tuple[str, str, str, str]]:
    reader = Reader(
        Account(alias=alias, id=id_, region=REGION, client=root(emulator.endpoint, alias).client)
        for alias, id_ in ACCOUNTS.items()
    )
    return set(answered(reader, [], what, actions).cells())


def test_who_has_both_halves_or_is_of_the_same_account(emulated: Emulator) -> None:
    assert asked(emulated, BUCKET, "s3:GetObject", "s3:PutObject") == {
        ("role reader (account1)", f"s3:GetObject on bucket {BUCKET}/out/*", "always", BOTH),
        (
            "role owner (account2)",
            f"s3:PutObject on bucket {BUCKET}/*",
            "always",
            "identity policy in account2",
        ),
    }


def test_without_the_bucket_policy_nobody_of_the_other_account(emulated: Emulator) -> None:
    s3 = root(emulated.endpoint, "account2").s3
    s3.delete_bucket_policy(Bucket=BUCKET)
    try:
        who = {row[0] for row in asked(emulated, f"s3://{BUCKET}/out/x")}
    finally:
        s3.put_bucket_policy(Bucket=BUCKET, Policy=POLICY)
    assert who == {"role owner (account2)"}


def test_a_bucket_of_nobody_is_an_error(emulated: Emulator) -> None:
    with pytest.raises(OperationError, match=r"nobodys-bucket: is no bucket of account1"):
        asked(emulated, "nobodys-bucket")


def test_who_comes_through_another_accounts_access_point_is_told_so(emulated: Emulator) -> None:
    one, two = (root(emulated.endpoint, alias) for alias in ACCOUNTS)
    control, account = one.client("s3control"), ACCOUNTS["account1"]
    point = f"arn:aws:s3:{REGION}:{account}:accesspoint/theirs"
    delegated = document(
        Principal="*",
        Action="s3:GetObject",
        Resource=f"{ARN}/*",
        Condition={"StringEquals": {"s3:DataAccessPointArn": point}},
    )
    owner = ACCOUNTS["account2"]
    control.create_access_point(
        AccountId=account, Name="theirs", Bucket=BUCKET, BucketAccountId=owner
    )
    two.s3.put_bucket_policy(Bucket=BUCKET, Policy=delegated)
    try:
        rows = asked(emulated, f"{BUCKET}/out/x", "s3:GetObject")
    finally:
        two.s3.put_bucket_policy(Bucket=BUCKET, Policy=POLICY)
        control.delete_access_point(AccountId=account, Name="theirs")
    through = "s3:GetObject on access point theirs (account1)/*"
    assert ("role reader (account1)", through, "always", BOTH) in rows
    assert not any(f"on bucket {BUCKET}" in may for who, may, *_ in rows if "account1" in who)
