"""Policy documents that others wrote, read into statements."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s3_cross_account.policy import Condition, Principal, Statement, document
from s3_cross_account.reading import Unreadable, read

BUCKET = "arn:aws:s3:::reports"
ROLE = "arn:aws:iam::111111111111:role/consumer"


def one(**elements: Any) -> Statement | Unreadable:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", **elements}
    (found,) = read({"Version": "2012-10-17", "Statement": statement})
    return found


@pytest.mark.parametrize("nothing", [None, "", "  ", {}, [], "{}", {"Version": "2012-10-17"}])
def test_no_policy_has_no_statements(nothing: object) -> None:
    assert read(nothing) == ()


def test_text_and_parsed_a_statement_alone_and_in_a_list_read_alike() -> None:
    statement = {"Effect": "Deny", "Action": ["s3:*"], "NotResource": BUCKET}
    alone = {"Version": "2012-10-17", "Statement": statement}
    listed = {"Version": "2012-10-17", "Id": "P", "Statement": [statement]}
    expected = Statement(effect="Deny", actions=("s3:*",), not_resources=(BUCKET,))
    for each in (alone, listed, json.dumps(alone), json.dumps(listed)):
        assert read(each) == (expected,)


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", [("*", ("*",))]),
        (["*"], [("*", ("*",))]),
        ({"AWS": "*"}, [("AWS", ("*",))]),
        ({"AWS": ["111111111111", ROLE]}, [("AWS", ("111111111111", ROLE))]),
        ({"AWS": "AROAEXAMPLEEXAMPLEEX"}, [("AWS", ("AROAEXAMPLEEXAMPLEEX",))]),
        ({"CanonicalUser": "79a5"}, [("CanonicalUser", ("79a5",))]),
        (
            {"Service": ["ec2.amazonaws.com"], "Federated": "accounts.google.com"},
            [("Service", ("ec2.amazonaws.com",)), ("Federated", ("accounts.google.com",))],
        ),
    ],
)
def test_every_form_of_principal_is_read(principal: Any, expected: list[Any]) -> None:
    principals = tuple(Principal(type=type_, identifiers=ids) for type_, ids in expected)
    found = one(Principal=principal)
    assert isinstance(found, Statement)
    assert found.principals == principals
    found = one(NotPrincipal=principal)
    assert isinstance(found, Statement)
    assert found.not_principals == principals


def test_booleans_and_numbers_in_conditions_are_the_texts_that_they_mean() -> None:
    condition = {
        "Bool": {"aws:SecureTransport": False},
        "NumericLessThan": {"s3:max-keys": [1, 2.5]},
    }
    found = one(Condition=condition)
    assert isinstance(found, Statement)
    assert found.conditions == (
        Condition(test="Bool", variable="aws:SecureTransport", values=("false",)),
        Condition(test="NumericLessThan", variable="s3:max-keys", values=("1", "2.5")),
    )


def test_a_variable_in_an_old_document_is_the_text_that_it_is_there() -> None:
    old = {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "x/${aws:username}"}}
    (found,) = read(old)
    assert isinstance(found, Statement)
    assert found.resources == ("x/${$}{aws:username}",)


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"effect": "Allow"}, "unknown element 'effect'"),
        ({"Comment": "x"}, "unknown element 'Comment'"),
        ({"Effect": "allow"}, "neither Allow nor Deny"),
        ({"Action": []}, "Action is no text and no list"),
        ({"Action": 3}, "Action is no text and no list"),
        ({"NotAction": "s3:*"}, "both Action and NotAction"),
        ({"Resource": [BUCKET, 1]}, "Resource is no text and no list"),
        ({"Principal": "somebody"}, "names nobody by a known type"),
        ({"Principal": {"Aws": ROLE}}, "unknown type of Principal 'Aws'"),
        ({"Principal": {}}, "names nobody by a known type"),
        ({"Condition": {"Bool": {"aws:SecureTransport": None}}}, "no text, number or boolean"),
        ({"Condition": {"Bool": "x"}}, "the condition Bool is no object"),
        ({"Condition": []}, "Condition is no object"),
    ],
)
def test_a_statement_that_cannot_be_expressed_is_kept_with_the_reason(
    elements: dict[str, Any], reason: str
) -> None:
    found = one(**elements)
    assert isinstance(found, Unreadable)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("${aws_s3_bucket.this.policy}", "Expecting value"),
        ("{", "Expecting"),
        ('{"Statement": [], "Statement": []}', "given twice"),
        ([1], "a policy document is an object"),
        ({"statement": []}, "unknown element 'statement'"),
        ({"Version": "2020-01-01"}, "unknown version"),
        ({"Statement": ["x"]}, "a statement is an object"),
    ],
)
def test_a_document_that_cannot_be_read_is_kept_with_the_reason(
    content: object, reason: str
) -> None:
    (found,) = read(content)
    assert isinstance(found, Unreadable)
    assert reason in found.reason


def test_what_cannot_be_read_hides_nothing_beside_it() -> None:
    good = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    first, second = read({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}, good]})
    assert isinstance(first, Unreadable)
    assert isinstance(second, Statement)


texts = st.text("ab:/*?${},'-", min_size=1, max_size=12)
scalars = texts | st.booleans() | st.integers()
one_or_more = texts | st.lists(texts, min_size=1, max_size=3)
named = st.just("*") | st.dictionaries(
    st.sampled_from(["AWS", "Service", "Federated", "CanonicalUser"]), one_or_more, min_size=1
)
conditions = st.dictionaries(
    st.sampled_from(["StringEquals", "ForAnyValue:ArnLikeIfExists", "Null", "Bool"]),
    st.dictionaries(texts, scalars | st.lists(scalars, min_size=1, max_size=3), max_size=2),
    max_size=2,
)


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    result: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Deny"]))}
    if draw(st.booleans()):
        result["Condition"] = draw(conditions)
    result[draw(st.sampled_from(["Action", "NotAction"]))] = draw(one_or_more)
    if resource := draw(st.sampled_from(["", "Resource", "NotResource"])):
        result[resource] = draw(one_or_more)
    if principal := draw(st.sampled_from(["", "Principal", "NotPrincipal"])):
        result[principal] = draw(named)
    return result


def canonical(statement: dict[str, Any]) -> Any:
    """Everything in lists, and values as texts."""

    def listed(value: Any) -> list[str]:
        values = value if isinstance(value, list) else [value]
        return [str(v).lower() if isinstance(v, bool) else str(v) for v in values]

    result: dict[str, Any] = {}
    for key, value in statement.items():
        if key.endswith("Principal") and value != "*":
            result[key] = {type_: listed(ids) for type_, ids in value.items()}
        elif key == "Condition":
            tests = {t: {k: listed(v) for k, v in keys.items()} for t, keys in value.items()}
            result[key] = {test: keys for test, keys in tests.items() if keys}
        else:
            result[key] = listed(value)
    return {key: value for key, value in result.items() if value != {}}


@settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(statements(), max_size=3))
def test_what_was_read_is_written_as_an_equivalent_document(content: list[dict[str, Any]]) -> None:
    found = list(read({"Version": "2012-10-17", "Statement": content}))
    readable = [s for s in found if isinstance(s, Statement)]
    assert len(readable) == len(content)
    written = document(readable)
    assert list(map(canonical, written["Statement"])) == list(map(canonical, content))
    assert list(read(json.dumps(written))) == found
