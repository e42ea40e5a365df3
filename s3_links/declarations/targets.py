"""Where the notifications of links' buckets go: what only the accounts and all links show."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from .buckets import LinkBucket
from .part import UnreadableError, parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .links import Links
    from .notifications import NotificationTarget
    from .part import Place, Problem


def problems(links: Links) -> Iterator[Problem]:
    """Yield what S3 would refuse, and what two links would write both."""
    for place, bucket in parts(links.links, LinkBucket, ("links",)):
        for number, notification in enumerate(bucket.notifications):
            with suppress(UnreadableError, KeyError):
                at = (*place, "notifications", number, "to")
                yield from _of_accounts(at, notification.to, bucket, links)
    yield from _written_once(links)


def _of_accounts(
    place: Place, to: NotificationTarget, bucket: LinkBucket, links: Links
) -> Iterator[Problem]:
    there, here = links.accounts[to.account], links.accounts[bucket.account]
    if here.is_foreign:
        yield (
            place[:-2],
            f'"{bucket.account}" is foreign, and the notifications are configured at the bucket: '
            "its owner has to declare them",
        )
        return
    if there.is_foreign and to.whose != "merge":
        what = to.field if to.kind == "function" or to.whose == "new" else "policy"
        yield (
            place,
            f'"{to.account}" is foreign, nobody here has credentials for it: "{what}" would be '
            'written there: give an "existing_queue", "existing_topic" or "existing_bus" with '
            '"policy": "merge"',
        )
    region = there.region or here.region
    if to.kind != "bus" and region != here.region:
        yield (
            place,
            f'the {to.kind} "{to.name}" is in {region}, the bucket in {here.region}: S3 sends '
            "within a region only; take one there, or an event bus",
        )
    if to.key:
        of = to.key.split(":")
        if of[3] != region:
            yield (
                (*place, "key"),
                f"is in {of[3]}, what it encrypts in {region}: correct the ARN",
            )


def _written_once(links: Links) -> Iterator[Problem]:
    first: dict[tuple[str, ...], tuple[str, NotificationTarget]] = {}
    for place, bucket in parts(links.links, LinkBucket, ("links",)):
        for number, notification in enumerate(bucket.notifications):
            with suppress(UnreadableError):
                to, link = notification.to, str(place[1])
                owner, other = first.setdefault((to.account, to.kind, to.label), (link, to))
                at = (*place, "notifications", number, "to")
                if owner == link and other != to:
                    yield at, f'"{to.name}" is declared otherwise before: write the same'
                elif owner != link and to.kind != "function" and _both_write(to, other):
                    yield (
                        at,
                        f'the policy of the {to.kind} "{to.name}" is written by links.{owner} too: '
                        f'declare "existing_{to.kind}" with "policy": "merge" here, or make it one '
                        "link",
                    )


def _both_write(one: NotificationTarget, other: NotificationTarget) -> bool:
    return "merge" not in (one.whose, other.whose)
