"""Links that share a bucket: one makes it and writes its policy, the others name it as existing.

A bucket has one policy, and who writes it replaces another's. So the link that owns it writes the
halves of all of them; each of the others writes those of its own roles.
"""

from __future__ import annotations

from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from .buckets import WHOSE_POLICY, LinkBucket
from .delivery import ServiceDeliveryLink
from .part import UnreadableError, parts
from .replication import ReplicationLink
from .shared import Owner, Sharer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .link import Link
    from .links import Links
    from .part import Place, Problem


def connect(links: Links) -> None:
    """Tell each bucket that links share which they are."""
    for _, sharer, owner in _shared(links):
        if not isinstance(sharer.link, ReplicationLink):
            sharer.bucket._owner = owner
            owner.bucket._sharers = (*owner.bucket.sharers, sharer)


def problems(links: Links) -> Iterator[Problem]:
    """Yield what is wrong with the buckets that links share, each at its place."""
    named = set[int]()
    for place, sharer, owner in _shared(links):
        named.add(id(sharer.bucket))
        with suppress(UnreadableError):
            yield from _wrong(place, sharer, owner)
    yield from _of_each_other(links)
    owners = _owners(links)
    for place, bucket in parts(links.links, LinkBucket, ("links",)):
        with suppress(UnreadableError):
            by = owners.get(bucket.existing or "")
            if bucket.existing and bucket.policy is None and id(bucket) not in named:
                yield place, _without_owner(links, bucket)
            elif by and bucket.policy == "merge" and by.name != place[1]:
                yield (
                    (*place, "policy"),
                    f'its bucket policy is written by "{by.name}", which would replace what is '
                    "merged by hand: leave it out, and these statements are written there too",
                )


def _of_each_other(links: Links) -> Iterator[Problem]:
    needed: dict[str, set[str]] = {}
    for _, sharer, owner in _shared(links):
        needed.setdefault(sharer.name, set()).add(owner.name)
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        first, *others = dict.fromkeys(error.args[1])
        yield (
            ("links", first),
            f"and {', '.join(others)} name buckets of each other, so that none can be deployed "
            "first: give what one of them reaches to a link of its own, whose consumer is the "
            'role as an "existing_role"',
        )


def _owners(links: Links) -> dict[str, Owner]:
    """Return which links write the policy of a bucket whose whole name is known, by the name."""
    found: dict[str, Owner] = {}
    for place, bucket in parts(links.links, LinkBucket, ("links",)):
        with suppress(UnreadableError):
            if bucket.new_name or bucket.policy in ("create", "import"):
                name = str(place[1])
                found.setdefault(bucket.name, Owner(name, links.links[name], bucket))
    return found


def _shared(links: Links) -> Iterator[tuple[Place, Sharer, Owner]]:
    """Yield each bucket that is named without a policy, its place, and whose it is."""
    owners = _owners(links)
    for place, bucket in parts(links.links, LinkBucket, ("links",)):
        with suppress(UnreadableError):
            owner = owners.get(bucket.existing or "")
            if owner and bucket.policy is None and owner.name != place[1]:
                name = str(place[1])
                link: Link | ServiceDeliveryLink = links.links[name]  # type: ignore[assignment]
                yield place, Sharer(name, link, bucket), owner


def _without_owner(links: Links, bucket: LinkBucket) -> str:
    for place, other in parts(links.links, LinkBucket, ("links",)):
        with suppress(UnreadableError):
            if other.new_prefix and str(bucket.existing).startswith(other.new_prefix):
                return (
                    f'begins as what "{place[1]}" makes with a "new_prefix", whose whole name '
                    'nobody knows beforehand: give the bucket a "new_name" there, and the same '
                    "name here"
                )
    return f"{WHOSE_POLICY}; or name a bucket that another link of the file makes"


def _wrong(place: Place, sharer: Sharer, owner: Owner) -> Iterator[Problem]:
    link, bucket, theirs = sharer.link, sharer.bucket, owner.bucket
    if bucket.account != theirs.account:
        told = f'"{owner.name}" has the bucket in "{theirs.account}": name that account'
        yield (*place, "account"), told
    if bucket.key is not None:
        yield (*place, "key"), f'"{owner.name}" says which key the bucket has: leave it out'
    if isinstance(link, ReplicationLink) and isinstance(owner.link, ReplicationLink):
        yield place, _of_two_replications(place, sharer, owner)
    elif isinstance(link, ReplicationLink):
        yield (
            place,
            f'is a bucket of "{owner.name}", and a replication configures its buckets itself: make '
            f'it here, as "{owner.name}" does, and name it as "existing" there',
        )
    elif isinstance(link, ServiceDeliveryLink):
        if theirs.encrypted and not link.takes_key:
            yield (
                place,
                f'has a key, by "{owner.name}", and {link.service} delivers to buckets with Amazon '
                "S3 managed keys (SSE-S3) only: name another bucket",
            )
        elif theirs.key == "new":
            yield (
                place,
                f'has a new key, by "{owner.name}", whose ARN nobody knows beforehand, and '
                f"{link.service} is told it: make the bucket here",
            )
    else:
        yield from _unnamed(sharer, owner)


def _of_two_replications(place: Place, sharer: Sharer, owner: Owner) -> str:
    """Tell what to do instead, by which ends of the two the bucket is.

    Follows "What isn't replicated with replication configurations?" in "What does Amazon S3
    replicate?", in the Amazon S3 User Guide.
    """
    assert isinstance(owner.link, ReplicationLink)
    here = str(place[2]).removesuffix("s")
    there = next(end.end for end in owner.link.ends if end.bucket is owner.bucket)
    told = f'is a bucket of "{owner.name}", and one link configures what is copied '
    if here == there == "source":
        return f'{told}from it: give it both as "destinations" there'
    if here == there:
        return f'{told}to it: give both as its "sources" there'
    first = owner.name if there == "destination" else sharer.name
    return (
        f'is a bucket of "{owner.name}" too, and S3 copies no replica on: give the first source, '
        f'that of "{first}", both as "destinations"'
    )


def _unnamed(sharer: Sharer, owner: Owner) -> Iterator[Problem]:
    """Yield whom the owner's policy cannot name."""
    link = sharer.link
    assert not isinstance(link, ServiceDeliveryLink)
    for number, consumer in enumerate(link.consumers if not link.assumed_role else ()):
        if consumer.instance_profile and link.accesses(consumer, sharer.bucket):
            yield (
                ("links", sharer.name, "consumers", number),
                f'"{owner.name}" writes the bucket policy and does not know which role '
                f'"{consumer.instance_profile}" holds: name that as "existing_role"',
            )
