"""For any declaration: both halves of every grant, nothing more than declared, and no crash."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from s3_cross_account.actions import LEVELS, known, of_level
from s3_links.declarations.errors import ConfigurationError
from tests.support.invariants import RULES
from tests.support.synthesized import synthesized

pytestmark = pytest.mark.cost("planned")

ALIASES = st.sampled_from(["account1", "account2"])
S3_ACTIONS = sorted((known("bucket") | known("object")) - {"s3:ListBucketMultipartUploads"})


@st.composite
def links(draw: st.DrawFn) -> dict[str, Any]:
    """Return a declaration that is valid."""
    pattern = draw(st.sampled_from(["direct-access", "assume-role"]))
    roles = draw(st.integers(1, 3))
    access: dict[str, Any] = draw(
        st.one_of(
            st.fixed_dictionaries({"level": st.sampled_from(sorted(LEVELS))}),
            st.fixed_dictionaries(
                {"actions": st.lists(st.sampled_from(S3_ACTIONS), min_size=1, max_size=6)}
            ),
        )
    )
    access["prefixes"] = draw(st.lists(st.sampled_from(["a/", "b/c/"]), unique=True))
    access["tls_only"] = draw(st.booleans())
    access["same_accounts"] = draw(st.booleans())
    buckets = []
    for number in range(draw(st.integers(1, 3))):
        bucket: dict[str, Any] = {"account": draw(ALIASES)}
        if draw(st.booleans()):
            bucket |= {
                "existing": f"existing-{number}",
                "policy": draw(st.sampled_from(["create", "merge"])),
            }
        else:
            bucket[draw(st.sampled_from(["new_prefix", "new_name"]))] = f"new-{number}"
            if draw(st.booleans()):
                bucket["key"] = "new"
        buckets.append(bucket)
    link: dict[str, Any] = {
        "pattern": pattern,
        "consumers": [
            {
                "account": draw(ALIASES),
                draw(st.sampled_from(["new_role", "existing_role"])): f"r{n}",
            }
            for n in range(roles)
        ],
        "buckets": buckets,
        "access": access,
        "survive_role_recreation": draw(st.booleans()),
        "hardening": draw(st.booleans()),
    }
    if pattern == "assume-role":
        link["assumed_role"] = {"account": draw(ALIASES), "name": "worker"}
    return link


def documents(stack: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the statements of each policy document, by the document's path in the stack."""
    return {
        block["//"]["metadata"]["path"].removeprefix("link/"): block["statement"]
        for block in stack["data"]["aws_iam_policy_document"].values()
    }


def grants(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        s
        for s in statements
        if s.get("effect", "Allow") == "Allow" and any(a.startswith("s3:") for a in s["actions"])
    ]


def role_id(consumer: dict[str, Any]) -> str:
    """Return a consumer's kind and name, as the paths of its constructs have them."""
    kind = "new" if "new_role" in consumer else "existing"
    return f"{kind}.{consumer.get('new_role') or consumer['existing_role']}"


def bucket_id(bucket: dict[str, Any]) -> str:
    """Return a bucket's account, kind and name, as the paths of its constructs have them."""
    kinds = {"existing": "existing", "new_name": "named", "new_prefix": "new"}
    ((field, kind),) = ((field, kind) for field, kind in kinds.items() if field in bucket)
    return f"{bucket['account']}.{kind}.{bucket[field]}"


def on_bucket(stack: dict[str, Any], bucket: dict[str, Any]) -> str:
    """Return what a bucket's ARN looks like in the stack."""
    if "existing" in bucket:
        return f"arn:aws:s3:::{bucket['existing']}"
    (name,) = (
        name
        for name, block in stack["resource"]["aws_s3_bucket"].items()
        if (block.get("bucket_prefix"), block.get("bucket"))
        == (bucket.get("new_prefix"), bucket.get("new_name"))
    )
    return f"${{aws_s3_bucket.{name}.arn}}"


SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@SETTINGS
@given(link=links())
def test_every_grant_has_both_halves_and_no_more_than_declared(link: dict[str, Any]) -> None:
    stack = synthesized(link)
    for rule in RULES:
        assert rule(stack) == [], rule.__name__
    found = documents(stack)
    access = link["access"]
    below = bool(access["prefixes"])
    declared = set(access.get("actions") or of_level(access["level"], below_prefixes=below))
    direct = link["pattern"] == "direct-access"
    for bucket in link["buckets"]:
        arn = on_bucket(stack, bucket)
        consumers = [
            (c["account"], f"role.{c['account']}.{role_id(c)}/role") for c in link["consumers"]
        ]
        assumed = [] if direct else [(link["assumed_role"]["account"], "access/assumed-role")]
        for _, role in [] if direct else consumers:
            # Whoever assumes a role reaches the buckets by that role only.
            assert [
                s for path, d in found.items() if path.startswith(role) for s in grants(d)
            ] == []
        reaching = consumers if direct else assumed
        for role_account, role in reaching:
            identity = [
                s
                for path, statements in found.items()
                if path.startswith(f"{role}/")
                for s in grants(statements)
                if any(r.startswith(arn) for r in s["resources"])
            ]
            assert {a for s in identity for a in s["actions"]} == declared
            policy = [
                s
                for path, statements in found.items()
                if path.startswith(f"bucket.{bucket_id(bucket)}/bucket/policy")
                for s in grants(statements)
            ]
            if role_account != bucket["account"]:
                # The resource half allows the very same on the very same.
                assert pairs(identity) == pairs(policy)
            for statement in identity:
                assert_within(statement, arn, access["prefixes"])
        if bucket.get("key"):
            key = found[f"bucket.{bucket_id(bucket)}/key/policy-document/Resource"]
            assert all(len(s.get("condition", [])) >= 2 for s in key[2:])
    trusts = [s for s in found.get("access/trust/Resource", []) if "principals" in s]
    callers = {c["account"] for c in link["consumers"]}
    assert len(trusts) == (0 if direct else len(callers))  # those of an account share a statement


def pairs(statements: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(a, r) for s in statements for a in s["actions"] for r in s["resources"]}


def assert_within(statement: dict[str, Any], arn: str, prefixes: list[str]) -> None:
    """No object outside the prefixes, and no listing of the whole bucket with prefixes."""
    for resource in statement["resources"]:
        rest = resource.removeprefix(arn)
        if rest:
            assert rest in {f"/{prefix}*" for prefix in prefixes or [""]}
            assert all(a in known("object") for a in statement["actions"])
        else:
            assert all(a in known("bucket") for a in statement["actions"])
            listing = set(statement["actions"]) & known("prefix")
            variables = {c["variable"] for c in statement.get("condition", [])}
            assert not (prefixes and listing) or "s3:prefix" in variables


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """Return a declaration with one value, somewhere, replaced by anything."""
    link = draw(links())
    node: Any = link
    while True:
        key = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        inner = node[key]
        if isinstance(inner, dict | list) and inner and draw(st.booleans()):
            node = inner
            continue
        node[key] = draw(JSON)
        return link


@settings(SETTINGS, max_examples=150)
@given(link=damaged())
def test_it_succeeds_or_says_what_is_wrong(link: dict[str, Any]) -> None:
    try:
        synthesized(link)
    except ConfigurationError as error:
        lines = str(error).splitlines()[1:]
        assert lines
        assert all(re.match(r"  \S+: ", line) for line in lines), lines
