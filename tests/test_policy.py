"""Statements as plain values, without Node.js."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from s3_cross_account import aws_cli, policy
from s3_cross_account.actions import LIST_GET_PUT

BUCKET = "arn:aws:s3:::reports"
ROLE = "arn:aws:iam::111111111111:role/consumer"


def test_an_access_covers_the_bucket_and_its_objects_only() -> None:
    access = policy.s3_access(BUCKET, sid="Reports")
    assert access.actions == LIST_GET_PUT
    assert access.resources == (BUCKET, f"{BUCKET}/*")
    assert access.principals == ()


def test_both_halves_allow_the_same() -> None:
    access = policy.s3_access(BUCKET, sid="Reports", actions=["s3:GetObject"])
    half = policy.named_in_bucket_policy(access, ROLE, sid="Allow consumer")
    assert (half.actions, half.resources) == (access.actions, access.resources)
    assert policy.document([half])["Statement"] == [
        {
            "Sid": "Allow consumer",
            "Effect": "Allow",
            "Principal": {"AWS": ROLE},
            "Action": "s3:GetObject",
            "Resource": [BUCKET, f"{BUCKET}/*"],
        }
    ]


def test_the_halves_of_an_assume_role() -> None:
    caller = policy.document([policy.may_assume(ROLE, sid="Assume")])
    assert caller["Statement"] == [
        {"Sid": "Assume", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}
    ]
    role = policy.document([policy.trust("Service", "ec2.amazonaws.com")])
    assert role["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]


def test_sids_of_one_document_are_unique() -> None:
    access = policy.s3_access(BUCKET, sid="Reports")
    trust = policy.trust("AWS", ROLE)
    sids = [s.sid for s in policy.unique_sids([access, trust, access, trust, access])]
    assert sids == ["Reports", None, "Reports2", None, "Reports3"]


def test_a_statement_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        policy.trust("AWS", ROLE).sid = "other"  # type: ignore[misc]


def test_the_copy_command_copies_recursively() -> None:
    assert aws_cli.copy_command("a", "b") == "aws s3 cp s3://a s3://b --recursive"
    assert aws_cli.copy_command("a", "b", profile="p").endswith(" --recursive --profile p")


def test_none_of_it_loads_jsii() -> None:
    modules = "actions, aws_cli, policy, settings"
    script = f"import sys; from s3_cross_account import {modules}; print('jsii' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (result.stdout, result.stderr) == ("False\n", "")
