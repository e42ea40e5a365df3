"""Where no access point can be, and who could not come through, is told with the remedy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from s3_links.declarations.links import schema
from s3_links.declarations.read_links import read_links
from tests.declarations.test_notifications import ACCOUNTS, said

if TYPE_CHECKING:
    from pathlib import Path

HERE = {"account": "account1", "name": "reports"}
THERE = {"account": "account2", "name": "reports"}
READER: dict[str, Any] = {"account": "account1", "new_role": "reader"}


def links(*points: Any, access: Any = None, **more: Any) -> dict[str, Any]:
    link = {
        "pattern": "direct-access",
        "consumers": [READER],
        "buckets": [{"account": "account2", "new_prefix": "in-", "access_points": list(points)}],
        **({"access": access} if access else {}),
        **more,
    }
    return {"accounts": ACCOUNTS, "links": {"x": link}}


ASSUMED = {
    "pattern": "assume-role",
    "assumed_role": {"account": "account2", "name": "worker"},
}
FINE = {
    "in the consumers' account": links(HERE),
    "in the bucket's account": links(THERE),
    "each through the one in its account": links(
        HERE,
        THERE,
        consumers=[READER, {"organization_id": "o-a1b2c3d4e5"}],
    ),
    "of a role that is assumed": links(THERE, **ASSUMED),
    "of one VPC": links(HERE | {"vpc_id": "vpc-0123abcd"}),
    "for a foreign role": links(
        THERE, consumers=[{"account": "partner", "existing_role": "theirs"}]
    ),
    "for Athena": links(HERE, access={"level": "athena-data"}),
}


@pytest.mark.parametrize("name", FINE)
def test_it_can_be_declared(name: str, tmp_path: Path) -> None:
    (tmp_path / "links.json").write_text(json.dumps(FINE[name]))
    assert read_links(tmp_path / "links.json").links["x"].buckets[0].access_points
    Draft202012Validator(json.loads(schema())).validate(FINE[name])


AT = "buckets[0].access_points"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "in another region": (
        links({"account": "far", "name": "reports"}, consumers=[READER | {"account": "far"}]),
        f'{AT}[0].account: "far" works in us-east-1, the bucket is in eu-west-1, and an access '
        'point is in its bucket\'s region: take one in "account2"',
    ),
    "in a foreign account": (
        links(
            {"account": "partner", "name": "reports"},
            consumers=[{"account": "partner", "existing_role": "theirs"}],
        ),
        f'{AT}[0].account: "partner" is foreign, nobody here has credentials for it, and an access '
        'point would be created there: take one in "account2"',
    ),
    "none for a consumer": (
        links(HERE, consumers=[READER, {"account": "partner", "existing_role": "theirs"}]),
        f'{AT}: "theirs" is in "partner" and comes through none of these: add one in that account, '
        'or in "account2", which takes everybody',
    ),
    "none for an organization": (
        links(HERE, consumers=[READER, {"organization_id": "o-a1b2c3d4e5"}]),
        f'{AT}: "o-a1b2c3d4e5" is in no account of yours and comes through none of these: add one '
        'in that account, or in "account2", which takes everybody',
    ),
    "two of one account": (
        links(HERE, HERE | {"name": "more"}),
        f'{AT}[1]: "account1" has access_points[0] of this bucket: one for each account; what '
        "differs are links of their own",
    ),
    "one for nobody": (links(HERE, THERE), f"{AT}[1]: nobody comes through: leave it out"),
    "one for the callers of an assumed role": (
        links(HERE, **ASSUMED),
        f'{AT}: "worker" is in "account2" and comes through none of these',
    ),
    "an action that is on the bucket alone": (
        links(HERE, access={"actions": ["s3:GetObject", "s3:GetBucketVersioning"]}),
        "access: s3:GetBucketVersioning: not for requests through an access point: name the "
        'actions without these as "actions", or leave out "access_points"',
    ),
    "an alias for a name": (
        links(HERE | {"name": "reports-s3alias"}),
        f"{AT}[0].name: 'reports-s3alias' is no access point's name: 3 to 50 small letters, digits "
        "and single hyphens between them, which do not end with -s3alias",
    ),
    "one of another VPC than is asked": (
        links(HERE | {"vpc_id": "vpc-0123abcd"}, access={"vpc_ids": ["vpc-99999999"]}),
        f"{AT}: only requests from vpc-0123abcd come through, which its access asks to come from "
        'elsewhere ("vpc_ids" or "source_ips"): leave out one of them',
    ),
    "an instance outside of the VPC": (
        links(HERE | {"vpc_id": "vpc-0123abcd"}, consumers=[READER | {"instance": True}]),
        f'{AT}: "reader": an "instance" gets a network of its own, which is not the VPC of '
        '"vpc_id": leave out one of them',
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_not_work_is_refused_with_the_remedy(name: str, tmp_path: Path) -> None:
    content, expected = REFUSED[name]
    assert [line for line in said(content, tmp_path) if line.startswith(expected)], said(
        content, tmp_path
    )


def test_a_name_is_taken_once_in_an_account(tmp_path: Path) -> None:
    content = links(HERE)
    content["links"]["y"] = links(HERE, consumers=[READER | {"new_role": "other"}])["links"]["x"]
    content["links"]["y"]["buckets"][0]["new_prefix"] = "out-"
    (told,) = said(content, tmp_path)
    assert told == (
        "links.y: the access point 'reports' in account1 is created by links.x too: choose another "
        "name"
    )


@pytest.mark.parametrize("field", ["bucket", "source"])
def test_only_consumers_come_through(field: str, tmp_path: Path) -> None:
    bucket = {"account": "account2", "new_prefix": "in-", "access_points": [HERE]}
    link: dict[str, Any] = {
        "pattern": "replication",
        "source": bucket,
        "destination": {"account": "account1", "new_prefix": "out-"},
        "role_name": "copies",
    }
    if field == "bucket":
        link = {
            "pattern": "service-delivery",
            "service": "cloudtrail",
            "from": ["account1"],
            "name": "all",
            "bucket": bucket,
        }
    told = said({"accounts": ACCOUNTS, "links": {"x": link}}, tmp_path)
    assert (
        f'{field}.access_points: is for consumers, which "{link["pattern"]}" has none of: leave it '
        "out"
    ) in told
