"""The statements that AWS's documents print for services, held against those that are synthesized.

They are in ``aws_requirements``, with a link's names for the documents' examples. An independent
evaluator is asked on both: what a document's statements let, and what ours do.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from s3_cross_account.delivery_services import SERVICES
from tests.evaluator import decide
from tests.support.requirements import cases
from tests.support.synthesized import Synthesized, synthesized

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.cost("synthesized")

CASES = {name: case for name, case in cases().items() if case.printed}
EXPANDED = {
    "kms:GenerateDataKey*": ["kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"],
    "kms:ReEncrypt*": ["kms:ReEncryptFrom", "kms:ReEncryptTo"],
}
NARROWER = {
    "service-delivery-inventory.inventory": "the lists are below the prefix and the source's name",
    "service-delivery-cloudfront.read": "below the prefix; who only reads encrypts nothing",
    "service-delivery-cloudfront.write": "below the prefix of the origin",
}
"""Where a document prints more than what is declared needs."""


class Held:
    """A case's printed statements and ours, and the requests that their own words describe."""

    def __init__(self, name: str) -> None:
        case = CASES[name]
        stack = Synthesized(synthesized(case.link))
        self._owner = stack.accounts[case.link["bucket"]["account"]]
        self.bucket = stack.bucket(case.link["bucket"]["new_prefix"])
        words = stack.accounts | {"bucket": self.bucket, "key": next(iter(stack.on_keys), "")}
        text = json.dumps(case.printed)
        for word, value in words.items():
            text = text.replace(f"{{{word}}}", value)
        self._key = words["key"]
        self.printed = {"Version": "2012-10-17", "Statement": json.loads(text)}
        ours = [
            statement
            for policy in (*stack.on_buckets.values(), *stack.on_keys.values())
            for statement in policy.document["Statement"]
            if "Service" in statement["Principal"]
        ]
        self.ours = {"Version": "2012-10-17", "Statement": ours}

    def requests(self, document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield what each statement lets, each action on each resource in its own context."""
        for statement in document["Statement"]:
            conditions = statement.get("Condition", {})
            keys = {k.lower(): v for test in conditions.values() for k, v in test.items()}
            context = {key: _list(value)[0].replace("*", "x") for key, value in keys.items()}
            actions = [a for p in _list(statement["Action"]) for a in EXPANDED.get(p, [p])]
            for action, resource in itertools.product(actions, _list(statement["Resource"])):
                yield {
                    "principal": _list(statement["Principal"]["Service"])[0],
                    "action": action,
                    "resource": self._key if resource == "*" else resource.replace("*", "x"),
                    "account": self._owner,
                    "identity": [],
                    "context": {"aws:SecureTransport": "true", **context},
                }


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def let(document: Mapping[str, Any], requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the requests that a document lets."""
    answers = decide([request | {"resourcePolicy": document} for request in requests])
    return [request for request, answer in zip(requests, answers, strict=True) if answer]


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_the_document_prints(name: str) -> None:
    held = Held(name)
    ours = list(held.requests(held.ours))
    assert ours
    assert let(held.ours, ours) == ours
    assert let(held.printed, ours) == ours


@pytest.mark.parametrize("name", [name for name in CASES if name not in NARROWER])
def test_what_the_document_prints_is_written(name: str) -> None:
    held = Held(name)
    printed = list(held.requests(held.printed))
    given = _whole(held, printed)
    assert let(held.printed, given) == given
    assert let(held.ours, given) == given


@pytest.mark.parametrize("name", CASES)
def test_without_a_value_that_the_document_asks_for_nothing_is_let(name: str) -> None:
    held = Held(name)
    changed = [
        request | {"context": request["context"] | {key: "arn:aws:none:::of-these"}}
        for request in held.requests(held.printed)
        for key in request["context"]
        if key != "aws:SecureTransport"
    ]
    assert let(held.ours, changed) == []


def test_each_reason_to_be_narrower_is_one() -> None:
    for name in NARROWER:
        held = Held(name)
        printed = list(held.requests(held.printed))
        assert let(held.ours, printed) != printed, name


def _whole(held: Held, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add what the service sends with each request, where a document does not ask for it."""
    sent: dict[str, str] = {}
    for request in held.requests(held.ours):
        sent |= request["context"]
    return [request | {"context": sent | request["context"]} for request in requests]


def test_every_service_has_its_printed_statements() -> None:
    assert {case.link["service"] for case in CASES.values()} == set(SERVICES)
