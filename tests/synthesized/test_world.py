"""What is read of blocks into the world that is evaluated."""

from __future__ import annotations

from typing import Any

import pytest

from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks
from s3_links.synthesized.world import world_of
from s3_links.world import Bucket

HERE, THERE = "111111111111", "222222222222"
PROVIDERS = [
    {"alias": "here", "region": "eu-west-1", "allowed_account_ids": [HERE]},
    {"alias": "there", "region": "eu-west-1", "allowed_account_ids": [THERE]},
]


def blocks(**resources: dict[str, dict[str, Any]]) -> Blocks:
    source = {"provider": {"aws": PROVIDERS}, "resource": resources}
    return Blocks(declared_blocks(source), aliases_of(source), source)


def block(alias: str, **values: Any) -> dict[str, Any]:
    return {"provider": f"aws.{alias}", **values}


def buckets(found: Blocks) -> dict[str, Bucket]:
    resources = world_of(found).resources
    return {arn: b for arn, b in resources.items() if isinstance(b, Bucket)}


BUCKETS = {"a": block("here", bucket="a"), "b": block("there", bucket="b")}


@pytest.mark.parametrize(
    ("restricts", "expected"), [(True, [True, False]), (False, [False, False])]
)
def test_the_public_access_block_of_an_account_is_that_of_all_its_buckets(
    restricts: bool, expected: list[bool]
) -> None:
    everywhere = {"all": block("here", restrict_public_buckets=restricts)}
    found = buckets(blocks(aws_s3_bucket=BUCKETS, aws_s3_account_public_access_block=everywhere))
    assert [found[f"arn:aws:s3:::{name}"].restrict_public for name in "ab"] == expected


def test_a_new_bucket_owns_its_objects_where_nothing_else_is_said() -> None:
    one = {"one": block("here", bucket="a", rule={"object_ownership": "ObjectWriter"})}
    found = buckets(blocks(aws_s3_bucket=BUCKETS, aws_s3_bucket_ownership_controls=one))
    assert [bucket.ownership for bucket in found.values()] == [
        "ObjectWriter",
        "BucketOwnerEnforced",
    ]


def test_two_buckets_of_one_prefix_are_two() -> None:
    same = {name: block(name, bucket_prefix="same-") for name in ("here", "there")}
    assert {b.account for b in buckets(blocks(aws_s3_bucket=same)).values()} == {HERE, THERE}


def test_an_alias_is_no_key_but_leads_to_one() -> None:
    found = blocks(
        aws_kms_key={"k": block("here")},
        aws_kms_alias={"l": block("here", name="alias/l", target_key_id="${aws_kms_key.k.id}")},
    )
    key = f"arn:aws:kms:eu-west-1:{HERE}:key/k"
    assert found.text("${aws_kms_alias.l.target_key_arn}") == key
    assert found.text("${aws_kms_alias.l.arn}") == f"arn:aws:kms:eu-west-1:{HERE}:alias/l"
    assert list(world_of(found).resources) == [key]
