"""The policy of a key that exists is taken over: what it says stays, and the link's is added."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from s3_cross_account.reading import read
from s3_links.declarations.errors import ConfigurationError
from s3_links.permissions.needs import Permissions
from tests.support.synthesized import Synthesized, synthesized

if TYPE_CHECKING:
    from s3_cross_account.account import Account

pytestmark = pytest.mark.cost("synthesized")

KEY_ID = "11111111-2222-3333-4444-555555555555"
KEY = f"arn:aws:kms:ap-northeast-1:222222222222:key/{KEY_ID}"
OWNER: dict[str, Any] = {
    "Sid": "Account2Key",  # as the link would call its own
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
    "Action": ["kms:*"],
    "Resource": ["*"],
}
# As AWS managed keys have it, with a variable.
OF_ACCOUNT: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": "*",
    "NotAction": ["kms:PutKeyPolicy"],
    "Resource": ["*"],
    "Condition": {
        "StringEquals": {"kms:CallerAccount": ["222222222222"]},
        "StringLike": {"kms:RequestAlias": ["alias/${aws:PrincipalTag/team}-${kms:ViaService}"]},
    },
}
POLICY = {"Version": "2012-10-17", "Id": "theirs", "Statement": [OWNER, OF_ACCOUNT]}
BUCKET = {"account": "account2", "new_prefix": "two-", "key": KEY}
ROLE = {"account": "account1", "new_role": "reader"}


def link(*more: dict[str, Any], policy: object = POLICY, key: str = KEY) -> dict[str, Any]:
    bucket = {
        "account": "account2",
        "new_prefix": "one-",
        "key": key,
        "imported_key_policy": policy,
    }
    return {
        "pattern": "direct-access",
        "consumers": [ROLE],
        "buckets": [bucket, *more],
        "access": {"level": "read-only"},
    }


def test_what_a_key_policy_says_stays_and_ours_is_added() -> None:
    stack = synthesized(link(BUCKET))
    ((name, block),) = stack["resource"]["aws_kms_key_policy"].items()
    assert block["key_id"] == KEY_ID
    assert block["lifecycle"] == {"prevent_destroy": True}
    assert "bypass_policy_lockout_safety_check" not in block
    (imported,) = stack["import"]
    assert (imported["to"], imported["id"]) == (f"aws_kms_key_policy.{name}", KEY_ID)
    documents = Synthesized(stack)
    document = documents.on_keys[KEY].document
    assert read(document)[:2] == read(POLICY)
    ours = document["Statement"][2:]
    # One policy for every bucket that the key encrypts.
    assert [s["Sid"] for s in ours] == ["Account2Key2", "Account2Key3"]
    for statement in ours:
        assert statement["Action"] == ["kms:Decrypt"]
        assert statement["Resource"] == [KEY]
    before = stack["output"][f"key_policy_taken_over_{KEY_ID}"]["value"]
    assert json.loads(before.replace("$${", "${"))["Statement"][0]["Sid"] == "Account2Key"
    assert not [name for name in stack["output"] if "merge" in name]


def test_a_central_accounts_key_policy_is_written_by_that_account() -> None:
    central = KEY.replace("222222222222", "333333333333")
    third = {"region": "ap-northeast-1", "profile": "keys", "account_id": "333333333333"}
    stack = synthesized(link(key=central), keys=third)
    (block,) = stack["resource"]["aws_kms_key_policy"].values()
    assert block["provider"] == "aws.keys"


def test_a_pipeline_may_read_and_write_the_policy_of_that_key_alone() -> None:
    stack = synthesized(link())

    class InAccount2:
        alias, account_id, partition = "account2", "222222222222", "aws"
        region = "ap-northeast-1"

    needs = Permissions([stack], cast("Account", InAccount2), str)
    of_key = {True: needs.to_deploy(), False: needs.to_plan()}
    for writes, statements in of_key.items():
        (found,) = (s for s in statements if any(a.startswith("kms:") for a in s.actions))
        assert found.resources == (KEY,)
        assert "kms:GetKeyPolicy" in found.actions
        assert ("kms:PutKeyPolicy" in found.actions) is writes


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no statements": (
        link(policy={}),
        "links.link.buckets[0].imported_key_policy: has no statements: copy the whole document",
    ),
    "a statement that cannot be read": (
        link(policy={"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}),
        "imported_key_policy: has a statement that cannot be read (no Action): leave this out",
    ),
    "all but somebody": (
        link(
            policy={
                "Version": "2012-10-17",
                "Statement": [
                    {k: v for k, v in OWNER.items() if k != "Principal"}
                    | {"NotPrincipal": OWNER["Principal"]}
                ],
            }
        ),
        'has a "NotPrincipal": leave this out, and merge the statements',
    ),
    "somebody who is gone": (
        link(
            policy={
                "Version": "2012-10-17",
                "Statement": [OWNER | {"Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}}],
            }
        ),
        "names AROAEXAMPLEEXAMPLE123, a role or user that is gone, and KMS refuses that",
    ),
    "a new key": (link(key="new"), 'is of a key that exists: give the ARN of the "key"'),
    "an account that is not declared": (
        link(key=KEY.replace("222222222222", "333333333333")),
        'the key is in account 333333333333, which is not among "accounts": declare it',
    ),
    "given twice": (
        link(BUCKET | {"imported_key_policy": POLICY}),
        f'the key policy of {KEY} is created by links.link too: give "imported_key_policy" in one',
    ),
    "too long": (
        link(
            policy={
                "Version": "2012-10-17",
                "Statement": [OWNER | {"Sid": f"S{n}" + "x" * 1000} for n in range(32)],
            }
        ),
        "the key policy may get",
    ),
}


@pytest.mark.parametrize(("declared", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_taken_over_is_refused(declared: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        synthesized(declared)
    assert told in str(refused.value)


def test_a_foreign_owner_merges() -> None:
    central = KEY.replace("222222222222", "444444444444")
    foreign = {"account_id": "444444444444", "foreign": True}
    with pytest.raises(ConfigurationError, match="is foreign, nobody here has credentials for it"):
        synthesized(link(key=central), partner=foreign)
