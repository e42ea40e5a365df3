"""The services that hand out a role's sessions: one, several, and for which account."""

from __future__ import annotations

from typing import Any

import pytest

from s3_cross_account.policy import Condition, of_account
from s3_cross_account.trusted_services import KNOWN, SOURCES
from s3_links.declarations.consumers import Consumer
from s3_links.declarations.part import told

REDSHIFT = ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]


def consumer(**given: Any) -> Consumer:
    return Consumer.model_validate({"account": "account1", **given})


def test_a_service_acts_for_one_account_where_its_document_has_that() -> None:
    asked = {
        "datasync": ("111111111111", "arn:aws-cn:datasync:*:111111111111:*"),
        "ecs-tasks": ("111111111111", "arn:aws-cn:ecs:*:111111111111:*"),
        "lambda": ("111111111111", None),
        "sagemaker": (None, "arn:aws-cn:sagemaker:*:111111111111:*"),
        "ec2": (None, None),
        "redshift": (None, None),
        "pods.eks": (None, None),
        "batchoperations.s3": (None, None),
    }
    for service, (account, arn) in asked.items():
        expected = [
            Condition(test=test, variable=variable, values=(value,))
            for test, variable, value in (
                ("StringEquals", "aws:SourceAccount", account),
                ("ArnLike", "aws:SourceArn", arn),
            )
            if value
        ]
        found = of_account(
            f"{service}.amazonaws.com", partition="aws-cn", account_id="111111111111"
        )
        assert [*found] == expected, service
    assert set(SOURCES) <= set(KNOWN)
    assert all(" Guide)" in source.document for source in SOURCES.values())


def test_several_services_are_all_that_hand_out_sessions() -> None:
    one = consumer(new_role="reader", trusted_services=REDSHIFT)
    assert one.services == REDSHIFT
    assert one.names_its_chain
    assert not one.on_instances
    assert consumer(new_role="reader").services == ["ec2.amazonaws.com"]
    assert consumer(existing_user="backup").services == []
    unknown = consumer(new_role="reader", trusted_services=[*REDSHIFT, "lambdas.amazonaws.com"])
    assert str(unknown.note()).startswith('"lambdas.amazonaws.com" is not known here')


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"new_role": "r", "trusted_service": REDSHIFT[0], "trusted_services": REDSHIFT},
            'give "trusted_service" or "trusted_services", not both',
        ),
        (
            {"existing_role": "r", "trusted_services": REDSHIFT},
            '"trusted_services" is for a "new_role" or "imported_role"',
        ),
        (
            {"new_role": "r", "trusted_services": REDSHIFT[:1] * 2},
            "names a service twice: name each once",
        ),
        (
            {"new_role": "r", "instance": True, "trusted_services": REDSHIFT},
            '"instance" is for EC2 alone: leave out "trusted_services"',
        ),
    ],
)
def test_what_several_services_cannot_be_is_refused(given: dict[str, Any], expected: str) -> None:
    problems = [problem for _, problem in told(consumer(**given), "rule")]
    assert any(problem.startswith(expected) for problem in problems), problems
