"""What services deliver, as plain values: the statements that let them, and what they refuse."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from s3_cross_account.delivery import Delivery, Source
from s3_cross_account.delivery_services import SERVICES
from s3_links.reach.actions import known

BUCKET, KEY = "arn:aws:s3:::logs", "arn:aws:kms:eu-west-1:222222222222:key/k"
TWO = (
    Source(account_id="111111111111", regions=("eu-west-1",)),
    Source(account_id="333333333333", regions=("us-east-1", "eu-west-1")),
)
TRAIL = Delivery(service="cloudtrail", sources=TWO, names=("audit",), prefix="a/")


def of(service: str) -> Delivery:
    """Return a delivery of a service with everything that it may have."""
    return Delivery(
        service=service,
        sources=TWO[:1],
        names=("one", "two") if SERVICES[service].name else (),
        prefix="p/",
        organization_id="o-a1b2c3d4e5",
        write=True,
    )


def test_each_account_has_a_value_of_its_own() -> None:
    check, write = TRAIL.on_bucket(BUCKET, "aws")
    assert check.resources == (BUCKET,)
    assert write.resources == (
        f"{BUCKET}/a/AWSLogs/111111111111/*",
        f"{BUCKET}/a/AWSLogs/333333333333/*",
    )
    of_trail = [c.values for c in write.conditions if c.variable == "aws:SourceArn"]
    assert of_trail == [
        (
            "arn:aws:cloudtrail:eu-west-1:111111111111:trail/audit",
            "arn:aws:cloudtrail:us-east-1:333333333333:trail/audit",
            "arn:aws:cloudtrail:eu-west-1:333333333333:trail/audit",
        )
    ]


def test_an_organization_has_a_statement_more() -> None:
    whole = replace(TRAIL, sources=TWO[:1], organization_id="o-a1b2c3d4e5")
    assert [s.sid for s in whole.on_bucket(BUCKET, "aws")] == [
        "AWSCloudTrailAclCheck",
        "AWSCloudTrailWrite",
        "AWSCloudTrailOrganizationWrite",
    ]


def test_in_another_partition_every_arn_is_of_it() -> None:
    statements = [
        s for word in SERVICES for s in of(word).on_bucket("arn:aws-us-gov:s3:::logs", "aws-us-gov")
    ]
    arns = [v for s in statements for c in s.conditions for v in c.values if v.startswith("arn:")]
    assert arns
    assert {arn.split(":")[1] for arn in arns} == {"aws-us-gov"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_statements_of_actions_that_there_are_and_fills_in_everything(
    service: str,
) -> None:
    delivery = of(service)
    statements = [*delivery.on_bucket(BUCKET, "aws"), *delivery.on_key(KEY, "aws")]
    assert {action for s in statements for action in s.actions} <= set(known())
    assert len({s.sid for s in statements}) == len(statements)
    assert all(re.fullmatch("[A-Za-z0-9]+", s.sid or "") for s in statements)
    assert not re.search("[{}]", repr(statements).replace("{}", ""))
    below = [r for s in statements for r in s.resources if r.startswith(f"{BUCKET}/")]
    assert below
    assert all(r.startswith(f"{BUCKET}/p/") for r in below)
    assert all(document.endswith(" Guide)") for document in SERVICES[service].documents)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("prefix", ["", "p/q/"])
def test_what_to_enter_names_the_bucket_and_what_else_there_is(service: str, prefix: str) -> None:
    delivery = replace(of(service), prefix=prefix)
    told = delivery.settings(bucket="logs", arn=BUCKET, region="eu-west-1", key="")
    assert "logs" in told
    assert not re.search(r"[{}]|=( |$)", told)
    assert ("p/q" in told) == bool(prefix)
    if SERVICES[service].key and service in ("cloudtrail", "config", "s3-inventory"):
        assert KEY in delivery.settings(bucket="logs", arn=BUCKET, region="eu-west-1", key=KEY)


@pytest.mark.parametrize(
    ("delivery", "encrypted", "told"),
    [
        (replace(TRAIL, service="trails"), False, "'trails' is no service that is known"),
        (replace(TRAIL, sources=()), False, "from no account"),
        (replace(TRAIL, names=()), False, "cloudtrail needs trail"),
        (replace(of("classic-load-balancer")), True, "(SSE-S3) only"),
        (replace(of("s3-inventory"), sources=TWO), False, "in eu-west-1, the service in us-east-1"),
    ],
)
def test_what_the_service_would_refuse_is_told(
    delivery: Delivery, encrypted: bool, told: str
) -> None:
    (problem,) = delivery.problems(region="eu-west-1", encrypted=encrypted)
    assert told in problem


@pytest.mark.parametrize("service", SERVICES)
def test_what_it_would_take_is_no_problem(service: str) -> None:
    encrypted = bool(SERVICES[service].key)
    assert of(service).problems(region="eu-west-1", encrypted=encrypted) == []
