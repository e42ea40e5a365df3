"""Reads the files of links: whether every part of it is right, and that no two claim the same."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from s3_cross_account.settings import partition

from .buckets import LinkBucket, ReplicatedBucket
from .checking import checked, located, readable
from .consumers import AssumedRole, Consumer
from .deployment import contradictions, in_two_partitions, unknown_account
from .documents import read
from .files import place_of_links
from .links import Links
from .pipeline import ROLES, Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .checking import Place, Problem


def declared() -> Links | None:
    """Return the checked links of this folder, or nothing where there are none."""
    path = place_of_links()
    return read_links(path) if path else None


def read_links(path: Path) -> Links:
    """Return the checked links in a file or a folder, or raise :class:`ConfigurationError`."""
    return read_with_notes(path)[0]


def read_with_notes(path: Path) -> tuple[Links, list[str]]:
    """Return the checked links, and what cannot be known of them, each with its place."""
    documents = read(path)
    content, found = documents.content, list(documents.problems)
    found += contradictions(content)
    found += _outside(content)
    found += _claimed_twice(content)
    links = checked(Links, content, source=documents.where, found=found)
    return links, [located(documents.where, note) for note in links.notes()]


def _outside(content: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what does not fit to the accounts, of whatever is there and of the right type."""
    accounts = content.get("accounts")
    together: dict[Place, list[str]] = defaultdict(list)
    for place, part in _parts(content):
        if isinstance(part.get("account"), str):
            together[place[:2]].append(part["account"])
        yield from unknown_account(part, place, accounts)
        alias, key = part.get("account"), part.get("key")
        if isinstance(accounts, dict) and isinstance(alias, str) and isinstance(key, str):
            for told in _foreign_key(key, accounts.get(alias)):
                yield (*place, "key"), told
    for place, aliases in together.items():
        for told in in_two_partitions(aliases, accounts):
            yield place, told


def _parts(content: Mapping[str, Any]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Yield what is in an account, with its place."""
    links = content.get("links")
    for name, link in links.items() if isinstance(links, dict) else ():
        for kind in ("consumers", "buckets", "assumed_role", "source", "destination"):
            value = link.get(kind) if isinstance(link, dict) else None
            for number, item in enumerate(value) if isinstance(value, list) else ():
                if isinstance(item, dict):
                    yield ("links", name, kind, number), item
            if isinstance(value, dict):
                yield ("links", name, kind), value


def _foreign_key(arn: str, account: Any) -> Iterator[str]:
    if arn.count(":") != 5 or not isinstance(account, dict):
        return
    _, key_partition, _, region, account_id, _ = arn.split(":")
    if key_partition != partition(region):
        yield (
            f"is in the partition {key_partition}, its region in {partition(region)}: correct the "
            "ARN"
        )
    if region != account.get("region"):
        yield (
            f"is in {region}, its bucket in {account.get('region')}: S3 takes keys of the bucket's "
            "region only"
        )
    if account.get("account_id") not in (None, account_id):
        yield (
            f"belongs to account {account_id}, its bucket to {account['account_id']}: use a key of "
            "the bucket's account"
        )


class _Claim(NamedTuple):
    """What only one declaration can have."""

    what: str
    remedy: str
    key: tuple[str, ...]
    """What tells it from others: IAM's names differ by more than case, S3's are global."""


_ONE_LINK = "choose another name, or make it one link"
_MERGE = 'declare the bucket as "existing" with "policy": "merge" here, or make it one link'
_BUCKET, _POLICY = "the bucket", "the bucket policy of"


def _role(account: str, name: str) -> _Claim:
    return _Claim(f"the role {name!r} in {account}", _ONE_LINK, ("role", account, name.lower()))


def _of_s3(what: str, account: str, name: str, remedy: str = _MERGE) -> _Claim:
    return _Claim(f"{what} {name!r} in {account}", remedy, (what, name))


def _output(link: str, name: str) -> _Claim:
    remedy = "leave one out, or declare two links"
    return _Claim(f'the output "{name}"', remedy, ("output", link, name))


def _claimed_twice(content: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what two parts claim, of all parts that are as they should be."""
    owners = {claim.key: place for claim, place in _of_supporting_stacks(content)}
    links = content.get("links")
    for name, link in links.items() if isinstance(links, dict) else ():
        for claims in _of_link(name, link) if isinstance(link, dict) else ():
            taken = [claim for claim in claims if claim.key in owners]
            for what, remedy, key in taken[:1]:  # the others follow from it
                yield ("links", name), f"{what} is created by {owners[key]} too: {remedy}"
            for claim in claims:
                owners.setdefault(claim.key, f"links.{name}")
        yield from _of_the_pipeline(name, link, owners)


def _of_the_pipeline(
    name: str, link: Any, owners: Mapping[tuple[str, ...], str]
) -> Iterator[Problem]:
    """Yield each consumer that is a pipeline's role: it would deploy its own policies."""
    for consumer in readable(Consumer, link.get("consumers") if isinstance(link, dict) else ()):
        role = consumer.existing_role
        if role and owners.get(_role(consumer.account, role).key) == "pipeline":
            told = f"the role {role!r} is the pipeline's: give the access to another role"
            yield ("links", name), told


def _of_supporting_stacks(content: Mapping[str, Any]) -> Iterator[tuple[_Claim, str]]:
    accounts, state, pipeline = (content.get(key) for key in ("accounts", "state", "pipeline"))
    if isinstance(pipeline, dict):
        beginning = pipeline.get("role_name", Pipeline.model_fields["role_name"].default)
        for alias in accounts if isinstance(accounts, dict) else ():
            for what in ROLES:
                yield _role(alias, f"{beginning}-{what}"), "pipeline"
    if isinstance(state, dict):
        yield from _whole(state.get("account"), state.get("bucket"), "state")
    for alias, account in accounts.items() if isinstance(accounts, dict) else ():
        if isinstance(account, dict):
            yield from _whole(alias, account.get("log_bucket"), f"accounts.{alias}.log_bucket")


def _whole(account: Any, bucket: Any, place: str) -> Iterator[tuple[_Claim, str]]:
    """Yield the claims on a bucket that is somebody else's with its policy."""
    if isinstance(account, str) and isinstance(bucket, str):
        for what in (_BUCKET, _POLICY):
            yield _of_s3(what, account, bucket), place


def _of_link(name: str, link: Mapping[str, Any]) -> Iterator[list[_Claim]]:
    """Yield the claims of each part of a link, of whichever pattern."""
    for consumer in readable(Consumer, link.get("consumers")):
        managed = [_role(consumer.account, role) for role in [consumer.managed_role] if role]
        yield [*managed, _output(name, f"role_arn_{consumer.label}")]
    for role in readable(AssumedRole, link.get("assumed_role")):
        yield [_role(role.account, role.name)]
    for bucket in readable(LinkBucket, link.get("buckets")):
        yield [*_of_bucket(bucket), _output(name, f"bucket_name_{bucket.label}")]
    sources = readable(ReplicatedBucket, link.get("source"))
    destinations = readable(ReplicatedBucket, link.get("destination"))
    both_ways = link.get("both_ways") is True
    for end in (*sources, *(destinations if both_ways else ())):
        if not end.new_prefix:
            what = "the replication configuration of"
            remedy = "S3 keeps one for each bucket: make it one link"
            yield [_of_s3(what, end.account, end.name, remedy)]
    for end in (*sources, *destinations):
        yield _of_bucket(end)
    role_name = link.get("role_name")
    if isinstance(role_name, str):
        for end in sources:
            yield [_role(end.account, role_name)]
            if link.get("batch_role") is True:
                yield [_role(end.account, f"{role_name}-batch")]
        for end in destinations if both_ways else ():
            yield [_role(end.account, f"{role_name}-back")]


def _of_bucket(bucket: LinkBucket) -> list[_Claim]:
    owned = {_BUCKET: bucket.imported, _POLICY: bucket.policy in ("create", "import")}
    return [_of_s3(what, bucket.account, bucket.name) for what, is_so in owned.items() if is_so]
