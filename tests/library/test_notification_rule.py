"""Which events of which objects, as plain values."""

from __future__ import annotations

from typing import Any

import pytest

from s3_cross_account.notification_rule import IN_EVENTBRIDGE, NotificationRule, overlapping

CREATED = "s3:ObjectCreated:*"


def rule(*events: str, **more: Any) -> NotificationRule:
    return NotificationRule(events=[*(events or (CREATED,))], **more)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ({}, {}, False),
        ({"prefix": "a/"}, {"prefix": "b/"}, True),
        ({"prefix": "a/"}, {"prefix": "a/b/"}, False),
        ({"prefix": "a/"}, {}, False),
        ({"prefix": "a/", "suffix": ".csv"}, {"prefix": "a/", "suffix": ".json"}, True),
        ({"prefix": "a/", "suffix": ".csv"}, {"suffix": ".json"}, True),
        ({"prefix": "a/"}, {"suffix": ".json"}, False),
        ({"suffix": ".gz"}, {"suffix": ".csv.gz"}, False),
    ],
)
def test_s3_takes_rules_together_that_no_object_fits_both(
    one: dict[str, Any], other: dict[str, Any], *, together: bool
) -> None:
    assert overlapping([rule(**one), rule(**other)]) == ([] if together else [(0, 1)])


@pytest.mark.parametrize("other", ["s3:ObjectRemoved:*", "s3:ObjectTagging:Put"])
def test_rules_of_other_events_are_taken_together(other: str) -> None:
    assert overlapping([rule(), rule(other)]) == []
    assert overlapping([rule(other), rule(other)]) == [(0, 1)]


def test_a_family_overlaps_each_of_its_events() -> None:
    assert overlapping([rule("s3:ObjectCreated:Copy"), rule()]) == [(0, 1)]
    with pytest.raises(ValueError, match="S3 takes each event once"):
        rule(CREATED, "s3:ObjectCreated:Copy")


def test_eventbridge_is_told_of_the_same() -> None:
    (created, deleted) = rule(CREATED, "s3:ObjectRemoved:Delete", prefix="in/").patterns("mine")
    assert created == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": ["mine"]}, "object": {"key": [{"prefix": "in/"}]}},
    }
    assert deleted["detail-type"] == ["Object Deleted"]
    assert deleted["detail"]["reason"] == ["DeleteObject"]
    assert deleted["detail"]["deletion-type"] == ["Permanently Deleted"]


@pytest.mark.parametrize(
    ("filters", "key"),
    [
        ({"suffix": ".csv"}, {"suffix": ".csv"}),
        ({"prefix": "in/", "suffix": ".csv"}, {"wildcard": "in/*.csv"}),
    ],
)
def test_eventbridge_looks_at_the_same_keys(filters: dict[str, str], key: dict[str, str]) -> None:
    (pattern,) = rule(**filters).patterns("mine")
    assert pattern["detail"]["object"] == {"key": [key]}


def test_every_family_of_eventbridge_is_the_sum_of_its_events() -> None:
    """Of a family with ``*`` EventBridge has each detail type that one of its events has."""
    for event, told in IN_EVENTBRIDGE.items():
        if told and event.endswith(":*"):
            parts = [
                v
                for (e, v) in IN_EVENTBRIDGE.items()
                if v and e != event and e.startswith(event[:-1])
            ]
            assert {name for names, _ in parts for name in names} == {*told[0]}
