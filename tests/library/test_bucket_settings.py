"""What a bucket is encrypted with, and how long it keeps what nobody asks for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.synthesized import synthesized

pytestmark = pytest.mark.cost("synthesized")

ARN = "arn:aws:kms:ap-northeast-1:333333333333:key/11111111-2222-3333-4444-555555555555"


def of(bucket: dict[str, Any], **link: Any) -> dict[str, Any]:
    found: dict[str, Any] = synthesized(
        {
            "pattern": "direct-access",
            "consumers": [{"account": "account1", "new_role": "reader"}],
            "buckets": [{"account": "account2", "new_prefix": "reports-", **bucket}],
            **link,
        }
    )
    return found


def encryption(stack: dict[str, Any]) -> dict[str, Any]:
    blocks = stack["resource"]["aws_s3_bucket_server_side_encryption_configuration"]
    ((block),) = blocks.values()
    (rule,) = block["rule"]
    found: dict[str, Any] = rule
    return found


@pytest.mark.parametrize(
    ("bucket", "algorithm", "bucket_key"),
    [
        ({"key": "none"}, "AES256", None),
        ({"key": ARN}, "aws:kms", True),
        # "Using dual-layer server-side encryption with AWS KMS keys": there are no bucket keys.
        ({"key": ARN, "dsse": True}, "aws:kms:dsse", None),
    ],
)
def test_what_encrypts(bucket: dict[str, Any], algorithm: str, bucket_key: bool | None) -> None:
    rule = encryption(of(bucket))
    default = rule["apply_server_side_encryption_by_default"]
    (default,) = default if isinstance(default, list) else [default]
    assert default["sse_algorithm"] == algorithm
    assert default.get("kms_master_key_id") == (None if bucket["key"] == "none" else ARN)
    assert rule.get("bucket_key_enabled") == bucket_key


def test_a_key_of_a_third_account_has_its_half_as_an_output() -> None:
    stack = of({"key": ARN}, access={"level": "read-only"})
    assert "key_policy_to_merge_account2_reports-" in stack["output"]
    documents = stack["data"]["aws_iam_policy_document"].values()
    halves = [s for d in documents for s in d["statement"] if s.get("resources") == [ARN]]
    assert len(halves) == 2
    for half in halves:
        assert half["actions"] == ["kms:Decrypt"]
        (via,) = (c for c in half["condition"] if c["variable"] == "kms:ViaService")
        assert via["values"] == ["s3.ap-northeast-1.amazonaws.com"]


def test_what_is_kept_cannot_be_destroyed_and_is_named() -> None:
    stack = of({"key": "new", "keep": True})
    resources = stack["resource"]
    for type_ in ("aws_s3_bucket", "aws_kms_key"):
        ((name, block),) = resources[type_].items()
        assert block["lifecycle"] == {"prevent_destroy": True}
        assert f"{type_}/${{{type_}.{name}." in stack["output"]["kept_resources"]["value"]
    assert "kept_resources" not in of({"key": "new"})["output"]


def test_how_long_old_versions_and_logs_are_kept() -> None:
    stack = of({"old_versions_days": 30, "logs_days": 14}, hardening=True)
    days = {
        block["rule"][0]["expiration"][0].get("days"): block["rule"][0][
            "noncurrent_version_expiration"
        ][0]["noncurrent_days"]
        for block in stack["resource"]["aws_s3_bucket_lifecycle_configuration"].values()
    }
    assert days == {None: 30, 14: 14}
