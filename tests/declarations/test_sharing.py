"""Links that name a bucket of another one: which may, and what is refused with which way out."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from s3_links.declarations.errors import ConfigurationError
from s3_links.declarations.links import Links, schema
from s3_links.declarations.read_links import read_links
from tests.support.links import accounts

if TYPE_CHECKING:
    from pathlib import Path

MADE = {"account": "account2", "new_name": "lake-of-ours"}
NAMED = {"account": "account2", "existing": "lake-of-ours"}
KEY = "arn:aws:kms:ap-northeast-1:222222222222:key/11111111-2222-3333-4444-555555555555"


def link(role: str, bucket: dict[str, Any], **more: Any) -> dict[str, Any]:
    consumers = [{"account": "account1", "new_role": role}]
    return {"pattern": "direct-access", "consumers": consumers, "buckets": [bucket], **more}


def links(owner: dict[str, Any] = MADE, named: dict[str, Any] = NAMED, **more: Any) -> Any:
    declared = {"lake": link("lake-reader", owner), "writer": link("lake-writer", named, **more)}
    return {"accounts": accounts(), "links": declared}


def replicated(bucket: dict[str, Any]) -> dict[str, Any]:
    source = {"account": "account1", "new_prefix": "from-"}
    versioned = bucket | {"versioned": True}
    ends = {"source": source, "destination": versioned}
    return {"pattern": "replication", **ends, "role_name": "copier"}


OTHER = {"account": "account1", "new_prefix": "other-"}


def chain(lake: dict[str, Any], writer: dict[str, Any]) -> Any:
    """Two replications that share a bucket."""
    ends = {"pattern": "replication", "role_name": "lake-copier"}
    copied = {"pattern": "replication", "role_name": "writer-copier"}
    return {"accounts": accounts(), "links": {"lake": lake | ends, "writer": writer | copied}}


def with_writer(content: Any, writer: dict[str, Any]) -> Any:
    return content | {"links": content["links"] | {"writer": writer}}


def read(content: Any, folder: Path) -> Links:
    file = folder / "links.json"
    file.write_text(json.dumps(content))
    return read_links(file)


OWNED = {
    "made": MADE,
    "made, with a key": MADE | {"key": "new"},
    "imported": {"account": "account2", "imported": "lake-of-ours", "policy": "import"},
    "there, without a policy": NAMED | {"policy": "create"},
}


@pytest.mark.parametrize("owner", OWNED)
def test_a_link_names_the_bucket_of_another_one(owner: str, tmp_path: Path) -> None:
    content = links(OWNED[owner])
    Draft202012Validator(json.loads(schema())).validate(content)
    found = read(content, tmp_path)
    (made,), (named,) = found.links["lake"].buckets, found.links["writer"].buckets
    assert named.owner
    assert (named.owner.name, named.owner.bucket) == ("lake", made)
    assert [sharer.name for sharer in made.sharers] == ["writer"]
    assert (made.owner, named.sharers, named.encrypted_by) == (None, (), made.key)


def test_the_order_in_the_file_does_not_matter(tmp_path: Path) -> None:
    content = links()
    content["links"] = dict(reversed(content["links"].items()))
    (named,) = read(content, tmp_path).links["writer"].buckets
    assert named.owner
    assert named.owner.name == "lake"


def test_other_processes_know_of_it_too(tmp_path: Path) -> None:
    found = pickle.loads(pickle.dumps(read(links(), tmp_path)))
    (made,), (named,) = found.links["lake"].buckets, found.links["writer"].buckets
    assert named.owner.bucket is made
    assert made.sharers[0].bucket is named


def test_several_links_share_it_and_its_key_can_be_asked_for(tmp_path: Path) -> None:
    content = links(MADE | {"key": "new"})
    via = {"StringEquals": {"kms:CallerAccount": "111111111111"}}
    content["links"]["third"] = link("third", NAMED, access={"conditions": via})
    (made,) = read(content, tmp_path).links["lake"].buckets
    assert [sharer.name for sharer in made.sharers] == ["writer", "third"]


REFUSED = {
    "nobody's bucket": (
        links(named=NAMED | {"existing": "another"}),
        'links.writer.buckets[0]: with "existing", say who owns its bucket policy: "policy": '
        '"create" (nobody yet) or "merge" (you get the statements to merge); or name a bucket that '
        "another link of the file makes",
    ),
    "one of an unknown whole name": (
        links({"account": "account2", "new_prefix": "lake-"}),
        'links.writer.buckets[0]: begins as what "lake" makes with a "new_prefix", whose whole '
        'name nobody knows beforehand: give the bucket a "new_name" there, and the same name here',
    ),
    "another account": (
        links(named=NAMED | {"account": "account1"}),
        'links.writer.buckets[0].account: "lake" has the bucket in "account2": name that account',
    ),
    "a key": (
        links(MADE | {"key": KEY}, NAMED | {"key": KEY}),
        'links.writer.buckets[0].key: "lake" says which key the bucket has: leave it out',
    ),
    "a policy to merge by hand": (
        links(named=NAMED | {"policy": "merge"}),
        'links.writer.buckets[0].policy: its bucket policy is written by "lake", which would '
        "replace what is merged by hand: leave it out, and these statements are written there too",
    ),
    "made twice": (
        links(named=MADE),
        "links.writer: the bucket 'lake-of-ours' in account2 is created by links.lake too: declare "
        'the bucket as "existing" without a "policy" here: that link writes it for both',
    ),
    "a policy imported twice": (
        links(OWNED["imported"], OWNED["imported"]),
        "links.writer: the bucket 'lake-of-ours' in account2 is created by links.lake too: declare "
        'the bucket as "existing" without a "policy" here: that link writes it for both',
    ),
    "the role of an instance profile": (
        links(named=NAMED, consumers=[{"account": "account1", "instance_profile": "web"}]),
        'links.writer.consumers[0]: "lake" writes the bucket policy and does not know which role '
        '"web" holds: name that as "existing_role"',
    ),
    "a replication": (
        with_writer(links(), replicated(NAMED)),
        'links.writer.destination: is a bucket of "lake", and a replication configures its buckets '
        'itself: make it here, as "lake" does, and name it as "existing" there',
    ),
    "a destination that is copied on": (
        chain(replicated(MADE), {"source": NAMED | {"versioned": True}, "destination": OTHER}),
        'links.writer.source: is a bucket of "lake" too, and S3 copies no replica on: give the '
        'first source, that of "lake", both as "destinations"',
    ),
    "a source that is another's destination": (
        chain({"source": MADE, "destination": OTHER}, replicated(NAMED)),
        'links.writer.destination: is a bucket of "lake" too, and S3 copies no replica on: give '
        'the first source, that of "writer", both as "destinations"',
    ),
    "a destination of two replications": (
        chain(replicated(MADE), replicated(NAMED)),
        'links.writer.destination: is a bucket of "lake", and one link configures what is copied '
        'to it: give both as its "sources" there',
    ),
    "buckets of each other": (
        with_writer(
            {
                "accounts": accounts(),
                "links": {
                    "lake": link("lake-reader", MADE)
                    | {"buckets": [MADE, {"account": "account2", "existing": "pond-of-ours"}]}
                },
            },
            link("writer", NAMED)
            | {"buckets": [NAMED, {"account": "account2", "new_name": "pond-of-ours"}]},
        ),
        "links.lake: and writer name buckets of each other, so that none can be deployed first: "
        "give what one of them reaches to a link of its own, whose consumer is the role as an "
        '"existing_role"',
    ),
    "a service that takes no key": (
        with_writer(
            links(MADE | {"key": "new"}),
            {
                "pattern": "service-delivery",
                "service": "application-load-balancer",
                "from": ["account1"],
                "bucket": NAMED,
            },
        ),
        'links.writer.bucket: has a key, by "lake", and application-load-balancer delivers '
        "to buckets with Amazon S3 managed keys (SSE-S3) only: name another bucket",
    ),
}


def test_a_bucket_that_two_replications_copy_from_is_one_link_s(tmp_path: Path) -> None:
    lake, writer = {"source": MADE}, {"source": NAMED | {"versioned": True}}
    with pytest.raises(ConfigurationError) as error:
        read(chain(lake | {"destination": OTHER}, writer | {"destinations": [OTHER]}), tmp_path)
    told = 'from it: give it both as "destinations" there'
    assert 'is a bucket of "lake", and one link configures what is copied ' + told in str(
        error.value
    )


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_shared_is_refused_with_the_way_out(what: str, tmp_path: Path) -> None:
    content, told = REFUSED[what]
    with pytest.raises(ConfigurationError) as error:
        read(content, tmp_path)
    (line,) = str(error.value).splitlines()[1:]
    assert line.partition("links.json:1: ")[2] == told


def test_who_assumes_a_role_may_be_in_an_instance_profile(tmp_path: Path) -> None:
    more: dict[str, Any] = {
        "pattern": "assume-role",
        "consumers": [{"account": "account1", "instance_profile": "web"}],
        "assumed_role": {"account": "account2", "name": "worker"},
    }
    assert read(links(**more), tmp_path).links
