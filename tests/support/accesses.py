"""Access as the summary of a plan tells it, for the tests of what shows it."""

from __future__ import annotations

from dataclasses import replace

from s3_links.operations.access import Access, Stated
from s3_links.operations.summary import Summary

IDS = {"account1": "111111111111", "account2": "222222222222"}
NOTHING = Summary(stack="reports", changes=[], appears=[], disappears=[], to_merge=[], accounts=IDS)


def role(name: str, account: str = "account1") -> tuple[tuple[str, str], ...]:
    return (("kind", "role"), ("account", IDS[account]), ("path", "/"), ("name", name))


READS = Access(
    principal="role reader (account1)",
    target="bucket reports-…",
    actions=("s3:GetObject",),
    paths=("in/*",),
    conditions=(),
    halves=("bucket policy", "identity policy"),
    works=True,
    who=role("reader"),
    where="arn:aws:s3:::reports-…/in/x",
    owner=IDS["account2"],
    statements=(Stated("bucket policy", IDS["account2"], "aws_s3_bucket_policy.p", "{}"),),
)
LISTS = replace(READS, actions=("s3:ListBucket",), paths=(), where="arn:aws:s3:::reports-…")
WRITES = replace(READS, actions=("s3:PutObject",), paths=("out/*",))
EC2 = replace(
    READS,
    principal="ec2.amazonaws.com",
    target="role reader (account1)",
    actions=("sts:AssumeRole",),
    paths=(),
    who=(("kind", "service"), ("account", ""), ("path", "/"), ("name", "ec2.amazonaws.com")),
    where="arn:aws:iam::111111111111:role/reader",
    owner=IDS["account1"],
)
