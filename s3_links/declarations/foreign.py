"""What a link can have in an account that nobody here has credentials for."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from .delivery import ServiceDeliveryLink
from .deployment import accounts_in
from .link import Link
from .part import UnreadableError
from .replication import ReplicationLink
from .state import S3State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .links import Links
    from .part import Part, Place, Problem

_CONSUMERS = ("existing_role", "existing_user", "whole_account")
_WHOSE = 'is foreign, nobody here has credentials for it: "{}" would be {} there: '
_WRITTEN = {
    "new_role": "created",
    "imported_role": "managed",
    "instance_profile": "looked up",
    "permission_set": "given a policy",
}


def problems(links: Links) -> Iterator[Problem]:
    """Yield what cannot be, as nothing is created, changed or looked up in a foreign account."""
    foreign = set[str]()
    for alias, account in links.accounts.items():
        with suppress(UnreadableError):
            if account.is_foreign:
                foreign.add(alias)
    if not foreign:
        return
    with suppress(UnreadableError):
        if isinstance(links.state, S3State) and links.state.account in foreign:
            yield (
                ("state", "account"),
                f'"{links.state.account}" is foreign, nobody here has credentials for it: keep the '
                "state in an account of yours",
            )
    for name, link in links.links.items():
        for place, told in _of_link(link, foreign):
            yield ("links", name, *place), told


def _of_link(link: Part, foreign: set[str]) -> Iterator[Problem]:
    named = {alias for _, alias in accounts_in(link)}
    if named and named <= foreign:
        aliases = ", ".join(sorted(named))
        yield (
            (),
            f"everything in it is in foreign accounts ({aliases}), so that there is nothing of "
            "yours to write: one side has to be in an account of yours",
        )
        return
    if isinstance(link, ReplicationLink):
        with suppress(UnreadableError):
            yield from _of_replication(link, foreign)
    elif isinstance(link, Link):
        yield from _of_access(link, foreign)
    elif isinstance(link, ServiceDeliveryLink):
        with suppress(UnreadableError):
            yield from _of_bucket(("bucket",), link.bucket, foreign)


def _of_access(link: Link, foreign: set[str]) -> Iterator[Problem]:
    for number, consumer in enumerate(link.consumers):
        with suppress(UnreadableError):
            if consumer.account in foreign:
                for field, what in _WRITTEN.items():
                    if getattr(consumer, field) is not None:
                        told = _WHOSE.format(field, what)
                        give = '", "'.join(_CONSUMERS)
                        yield (("consumers", number), f'"{consumer.account}" {told}give "{give}"')
    for number, bucket in enumerate(link.buckets):
        with suppress(UnreadableError):
            yield from _of_bucket(("buckets", number), bucket, foreign)
    with suppress(UnreadableError):
        role = link.assumed_role
        if role and role.account in foreign and role.imported:
            told = _WHOSE.format("imported", "managed")
            yield ("assumed_role",), f'"{role.account}" {told}leave it out'
        for number, passed in enumerate(role.through if role else ()):
            if passed.account in foreign:
                told = _WHOSE.format("through", "created")
                place = ("assumed_role", "through", number)
                yield place, f'"{passed.account}" {told}take a role of your own'


def _of_bucket(place: Place, bucket: object, foreign: set[str]) -> Iterator[Problem]:
    account = getattr(bucket, "account", None)
    if account not in foreign:
        return
    for field in ("new_prefix", "new_name", "imported"):
        if getattr(bucket, field) is not None:
            told = _WHOSE.format(field, "managed" if field == "imported" else "created")
            yield place, f'"{account}" {told}give "existing" with "policy": "merge"'
    if getattr(bucket, "existing", None) and getattr(bucket, "policy", None) == "create":
        told = _WHOSE.format("policy", "created")
        yield (
            place,
            f'"{account}" {told}give "policy": "merge", and its owner the statements',
        )


def _of_replication(link: ReplicationLink, foreign: set[str]) -> Iterator[Problem]:
    ends = link.ends
    for end in ends:
        with suppress(UnreadableError):
            account = end.bucket.account
            if end.end == "source" and account in foreign:
                yield (
                    end.place,
                    f'"{account}" is foreign, and a replication is configured, with its role, at '
                    "the source: its owner has to declare it",
                )
            elif end.end == "destination":
                yield from _of_bucket(end.place, end.bucket, foreign)
    for end in ends if link.both_ways else ():
        with suppress(UnreadableError):
            if end.end == "destination" and end.bucket.account in foreign:
                yield (
                    ("both_ways",),
                    f'"{end.bucket.account}" is foreign, and the way back is configured there: '
                    "its owner has to declare it",
                )
