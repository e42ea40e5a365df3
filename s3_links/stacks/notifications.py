"""The notifications of a link's buckets, and where they go, from their declarations."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from constructs import Construct

from s3_cross_account.destinations import Bus, Destination, Function, Queue, Topic
from s3_cross_account.event_notifications import EventNotifications
from s3_cross_account.key import ExistingKey
from s3_links.declarations.handed_over import of_target, of_target_key

if TYPE_CHECKING:
    from s3_cross_account.bucket import BucketBase
    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.notifications import NotificationTarget

    from .linked import LinkedStack

_KINDS = {"queue": Queue, "topic": Topic, "bus": Bus}
_LONGEST = 48
"""Characters of a link's name in the names of roles and rules, of which AWS takes 64."""


class Notifications:
    """Makes the notifications of a stack's buckets; buckets may share a queue, topic or bus."""

    def __init__(self, stack: LinkedStack, link: str) -> None:
        self._stack, self._link = stack, link
        self._made: dict[NotificationTarget, Destination] = {}

    def of(self, scope: Construct, declared: LinkBucket, bucket: BucketBase) -> None:
        """Make those of one bucket."""
        if not declared.notifications:
            return
        made = EventNotifications(
            scope,
            "notifications",
            bucket=bucket,
            notifications=[(one, self._destination(one.to)) for one in declared.notifications],
            name=events_name(self._link, declared),
            configuration=declared.notification_configuration or "create",
        )
        if made.configuration_json:
            name = f"notifications_to_merge_{declared.label}"
            self._stack.outputs(**{name: made.configuration_json})

    def outputs(self) -> None:
        """Create the outputs of where they go: the ARNs, and what is to merge into policies."""
        for to, made in self._made.items():
            self._stack.outputs(**{f"{to.kind}_arn_{to.label}": made.arn})
            if made.statements_json:
                self._stack.outputs(**{of_target(to.kind, to.label): made.statements_json})
            if isinstance(made.key, ExistingKey) and made.key.statements_json:
                self._stack.outputs(**{of_target_key(to.label): made.key.statements_json})

    def _destination(self, to: NotificationTarget) -> Destination:
        if to not in self._made:
            account = self._stack.account(to.account)
            scope = Construct(self._stack, f"{to.kind}.{to.account}.{to.name}")
            if to.kind == "function":
                self._made[to] = Function(scope, to.kind, account=account, name=to.name)
                return self._made[to]
            self._made[to] = _KINDS[to.kind](
                scope,
                to.kind,
                account=account,
                name=to.name,
                policy=to.whose,
                key=ExistingKey(scope, "key", account=account, arn=to.key) if to.key else None,
            )
        return self._made[to]


def events_name(link: str, bucket: LinkBucket) -> str:
    """Return what the roles and rules are called that pass a bucket's events on."""
    return f"{link[:_LONGEST]}-{hashlib.sha256(bucket.id.encode()).hexdigest()[:8]}"
