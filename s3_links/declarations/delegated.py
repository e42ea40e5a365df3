"""Access points of links' buckets: what only the accounts, the consumers and the grants show."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from s3_cross_account.actions import as_listed
from s3_cross_account.through import not_through

from .buckets import LinkBucket
from .link import Link
from .part import UnreadableError, parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .access_points import BucketAccessPoint
    from .links import Links
    from .part import Place, Problem


def problems(links: Links) -> Iterator[Problem]:
    """Yield where no access point can be, and who could not come through."""
    for place, bucket in parts(links.links, LinkBucket, ("links",)):
        with suppress(UnreadableError):
            link, points = links.links[str(place[1])], bucket.access_points
            at = (*place, "access_points")
            if points and not isinstance(link, Link):
                yield at, f'is for consumers, which "{link.pattern}" has none of: leave it out'
                continue
            for number, point in enumerate(points):
                with suppress(UnreadableError, KeyError):
                    yield from _of_accounts((*at, number), point, bucket, links)
            if points and isinstance(link, Link):
                yield from _of_link(at, bucket, link)


def _of_accounts(
    place: Place, point: BucketAccessPoint, bucket: LinkBucket, links: Links
) -> Iterator[Problem]:
    own, there = links.accounts[point.account], links.accounts[bucket.account]
    if own.is_foreign:
        yield (
            (*place, "account"),
            f'"{point.account}" is foreign, nobody here has credentials for it, and an access '
            "point would be created there: "
            + (f'take one in "{bucket.account}"' if not there.is_foreign else "leave it out"),
        )
    elif there.region and own.region != there.region:
        yield (
            (*place, "account"),
            f'"{point.account}" works in {own.region}, the bucket is in {there.region}, and an '
            f'access point is in its bucket\'s region: take one in "{bucket.account}"',
        )


def _of_link(place: Place, bucket: LinkBucket, link: Link) -> Iterator[Problem]:
    seen, used = dict[str, int](), set[str]()
    for number, point in enumerate(bucket.access_points):
        first = seen.setdefault(point.account, number)
        if first != number:
            yield (
                (*place, number),
                f'"{point.account}" has access_points[{first}] of this bucket: one for each '
                "account; what differs are links of their own",
            )
    for number, granted in enumerate(link.granted):
        if bucket not in granted.buckets:
            continue
        for consumer in granted.consumers:
            with suppress(UnreadableError):
                role, alias = link.assumed_role, link.calling(consumer)
                by = bucket.through(alias)
                if by is None:
                    whose = f'"{alias}"' if alias else "no account of yours"
                    yield (
                        place,
                        f'"{role.name if role else consumer.name}" is in {whose} and comes through '
                        f"none of these: add one in "
                        + ("" if alias == bucket.account else "that account, or in ")
                        + f'"{bucket.account}", which takes everybody',
                    )
                    continue
                used.add(by.account)
                asked = granted.access
                if by.vpc_id and (
                    asked.source_ips or (asked.vpc_ids and by.vpc_id not in asked.vpc_ids)
                ):
                    yield (
                        place,
                        f"only requests from {by.vpc_id} come through, which its access asks to "
                        'come from elsewhere ("vpc_ids" or "source_ips"): leave out one of them',
                    )
                if consumer.instance and by.vpc_id:
                    yield (
                        place,
                        f'"{consumer.name}": an "instance" gets a network of its own, which is not '
                        'the VPC of "vpc_id": leave out one of them',
                    )
        with suppress(UnreadableError):
            if wrong := not_through(as_listed(granted.access.granted_actions)):
                where = ("grants", number) if link.grants and link.grants[number].access else ()
                yield (
                    (*place[:2], *where, "access"),
                    f"{', '.join(wrong)}: not for requests through an access point: name the "
                    'actions without these as "actions", or leave out "access_points"',
                )
    for number, point in enumerate(bucket.access_points):
        if point.account not in used:
            yield (*place, number), "nobody comes through: leave it out"
